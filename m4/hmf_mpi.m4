dnl HMF_MPI: finds MPI. Sets MPI_CFLAGS, MPI_LIBS, MPIRUN and hmf_mpi_found.
dnl pkg-config's ompi-c first, then the wrapper mpicc; --with-mpi=PREFIX decides where given.
dnl The library itself is compiled with $CC and flags, never with a wrapper: so the order of
dnl libraries on the link line is ours (libhmf-mpi has to come before libmpi).

AC_DEFUN([HMF_MPI], [
AC_ARG_WITH([mpi], [AS_HELP_STRING([--with-mpi=PREFIX], [Open MPI installed in PREFIX])],
    [], [with_mpi=auto])
AC_ARG_VAR([MPIRUN], [program that starts MPI jobs in the tests])
hmf_mpi_path=$PATH
AS_CASE([$with_mpi],
    [no], [AC_MSG_ERROR([libhmf-mpi is nothing without MPI; give --with-mpi=PREFIX])],
    [auto|yes], [
        PKG_CHECK_MODULES([MPI], [ompi-c >= 4.0], [hmf_mpi_found="pkg-config ompi-c"],
            [hmf_mpi_found=])],
    [
        hmf_mpi_path=$with_mpi/bin:$PATH
        hmf_mpi_found=])
AS_IF([test -z "$hmf_mpi_found"], [
    AC_PATH_PROG([MPICC], [mpicc], [], [$hmf_mpi_path])
    AS_IF([test -z "$MPICC"],
        [AC_MSG_ERROR([no MPI found: install Open MPI (Debian: libopenmpi-dev) or give --with-mpi=PREFIX])])
    MPI_CFLAGS=`$MPICC --showme:compile` && MPI_LIBS=`$MPICC --showme:link` ||
        AC_MSG_ERROR([$MPICC does not understand --showme: only Open MPI is supported; give --with-mpi=PREFIX])
    hmf_mpi_found=$MPICC])
AC_PATH_PROG([MPIRUN], [mpirun], [], [$hmf_mpi_path])

hmf_save_CPPFLAGS=$CPPFLAGS
hmf_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $MPI_CFLAGS"
LIBS="$MPI_LIBS $LIBS"
AC_MSG_CHECKING([for MPI 3.1 with profiling interface])
AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <mpi.h>
#if MPI_VERSION < 3 || (MPI_VERSION == 3 && MPI_SUBVERSION < 1)
#error "MPI is too old"
#endif
]], [[PMPI_Init(0, 0);]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([MPI 3.1 does not compile or link ($hmf_mpi_found); give --with-mpi=PREFIX])])
CPPFLAGS=$hmf_save_CPPFLAGS
LIBS=$hmf_save_LIBS
AC_SUBST([MPI_CFLAGS])
AC_SUBST([MPI_LIBS])
])
