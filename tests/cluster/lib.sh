# Sourced by the tests of this folder: hosts of namespaces for one test (tests/cluster/hosts.sh), and a job on them that is
# watched by its progress file, since what mpirun hands on of a job's output may stop with a node.
. "$HMF_SRCDIR/tests/lib.sh"
# What is said for one machine without a network does not hold here; hosts.sh says what does.
unset OMPI_MCA_btl
cluster=$HMF_SRCDIR/tests/cluster/hosts.sh
hmf=$HMF_BUILDDIR/hmf
HMF_RUN_DIR=$HMF_SCRATCH/run
export HMF_RUN_DIR
cd "$HMF_SCRATCH" || exit 99

# Short, since it holds sockets and stands in Open MPI's settings.
vc=$(mktemp -d) || exit 99
vc=$vc/hosts
job=
trap 'test -z "$job" || kill $job 2>/dev/null; "$cluster" down "$vc"; rm -rf "${vc%/hosts}"' EXIT
trap 'exit 1' HUP INT TERM

# hosts N
hosts() {
    "$cluster" down "$vc" 2>/dev/null
    test -n "$MPIRUN" || skip "no mpirun was found by configure"
    HOSTS_OWNER=$$ "$cluster" up "$vc" "$1" >hosts.log 2>&1
    status=$?
    test $status -ne 77 || skip "$(cat hosts.log)"
    test $status -eq 0 || { cat hosts.log; fail "the hosts do not start"; }
}

# over LAUNCHER WORDS...: runs a job over the hosts, at most HMF_LIMIT seconds
over() {
    launcher=$1
    shift
    MPIRUN=$launcher timeout -k 5 "${HMF_LIMIT:-60}" "$cluster" mpirun "$vc" "$@"
}

broken() {
    echo "--- stdout"; cat out 2>/dev/null
    echo "--- stderr"; cat err 2>/dev/null
    echo "--- events"; tail -n 12 events.jsonl 2>/dev/null
    echo "--- last steps"; tail -n 6 progress 2>/dev/null
    echo "--- hosts"; "$cluster" status "$vc"
    fail "${scenario:-}: $*"
}

# The progress file: "step N rank R host H pid P ..." for each step of each rank
last_step() { tail -n 1 progress 2>/dev/null | sed -n 's/^step \([0-9]*\) .*/\1/p'; }
step_is() { step=$(last_step); test "${step:-0}" -ge "$1"; }
host_of() { sed -n "s/^step [0-9]* rank $1 host \([^ ]*\) .*/\1/p" progress | tail -n 1; }
is_at() { test "$(host_of "$1")" = "$2"; }
running() { kill -0 $job 2>/dev/null; }
# wait_job COMMAND...: until COMMAND succeeds, as long as the job runs
wait_job() { until "$@"; do running || return 1; sleep 0.05; done; }
at_step() { wait_job step_is "$1" || step_is "$1" || broken "the job ended before step $1"; }

ended() {
    wait $job
    status=$?
    job=
    test $status -eq "$1" || broken "the job's exit status is $status, not $1"
}
