dnl HMF_CUNIT: finds CUnit, which only the unit tests use. Sets CUNIT_CFLAGS, CUNIT_LIBS,
dnl hmf_cunit_found and the conditional HAVE_CUNIT. --without-cunit leaves the unit tests out.

AC_DEFUN([HMF_CUNIT], [
AC_ARG_WITH([cunit], [AS_HELP_STRING([--with-cunit=PREFIX], [CUnit installed in PREFIX (unit tests only)])],
    [], [with_cunit=auto])
hmf_cunit_found=
AS_CASE([$with_cunit],
    [no], [],
    [auto|yes], [
        PKG_CHECK_MODULES([CUNIT], [cunit], [hmf_cunit_found="pkg-config cunit"],
            [CUNIT_CFLAGS= CUNIT_LIBS=-lcunit hmf_cunit_found="the compiler's default paths"])],
    [
        CUNIT_CFLAGS="-I$with_cunit/include"
        CUNIT_LIBS="-L$with_cunit/lib -Wl,-rpath,$with_cunit/lib -lcunit"
        hmf_cunit_found=$with_cunit])

AS_IF([test -n "$hmf_cunit_found"], [
    hmf_save_CPPFLAGS=$CPPFLAGS
    hmf_save_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $CUNIT_CFLAGS"
    LIBS="$CUNIT_LIBS $LIBS"
    AC_MSG_CHECKING([for CUnit])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <CUnit/Basic.h>]], [[return CU_initialize_registry();]])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AS_IF([test "$with_cunit" != auto],
            [AC_MSG_ERROR([CUnit is not in $with_cunit; give --with-cunit=PREFIX or --without-cunit])])
         hmf_cunit_found=])
    CPPFLAGS=$hmf_save_CPPFLAGS
    LIBS=$hmf_save_LIBS])
AM_CONDITIONAL([HAVE_CUNIT], [test -n "$hmf_cunit_found"])
AS_IF([test -z "$hmf_cunit_found"], [
    hmf_cunit_found="no: make check runs without the unit tests (Debian: libcunit1-dev, or --with-cunit=PREFIX)"])
AC_SUBST([CUNIT_CFLAGS])
AC_SUBST([CUNIT_LIBS])
])
