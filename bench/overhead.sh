# What the library costs a program when nothing happens: examples compiled with it and without it, by turns.
# Compared are the best of several runs, from the 10th step to the last.  On one rank, which sends to
# itself or to nobody: waiting for a neighbour varies by more than what is looked for.

. "$HMF_SRCDIR/tests/lib.sh"
HMF_LIMIT=120
turns=${HMF_BENCH_TURNS:-9}

# timed PROGRAM ARGS...: seconds from step 10 to the end
timed() {
    rm -f progress
    hmf_run 1 0 "$@" -p progress >out || exit 1
    sed -n 's/.* rank 0 .*time \([0-9.]*\)$/\1/p' progress |
        awk 'NR == 10 { first = $1 } { last = $1 } END { printf "%.6f\n", last - first }'
}

# overhead NAME ARGS...: of the example NAME
overhead() {
    name=$1
    shift
    : >with
    : >without
    turn=0
    while test $turn -lt "$turns"; do
        timed "$HMF_BUILDDIR/bench/${name}_plain" "$@" >>without
        timed "$HMF_BUILDDIR/mpi-examples/$name" "$@" >>with
        turn=$((turn + 1))
    done
    with=$(sort -n with | head -n 1) without=$(sort -n without | head -n 1)
    awk -v name="overhead/$name" -v a="$with" -v b="$without" 'BEGIN {
        printf "%-28s %10.3f s    %8.4f x without the library\n", name, a, a / b }'
}

overhead heat2d -s 3000 "$HMF_SRCDIR/mpi-examples/floorplan.pgm"
overhead particles -s 300
