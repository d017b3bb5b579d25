# A node whose ranks have left is switched off: its processes are killed, it crashes, its power goes, its link is cut. The job
# computes on, gives the right result and ends with status 0. A node that dies with its ranks ends the job, with a message
# that says how to continue, and it does.  OFF_TIMES: how often each is done
# (default 1); OFF_HOW, OFF_LOST: which of them.
# launch: limit=600
. "$HMF_SRCDIR/tests/cluster/lib.sh"
HMF_LIMIT=90
steps=${OFF_STEPS:-1500}
map=$HMF_SRCDIR/mpi-examples/floorplan.pgm
heat=$HMF_BUILDDIR/mpi-examples/heat2d
HMF_TIMEOUT=20 HMF_SILENCE=8
export HMF_TIMEOUT HMF_SILENCE HMF_EVENTS
HMF_DIR=

hosts 3
scenario=undisturbed
(unset HMF_EVENTS; export OMPI_MCA_btl=self,vader; hmf_run 3 0 "$heat" -s $steps -x 2 -o plain "$map") >plain.out 2>err || broken "it fails"

# begin NAME: 3 ranks on node0, node1, node2 and a spare for each of node0, node1
begin() {
    scenario=$1
    cd "$HMF_SCRATCH" && rm -rf "$1" && mkdir "$1" && cd "$1" || exit 99
    HMF_EVENTS=$PWD/events.jsonl HMF_DIR=$PWD/state
    export HMF_EVENTS HMF_DIR
    over "$HMF_BUILDDIR/hmfrun" --launcher "$MPIRUN" --spares 2 --grace 6 -np 3 --map-by node \
        "$heat" -s $steps -x 2 -w 4 -p progress -o moved "$map" >out 2>err &
    job=$!
    at_step $((steps / 10))
}

# switched_off HOW: node2 is drained, and then dies
switched_off() {
    begin "$1"
    "$hmf" drain node2 >said 2>&1 || { cat said; broken "node2 is not drained"; }
    grep -q 'may be switched off' said || { cat said; broken "it is not said that node2 may be switched off"; }
    case $1 in
    processes*) "$cluster" exec "$vc" node2 sh -c 'kill -KILL -1' 2>/dev/null ;;
    *) "$cluster" "${1%%-*}" "$vc" node2 ;;
    esac
    at=$(last_step)
    ended 0
    test "$at" -lt $steps || broken "the job was at its end before node2 died"
    cmp moved.h5 "$HMF_SCRATCH/plain.h5" || broken "the result differs from the undisturbed one"
    echo "$1: node2 died at step $at of $steps; $(grep -c . err) lines on stderr"
    grep -i 'hmfrun:' err
}

times=${OFF_TIMES:-1}
for how in ${OFF_HOW-processes crash kill cut}; do
    i=0
    while test $i -lt "$times"; do
        i=$((i + 1))
        test -e "$vc/head.pid" || hosts 3
        switched_off "$how-$i"
        "$cluster" down "$vc"
    done
done

# With its rank on it
for how in ${OFF_LOST-crash kill}; do
    hosts 3
    begin "lost-$how"
    "$hmf" checkpoint >said 2>&1 || { cat said; broken "no checkpoint"; }
    "$cluster" $how "$vc" node2
    wait $job
    status=$?
    job=
    test $status -eq 75 || broken "hmfrun's exit status is $status, not 75"
    grep -q 'node2 is lost with rank 2' err && grep -q 'newest checkpoint is generation 1 in' err || broken "the message is not there"
    grep hmfrun: err
    # The same on the hosts that are left
    grep -v node2 "$vc/hostfile" >hostfile && cp hostfile "$vc/hostfile"
    mv progress before
    over "$HMF_BUILDDIR/hmfrun" --restart --launcher "$MPIRUN" -np 3 "$heat" -s $steps -x 2 -w 4 -p progress -o moved "$map" >out 2>err &
    job=$!
    ended 0
    test "$(sed -n '1s/^step \([0-9]*\) .*/\1/p' progress)" -gt 1 || broken "it began afresh"
    cmp moved.h5 "$HMF_SCRATCH/plain.h5" || broken "the result differs from the undisturbed one"
    "$cluster" down "$vc"
done
exit 0
