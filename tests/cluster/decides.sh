# A job over hosts that decides by itself: one host gets a twentieth of a core, and its ranks leave it; then another is announced to
# end, and is empty before that; then the batch system drains one. Each rank decides for itself. The result is the one of an undisturbed run.
# launch: limit=180
. "$HMF_SRCDIR/tests/cluster/lib.sh"
HMF_LIMIT=150
steps=${DECIDES_STEPS:-8000}
set -- "$HMF_BUILDDIR/mpi-examples/heat2d" -s $steps -x 2 -p progress -o

hosts 5
echo NodeName=node9 State=IDLE >nodes
"$cluster" cpu "$vc" node3 max >said 2>&1 || skip "no CPU limits: $(cat said)"
scenario="heat2d undisturbed"
(export OMPI_MCA_btl=self,vader; hmf_run 2 0 "$@" plain "$HMF_SRCDIR/mpi-examples/floorplan.pgm") \
    >plain.out 2>err || broken "it fails"
rm progress

scenario="heat2d decides"
over "$MPIRUN" -np 5 --map-by node -x HMF_RUN_DIR -x HMF_SPARE_HOSTS=node2,node3,node4 -x HMF_DECIDER=self \
    -x HMF_NODE_STATE="cat $PWD/nodes" -x HMF_COMMAND_INTERVAL=0.5 -x HMF_EVENTS="$PWD/events.jsonl" \
    -x HMF_POLICY=auto -x HMF_MONITOR_INTERVAL=0.2 -x HMF_POLICY_MARGIN=10 -x HMF_NOTICE="$PWD/notice.%h" -x HMF_LOG=info \
    "$@" moved "$HMF_SRCDIR/mpi-examples/floorplan.pgm" >out 2>err &
job=$!
at_step $((steps / 4))
is_at 1 node1 || broken "rank 1 is not where it began"
"$cluster" cpu "$vc" node1 5 || broken "node1 cannot be limited"
slow=$(last_step)
left() { case $(host_of 1) in node[234]) true ;; *) false ;; esac; }
wait_job left || left || broken "rank 1 did not leave the host that was limited"
new=$(host_of 1)
echo "limited at step $slow, rank 1 is on $new at step $(sed -n "s/^step \([0-9]*\) rank 1 host $new .*/\1/p" progress | head -n 1)"

scenario="heat2d leaves in time"
# The places that are left are for those who must leave: a busy machine would give others reasons to take them.
"$hmf" policy eviction,degradation >said 2>&1 || { cat said; broken "the policies cannot be changed"; }
ends=$(($(date +%s) + 20))
echo "$ends power goes" >notice.node0
gone() { case $(host_of 0) in node0 | node1 | "$new") false ;; *) true ;; esac; }
wait_job gone || gone || broken "rank 0 did not leave the host that ends"
other=$(host_of 0)
echo "rank 0 is on $other $((ends - $(date +%s))) s before node0 ends"
test "${HMF_LIMIT_SCALE:-1}" -gt 1 || test "$(date +%s)" -lt $ends || broken "too late"

scenario="heat2d leaves a drained host"
at=$(host_of 0)
echo "NodeName=$at State=MIXED+DRAIN" >nodes
drained() { case $(host_of 0) in node0 | node1 | "$at") false ;; *) true ;; esac; }
wait_job drained || drained || broken "rank 0 did not leave the host that is drained"
grep -q "rank 0: eviction: leaves $at, whose weight is infinite" err || broken "the decision is not explained"
ended 0
cmp out plain.out && cmp plain.h5 moved.h5 || broken "the result differs from the undisturbed one"
grep -q '"asked_by":"policy"' events.jsonl || broken "the events do not say who asked"
grep 'costs\|leaves' err
