# Bad input: the examples say what is wrong and end, with a spare waiting.
# launch: limit=120
. "$HMF_SRCDIR/tests/lib.sh"
HMF_LIMIT=40
heat=$HMF_BUILDDIR/mpi-examples/heat2d plan=$HMF_SRCDIR/mpi-examples/floorplan.pgm

# refused STATUS TEXT RANKS COMMAND...: ends with STATUS and says TEXT
refused() {
    want=$1 text=$2 ranks=$3
    shift 3
    hmf_run "$ranks" 1 "$@" >out 2>err
    status=$?
    test $status -eq "$want" || { cat err; fail "$*: status $status instead of $want"; }
    grep -q "$text" err || { cat err; fail "$*: it does not say '$text'"; }
}

refused 2 'usage:' 2 "$heat"
refused 1 'No such file' 2 "$heat" no-such-plan.pgm
head -c 1000 "$plan" >short.pgm
refused 1 'shorter than its header' 2 "$heat" short.pgm
echo "P5 200000 200000 255 " >huge.pgm
refused 1 'not a PGM' 2 "$heat" huge.pgm
echo "P2 3 3 255 1 2 3 4 5 6 7 8 9" >text.pgm
refused 1 'not a PGM' 2 "$heat" text.pgm
printf 'P5\n3 3\n255\n123456789' >tiny.pgm
refused 1 'too few' 5 "$heat" tiny.pgm
refused 2 'usage:' 2 "$HMF_BUILDDIR/mpi-examples/particles" -s -5
if test -x "$HMF_BUILDDIR/mpi-examples/crackhash"; then
    refused 2 'usage:' 2 "$HMF_BUILDDIR/mpi-examples/crackhash" only-one
    refused 1 'No such file' 2 "$HMF_BUILDDIR/mpi-examples/crackhash" none "$plan"
fi
exit 0
