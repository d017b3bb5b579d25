# The operator's command on running jobs, used rightly and wrongly: what it prints, what it exits with, and what
# the next start says about the checkpoints that it left.
# launch: limit=240
. "$HMF_SRCDIR/tests/lib.sh"
HMF_LIMIT=120
# Longer than a socket's address may be.
HMF_RUN_DIR=$HMF_SCRATCH/run.$(printf '%0120d' 0) HMF_DIR=$HMF_SCRATCH/state
export HMF_RUN_DIR HMF_DIR
hmf=$HMF_BUILDDIR/hmf program=$HMF_BUILDDIR/mpi-examples/counter
cd "$HMF_SCRATCH" || exit 1

# says STATUS TEXT WORDS...: hmf WORDS exits with STATUS and says TEXT
says() {
    want=$1 text=$2
    shift 2
    "$hmf" "$@" >said 2>&1
    status=$?
    test $status -eq "$want" && grep -q -e "$text" said || {
        cat said job.err other.err 2>/dev/null; fail "hmf $*: exit status $status, not $want, or not: $text"; }
}

says 2 "no command 'bogus'" bogus
says 2 'migrate needs a rank' migrate
says 2 'status takes no further words' status 1
says 2 'wrong option' --bogus
says 1 'no running job in' status
says 0 'usage: hmf' --help
mkdir -m 755 anyones && HMF_RUN_DIR=anyones says 1 'must be a directory of yours' status

hmf_run 1 1 "$program" 900000000000 >job.out 2>job.err &
job=$!
trap 'kill $job $other 2>/dev/null' EXIT
other=
wait_for 60 "$hmf" status >/dev/null 2>&1 || { cat job.err; fail "no status of a running job"; }
says 0 '^ *0  .*  running ' status
says 1 'no free spare on nowhere' migrate 0 nowhere
says 1 'RANK is not a rank of this job' migrate 7
says 0 'moved' migrate 0
says 1 'no spare is free' migrate 0
says 0 'checkpoint taken' checkpoint

HMF_DIR=$HMF_SCRATCH/other hmf_run 1 0 "$program" 900000000000 >other.out 2>other.err &
other=$!
two_jobs() { test "$("$hmf" jobs | grep -c counter)" -eq 2; }
wait_for 60 two_jobs || { cat other.err; fail "not two jobs"; }
says 1 '2 jobs run; choose one with --job' checkpoint
first=$("$hmf" jobs | head -n 1) second=$("$hmf" jobs | tail -n 1)
for name in "$first" "$second"; do
    says 0 'taken' --job "$name" stop
done
wait $job || { cat job.err; fail "the first job's exit status is $?"; }
job=
wait $other || { cat other.err; fail "the second job's exit status is $?"; }
other=
test ! -s job.out && test ! -s other.out || fail "a job that was stopped counted to the end"
# Requests that were refused are the asker's affair, not the job's.
grep -v 'rank 0 stays' job.err other.err | grep . && fail "the jobs have more to say than needed"

# hmfrun, used wrongly. run STATUS TEXT WORDS...
run() {
    want=$1 text=$2
    shift 2
    timeout -k 5 $HMF_LIMIT "$HMF_BUILDDIR/hmfrun" "$@" >said 2>&1
    status=$?
    test $status -eq "$want" && grep -q -e "$text" said || { cat said; fail "hmfrun $*: exit status $status, not $want, or not: $text"; }
}
run 2 'usage: hmfrun'
run 2 'needs a value' --spares
run 2 "'-1' is not a number" --spares -1 -np 1 true
run 2 'give -np RANKS' --spares 1 true
run 2 'give -n RANKS' --launcher srun --spares 1 -c 2 true
run 2 "'new' is not the number" --restart=new -np 1 true
run 1 'no checkpoint of generation 77' --restart=77 -np 1 "$program"
run 127 'none of the words' -np 1 ./nowhere
run 127 'nowhere cannot be started' --launcher nowhere true
run 2 'events cannot be written to' --events /nowhere/events -np 1 true
run 1 'no event came from the job' --launcher "$MPIRUN" -np 1 false
run 0 '^srun --no-kill --kill-on-bad-exit=0 -c 2 -n3 x -n 5$' --show --launcher srun --spares 1 -c 2 -n2 x -n 5
run 0 '^srun .* --ntasks=4 x$' --show --launcher srun --spares 1 --ntasks=3 x

# afterwards TEXT: a start in these surroundings says TEXT, once for all ranks, and runs
afterwards() {
    hmf_run 2 0 "$program" 5 >out 2>err || { cat err; fail "the start after '$1' fails"; }
    test "$(grep -c -e "$1" err)" -eq 1 || { cat err; fail "not, or not once: $1"; }
}
HMF_RESTART=77 HMF_DIR=$HMF_SCRATCH/state
export HMF_RESTART
hmf_run 1 0 "$program" 5 >out 2>err || { cat err; fail "HMF_RESTART=77 ends the program"; }
grep -q 'no generation 77 in .*there are 2, 1' err || { cat err; fail "the generations are not named"; }
HMF_RESTART=sometimes HMF_DIR=$HMF_SCRATCH/none afterwards 'HMF_RESTART=sometimes is neither'
: >plain
HMF_RESTART=auto HMF_DIR=$HMF_SCRATCH/plain afterwards 'must name a directory'
