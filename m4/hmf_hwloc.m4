dnl HMF_HWLOC: finds hwloc 2.x. Sets HWLOC_CFLAGS, HWLOC_LIBS and hmf_hwloc_found.
dnl hwloc 3 changes structures and calls, so it is refused until the code follows.

AC_DEFUN([HMF_HWLOC], [
AC_ARG_WITH([hwloc], [AS_HELP_STRING([--with-hwloc=PREFIX], [hwloc 2.x installed in PREFIX])],
    [], [with_hwloc=auto])
AS_CASE([$with_hwloc],
    [no], [AC_MSG_ERROR([the node monitor needs hwloc; give --with-hwloc=PREFIX])],
    [auto|yes], [
        PKG_CHECK_MODULES([HWLOC], [hwloc >= 2.0 hwloc < 3.0],
            [hmf_hwloc_found="pkg-config hwloc `$PKG_CONFIG --modversion hwloc`"],
            [HWLOC_CFLAGS= HWLOC_LIBS=-lhwloc hmf_hwloc_found="the compiler's default paths"])],
    [
        HWLOC_CFLAGS="-I$with_hwloc/include"
        HWLOC_LIBS="-L$with_hwloc/lib -Wl,-rpath,$with_hwloc/lib -lhwloc"
        hmf_hwloc_found=$with_hwloc])

hmf_save_CPPFLAGS=$CPPFLAGS
hmf_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $HWLOC_CFLAGS"
LIBS="$HWLOC_LIBS $LIBS"
AC_MSG_CHECKING([for hwloc 2.x])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <hwloc.h>
#if HWLOC_API_VERSION < 0x00020000 || HWLOC_API_VERSION >= 0x00030000
#error "this is not hwloc 2"
#endif
]], [[return (int) hwloc_get_api_version();]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([hwloc 2.x (not 3.x) not found or not usable ($hmf_hwloc_found): install it (Debian: libhwloc-dev) or give --with-hwloc=PREFIX])])
CPPFLAGS=$hmf_save_CPPFLAGS
LIBS=$hmf_save_LIBS
AC_SUBST([HWLOC_CFLAGS])
AC_SUBST([HWLOC_LIBS])
])
