# Programs in C++, and with OpenMP at each level of threads, are linked, run, and move.
# launch: limit=120
. "$HMF_SRCDIR/tests/lib.sh"
. "$HMF_BUILDDIR/tests/lists.sh"

test "$SANITIZERS" = none || skip "the sanitizers' flags are for the library's own compiler"
test -f "$HMF_BUILDDIR/.libs/libhmf-mpi.so" || skip "no shared libraries here"
flags="-g -O1 -I$HMF_SRCDIR/include -I$HMF_BUILDDIR/include $MPI_CFLAGS"
libs="-L$HMF_BUILDDIR/.libs -Wl,-rpath,$HMF_BUILDDIR/.libs -lhmf-mpi $MPI_LIBS"
ran=0

if g++ --version >/dev/null 2>&1; then
    g++ -Wall -Wextra -DOMPI_SKIP_MPICXX=1 $flags "$HMF_SRCDIR/tests/languages/plain.cc" -o plain $libs \
        || fail "a C++ program cannot be linked"
    hmf_run 3 1 ./plain || fail "the C++ program fails"
    ran=1
else
    echo "no g++: C++ is not tried"
fi

if $CC -fopenmp $flags "$HMF_SRCDIR/tests/languages/openmp.c" -o openmp $libs 2>openmp.log; then
    for level in funneled serialized multiple; do
        OMP_NUM_THREADS=3 hmf_run 3 1 ./openmp $level || fail "OpenMP, $level: the program fails"
    done
    ran=1
else
    cat openmp.log
    echo "$CC has no OpenMP: threads are not tried"
fi
test $ran = 1 || skip "neither g++ nor OpenMP"
