# Silence at each step of a move: the host of one who takes part is frozen, its link cut, or its process stopped exactly there
# (stop.c). The wait is bounded; what was not committed is undone, what was is done; when the silent one is back the job goes on, no
# step of any rank is made twice or by two, and the result is the undisturbed one.
# HOW "never" freezes the host for good: a newcomer that hangs while communicators are made ends the job as a lost node does.
# STEPS: which of them, as WHO/STEP/HOW, words separated by spaces; "all": each one in each way (40 minutes). Default: a choice.
# launch: limit=900
. "$HMF_SRCDIR/tests/cluster/lib.sh"
HMF_LIMIT=${STEPS_LIMIT:-120}
ranks=3 steps=1000
map=$HMF_SRCDIR/mpi-examples/floorplan.pgm
heat=$HMF_BUILDDIR/mpi-examples/heat2d
test "$SANITIZERS" = none || skip "what is preloaded would stand before the sanitizers"
# A daemon of Open MPI that is not heard for this long is lost, and its ranks with it: not what is looked at here.
OMPI_MCA_oob_tcp_keepalive_time=120
HMF_TIMEOUT=4 HMF_STARTUP_TIMEOUT=4
export HMF_TIMEOUT HMF_STARTUP_TIMEOUT HMF_SILENCE HMF_EVENTS HMF_TEST_STOP OMPI_MCA_oob_tcp_keepalive_time

# WHO/STEP, what is looked for (frames and waves by number, agent.h), and whether the move is made or not
table='
other/hold         recv 6 1 undone     other/held         send 7 1 undone
other/cut          recv 6 2 undone     other/stopped      send 7 2 undone
other/drain        recv 6 3 undone     other/drained      send 7 3 undone
other/join         recv 6 4 undone     other/joined       send 7 4 undone
other/commit       recv 6 5 made       other/committed    send 7 5 made
source/hold        recv 6 1 undone     source/held        send 7 1 undone
source/cut         recv 6 2 undone     source/stopped     send 7 2 undone
source/drain       recv 6 3 undone     source/drained     send 7 3 undone
source/join        recv 6 4 undone     source/image       image 0 1 undone
source/middle      image 0 4 undone    source/commit      recv 6 5 made
source/left        send 7 5 made
newcomer/asked     recv 2 0 undone     newcomer/offer     send 3 0 undone
newcomer/take      recv 5 0 undone     newcomer/packed    send 9 1 undone
newcomer/join      recv 8 4 undone     newcomer/joined    send 9 2 undone
newcomer/restored  send 9 3 undone     newcomer/commit    recv 8 5 made
newcomer/committed send 9 4 made
coordinator/ask    send 2 0 either     coordinator/hold   send 6 1 either
coordinator/cut    send 6 2 either     coordinator/drain  send 6 3 either
coordinator/join   send 6 4 either     coordinator/state  recv 9 3 either
coordinator/commit send 6 5 made
'
host_of_part() {
    case $1 in coordinator) echo node0 ;; source) echo node1 ;; other) echo node2 ;; newcomer) echo node3 ;; esac
}

chosen=${STEPS:-other/hold/stop source/drain/freeze newcomer/join/cut source/middle/freeze newcomer/committed/stop newcomer/join/never}
if test "$chosen" = all; then
    chosen=$(echo "$table" | tr -s ' ' '\n' | grep / | sed 's,.*,&/freeze &/cut &/stop,')
fi

. "$HMF_BUILDDIR/tests/lists.sh"
# shellcheck disable=SC2086
$CC $MPI_CFLAGS -Wall -Wextra -shared -fPIC -o stop.so "$HMF_SRCDIR/tests/cluster/stop.c" -ldl >compile.log 2>&1 &&
    test ! -s compile.log || { cat compile.log; fail "stop.c is not compiled, or not without warnings"; }
hosts 4
scenario=undisturbed
(unset HMF_EVENTS HMF_TEST_STOP; export OMPI_MCA_btl=self,vader
 hmf_run $ranks 0 "$heat" -s $steps -x 2 -o plain "$map") >plain.out 2>err || broken "it fails"

every_step_once() {
    sort progress | awk '{ if (seen[$2, $4]++) { print "step " $2 " of rank " $4 " was made twice"; bad = 1 } n++ }
        END { if (n != '$((ranks * steps))') { print n " steps"; bad = 1 } exit bad }' || broken "steps are missing or double"
}

silence() { # HOST HOW on|off
    case $2$3 in
    freezeon | neveron) "$cluster" freeze "$vc" "$1" ;;
    freezeoff) "$cluster" thaw "$vc" "$1" ;;
    cuton) "$cluster" cut "$vc" "$1" ;;
    cutoff) "$cluster" join "$vc" "$1" ;;
    stopon) "$cluster" exec "$vc" "$1" sh -c "kill -STOP $(cat stop/reached)" ;;
    stopoff) "$cluster" exec "$vc" "$1" sh -c "kill -CONT $(cat stop/reached)" ;;
    esac || broken "$1 cannot be silenced by $2"
}

answered() { ! kill -0 $asker 2>/dev/null; }
noticed() { answered || grep -q '"event":"silent"' events.jsonl; }

n=0
for word in $chosen; do
    how=${word##*/} point=${word%/*}
    host=$(host_of_part "${point%/*}")
    set -- $(echo "$table" | tr -s ' \n' '  ' | sed -n "s,.* $point \([a-z]* [0-9]* [0-9]*\) \([a-z]*\) .*,\1 \2,p")
    test $# -eq 4 || fail "there is no step $point"
    scenario=$word want=$4
    cd "$HMF_SCRATCH" && rm -rf "job" && mkdir -p job/stop && cd job || exit 99
    HMF_TEST_STOP="$host $1 $2 $3 $PWD/stop" HMF_EVENTS=$PWD/events.jsonl HMF_SILENCE=60
    case $word in coordinator/*) HMF_SILENCE=$((16 * ${HMF_LIMIT_SCALE:-1})) ;; esac
    over "$HMF_BUILDDIR/hmfrun" --launcher "$MPIRUN" --spares 2 --grace 6 -np $ranks --map-by node -x LD_PRELOAD="$HMF_SCRATCH/stop.so" \
        "$heat" -s $steps -x 2 -w 4 -p progress -o moved "$map" >out 2>err &
    job=$!
    at_step $((steps / 20))
    "$hmf" migrate 1 node3 >said 2>&1 &
    asker=$!
    wait_job test -e stop/reached || broken "$point was not reached"
    silence "$host" "$how" on
    : >stop/go
    wait_job noticed || broken "nobody answers"
    if test "$how" = never; then
        wait $job
        status=$?
        job=
        test $status -eq 75 || broken "hmfrun's exit status is $status, not 75"
        grep -q "$host is lost with rank 1: it hangs while communicators are made" err || broken "it is not said what hangs"
        grep "hmfrun: $host" err
        silence "$host" freeze off
        wait $asker
        n=$((n + 1))
        continue
    fi
    silence "$host" "$how" off
    wait $asker
    status=$?
    case $want in
    made) test $status -eq 0 || { cat said; broken "what was committed is not done"; } ;;
    undone) test $status -eq 1 && grep -q 'stays on node1' said || { cat said; broken "it is not undone"; } ;;
    esac
    ended 0
    every_step_once
    cmp moved.h5 "$HMF_SCRATCH/plain.h5" || broken "the result differs from the undisturbed one"
    n=$((n + 1))
    echo "$word: $(cat said)"
done
echo "$n steps"
exit 0
