# Checkpoints in the hosts' own directories: a host dies and takes its directory with it, and the job goes on with another host
# in its stead, from copies of its neighbour; the result is the one of an undisturbed run, bit for bit.
# launch: limit=300
. "$HMF_SRCDIR/tests/cluster/lib.sh"
HMF_LIMIT=120
steps=3000
set -- "$HMF_BUILDDIR/mpi-examples/heat2d" -s $steps -x 2 -p progress -o

hosts 4
scenario="heat2d undisturbed"
(export OMPI_MCA_btl=self,vader; hmf_run 3 0 "$@" plain "$HMF_SRCDIR/mpi-examples/floorplan.pgm") >plain.out 2>err || broken "it fails"
rm progress

levels="-x HMF_RUN_DIR -x HMF_DIR=$PWD/disk -x HMF_LOG=info -x HMF_EVENTS=$PWD/events.jsonl -x HMF_LEVELS=partner:1,shared:3"
there() { ls disk/gen-*.local/manifest.txt >/dev/null 2>&1; }

scenario="a host dies"
over "$MPIRUN" -np 3 --host node0:1,node1:1,node2:1 $levels -x HMF_LOCAL_DIR="$PWD/local.%h" -x HMF_INTERVAL=0.3 \
    "$@" lost "$HMF_SRCDIR/mpi-examples/floorplan.pgm" >first.out 2>err &
job=$!
at_step $((steps / 8))
wait_job there || there || broken "there is no checkpoint"
"$cluster" crash "$vc" node1
wait $job && broken "the job does not mind the loss of a host"
job=
ls local.node1/*/gen-*/rank-00001.h5 local.node2/*/gen-*/copy-00001.h5 >parts || broken "rank 1's part or its copy is not there"
HMF_LOCAL_DIR=$PWD/local.node2 "$HMF_BUILDDIR/hmf" inspect --rank=1 disk >said 2>&1 || { cat said; broken "the copy cannot be inspected"; }
grep 'level' said
rm -rf local.node1

scenario="another host in its stead"
over "$MPIRUN" -np 3 --host node0:1,node3:1,node2:1 $levels -x HMF_LOCAL_DIR="$PWD/local.%h" -x HMF_INTERVAL=1 \
    "$@" lost "$HMF_SRCDIR/mpi-examples/floorplan.pgm" >out 2>err &
job=$!
ended 0
grep 'continuing from generation' err || broken "it does not continue"
grep 'the part of rank 1 .* is rebuilt on node3 from what node2 has' err || broken "rank 1's part is not rebuilt"
cmp plain.h5 lost.h5 || broken "the result differs from the undisturbed one"
ls local.node*/* 2>/dev/null | grep . && broken "the hosts' directories are not empty after the end"
exit 0
