dnl HMF_SANITIZERS: --enable-sanitizers=LIST gives LIST to -fsanitize= for everything built,
dnl after a test that it links and runs. Sets SANITIZER_FLAGS and hmf_sanitizers.

AC_DEFUN([HMF_SANITIZERS], [
AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST], [build with -fsanitize=LIST, e.g. address,undefined])],
    [], [enable_sanitizers=no])
AS_CASE([$enable_sanitizers],
    [no], [hmf_sanitizers=none],
    [yes], [hmf_sanitizers=address,undefined],
    [hmf_sanitizers=$enable_sanitizers])
AS_IF([test "$hmf_sanitizers" != none], [
    SANITIZER_FLAGS="-fsanitize=$hmf_sanitizers -fno-omit-frame-pointer"
    AS_CASE([$hmf_sanitizers], [*undefined*],
        [SANITIZER_FLAGS="$SANITIZER_FLAGS -fno-sanitize-recover=undefined"])
    hmf_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $SANITIZER_FLAGS"
    AC_MSG_CHECKING([for -fsanitize=$hmf_sanitizers])
    AC_RUN_IFELSE([AC_LANG_PROGRAM()],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([$CC cannot do -fsanitize=$hmf_sanitizers here; change --enable-sanitizers=LIST])],
        [AC_MSG_RESULT([not tried, cross compiling])])
    CFLAGS=$hmf_save_CFLAGS])
AM_CONDITIONAL([SANITIZERS], [test "$hmf_sanitizers" != none])
AC_SUBST([SANITIZER_FLAGS])
AC_SUBST([hmf_sanitizers])
])
