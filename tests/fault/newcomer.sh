# A newcomer that dies, hangs, registers something else or runs past auto_read: the move is undone with a reason
# that names what was wrong, and the job ends well.
# launch: limit=240
. "$HMF_SRCDIR/tests/lib.sh"
program=$HMF_BUILDDIR/tests/fault/newcomer
HMF_TIMEOUT=20 HMF_STARTUP_TIMEOUT=3
export HMF_TIMEOUT HMF_STARTUP_TIMEOUT

cd "$HMF_SCRATCH" || exit 1
hmf_run 3 0 "$program" >expected 2>err || { cat err; fail "undisturbed: it fails"; }
sort expected >expected.sorted

# undone MODE TEXT: the job ends well after the move was undone for a reason that says TEXT
undone() {
    rm -rf newcomer.hmf
    hmf_run 3 1 "$program" "$1" >out 2>err
    status=$?
    grep "^rank" out | sort >out.sorted
    test $status -eq 0 && cmp -s expected.sorted out.sorted || {
        cat out err; fail "$1: exit status $status, or a wrong sum"; }
    grep -q "rank 1 stays on .*$2" err || { cat err; fail "$1: no message that says: $2"; }
    echo "$1: $(grep 'rank 1 stays' err)"
}

hmf_run 3 1 "$program" none >out 2>err || { cat out err; fail "a good newcomer fails"; }
grep "^rank" out | sed 's/newcomer 1/newcomer 0/' | sort | cmp - expected.sorted || fail "a good newcomer's sum is wrong"
grep -q "newcomer 1" out || { cat out err; fail "the good newcomer did not come"; }

undone type "variable sum"
undone name "sum, which is not registered"
undone lacks "sum, which is not registered"
undone more "more"
undone no-read "auto_poll without calling auto_read"
undone no-poll "auto_done without calling auto_read"
undone other-call "MPI_Barrier"
undone between "MPI_Barrier.*between auto_read and the first auto_poll"

# Without recovery mpirun ends the job when a process dies: with it, the job goes on.
export OMPI_MCA_orte_enable_recovery=1
HMF_TIMEOUT=5
undone hang "HMF_STARTUP_TIMEOUT"
undone die "is gone"
undone exit "is gone"
