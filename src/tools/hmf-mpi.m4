dnl hmf-mpi.m4: for configure.ac of programs that use libhmf-mpi.
dnl
dnl HMF_MPI_PROGS([ACTION-IF-FOUND], [ACTION-IF-NOT-FOUND])
dnl   Finds hmfcc and hmf-checktype; HMF_MPI=PREFIX or --with-hmf-mpi=PREFIX says where they are. Sets and
dnl   substitutes HMFCC, HMF_CHECKTYPE, HMF_MPI_CFLAGS, HMF_MPI_LIBS. A package whose marked sources are
dnl   compiled by hmfcc calls it before AC_PROG_CC, with [CC=$HMFCC] as ACTION-IF-FOUND. One that keeps
dnl   descriptions as files has in its Makefile.am
dnl
dnl     grid.types.c: grid.h
dnl     	$(HMF_CHECKTYPE) -o $@ $< $(HMF_MPI_CFLAGS)
AC_DEFUN([HMF_MPI_PROGS], [
AC_ARG_WITH([hmf-mpi], [AS_HELP_STRING([--with-hmf-mpi=PREFIX], [libhmf-mpi installed in PREFIX])],
    [hmf_mpi_path=$withval/bin$PATH_SEPARATOR$PATH],
    [hmf_mpi_path=${HMF_MPI:+$HMF_MPI/bin$PATH_SEPARATOR}$PATH])
AC_PATH_PROG([HMFCC], [hmfcc], [], [$hmf_mpi_path])
AC_PATH_PROG([HMF_CHECKTYPE], [hmf-checktype], [], [$hmf_mpi_path])
HMF_MPI_CFLAGS=
HMF_MPI_LIBS=
AS_IF([test -n "$HMFCC"], [
    HMF_MPI_CFLAGS=`"$HMFCC" -show-compile`
    HMF_MPI_LIBS=`"$HMFCC" -show-link`])
AC_SUBST([HMF_MPI_CFLAGS])
AC_SUBST([HMF_MPI_LIBS])
AS_IF([test -n "$HMFCC"], [$1], [$2])
])
