dnl HMF_XXHASH: finds libxxhash, by whose hash blocks that did not change are told (HMF_INCREMENTAL).
dnl Sets XXHASH_CFLAGS, XXHASH_LIBS, hmf_xxhash_found and, in config.h, HAVE_XXHASH.

AC_DEFUN([HMF_XXHASH], [
AC_ARG_WITH([xxhash], [AS_HELP_STRING([--without-xxhash], [checkpoints always write everything])],
    [], [with_xxhash=auto])
hmf_xxhash_found="no: checkpoints always write everything (Debian: libxxhash-dev)"
AS_IF([test "$with_xxhash" != no], [
    PKG_CHECK_MODULES([XXHASH], [libxxhash >= 0.8.0], [
        hmf_xxhash_found="yes, `$PKG_CONFIG --modversion libxxhash`"
        AC_DEFINE([HAVE_XXHASH], [1], [libxxhash is there])
    ], [AS_IF([test "$with_xxhash" = yes], [AC_MSG_ERROR([libxxhash not found (Debian: libxxhash-dev)])])])
])
])
