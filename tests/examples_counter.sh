# counter, which leaves MPI to the library: alone, with a move, and by way of the disk.
# launch: limit=120
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=1 limit=500000000
program=$HMF_BUILDDIR/mpi-examples/counter

# It says nothing on its way, so where it counts is seen by the processor time that a process uses.
processes() { pgrep -f "^$program $limit" | sort -n; }
busiest() {
    for pid in $(processes); do
        echo "$(awk '{print $14 + $15}' "/proc/$pid/stat" 2>/dev/null) $pid"
    done | sort -n | tail -n 1
}

enter undisturbed
start 0 "$program" $limit
ended 0
quiet
test "$(cat out)" = "counted to $limit" || broken "wrong output"
