# Jacobi: nine added lines make the plain code migratable, and its result stays the one of the plain code.
# launch: limit=240
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=4 steps=5000 results=
plain=$HMF_SRCDIR/mpi-examples/jacobi_plain.c hmf=$HMF_SRCDIR/mpi-examples/jacobi_hmf.c

# The first comment says what each file is; it ends before the first #include.
sed '1,/\*\//d' "$plain" >plain.c
sed '1,/\*\//d' "$hmf" >hmf.c
diff plain.c hmf.c >changes && fail "jacobi_plain.c and jacobi_hmf.c are the same"
added=$(grep -c '^>' changes)
changed=$(grep -c '^<' changes)
test "$added" -le 9 || fail "jacobi_hmf.c has $added lines more than jacobi_plain.c, 9 are allowed"
test "$changed" -eq 0 || fail "jacobi_hmf.c changes $changed lines of jacobi_plain.c"

undisturbed "$HMF_BUILDDIR/mpi-examples/jacobi_plain" $steps progress
set -- "$HMF_BUILDDIR/mpi-examples/jacobi_hmf" $steps progress
moved "$@"
stopped "$@"
