# Hosts that hang and links that are cut during a move: the wait is bounded, the move is undone, and the job goes on when they are
# back; a rank lives once only.  One that stays silent with a rank ends the job with a message.
# launch: limit=400
. "$HMF_SRCDIR/tests/cluster/lib.sh"
HMF_LIMIT=120
ranks=3
map=$HMF_SRCDIR/mpi-examples/floorplan.pgm
heat=$HMF_BUILDDIR/mpi-examples/heat2d
HMF_TIMEOUT=4 HMF_STARTUP_TIMEOUT=4 HMF_SILENCE=60
export HMF_TIMEOUT HMF_STARTUP_TIMEOUT HMF_SILENCE HMF_EVENTS
steps=1500

hosts 4
scenario=undisturbed
(unset HMF_EVENTS; export OMPI_MCA_btl=self,vader; hmf_run $ranks 0 "$heat" -s $steps -x 2 -o plain "$map") >plain.out 2>err || broken "it fails"

# begin NAME: ranks on node0, node1, node2; two spares on node3, node0
begin() {
    scenario=$1
    cd "$HMF_SCRATCH" && mkdir "$1" && cd "$1" || exit 99
    HMF_EVENTS=$PWD/events.jsonl
    over "$HMF_BUILDDIR/hmfrun" --launcher "$MPIRUN" --spares 2 --grace 6 -np $ranks --map-by node \
        "$heat" -s $steps -x 2 -w 10 -p progress -o moved "$map" >out 2>err &
    job=$!
    at_step $((steps / 20))
}

every_step_once() {
    sort progress | awk '{ if (seen[$2, $4]++) { print "step " $2 " of rank " $4 " was made twice"; bad = 1 } n++ }
        END { if (n != '$((ranks * steps))') { print n " steps"; bad = 1 } exit bad }' || broken "steps are missing or double"
}

good_end() {
    ended 0
    every_step_once
    cmp moved.h5 "$HMF_SCRATCH/plain.h5" || broken "the result differs from the undisturbed one"
}

# The spare's host hangs before it is asked: another takes the rank. One that left its rank to it is asked for in vain.
begin spare-frozen
"$cluster" freeze "$vc" node3 || broken "node3 cannot be frozen"
"$hmf" migrate 1 >said 2>&1 || { cat said; broken "rank 1 does not move to the other spare"; }
cat said
"$cluster" thaw "$vc" node3
"$hmf" migrate 2 node3 >said 2>&1 && broken "a spare that did not answer was taken again"
good_end

# A host with a rank hangs, so the ranks do not stop: undone, and on when it thaws.
begin rank-frozen
"$cluster" freeze "$vc" node2
"$hmf" migrate 1 >said 2>&1 && broken "rank 1 was moved though rank 2 hangs"
cat said
grep -q 'stays on node1.*undone' said || broken "it is not said that the move was undone"
"$cluster" thaw "$vc" node2
at=$(last_step)
at_step $((at + 10))
"$hmf" migrate 1 >said 2>&1 || { cat said; broken "it does not move when all are back"; }
good_end

# The host that the rank leaves hangs: the same.
begin source-frozen
"$cluster" freeze "$vc" node1
"$hmf" migrate 1 >said 2>&1 && broken "rank 1 was moved though its host hangs"
grep -q 'stays on node1.*undone' said || { cat said; broken "it is not said that the move was undone"; }
"$cluster" thaw "$vc" node1
good_end

# Nothing comes back: the job ends. Thawed, the host finds the others gone and ends; its rank, which needs nothing of the others, does
# not compute on meanwhile beside one that may have been started again elsewhere.
scenario=rank-silent
cd "$HMF_SCRATCH" && mkdir "$scenario" && cd "$scenario" || exit 99
HMF_EVENTS=$PWD/events.jsonl HMF_SILENCE=4
over "$HMF_BUILDDIR/hmfrun" --launcher "$MPIRUN" --grace 6 -np $ranks --map-by node "$HMF_BUILDDIR/tests/cluster/alone" progress 100000 >out 2>err &
job=$!
at_step 100
"$cluster" freeze "$vc" node2
wait $job
status=$?
job=
test $status -eq 75 || broken "hmfrun's exit status is $status, not 75"
grep -q 'node2 is lost with rank 2: it has been silent' err || broken "it is not said who is silent"
grep 'hmfrun: node2' err
steps_of() { grep -c "host node2 " progress; }
before=$(steps_of)
"$cluster" thaw "$vc" node2
alone() { "$cluster" exec "$vc" node2 sh -c 'ls /proc/[0-9]*/exe 2>/dev/null | xargs -n 1 readlink 2>/dev/null | grep -c /alone' >alone.out; test "$(cat alone.out)" = 0; }
wait_for 60 alone || broken "a process of the thawed host still runs"
echo "the thawed rank made $(($(steps_of) - before)) steps before it ended"
# Until its agent is awake; without the fence there are 200 a second until HMF_TIMEOUT.
test $(($(steps_of) - before)) -le 20 || broken "it computed on"
exit 0
