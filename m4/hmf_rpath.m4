dnl HMF_RUN_PATH: sets HMF_RPATH, what a program linked by pkg-config needs to find libhmf-mpi.so when it runs.
dnl Nothing in the system's own prefixes, a run path in all others (home directories, /opt).

AC_DEFUN([HMF_RUN_PATH], [
AS_CASE([$prefix],
    [NONE|/usr|/usr/local], [HMF_RPATH=],
    [HMF_RPATH='-Wl,-rpath,${libdir}'])
AC_SUBST([HMF_RPATH])
])
