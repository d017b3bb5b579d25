# A job that decides by itself: a rank whose process is held up leaves it without being asked to, with the
# result of an undisturbed run; a policy that is not there is said, and does no harm. (That nothing moves without a
# reason is seen in tests/unit/test_decide.c: here the machine may be too busy to say so.)
# launch: limit=150
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=4 steps=5000 results="*.h5 *.p[np][gm]"
HMF_MONITOR_INTERVAL=0.1 HMF_DIR=$HMF_SCRATCH/none
export HMF_MONITOR_INTERVAL HMF_DIR
set -- "$HMF_BUILDDIR/mpi-examples/heat2d" -x 2 -s $steps -p progress "$HMF_SRCDIR/mpi-examples/floorplan.pgm"

# hold PID: stops the process for four fifths of the time
cycle=
hold() { (while kill -STOP "$1"; do sleep 0.08; kill -CONT "$1" || break; sleep 0.02; done) 2>/dev/null & cycle=$!; }
let_go() { test -z "$cycle" || { kill $cycle; wait $cycle; kill -CONT "$held"; cycle=; } 2>/dev/null; }
trap 'let_go; test -z "$job" || stop' EXIT

enter undisturbed
HMF_POLICY=none start 1 "$@"
ended 0
quiet

enter held
# Three places: on a machine this busy another rank may be held up as well.
HMF_POLICY=auto HMF_LOG=info start 3 "$@"
at_step 1000
held=$(pid_of 2)
hold "$held"
wait_job another_pid 2 "$held" || another_pid 2 "$held" || broken "rank 2 was held up and stayed"
let_go
ended 0
every_step_once
compare
grep -q "least-cost: .* costs .* costs .* with a move of" err || broken "the decision is not explained"
grep -q "was predicted to take .* ms, it took .* ms" err || broken "prediction and measurement are not compared"

enter wrong
HMF_POLICY=best-of-all start 1 "$HMF_BUILDDIR/mpi-examples/heat2d" -s 50 "$HMF_SRCDIR/mpi-examples/floorplan.pgm"
ended 0
grep -q "best-of-all" err || broken "a policy that is not there is not mentioned"
