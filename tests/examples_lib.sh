# Sourced by tests/examples_*.sh: runs an example undisturbed, with moves, and by way of the disk,
# and wants the same result each time, bit for bit.
#
# A script sets   ranks     ranks of the job
#                 steps     that the example takes with the arguments given here
#                 results   patterns of the files that it leaves; its stdout is compared always
# and calls the scenarios below with the command.  Each one runs in a folder of its own, where the
# example appends to a file "progress" a line for each step of each rank: "step N rank R pid P".

. "$HMF_SRCDIR/tests/lib.sh"
HMF_LIMIT=${HMF_LIMIT:-90}

# enter FOLDER: a fresh folder to run in
enter() {
    cd "$HMF_SCRATCH" && mkdir "$1" && cd "$1" || fail "cannot make the folder $1"
    scenario=$1
    : >progress
}

# What started by start is over when the test is: `timeout` hands the signal on to mpirun.
job=
stop() {
    for folder in /proc/[0-9]*; do
        read -r pid name _ parent _ <"$folder/stat" || continue
        test "$parent" = "$job" && test "$name" = "(timeout)" && kill "$pid"
    done 2>/dev/null
}
trap 'test -z "$job" || stop' EXIT

broken() {
    echo "--- stdout"; cat out
    echo "--- stderr"; cat err
    echo "--- last steps"; tail -n 8 progress
    fail "$scenario: $*"
}

# start SPARES COMMAND...: the job, in the background
start() {
    hmf_run $ranks "$@" >out 2>err &
    job=$!
}

# ended STATUS: waits for the job's end, which mpirun's time limit bounds
ended() {
    wait $job
    status=$?
    job=
    test $status -eq "$1" || broken "the job's exit status is $status, not $1"
}

running() { kill -0 $job 2>/dev/null; }

# wait_job COMMAND...: until COMMAND succeeds, as long as the job runs
wait_job() { until "$@"; do running || return 1; sleep 0.02; done; }

# field KEY: turns lines of the progress file into the value of KEY
last_step() { tail -n 1 progress | sed -n 's/^step \([0-9]*\) .*/\1/p'; }
step_is() { step=$(last_step); test "${step:-0}" -ge "$1"; }
pid_of() { sed -n "s/^step [0-9]* rank $1 .*pid \([0-9]*\).*/\1/p" progress | tail -n 1; }
another_pid() { test "$(pid_of "$1")" != "$2"; }

at_step() { wait_job step_is "$1" || broken "the job ended before step $1"; }

# move RANK: by a signal to its process; waits until the rank makes steps in another one
move() {
    old=$(pid_of "$1")
    kill -USR2 "$old" || broken "rank $1 is not at process $old"
    wait_job another_pid "$1" "$old" || another_pid "$1" "$old" || broken "rank $1 did not move"
}

# every_step_once: each rank made each step in one process only, and none was left out
every_step_once() {
    sort progress | awk -v ranks="$ranks" -v steps="$steps" '
        { n++; if (seen[$2, $4]++) { print "step " $2 " of rank " $4 " was made twice"; bad = 1 } }
        END { if (n != ranks * steps) { print n " steps instead of " ranks * steps; bad = 1 }
              exit bad }' || broken "steps are missing or double"
}

compare() {
    cmp out ../undisturbed/out || broken "the output differs from the undisturbed one"
    test -z "$results" || for file in $(cd ../undisturbed && ls $results); do
        cmp "$file" "../undisturbed/$file" || broken "$file differs from the undisturbed one"
    done
}

quiet() { test ! -s err || broken "something is on stderr"; }

# Whole checkpoints: those under way have other names.
checkpoints() { ls "$HMF_DIR" 2>/dev/null | grep -c '^gen-[0-9]*$'; }
checkpointed() { test "$(checkpoints)" -gt 0; }

undisturbed() {
    enter undisturbed
    start 0 "$@"
    ended 0
    quiet
    every_step_once
}

# Rank 1 moves, then rank 0, then rank 1 again.
moved() {
    enter moved
    start 3 "$@"
    at_step $((steps / 8)); move 1
    at_step $((steps / 4)); move 0
    at_step $((steps * 3 / 8)); move 1
    ended 0
    quiet
    every_step_once
    compare
}

# A checkpoint on the way, then the whole job leaves for the disk and comes back.
stopped() {
    enter stopped
    HMF_DIR=$PWD/state
    export HMF_DIR
    start 0 "$@"
    at_step $((steps / 8)); kill -USR1 "$(pid_of 0)"
    wait_job checkpointed || broken "no checkpoint appeared"
    at_step $((steps / 4)); kill -TERM "$(pid_of 1)"
    ended 0
    step_is "$steps" && broken "the job went on to its end"
    quiet
    start 0 "$@"
    ended 0
    quiet
    every_step_once
    compare
    unset HMF_DIR
}

# A process dies after a checkpoint: the next start goes on from there.
crashed() {
    enter crashed
    HMF_DIR=$PWD/state
    export HMF_DIR
    start 0 "$@"
    at_step $((steps / 8)); kill -USR1 "$(pid_of 0)"
    wait_job checkpointed || broken "no checkpoint appeared"
    at_step $((steps / 4)); kill -KILL "$(pid_of 1)"
    wait $job && broken "mpirun did not notice that a process was killed"
    before=$(last_step)
    : >progress
    start 0 "$@"
    ended 0
    first=$(sed -n '1s/^step \([0-9]*\) .*/\1/p' progress)
    test "$first" -gt 1 || broken "the job began anew"
    test "$first" -le $((before + 1)) || broken "the job began after the step where it died"
    compare
    unset HMF_DIR
}

# --- programs that say nothing on their way: where they run is seen by the processor time they use

# processes PROGRAM: of this test
processes() {
    for folder in /proc/[0-9]*; do
        test "$(readlink "$folder/exe")" = "$1" &&
            tr '\0' '\n' <"$folder/environ" | grep -q "^HMF_SCRATCH=$HMF_SCRATCH\$" &&
            echo "${folder#/proc/}"
    done 2>/dev/null
}

# ticks PID: processor time that it has used, in 1/100 s
ticks() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{ print $12 + $13 }'; }
used() { t=$(ticks "$1"); test "${t:-0}" -ge "$2"; }

# busy PROGRAM TICKS: one of its processes has used so much; sets pid
busy() {
    for pid in $(processes "$1"); do
        used "$pid" "$2" && return 0
    done
    return 1
}
