# The generated descriptions in the tree are right on other architectures too: their compilers make the
# layouts, the library there takes them, and every field goes through an image and comes back.
# launch: limit=600
. "$HMF_SRCDIR/tests/hetero_lib.sh"
archs="s390x i386 arm64 powerpc"
hetero_build described $archs
for arch in $archs; do
    hetero_on "$arch" described >out 2>&1 || { cat out; fail "generated descriptions are wrong on $arch"; }
    echo "$arch: $(tail -n 1 out)"
done
