# One mpirun job of x86-64 and arm64 processes (Open MPI carries bytes between them as they are). A rank
# whose state is full of pointers moves from x86-64 to arm64 and back to x86-64, another from arm64 to
# x86-64, while the others compute; every result is that of the undisturbed job on x86-64.
# launch: limit=600
. "$HMF_SRCDIR/tests/hetero_lib.sh"
test -n "$MPIRUN" || skip "no mpirun was found by configure"
hetero_build job arm64
run="sh $HMF_SRCDIR/tests/hetero_run.sh"
export HMF_DIR="$PWD/state" HMF_RESTART=never
export OMPI_MCA_pml=ob1

# Processes 0 to 2 are x86-64, 3 is arm64; of the spares 4 is arm64, 5 and 6 are x86-64.
HMF_SPARES=3 timeout -k 5 $((2 * HETERO_LIMIT)) "$MPIRUN" \
    -np 3 $run amd64 job 100 move=20,1 back=1 move=60,3 until=3 : \
    -np 1 $run arm64 job 100 until=3 : -np 1 $run arm64 job 100 back=1 until=3 : \
    -np 2 $run amd64 job 100 until=3 >mixed.out 2>mixed.err || { cat mixed.*; fail "the mixed job"; }
cat mixed.err
came() {
    grep -q "^rank $1 goes on at step .* on $2" mixed.err || fail "rank $1 did not come to $2"
}
came 1 arm64
came 1 amd64
came 3 amd64
steps=$(sed -n 's/^steps: //p' mixed.err)

timeout -k 5 $HETERO_LIMIT "$MPIRUN" -np 4 $run amd64 job "$steps" >plain.out 2>plain.err ||
    { cat plain.*; fail "the undisturbed job"; }
grep -c '^rank' plain.out | grep -qx 4 || { cat plain.*; fail "the undisturbed job has not four results"; }
sort plain.out >plain.sorted
sort mixed.out >mixed.sorted
diff plain.sorted mixed.sorted || fail "other results than those of the undisturbed job"
