#!/bin/sh
# A real Slurm on this machine for the tests: munged, slurmctld and a slurmd for each node, without systemd, with all their
# state in one folder and nothing in /etc.
#   cluster.sh up DIR          two nodes that are this machine; afterwards SLURM_CONF=DIR/slurm.conf is all that commands need
#   cluster.sh up DIR HOSTS    a node for each host of namespaces that tests/cluster/hosts.sh keeps in HOSTS; commands in its head
#   cluster.sh down DIR        ends the daemons that it started, by their numbers
# Exit status 77: this machine has no Slurm, or lets nobody start one; the reason is printed.
set -u
dir=$2
conf=$dir/slurm.conf
hosts=${3-}
names="node0 node1"
test -z "$hosts" || names=$(sed 's/ .*//' "$hosts/hostfile")
# The ports, and the numbers of jobs, by which they name their folders, are this one's own, so that several clusters do not meet.
port=$((20000 + $$ % 20000))

# at HOST COMMAND...: in that host, or here
at() {
    at_host=$1
    shift
    if test -n "$hosts"; then "$(dirname "$0")/../cluster/hosts.sh" exec "$hosts" "$at_host" "$@"; else "$@"; fi
}

write_nodes() {
    i=0
    for node in $names; do
        i=$((i + 1))
        if test -n "$hosts"; then
            echo "NodeName=$node NodeAddr=$(sed -n "s/ $node\$//p" "$hosts/hosts") Port=$((port + 1)) CPUs=4 State=UNKNOWN"
        else
            echo "NodeName=$node NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=4 State=UNKNOWN"
        fi
    done
}

write_conf() {
    host="$(hostname -s)(127.0.0.1)"
    test -z "$hosts" || host="head($(sed -n 's/ head$//p' "$hosts/hosts"))"
    cat <<CONF
ClusterName=hmf
FirstJobId=$port
SlurmctldHost=$host
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
SlurmdTimeout=${SLURM_NODE_TIMEOUT:-60}
InactiveLimit=0
JobRequeue=1
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
CompleteWait=0
$(write_nodes)
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
    mkdir -p -m 755 "$dir" "$dir/state"
    for node in $names; do mkdir -p -m 755 "$dir/spool.$node"; done
    mkdir -p -m 711 "$dir/munge"
    write_conf >"$conf"
    # srun --mpi=pmix makes a folder on each node, which hosts that share /tmp must not share.
    test -z "$hosts" || echo "PMIxCliTmpDirBase=/dev/shm" >"$dir/mpi.conf"
    mungekey -c -k "$dir/munge/key"
    munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" || broken "munged does not start"
    SLURM_CONF=$conf
    export SLURM_CONF
    at head slurmctld -f "$conf" || broken "slurmctld does not start"
    for node in $names; do at "$node" slurmd -f "$conf" -N "$node" || broken "slurmd does not start"; done
    tries=300
    until test "$(at head sinfo -h -t idle -o %D 2>/dev/null | awk '{ n += $1 } END { print n + 0 }')" = "$(echo "$names" | wc -w)"; do
        tries=$((tries - 1))
        test $tries -gt 0 || { at head sinfo; broken "the nodes do not become idle"; }
        sleep 0.1
    done
}

# The daemons in hosts end with these, and have other numbers here.
down() {
    if test -e "$dir/mpi.conf"; then
        pids=$(cat "$dir"/munged.pid 2>/dev/null)
    else
        pids=$(cat "$dir"/slurmd.node*.pid "$dir"/slurmctld.pid "$dir"/munged.pid 2>/dev/null)
    fi
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
*) echo "usage: cluster.sh up|down DIR [HOSTS]" >&2; exit 2 ;;
esac
