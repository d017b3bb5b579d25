dnl HMF_LIBCLANG: finds libclang, on which the tool hmf-checktype stands; nothing else needs it.
dnl Sets LIBCLANG_CFLAGS, LIBCLANG_LIBS, hmf_libclang_found and the conditional HAVE_LIBCLANG.
dnl --with-libclang=PREFIX, --without-libclang.

AC_DEFUN([HMF_LIBCLANG], [
AC_ARG_WITH([libclang], [AS_HELP_STRING([--with-libclang=PREFIX], [libclang installed in PREFIX (hmf-checktype only)])],
    [], [with_libclang=auto])
hmf_libclang_found=
LIBCLANG_CFLAGS=
LIBCLANG_LIBS=
AS_CASE([$with_libclang],
    [no], [hmf_libclang_places=],
    [auto|yes], [
        dnl Debian keeps every version in a folder of its own; the newest is taken
        hmf_libclang_places="default `ls -d /usr/lib/llvm-*/include/clang-c 2>/dev/null | sed 's,/include/clang-c,,' | sort -t- -k2 -n -r | tr '\n' ' '`"],
    [hmf_libclang_places=$with_libclang])

AS_IF([test -n "$hmf_libclang_places"], [
    AC_MSG_CHECKING([for libclang])
    hmf_save_CPPFLAGS=$CPPFLAGS
    hmf_save_LIBS=$LIBS
    for hmf_place in $hmf_libclang_places; do
        AS_IF([test "$hmf_place" = default],
            [hmf_clang_cflags= hmf_clang_libs=-lclang],
            [hmf_clang_cflags="-I$hmf_place/include"
             hmf_clang_libs="-L$hmf_place/lib -Wl,-rpath,$hmf_place/lib -lclang"])
        CPPFLAGS="$hmf_save_CPPFLAGS $hmf_clang_cflags"
        LIBS="$hmf_clang_libs $hmf_save_LIBS"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <clang-c/Index.h>]],
            [[CXCursor c = clang_getNullCursor(); return (int)clang_Cursor_isAnonymousRecordDecl(c);]])], [
            hmf_libclang_found=$hmf_place
            LIBCLANG_CFLAGS=$hmf_clang_cflags
            LIBCLANG_LIBS=$hmf_clang_libs
            break])
    done
    CPPFLAGS=$hmf_save_CPPFLAGS
    LIBS=$hmf_save_LIBS
    AS_IF([test -n "$hmf_libclang_found"], [AC_MSG_RESULT([$hmf_libclang_found])], [
        AC_MSG_RESULT([no])
        AS_CASE([$with_libclang],
            [auto], [],
            [AC_MSG_ERROR([libclang is not in $with_libclang; give --with-libclang=PREFIX or --without-libclang])])])])
AM_CONDITIONAL([HAVE_LIBCLANG], [test -n "$hmf_libclang_found"])
AS_IF([test -z "$hmf_libclang_found"], [
    hmf_libclang_found="no: hmf-checktype is not built, descriptions are written by hand (Debian: libclang-dev)"])
AC_SUBST([LIBCLANG_CFLAGS])
AC_SUBST([LIBCLANG_LIBS])
])
