dnl HMF_TIRPC: finds libtirpc, to whose XDR ours is compared in tests; nothing else uses it.
dnl Sets TIRPC_CFLAGS, TIRPC_LIBS, hmf_tirpc_found and, in config.h, HAVE_TIRPC.

AC_DEFUN([HMF_TIRPC], [
PKG_CHECK_MODULES([TIRPC], [libtirpc], [
    hmf_tirpc_found="yes, `$PKG_CONFIG --modversion libtirpc`"
    AC_DEFINE([HAVE_TIRPC], [1], [libtirpc is there])
], [
    hmf_tirpc_found="no: XDR is not compared with it (Debian: libtirpc-dev)"
])
])
