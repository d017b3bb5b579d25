dnl HMF_WARNINGS: -Wall -Wextra always where understood, --enable-werror for our own runs.
dnl Sets HMF_CFLAGS.

AC_DEFUN([HMF_WARNINGS], [
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
    [], [enable_werror=no])
HMF_CFLAGS="-std=gnu11 -pthread"
hmf_save_CFLAGS=$CFLAGS
for hmf_flag in -Wall -Wextra -Wvla -Wstrict-prototypes; do
    CFLAGS="$hmf_save_CFLAGS $hmf_flag"
    AC_MSG_CHECKING([whether $CC understands $hmf_flag])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
        [AC_MSG_RESULT([yes])
         HMF_CFLAGS="$HMF_CFLAGS $hmf_flag"],
        [AC_MSG_RESULT([no])])
done
CFLAGS=$hmf_save_CFLAGS
AS_IF([test "$enable_werror" != no], [HMF_CFLAGS="$HMF_CFLAGS -Werror"])
AC_SUBST([HMF_CFLAGS])
])
