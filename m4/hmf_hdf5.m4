dnl HMF_HDF5: finds HDF5. Sets HDF5_CFLAGS, HDF5_LIBS and hmf_hdf5_found.
dnl Either flavour does, since each rank writes its own file: the serial one is preferred, so that
dnl the unit tests and tools need no MPI. Where a program uses the other flavour, both are loaded;
dnl that is safe if their symbols are versioned (Debian's are), which is checked here.
dnl HDF5_PARALLEL_* is the parallel flavour, wanted only by the test of that coexistence.

AC_DEFUN([HMF_HDF5], [
AC_ARG_WITH([hdf5], [AS_HELP_STRING([--with-hdf5=PREFIX], [HDF5 (serial or parallel) installed in PREFIX])],
    [], [with_hdf5=auto])
hmf_hdf5_found=
AS_CASE([$with_hdf5],
    [no], [AC_MSG_ERROR([checkpoints need HDF5; give --with-hdf5=PREFIX])],
    [auto|yes], [
        PKG_CHECK_MODULES([HDF5], [hdf5-serial >= 1.10],
            [hmf_hdf5_found="pkg-config hdf5-serial"],
            [PKG_CHECK_MODULES([HDF5], [hdf5 >= 1.10],
                [hmf_hdf5_found="pkg-config hdf5"], [:])])],
    [
        HDF5_CFLAGS="-I$with_hdf5/include"
        HDF5_LIBS="-L$with_hdf5/lib -Wl,-rpath,$with_hdf5/lib -lhdf5"
        hmf_hdf5_found=$with_hdf5])
AS_IF([test -z "$hmf_hdf5_found"], [
    HDF5_CFLAGS= HDF5_LIBS=-lhdf5 hmf_hdf5_found="the compiler's default paths"])

hmf_save_CPPFLAGS=$CPPFLAGS
hmf_save_LIBS=$LIBS
hmf_hdf5_try() {
    CPPFLAGS="$hmf_save_CPPFLAGS $HDF5_CFLAGS"
    LIBS="$HDF5_LIBS $hmf_save_LIBS"
}
hmf_hdf5_try
AC_MSG_CHECKING([whether HDF5 is parallel])
AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#include <H5pubconf.h>
#ifndef H5_HAVE_PARALLEL
#error "serial"
#endif
]])],
    [AC_MSG_RESULT([yes])
     HDF5_CFLAGS="$HDF5_CFLAGS $MPI_CFLAGS" HDF5_LIBS="$HDF5_LIBS $MPI_LIBS"
     hmf_hdf5_found="$hmf_hdf5_found (parallel)"],
    [AC_MSG_RESULT([no])
     hmf_hdf5_found="$hmf_hdf5_found (serial)"])
hmf_hdf5_try
AC_MSG_CHECKING([for HDF5 1.10 or newer])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <hdf5.h>
#if H5_VERS_MAJOR == 1 && H5_VERS_MINOR < 10
#error "HDF5 is too old"
#endif
]], [[return H5open() < 0;]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([HDF5 >= 1.10 not found or not usable ($hmf_hdf5_found): install it (Debian: libhdf5-dev) or give --with-hdf5=PREFIX])])
AC_MSG_CHECKING([whether HDF5 symbols are versioned])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <hdf5.h>]], [[return H5open() < 0;]])],
    [AS_IF([${NM-nm} -D conftest$EXEEXT 2>/dev/null | grep -q ' H5open@'],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         hmf_hdf5_found="$hmf_hdf5_found, unversioned: programs must use this same HDF5"])],
    [AC_MSG_RESULT([unknown])])
CPPFLAGS=$hmf_save_CPPFLAGS
LIBS=$hmf_save_LIBS
AC_SUBST([HDF5_CFLAGS])
AC_SUBST([HDF5_LIBS])

PKG_CHECK_MODULES([HDF5_PARALLEL], [hdf5-openmpi >= 1.10], [hmf_hdf5_parallel=yes],
    [hmf_hdf5_parallel=no])
AM_CONDITIONAL([HAVE_HDF5_PARALLEL], [test $hmf_hdf5_parallel = yes])
])
