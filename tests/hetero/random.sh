# Random types and values go round all architectures, in both directions, as images and (but for
# powerpc) as checkpoints. HMF_SEED repeats a run.
# launch: limit=600
. "$HMF_SRCDIR/tests/hetero_lib.sh"
count=${HMF_COUNT:-300}
seed=${HMF_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "seed $seed, $count states"
hetero_build random s390x i386 arm64 powerpc
hetero_on amd64 random write . amd64 "$seed" "$count" || fail "HMF_SEED=$seed: cannot be written"
from=amd64
for arch in s390x i386 arm64 powerpc amd64 powerpc arm64 i386 s390x amd64; do
    hetero_on $arch random pass . $from now.$arch "$seed" "$count" ||
        fail "HMF_SEED=$seed: $arch does not read what ${from#now.} wrote"
    case $from in now.*) rm -rf $from.check.* ;; esac
    from=now.$arch
done
