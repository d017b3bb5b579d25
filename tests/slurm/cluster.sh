#!/bin/sh
# A real Slurm on this machine for the tests: munged, slurmctld and two slurmd, without systemd, with all their state in
# one folder and nothing in /etc.
#   cluster.sh up DIR      starts it; afterwards SLURM_CONF=DIR/slurm.conf is all that the commands need
#   cluster.sh down DIR    ends the daemons that it started, by their numbers
# Exit status 77: this machine has no Slurm, or lets nobody start one; the reason is printed.
set -u
dir=$2
conf=$dir/slurm.conf
# The ports are this folder's own, so that several clusters do not meet.
port=$((20000 + $$ % 20000))

write_conf() {
    host=$(hostname -s)
    cat <<CONF
ClusterName=hmf
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=10000
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=20
SlurmdTimeout=60
InactiveLimit=0
JobRequeue=1
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
CompleteWait=0
NodeName=node0 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 State=UNKNOWN
NodeName=node1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

impossible() { echo "no Slurm here: $*"; exit 77; }
broken() { echo "$*"; tail -n 5 "$dir"/*.log "$dir"/munge/log 2>/dev/null; exit 1; }

up() {
    PATH=$PATH:/usr/sbin:/sbin
    for tool in munged mungekey slurmctld slurmd sbatch; do
        command -v $tool >/dev/null || impossible "$tool is missing (Debian: slurm-wlm munge)"
    done
    test "$(id -u)" = 0 || impossible "its daemons want to be root"
    # munged wants a way to its socket that is open to all.
    mkdir -p -m 755 "$dir" "$dir/state" "$dir/spool.node0" "$dir/spool.node1"
    mkdir -p -m 711 "$dir/munge"
    write_conf >"$conf"
    mungekey -c -k "$dir/munge/key"
    munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" || broken "munged does not start"
    SLURM_CONF=$conf
    export SLURM_CONF
    slurmctld -f "$conf" || broken "slurmctld does not start"
    for node in node0 node1; do slurmd -f "$conf" -N $node || broken "slurmd does not start"; done
    tries=300
    until test "$(sinfo -h -t idle -o %D 2>/dev/null | awk '{ n += $1 } END { print n + 0 }')" = 2; do
        tries=$((tries - 1))
        test $tries -gt 0 || { sinfo; broken "the nodes do not become idle"; }
        sleep 0.1
    done
}

down() {
    pids=$(cat "$dir"/slurmd.node*.pid "$dir"/slurmctld.pid "$dir"/munged.pid 2>/dev/null)
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null
    tries=100
    for pid in $pids; do
        while kill -0 "$pid" 2>/dev/null && test $tries -gt 0; do
            tries=$((tries - 1))
            sleep 0.1
        done
    done
}

case $1 in
up) up ;;
down) down ;;
*) echo "usage: cluster.sh up|down DIR" >&2; exit 2 ;;
esac
