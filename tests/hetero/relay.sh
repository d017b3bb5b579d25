# The state of one rank leaves a job of four on x86-64, as an image through a pipe, into a process on
# s390x or i386 that belongs to another job; that one computes with it and sends it back. The result
# is that of the job whose rank did these steps itself.
# launch: limit=600
. "$HMF_SRCDIR/tests/hetero_lib.sh"
test -n "$MPIRUN" || skip "no mpirun was found by configure"
hetero_build job s390x i386
export HMF_RESTART=never HMF_DIR="$PWD/state" OMPI_MCA_pml=ob1
run="sh $HMF_SRCDIR/tests/hetero_run.sh"

timeout -k 5 $HETERO_LIMIT "$MPIRUN" -np 4 $run amd64 job 60 away=20,1 away=30,2 >plain.out 2>plain.err ||
    { cat plain.*; fail "the undisturbed job"; }
mkfifo out.1 in.1 out.2 in.2
HMF_DIR="$PWD/s390x" hetero_on s390x job 40 helper=out.1,in.1 >s390x.err 2>&1 &
HMF_DIR="$PWD/i386" hetero_on i386 job 40 helper=out.2,in.2 >i386.err 2>&1 &
timeout -k 5 $HETERO_LIMIT "$MPIRUN" -np 4 $run amd64 job 60 "away=20,1,$PWD/out.1,$PWD/in.1" \
    "away=30,2,$PWD/out.2,$PWD/in.2" >relay.out 2>relay.err || { cat relay.* s390x.err i386.err; fail "the job"; }
wait
cat s390x.err i386.err
grep -q 'rank 1 computes at step 20 on s390x' s390x.err || fail "the state was never on s390x"
grep -q 'rank 2 computes at step 30 on i386' i386.err || fail "the state was never on i386"
sort plain.out >plain.sorted
sort relay.out >relay.sorted
test "$(grep -c '^rank' plain.sorted)" = 4 || { cat plain.*; fail "the undisturbed job has not four results"; }
diff plain.sorted relay.sorted || fail "another result than that of the undisturbed job"
