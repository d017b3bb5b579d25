# Jobs in a real Slurm: a time limit that comes twice before the program is through, a job put into the queue again from
# outside, one started by hmfrun with srun, and a node that is drained.
# With the job script that users copy; the results are those of a run without Slurm.
# launch: limit=600
. "$HMF_SRCDIR/tests/lib.sh"
HMF_LIMIT=300
cd "$HMF_SCRATCH" || exit 1
cluster=$HMF_SRCDIR/tests/slurm/cluster.sh
job_script=$HMF_SRCDIR/mpi-examples/slurm-job.sh
program=$HMF_BUILDDIR/mpi-examples/heat2d
grid=$HMF_SRCDIR/mpi-examples/floorplan.pgm

# Both nodes are this machine under other names: mpirun starts the ranks by itself.
export OMPI_MCA_ras=^slurm OMPI_MCA_plm=isolated
PATH=$HMF_BUILDDIR:$(dirname "$MPIRUN"):$PATH
export PATH

dir=$(mktemp -d) && chmod 711 "$dir" || exit 1    # a short path: it holds sockets
"$cluster" up "$dir/slurm" >up.log 2>&1
status=$?
trap '"$cluster" down "$dir/slurm"; rm -rf "$dir"' EXIT
test $status -ne 77 || skip "$(cat up.log)"
test $status -eq 0 || { cat up.log; fail "Slurm does not start"; }
# What the job script makes in TMPDIR goes with the rest.
SLURM_CONF=$dir/slurm/slurm.conf TMPDIR=$dir/tmp
export SLURM_CONF TMPDIR
mkdir "$TMPDIR"

set -- "$program" -s 20000 "$grid"
mkdir plain && cd plain || exit 1
hmf_run 2 0 "$@" >out 2>err || { cat err; fail "the program fails without Slurm"; }
cd ..

broken() {
    squeue; sinfo; cat "$name"/job.log
    tail -n 5 "$dir"/slurm/slurm*.log
    fail "$name: $*"
}

field() { scontrol show job "$id" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$1=//p"; }
state_is() { state=$(field JobState); test "$state" = "$1"; }
# Over: finished, and not only waiting to be run again.
over() { test -e "$name/state/finished" && ! state_is RUNNING && ! state_is COMPLETING; }

finished_well() {
    wait_for 240 over || broken "it does not come to its end"
    state_is COMPLETED || broken "it ends as $(field JobState)"
}

# submit NAME OPTIONS -- COMMAND: the job NAME in its own folder; prints its number
submit() {
    name=$1
    shift
    mkdir "$name"
    HMF_DIR=$PWD/$name/state sbatch --parsable --chdir="$PWD/$name" --output=job.log "$@"
}

# A minute, of which Slurm leaves the job a part: the signal comes 50 s before the end.
limited=$(submit limit --time=1 --signal=B:USR1@50 "$job_script" -np 2 "$HMF_BUILDDIR/tests/slurm/rounds") || fail "sbatch refuses it"

# Meanwhile another job is put into the queue again from outside, with no time to say goodbye: it goes on from its last
# checkpoint.
requeued=$(HMF_INTERVAL=0.2 submit requeued --time=30 "$job_script" -np 2 "$@") || fail "sbatch refuses it"
# One is started by hmfrun with srun, without mpirun, where Slurm can do that.
case $(srun --mpi=list 2>&1) in
*pmix*) started=$(submit started --time=30 -N1 -n3 --wrap="hmfrun --launcher srun --spares 1 --mpi=pmix -n2 $*") || fail "sbatch refuses it" ;;
*)      started= ; echo "started: not looked at, this srun has no pmix" ;;
esac
id=$requeued name=requeued
wait_for 120 test -d requeued/state/gen-000001 || broken "it does not run"
scontrol requeue "$id" || broken "it cannot be put into the queue again"

# And another job's node is drained, and the job told: it goes on on the other one.
name=drained
id=$(HMF_INTERVAL=0.2 submit drained --time=30 "$job_script" -np 2 "$@") || fail "sbatch refuses it"
wait_for 60 test -d drained/state/gen-000001 || broken "it does not run"
first=$(field BatchHost)
scontrol update nodename="$first" state=drain reason=test || broken "the node cannot be drained"
scancel --batch --signal=USR1 "$id" || broken "the job cannot be told"
finished_well
second=$(field BatchHost)
test "$second" != "$first" || broken "it still ran on $first"
for file in plain/*.h5; do
    cmp "$file" "$name/${file#plain/}" || broken "the result differs from that without Slurm"
done
echo "$name: from $first to $second"

same_result() {
    for file in plain/*.h5; do
        cmp "$file" "$name/${file#plain/}" || broken "the result differs from that without Slurm"
    done
}

name=requeued id=$requeued
finished_well
same_result
test "$(field Restarts)" = 1 || broken "it was put into the queue again $(field Restarts) times, not once"
echo "$name: goes on after scontrol requeue"

if test -n "$started"; then
    name=started id=$started
    over() { ! state_is PENDING && ! state_is RUNNING && ! state_is COMPLETING; }
    wait_for 240 over || broken "it does not come to its end"
    state_is COMPLETED || broken "it ends as $(field JobState)"
    same_result
    over() { test -e "$name/state/finished" && ! state_is RUNNING && ! state_is COMPLETING; }
    grep -q '"event":"start","ranks":2,"processes":3' started/hmf-events.jsonl || broken "it had no spare"
    echo "$name: by hmfrun --launcher srun"
fi

name=limit id=$limited
finished_well
grep -q '^3 starts$' limit/job.log || broken "its state was not carried through two time limits"
restarts=$(field Restarts)
test "$restarts" = 2 || broken "it was put into the queue again ${restarts:-0} times, not twice"
echo "$name: $restarts restarts"
