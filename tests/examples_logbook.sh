# logbook: files that are open move with their rank, and are there again after the way by the disk.
# launch: limit=240
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=3 steps=3000 results="book.*"
awk 'BEGIN { for (i = 0; i < 700; i++) print (i * 7919 % 1000) / 8 }' >"$HMF_SCRATCH/numbers"
set -- "$HMF_BUILDDIR/mpi-examples/logbook" "$HMF_SCRATCH/numbers" $steps progress
undisturbed "$@"
test "$(wc -l <book.2)" -eq $steps || broken "book.2 has not $steps lines"
test "$(wc -c <book.2.xdr)" -eq $((12 * steps)) || broken "book.2.xdr has not $steps entries"
moved "$@"
stopped "$@"
crashed "$@"

awk 'BEGIN { for (i = 0; i < 600; i++) print i }' >"$HMF_SCRATCH/steps"

# A file that cannot be carried: the checkpoint is refused, with the variable's name.
enter refused
HMF_DIR=$PWD/state
export HMF_DIR
start 0 "$HMF_BUILDDIR/mpi-examples/logbook" /dev/zero 600 progress
wait_job step_is 20 || broken "the job ended before step 20"
kill -USR1 "$(pid_of 0)"
ended 0
grep -q 'open file numbers is a device' err || broken "/dev/zero was not refused by its name"
test "$(checkpoints)" -eq 0 || broken "there is a checkpoint all the same"
cut -d ' ' -f 1 book.0 | cmp -s - "$HMF_SCRATCH/steps" || broken "the job did not go on undisturbed"
