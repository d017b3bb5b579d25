# The report's sample program, unchanged: it counts for ever, so signals are all that it can be told.
# What it has counted is read from its checkpoints with h5dump.
# launch: limit=120
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=1 results=
program=$HMF_BUILDDIR/tests/report_sample
HMF_DIR=$HMF_SCRATCH/state
export HMF_DIR
command -v h5dump >/dev/null || skip "h5dump is missing (Debian: hdf5-tools)"

# The newest checkpoint's value of my_var.
counted() {
    for file in $(find "$HMF_DIR" -name '*.h5' | sort); do
        h5dump "$file" >dump 2>&1 || broken "h5dump cannot read $file"
    done
    sed -n '/DATA/,$s/^ *([0-9]*): *{*\(-*[0-9][0-9]*\).*/\1/p' dump | head -n 1
}
taken() { test "$(checkpoints)" -ge "$1"; }

# It counts, a checkpoint is taken, it counts on, and leaves for the disk.
enter first
start 0 "$program"
wait_job busy "$program" 100 || broken "it does not count"
kill -USR1 "$pid"
wait_job taken 1 || broken "no checkpoint"
at_checkpoint=$(counted)
test "${at_checkpoint:-0}" -gt 0 || broken "my_var is not in the checkpoint as a number above 0"
before=$(ticks "$pid")
wait_job used "$pid" $((before + 5)) || broken "it does not go on after the checkpoint"
kill -TERM "$pid"
ended 0
quiet
stopped=$(counted)
test "$stopped" -gt "$at_checkpoint" || broken "it stopped at $stopped, before $at_checkpoint"

# The next start goes on from there; with a spare, which takes over.
enter second
start 1 "$program"
wait_job busy "$program" 30 || broken "it does not count"
first=$pid
second=$(processes "$program" | grep -vx "$first")
before=$(ticks "$second")
kill -USR2 "$first"
wait_job used "$second" $((before + 20)) || broken "the spare does not count on"
kill -TERM "$second"
ended 0
quiet
again=$(counted)
test "$again" -gt "$stopped" || broken "it went back from $stopped to $again"
