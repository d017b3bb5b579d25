# A profiling tool that is loaded before the program (LD_PRELOAD) and calls PMPI sees the program's calls,
# with the program's world, across moves; libhmf-pmpi stands between the tool and MPI.
# launch: limit=90
. "$HMF_SRCDIR/tests/lib.sh"
. "$HMF_BUILDDIR/tests/lists.sh"

test "$SANITIZERS" = none || skip "a sanitizer wants to be loaded first"
chain=$HMF_BUILDDIR/.libs/libhmf-pmpi.so
test -f "$chain" || skip "no shared libraries here"
$CC $CFLAGS -shared -fPIC $MPI_CFLAGS "$HMF_SRCDIR/tests/chain/counter.c" -o libcounter.so \
    || fail "cannot compile the tool"
program=$HMF_BUILDDIR/tests/mpi/handles_move
TEST_WRAP="env LD_PRELOAD=$PWD/libcounter.so:$chain" hmf_run 4 2 "$program" || fail "the program fails"
for rank in 0 1 2 3; do
    test -s calls.$rank || fail "the tool saw no end of rank $rank"
done
# two processes have left their ranks: six ends in all, each of a world of four
test "$(cat calls.* | wc -l)" = 6 || fail "$(cat calls.*)"
grep -v '^size 4 ' calls.* && fail "the tool found another world"
grep -q 'sends 0 \|waits 0 \|collectives 0 \|ranks 0$' calls.[0-3] && fail "calls went past the tool: $(cat calls.*)"
exit 0
