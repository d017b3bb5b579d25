dnl HMF_JANSSON: finds jansson, with which graphs and the simulator's models are read and written as JSON.
dnl Sets JANSSON_CFLAGS, JANSSON_LIBS, hmf_jansson_found and the conditional HAVE_JANSSON.

AC_DEFUN([HMF_JANSSON], [
AC_ARG_WITH([jansson], [AS_HELP_STRING([--without-jansson], [no graphs as JSON, no simulator])],
    [], [with_jansson=auto])
hmf_jansson_found="no: no graphs as JSON, no simulator (Debian: libjansson-dev)"
hmf_have_jansson=no
AS_IF([test "$with_jansson" != no], [
    PKG_CHECK_MODULES([JANSSON], [jansson >= 2.11], [
        hmf_have_jansson=yes
        hmf_jansson_found="yes, `$PKG_CONFIG --modversion jansson`"
        AC_DEFINE([HAVE_JANSSON], [1], [jansson is there])
    ], [AS_IF([test "$with_jansson" = yes], [AC_MSG_ERROR([jansson not found (Debian: libjansson-dev)])])])
])
AM_CONDITIONAL([HAVE_JANSSON], [test $hmf_have_jansson = yes])
])
