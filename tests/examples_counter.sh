# counter, which leaves MPI to the library: alone, with a move, and by way of the disk.
# launch: limit=300
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=1 results=
program=$HMF_BUILDDIR/mpi-examples/counter
set -- "$program" 3000000000

enter undisturbed
start 0 "$@"
ended 0
quiet
test "$(cat out)" = "counted to 3000000000" || broken "wrong output"

# Without mpirun there is no job to be a part of, and it works all the same.
enter alone
"$@" >out 2>err || broken "failed without mpirun"
quiet
compare

enter moved
start 1 "$@"
wait_job busy "$program" 50 || broken "nobody counts"
first=$pid
second=$(processes "$program" | grep -vx "$first")
test -n "$second" || broken "there is no second process"
kill -USR2 "$first"
before=$(ticks "$second")
wait_job used "$second" $((before + 20)) || broken "nobody went on counting"
ended 0
quiet
compare

enter stopped
start 0 "$@"
wait_job busy "$program" 50 || broken "nobody counts"
kill -TERM "$pid"
ended 0
test ! -s out || broken "it counted to the end"
test -d counter.hmf || broken "it left no checkpoint in counter.hmf"
start 0 "$@"
ended 0
quiet
compare
