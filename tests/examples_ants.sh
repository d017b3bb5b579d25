# ants: the marked program gives the result of the plain one (tests/checktype/tutorial.sh moves it).
# launch: limit=120
. "$HMF_SRCDIR/tests/lib.sh"
cd "$HMF_SCRATCH" || exit 99
examples=$HMF_BUILDDIR/mpi-examples
test -n "$MPIRUN" || skip "no mpirun was found by configure"
hmf_run 3 0 "$examples/ants_plain" >plain 2>err || { cat plain err; fail "the plain program"; }
hmf_run 3 0 "$examples/ants_hmf" >out 2>err || { cat out err; fail "the marked program"; }
sort plain >plain.sorted
sort out | cmp - plain.sorted || { cat out plain; fail "the results differ"; }
test ! -s err || { cat err; fail "something is on stderr"; }
