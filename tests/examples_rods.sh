# rods on 3 ranks: arrays of unknown length, in lists, survive moves and the disk.
# launch: limit=240
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=3 steps=2000 results=
set -- "$HMF_BUILDDIR/mpi-examples/rods" -s $steps -p progress
undisturbed "$@"
moved "$@"
stopped "$@"
