# One rank's job goes from machine to machine by checkpoints: x86-64, s390x (big-endian), i386 (32 bits),
# arm64, and back to x86-64, a part of its steps on each; the result is that of the undisturbed job.
# Under qemu it is started without mpirun, whose server could not talk to such a process.
# launch: limit=600
. "$HMF_SRCDIR/tests/hetero_lib.sh"
test -n "$MPIRUN" || skip "no mpirun was found by configure"
hetero_build job s390x i386 arm64
export HMF_DIR="$PWD/state" OMPI_MCA_pml=ob1

first=yes
for arch in amd64 s390x i386 arm64 s390x amd64; do
    hetero_on $arch job 50 stop >$arch.out 2>$arch.err || { cat $arch.*; fail "the job on $arch"; }
    cat $arch.err
    if test -s $arch.out; then
        cat $arch.out
        fail "the job on $arch came to its end instead of stopping"
    fi
    test -n "$first" || grep -q "^rank 0 goes on at step .* on $arch\$" $arch.err || fail "$arch did not continue"
    first=
done
hetero_on i386 job 50 more=30 >last.out 2>last.err || { cat last.*; fail "the end of the job"; }
cat last.err
grep -q '^rank 0 goes on at step .* on i386$' last.err || fail "i386 did not continue"
steps=$(sed -n 's/^steps: //p' last.err)

HMF_RESTART=never HMF_DIR="$PWD/other" hetero_on amd64 job "$steps" >plain.out 2>plain.err ||
    { cat plain.*; fail "the undisturbed job"; }
grep -q '^rank 0' plain.out || { cat plain.*; fail "the undisturbed job has no result"; }
diff plain.out last.out || fail "another result than that of the undisturbed job"
