# Libraries that stand on MPI themselves, on the virtual world: FFTW's MPI transforms, Hypre's solvers,
# ScaLAPACK and parallel HDF5 across moves, and a file that HDF5 keeps open, which is refused by its name.
# launch: limit=170
. "$HMF_SRCDIR/tests/lib.sh"
. "$HMF_BUILDDIR/tests/lists.sh"

test "$SANITIZERS" = none || skip "the sanitizers' flags are for the library's own compiler"
test -f "$HMF_BUILDDIR/.libs/libhmf-mpi.so" || skip "no shared libraries here"
flags="-g -O1 -I$HMF_SRCDIR/include -I$HMF_BUILDDIR/include $MPI_CFLAGS"
libs="-L$HMF_BUILDDIR/.libs -Wl,-rpath,$HMF_BUILDDIR/.libs -lhmf-mpi"
config=${PKG_CONFIG:-pkg-config}
ran=0

# across_moves PROGRAM LIBRARY PACKAGE FLAGS...: the same result with and without moves.
across_moves() {
    program=$1 library=$2 package=$3
    shift 3
    if $CC $flags "$HMF_SRCDIR/tests/libraries/$program.c" -o "$program" $libs "$@" $MPI_LIBS -lm 2>"$program.log"; then
        hmf_run 3 0 "./$program" >alone || fail "$library: the program fails"
        hmf_run 3 2 "./$program" >moved || fail "$library: the program fails when ranks move"
        test -s alone && cmp alone moved || fail "$library: another result: $(cat alone moved)"
        ran=1
    else
        cat "$program.log"
        echo "no $library (Debian: $package): it is not tried"
    fi
}
across_moves fourier "FFTW with MPI" libfftw3-mpi-dev -lfftw3_mpi -lfftw3
across_moves multigrid Hypre libhypre-dev -I/usr/include/hypre -lHYPRE
across_moves dense ScaLAPACK libscalapack-openmpi-dev -lscalapack-openmpi

if $config --exists hdf5-openmpi 2>/dev/null \
    && $CC $flags $($config --cflags hdf5-openmpi) "$HMF_SRCDIR/tests/libraries/parallel.c" -o parallel $libs \
        $($config --libs hdf5-openmpi) $MPI_LIBS 2>parallel.log; then
    hmf_run 3 2 ./parallel || fail "HDF5: the program fails when ranks move"
    hmf_run 3 1 ./parallel keep >keep.log 2>&1 || { cat keep.log; fail "HDF5: the program fails"; }
    grep -q 'stays.*file "kept.h5"' keep.log || { cat keep.log; fail "HDF5: the open file was not named"; }
    ran=1
else
    cat parallel.log 2>/dev/null
    echo "no parallel HDF5 (Debian: libhdf5-openmpi-dev): it is not tried"
fi
test $ran = 1 || skip "none of these libraries is here"
