# Written on each architecture, read on each: every type of the language, values at their limits, NaN
# and signed zeros by their bits, pointer graphs; through the image as a stream and through HDF5
# checkpoints (powerpc: images only). What does not fit is an error that names variable and value.
# Then one state goes round through all of them, each writing what it has read; and all read the
# golden images.
# launch: limit=600
. "$HMF_SRCDIR/tests/hetero_lib.sh"
all="amd64 s390x i386 arm64 powerpc"
hetero_build matrix $all
for arch in $all; do
    hetero_on $arch matrix write . $arch || fail "$arch cannot write"
done
bad=0
for arch in $all; do
    hetero_on $arch matrix read . $all || { echo "$arch does not read all as it was written"; bad=1; }
    hetero_on $arch matrix golden "$HMF_SRCDIR"/tests/golden/*.hmf || { echo "$arch does not read all golden images"; bad=1; }
done
from=amd64
for arch in powerpc arm64 s390x i386 powerpc s390x arm64 i386 amd64; do
    hetero_on $arch matrix pass . $from round.$arch || { echo "$arch did not get the state that goes round as it was"; bad=1; break; }
    from=round.$arch
done
test $bad = 0 && echo "each of $all reads what each wrote"
exit $bad
