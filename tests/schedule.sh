# Checkpoints that the job takes by itself: at intervals, in the background, and before its time limit; and a
# move while one is being written.
# launch: limit=240
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=2 results=
HMF_DIR=$HMF_SCRATCH/state HMF_KEEP=3
export HMF_DIR HMF_KEEP
program=$HMF_BUILDDIR/mpi-examples/heat2d steps=3000
set -- "$program" -s $steps -p progress "$HMF_SRCDIR/mpi-examples/floorplan.pgm"
results="*.h5 *.p[np][gm]"

enter undisturbed
HMF_DIR=$HMF_SCRATCH/none start 0 "$@"
ended 0

# numbered N: a generation of number N or later is there
numbered() { newest=$(ls "$HMF_DIR" 2>/dev/null | sed -n 's/^gen-0*\([0-9]*\)$/\1/p' | sort -n | tail -n 1); test "${newest:-0}" -ge "$1"; }

for mode in sync async; do
    enter $mode
    rm -rf "$HMF_DIR"
    HMF_CHECKPOINT=$mode HMF_INTERVAL=0.05 start 1 "$@"
    wait_job numbered 2 || broken "two checkpoints were not taken"
    move 1
    wait_job numbered 4 || broken "no checkpoints were taken after the move"
    ended 0
    quiet
    every_step_once
    compare
    "$HMF_BUILDDIR/hmf" verify "$HMF_DIR" >verified 2>&1 || { cat verified; broken "the last checkpoint is damaged"; }
    grep -q "intact" verified || { cat verified; broken "verify does not say that it is intact"; }
done

# The job is killed in the middle; what was written in the background carries on.
enter killed
rm -rf "$HMF_DIR"
HMF_CHECKPOINT=async HMF_INTERVAL=0.05 start 0 "$@"
wait_job numbered 2 || broken "two checkpoints were not taken"
kill -9 "$(pid_of 1)"
wait $job
start 0 "$@"
ended 0
compare

# A time limit: the job ends in order before it, as often as it takes.
enter limit
rm -rf "$HMF_DIR"
rounds=0
while test $rounds -lt 30 && ! test -e "$HMF_DIR/finished"; do
    HMF_END_TIME=$(($(date +%s) + 3)) HMF_END_MARGIN=1 start 0 "$@" 
    ended 0
    rounds=$((rounds + 1))
done
test -e "$HMF_DIR/finished" || test $rounds -eq 1 || broken "it never came to its end"
compare
echo "$rounds rounds"
