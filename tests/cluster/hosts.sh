#!/bin/sh
# A cluster of hosts on one machine, made of namespaces, for tests and for trying things by hand; wants root, iproute2 and
# util-linux. Each host has its own network, host name, processes, /proc and /dev/shm; other files are shared, as on a cluster
# with one file system. All hosts hang off a bridge in "head", the login node, where mpirun runs. Nothing is added to the machine's
# own network, /etc/hosts or host name, and one kill ends everything.
#
#   hosts.sh up DIR N          makes head and node0 .. node(N-1); what is known of them is in DIR.  HOSTS_OWNER=PID: they go
#                              when that process ends, however it ends (default: they stay until "down")
#   hosts.sh down DIR
#   hosts.sh status DIR
#   hosts.sh exec DIR HOST COMMAND...     in head or a node
#   hosts.sh mpirun DIR WORDS...          mpirun in head, over the nodes; MPIRUN names another launcher
#   hosts.sh cpu DIR NODE PERCENT|max     CPU limit, in percent of one core
#   hosts.sh net DIR NODE RATE|off        rate of its link both ways, as tc writes it: 100mbit
#   hosts.sh cut|join DIR NODE            its link goes down in silence, and up again
#   hosts.sh freeze|thaw DIR NODE         all its processes hang; its network stack still answers
#   hosts.sh crash DIR NODE               all its processes die; their connections are closed
#   hosts.sh kill DIR NODE                the power goes: nothing leaves the node any more
# Exit status 77: not on this machine; the reason is printed.
set -u
PATH=$PATH:/usr/sbin:/sbin
test $# -ge 2 || { sed -n '2,/^# Exit/s/^# \{0,1\}//p' "$0"; exit 2; }
cmd=$1 dir=$2
shift 2
self=$(readlink -f "$0")
dir=$(readlink -m "$dir")
net=10.213.77
# Groups of two clusters do not meet.
group=hmf$(echo "$dir" | cksum | cut -d ' ' -f 1)

impossible() { echo "no hosts of namespaces here: $*"; exit 77; }
broken() { echo "hosts.sh: $*" >&2; exit 1; }

# ---- control groups: version 2 where its controller is free, else 1; without any, CPU limits are refused
cgroups=0 cg=
if grep -qw cpu /sys/fs/cgroup/cgroup.controllers 2>/dev/null && test -w /sys/fs/cgroup/cgroup.procs; then
    cgroups=2 cg=/sys/fs/cgroup/$group
elif test -w /sys/fs/cgroup/cpu/cgroup.procs; then
    cgroups=1 cg=/sys/fs/cgroup/cpu/$group
fi
freezer=/sys/fs/cgroup/freezer/$group

group_make() {
    test $cgroups != 0 || return 0
    mkdir -p "$cg/$1" 2>/dev/null || return 0
    if test $cgroups = 2; then
        echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
        echo +cpu >"$cg/cgroup.subtree_control"
    elif test -w /sys/fs/cgroup/freezer/cgroup.procs; then
        mkdir -p "$freezer/$1"
    fi 2>/dev/null
    return 0
}

group_files() { echo "$cg/$1/cgroup.procs $freezer/$1/cgroup.procs"; }

group_join() {
    for file in $(group_files "$1"); do
        test ! -w "$file" || echo "$2" >"$file"
    done 2>/dev/null
}

# A short period: a smooth slow-down instead of long stalls. The kernel wants quotas of a millisecond or more.
limit_cpu() {
    period=10000 quota=
    if test "$2" != max; then
        test "$2" -ge 10 || period=$((100000 / $2))
        quota=$((period * $2 / 100))
    fi
    case $cgroups in
    2) echo "${quota:-max} $period" >"$cg/$1/cpu.max" ;;
    1) echo -1 >"$cg/$1/cpu.cfs_quota_us" && echo $period >"$cg/$1/cpu.cfs_period_us" &&
           echo "${quota:--1}" >"$cg/$1/cpu.cfs_quota_us" ;;
    *) impossible "no control group may be made, so no CPU limit" ;;
    esac
}

# freeze NODE 1|0: by the control group, else by signals.
freeze() {
    if test $cgroups = 2 && test -w "$cg/$1/cgroup.freeze"; then
        echo "$2" >"$cg/$1/cgroup.freeze"
    elif test -w "$freezer/$1/freezer.state"; then
        if test "$2" = 1; then echo FROZEN; else echo THAWED; fi >"$freezer/$1/freezer.state"
    elif test "$2" = 1; then
        inside "$1" sh -c 'kill -STOP -1'
    else
        inside "$1" sh -c 'kill -CONT -1'
    fi
}

groups_remove() {
    for folder in "$cg"/* "$freezer"/* "$cg" "$freezer"; do
        case $folder in
        */cgroup.* | */cpu*.* | */freezer.* | '' | /*'*') ;;
        *) test ! -d "$folder" || rmdir "$folder" ;;
        esac
    done 2>/dev/null
}

# ---- hosts.  The init of each reaps what is left to it, and only SIGKILL ends it.
init='trap : TERM INT HUP; while :; do sleep 3600 & wait $!; done'
pid_of() { cat "$dir/$1.pid" 2>/dev/null || broken "no host $1"; }
start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
inside() {
    inside_host=$1
    shift
    nsenter -t "$(pid_of "$inside_host")" -n -u -p -m -i -- "$@"
}
head_net() { nsenter -t "$(pid_of head)" -n -- "$@"; }

# The init that `unshare` $1 started: the descendant that is number 1 in its own name space.
init_below() {
    below=$1
    while below=$(cut -d ' ' -f 1 "/proc/$below/task/$below/children" 2>/dev/null) && test -n "$below"; do
        test "$(sed -n 's/^NSpid.*[[:space:]]\([0-9]*\)$/\1/p' "/proc/$below/status" 2>/dev/null)" = 1 || continue
        test "$(cat "/proc/$below/comm" 2>/dev/null)" = sh && echo "$below" && return
    done
    return 1
}

make_host() {
    if test "$1" = head; then
        setsid unshare -n -u -p -m -i --fork --propagation private sh -c "$init" </dev/null >/dev/null 2>"$dir/$1.err" &
    else
        # A child of head, since one gets only downwards from a pid name space into another.
        setsid nsenter -t "$(pid_of head)" -u -p -m -i -- unshare -n -u -p -m -i --fork --propagation private \
            sh -c "$init" </dev/null >/dev/null 2>"$dir/$1.err" &
    fi
    starter=$!
    tries=400
    until pid=$(init_below $starter); do
        tries=$((tries - 1))
        test $tries -gt 0 && kill -0 $starter 2>/dev/null ||
            { echo "host $1 does not start: $(cat "$dir/$1.err")"; return 77; }
        sleep 0.05
    done
    echo "$pid" >"$dir/$1.pid"
    sed -n 's/^NSpid.*[[:space:]]\([0-9]*\)[[:space:]]1$/\1/p' "/proc/$pid/status" >"$dir/$1.headpid"
    # Memory of its own to share: Open MPI names segments and folders by host and process, which are alike in two clusters.
    inside "$1" sh -c "hostname $1 && mount -t proc proc /proc && mount -t tmpfs tmpfs /dev/shm && mount --bind '$dir/hosts' /etc/hosts && ip link set lo up" \
        2>"$dir/$1.err" || { echo "host $1 cannot be set up: $(cat "$dir/$1.err")"; return 77; }
}

make_node() {
    number=${1#node}
    group_make "$1"
    make_host "$1" || return 77
    group_join "$1" "$(pid_of "$1")"
    # Both ends are born in name spaces of ours.
    head_net ip link add "v$1" type veth peer name eth0 netns "$(pid_of "$1")" && head_net ip link set "v$1" master br0 up &&
        nsenter -t "$(pid_of "$1")" -n -- sh -c "ip addr add $net.$((number + 1))/24 dev eth0 && ip link set eth0 up" ||
        { echo "host $1 gets no network"; return 77; }
}

# What Open MPI calls instead of ssh, in head: HOST and one string for its shell. It leaves head's environment behind as
# ssh would, and joins the node's limits.
write_enter() {
    cat <<ENTER
#!/bin/sh
host=\$1
shift
for file in "$cg/\$host/cgroup.procs" "$freezer/\$host/cgroup.procs"; do
    test ! -w "\$file" || echo \$\$ >"\$file"
done 2>/dev/null
exec env -i PATH="\$PATH" HOME="\${HOME:-/}" nsenter -t "\$(cat "$dir/\$host.headpid")" -n -u -p -m -i --wd=/ -- /bin/sh -c "\$*"
ENTER
}

# Ends the hosts when their owner has ended. Detached, so that what ends the owner does not end it too.
watch_owner() {
    setsid sh -c 'owner=$1 start=$2; shift 2
        while test -e "$2" && test "$(sed "s/.*) //" "/proc/$owner/stat" 2>/dev/null | cut -d " " -f 20)" = "$start"; do
            sleep 1
        done
        test ! -e "$2" || exec "$1" down "$2"' sh "$1" "$(start_of "$1")" "$self" "$dir" </dev/null >/dev/null 2>&1 &
}

up() {
    for tool in ip nsenter unshare setsid setpriv; do
        command -v $tool >/dev/null || impossible "$tool is missing (Debian: iproute2 util-linux)"
    done
    test "$(id -u)" = 0 || impossible "they want root"
    test ! -e "$dir/head.pid" || broken "$dir holds a cluster already"
    mkdir -p "$dir" || exit 1
    unshare -n -u -p -m -i --fork --propagation private true 2>"$dir/try.err" || impossible "$(cat "$dir/try.err")"
    { echo "127.0.0.1 localhost"; echo "$net.254 head"
      i=0; while test $i -lt "$1"; do echo "$net.$((i + 1)) node$i"; i=$((i + 1)); done; } >"$dir/hosts"
    i=0; while test $i -lt "$1"; do echo "node$i slots=${HOSTS_SLOTS:-2}"; i=$((i + 1)); done >"$dir/hostfile"
    write_enter >"$dir/enter" && chmod +x "$dir/enter"
    test -z "${HOSTS_OWNER:-}" || watch_owner "$HOSTS_OWNER"
    make_host head || { down; exit 77; }
    head_net sh -c "ip link add br0 type bridge && ip addr add $net.254/24 dev br0 && ip link set br0 up" 2>"$dir/try.err" ||
        { why=$(cat "$dir/try.err"); down; impossible "no bridge: $why"; }
    i=0
    while test $i -lt "$1"; do
        make_node node$i || { down; exit 77; }
        i=$((i + 1))
    done
}

# The end of a pid name space's init ends all in it, and the nodes are below head.
down() {
    for file in "$dir"/node*.pid "$dir/head.pid"; do
        test ! -e "$file" || kill -KILL "$(cat "$file")"
    done 2>/dev/null
    tries=100
    while test -e "$dir/head.pid" && kill -0 "$(cat "$dir/head.pid")" && test $tries -gt 0; do
        tries=$((tries - 1))
        sleep 0.05
    done 2>/dev/null
    tries=20
    while groups_remove; test -n "$cg" && test -d "$cg" && test $tries -gt 0; do
        tries=$((tries - 1))
        sleep 0.1
    done
    rm -rf "$dir"
}

# $MPIRUN or hmfrun with what makes Open MPI use these hosts and nothing else of the machine.
launch() {
    exec "$self" exec "$dir" head env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        OMPI_MCA_orte_default_hostfile="$dir/hostfile" OMPI_MCA_plm_rsh_agent="$dir/enter" OMPI_MCA_plm=rsh OMPI_MCA_ras=^slurm \
        OMPI_MCA_orte_tmpdir_base=/dev/shm OMPI_MCA_plm_rsh_no_tree_spawn=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self,vader \
        OMPI_MCA_btl_tcp_if_include=$net.0/24 OMPI_MCA_oob_tcp_if_include=$net.0/24 OMPI_MCA_hwloc_base_binding_policy=none \
        OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none \
        OMPI_MCA_osc=^rdma HWLOC_HIDE_ERRORS=2 "${MPIRUN:-mpirun}" "$@"
}

case $cmd in
up) up "${1:-3}" ;;
down) down ;;
status)
    for file in "$dir"/*.pid; do
        host=${file##*/}
        if kill -0 "$(cat "$file")" 2>/dev/null; then echo "${host%.pid} up"; else echo "${host%.pid} down"; fi
    done ;;
exec)
    host=$1
    shift
    test "$host" = head || group_join "$host" $$
    # nsenter hands on no signals: what ends this process ends the command.
    exec nsenter -t "$(pid_of "$host")" -n -u -p -m -i --wd="$PWD" -- setpriv --pdeathsig KILL "$@" ;;
mpirun) launch "$@" ;;
cpu) limit_cpu "$1" "$2" ;;
net)
    for end in "$(pid_of head) v$1" "$(pid_of "$1") eth0"; do
        nsenter -t "${end% *}" -n -- tc qdisc del dev "${end#* }" root 2>/dev/null
        test "$2" = off || nsenter -t "${end% *}" -n -- tc qdisc add dev "${end#* }" root tbf rate "$2" burst 128k latency 50ms
    done ;;
cut) head_net ip link set "v$1" down ;;
join) head_net ip link set "v$1" up ;;
freeze) freeze "$1" 1 ;;
thaw) freeze "$1" 0 ;;
crash) kill -KILL "$(pid_of "$1")" ;;
kill)
    # First the link, so that no connection is closed in the eyes of the others.
    head_net ip link set "v$1" down
    kill -KILL "$(pid_of "$1")" ;;
*) broken "no command $cmd" ;;
esac
