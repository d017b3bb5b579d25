# Ranks move while threads of others, or their own, are inside MPI (tests/mpi/threads_move.c says how).
# launch: limit=240
. "$HMF_SRCDIR/tests/lib.sh"

test=$HMF_BUILDDIR/tests/mpi/threads_move
HMF_LIMIT=100
ran() {
    hmf_run "$@" >out 2>err || { cat out err; fail "$*: the program fails"; }
    cat out
    cat err
}
HMF_TIMEOUT=60
export HMF_TIMEOUT
ran 3 2 "$test" ring 2
grep -q "^ring: 2 moves" out || fail "no two moves while threads talk"
test ! -s err || fail "the moves are not silent"
ran 3 1 "$test" wait 1
grep -q "^wait: 1 moves" out || fail "no move while threads wait for the rank that moves"
ran 3 2 "$test" serve 2
grep -q "^serve: 2 moves" out || fail "a rank with a thread in MPI_Recv does not move"
test ! -s err || fail "a thread of the process that is left makes noise"
# At this level the program sees to it that threads do not meet; a poll counts as a call.
ran 3 1 "$test" plain 1 serialized
grep -q "^plain: 1 moves" out || fail "no move at MPI_THREAD_SERIALIZED"
HMF_TIMEOUT=4
ran 3 1 "$test" stuck 1
grep -q "^stuck: 0 moves" out || fail "a thread in a barrier is not respected"
grep -q "a thread of rank 0 is inside MPI_Barrier" err || fail "the refusal does not name the call"
ran 3 1 "$test" stuck 1 serialized
grep -q "^stuck: 0 moves" out || fail "SERIALIZED: a thread in a barrier is not respected"
grep -q "a thread of rank 0 is inside MPI_Barrier" err || fail "SERIALIZED: the refusal does not name the call"
