# ants: the marked program gives the result of the plain one (tests/checktype/hmfcc.sh moves it); what is
# said of the plain one is what doc/checktype.md shows.
# launch: limit=120
. "$HMF_SRCDIR/tests/lib.sh"
cd "$HMF_SCRATCH" || exit 99
examples=$HMF_BUILDDIR/mpi-examples
if test -x "$HMF_BUILDDIR/hmf-checktype"; then
    . "$HMF_BUILDDIR/tests/lists.sh"
    cp "$HMF_SRCDIR/mpi-examples/ants_plain.c" .
    "$HMF_BUILDDIR/hmf-checktype" --check ants_plain.c $MPI_CFLAGS 2>check && fail "nothing was found in the plain program"
    awk '/^\$ hmf-checktype --check/ {on = 1; next} /^```/ {on = 0} on' "$HMF_SRCDIR/doc/checktype.md" >wanted
    cmp check wanted || { cat check; fail "doc/checktype.md shows something else"; }
fi
test -n "$MPIRUN" || skip "no mpirun was found by configure"
hmf_run 3 0 "$examples/ants_plain" >plain 2>err || { cat plain err; fail "the plain program"; }
hmf_run 3 0 "$examples/ants_hmf" >out 2>err || { cat out err; fail "the marked program"; }
sort plain >plain.sorted
sort out | cmp - plain.sorted || { cat out plain; fail "the results differ"; }
test ! -s err || { cat err; fail "something is on stderr"; }
