# particles on 3 ranks: lists and pointers survive moves and the disk.
# launch: limit=240
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=3 steps=1200 results=
set -- "$HMF_BUILDDIR/mpi-examples/particles" -s $steps -p progress
undisturbed "$@"
moved "$@"
stopped "$@"
