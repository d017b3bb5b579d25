dnl HMF_LIBDW: finds libdw of elfutils, with which variables are found by debug information (hmf/globals.h).
dnl Sets LIBDW_CFLAGS, LIBDW_LIBS, hmf_libdw_found and the conditional HAVE_LIBDW.

AC_DEFUN([HMF_LIBDW], [
AC_ARG_WITH([libdw], [AS_HELP_STRING([--without-libdw], [no variables by debug information])],
    [], [with_libdw=auto])
hmf_libdw_found="no: variables are not found by debug information (Debian: libdw-dev)"
hmf_have_libdw=no
AS_IF([test "$with_libdw" != no], [
    PKG_CHECK_MODULES([LIBDW], [libdw >= 0.171], [
        hmf_have_libdw=yes
        hmf_libdw_found="yes, `$PKG_CONFIG --modversion libdw`"
        AC_DEFINE([HAVE_LIBDW], [1], [libdw is there])
    ], [AS_IF([test "$with_libdw" = yes], [AC_MSG_ERROR([libdw not found (Debian: libdw-dev)])])])
])
AM_CONDITIONAL([HAVE_LIBDW], [test $hmf_have_libdw = yes])
])
