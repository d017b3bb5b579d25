# relay: a list goes round the ranks and by way of a file; h5dump reads that file.
# launch: limit=120
. "$HMF_SRCDIR/tests/lib.sh"
cd "$HMF_SCRATCH" || exit 99
hmf_run 3 0 "$HMF_BUILDDIR/mpi-examples/relay" 4 tour.h5 >out 2>err || { cat out err; fail "relay"; }
test ! -s err || { cat err; fail "something is on stderr"; }
cat >wanted <<'END'
came back: 12 stops, the last one on rank 2 in round 3, sum 18.75
tour.h5: 12 stops, the last one on rank 2 in round 3, sum 18.75
passed on by:  0 1 2 0 1 2 0 1 2 0 1 2
a copy: 12 stops, the last one on rank 2 in round 3, sum 18.75
END
cmp wanted out || { cat out; fail "wrong output"; }
if command -v h5dump >/dev/null; then
    h5dump tour.h5 >dump || fail "h5dump cannot read tour.h5"
    grep -q '"length"' dump || fail "the field length is not in the file by its name"
    grep -q 'passed on by' dump || fail "the attribute is not in the file"
else
    echo "no h5dump: the file is not looked at"
fi
