# heat2d on 4 ranks: HDF5 file and picture are the same wherever and whenever it ran.
# launch: limit=300
. "$HMF_SRCDIR/tests/examples_lib.sh"

ranks=4 steps=2000 results="heat.*"
set -- "$HMF_BUILDDIR/mpi-examples/heat2d" -s $steps -x 3 -o heat -p progress \
    "$HMF_SRCDIR/mpi-examples/floorplan.pgm"
undisturbed "$@"
moved "$@"
stopped "$@"
crashed "$@"
