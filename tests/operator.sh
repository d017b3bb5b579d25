# What an operator uses: each command on a running job, as text and as JSON; the graph and the timeline as pictures; each line of the
# job's events against the schema in doc/operations.md, read while the job runs and over a rotated file; the export for Prometheus;
# completion in a real bash; a page for each command; a stranger at the control socket; checkpoints on disk as JSON.
# launch: limit=240
. "$HMF_SRCDIR/tests/lib.sh"
command -v python3 >/dev/null || skip "no python3"
HMF_LIMIT=180
HMF_RUN_DIR=$HMF_SCRATCH/run HMF_DIR=$HMF_SCRATCH/state HMF_EVENTS=$HMF_SCRATCH/events.jsonl HMF_EVENTS_SIZE=6000
# Enough to be decided and measured; nothing but requests moves anything.
HMF_POLICY=manual HMF_MONITOR_INTERVAL=0.1 HMF_SILENCE=4
export HMF_RUN_DIR HMF_DIR HMF_EVENTS HMF_EVENTS_SIZE HMF_POLICY HMF_MONITOR_INTERVAL HMF_SILENCE
cd "$HMF_SCRATCH" || exit 1
PATH=$HMF_BUILDDIR:$PATH

hmf_run 2 3 "$HMF_BUILDDIR/mpi-examples/heat2d" -s 1000000 -w 1 "$HMF_SRCDIR/mpi-examples/floorplan.pgm" >job.out 2>job.err &
job=$!
trap 'kill $job 2>/dev/null' EXIT
wait_for 60 hmf status >/dev/null 2>&1 || { cat job.err; fail "no status of a running job"; }

# says STATUS TEXT WORDS...
says() {
    want=$1 text=$2
    shift 2
    hmf "$@" >said 2>said.err
    status=$?
    test $status -eq "$want" && cat said said.err | grep -q -e "$text" || {
        cat said said.err job.err; fail "hmf $*: exit status $status, not $want, or not: $text"; }
}
# as_json STATUS WORDS...: hmf WORDS prints JSON
as_json() {
    want=$1
    shift
    hmf "$@" >said 2>said.err
    status=$?
    test $status -eq "$want" && python3 -c 'import json, sys; json.loads(sys.stdin.read())' <said 2>json.err || {
        cat said said.err json.err; fail "hmf $*: exit status $status, not $want, or no JSON"; }
}
node=$(hostname)
decided() { hmf explain | grep -q 'manual:'; }
wait_for 60 decided || { hmf explain; fail "no decision is among the events"; }
heard() { hmf status --json | grep -q '"rank": 1.*"step_ms": [0-9.]*[1-9]'; }
wait_for 60 heard || { hmf status; fail "rank 1 is not heard"; }
says 0 'RANK  NODE' status
says 0 'policy manual decides' policy
says 1 'there is no policy "bogus"' policy bogus
says 1 'is not a rank of this job' graph --rank=7
says 0 'BEST ELSEWHERE' graph
says 0 'digraph' graph --dot
hmf graph --svg=live.svg || fail "no picture of the graph"
hmf graph --rank=1 >rank1.json && says 0 'active' graph rank1.json
says 0 'policy none decides' policy none
as_json 0 status --json
as_json 0 graph --json
as_json 0 graph --rank=0
as_json 0 policy manual --json
as_json 0 jobs --json
as_json 0 policies --json
as_json 0 migrate 1 --json
as_json 1 migrate 1 nowhere --json
grep -q '"ok": false' said || fail "a refusal says ok"
as_json 0 checkpoint --json
as_json 1 drain "$node" --json      # there is no other host
as_json 0 resume "$node" --json
says 0 'policy none decides from now on, instead of manual' explain
says 2 'not .--bogus' graph --bogus
says 0 'rank 0' migrate 0

# Pictures are XML, and the page holds no reference to elsewhere.
hmf plot --file=events.jsonl plot.svg && hmf plot --file=events.jsonl plot.html || fail "no picture"
python3 - live.svg plot.svg <<'PYTHON' || fail "a picture is not well-formed"
import sys, xml.dom.minidom
for name in sys.argv[1:]:
    svg = xml.dom.minidom.parse(name)
    assert svg.documentElement.tagName == "svg" and len(svg.getElementsByTagName("rect")) >= 2, name
PYTHON
grep -q 'src=\|href=' plot.html && fail "the page needs other files"
grep -q '<td>operator</td>' plot.html || fail "the page has no table of moves"

# Completion, as bash would drive it.
complete_as() { # WORDS...: what can stand at the last one
    bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hmf; echo " ${COMPREPLY[*]} "' \
        "$HMF_SRCDIR/src/tools/completion/hmf" "$@" | tr '\n' ' '
}
completes() { # WORD WORDS...
    want=$1
    shift
    complete_as "$@" | grep -q -e " $want " || fail "completion of '$*' has no $want: $(complete_as "$@")"
}
if command -v bash >/dev/null; then
    completes status hmf sta
    completes --prometheus hmf status --p
    completes 1 hmf migrate ''
    completes "$node" hmf drain ''
    completes least-cost hmf policy le
    completes "$(hmf jobs)" hmf --job ''
    completes 0 hmf --job "$(hmf jobs)" explain ''
    completes events.jsonl hmf plot --file = even
    for word in $(hmf --help 2>&1 | sed -n 's/^  \([a-z]*\) .*/\1/p'); do completes "$word" hmf "$word"; done
fi
# A page for each command.
for word in $(hmf --help 2>&1 | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    test -f "$HMF_SRCDIR/doc/man/hmf-$word.1" || fail "no man page hmf-$word(1)"
done

# A stranger is refused, logged, and nothing changes. He is let in as far as the socket, by an open folder that he inherits: what
# refuses him is who he is.
socket=$(basename run/*.sock)
test "$(stat -c %a run)" = 700 || fail "the run directory is open to others"
if test "$(id -u)" = 0; then
    chmod 711 run && chmod 777 "run/$socket" || fail "the socket cannot be opened to others"
    for request in stop 'migrate 0' "drain $node" status; do
        python3 -c 'import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.connect("/proc/self/fd/3/" + sys.argv[1])
try:
    s.sendall(sys.argv[2].encode() + b"\n")
except OSError:
    pass    # sent away before he has asked
print(s.recv(1000).decode())' "$socket" "$request" 3<run >stranger 2>&1
        grep -q "error only the job's owner may steer it" stranger || { cat stranger; fail "a stranger's '$request' is not refused"; }
    done
    chmod 700 run
    test "$(hmf events 256 | grep -c '"event":"refused","uid":65534')" = 4 || { hmf events 20; fail "the stranger is not in the events"; }
    says 0 'user 65534 was refused' explain
else
    echo "no stranger at the control socket: only root can become one"
fi
says 0 'ranks in' status

# Events: read while the job writes them, and again when it has ended.
cat >schema.py <<'PYTHON'
import json, re, sys
# "| `event` | `member`, `member` (what) | when |"
schema = {}
inside = False
for line in open(sys.argv[1], encoding="utf-8"):
    inside = line.startswith("| event |") or (inside and line.startswith("|"))
    if inside and line.startswith("| `"):
        cells = line.split(" | ")
        for event in re.findall(r"`([^`]*)`", cells[0]):
            names = re.findall(r"`([^`]*)`", cells[1])
            phases = names[names.index("predicted_us") + 1:] if "predicted_us" in names else []
            # "for each P of ...: predicted_P_us and P_us"
            for pattern in [p for p in phases if "P" in p]:
                names += [pattern.replace("P", p) for p in phases if p.islower() and "_" not in p]
            schema[event] = {n for n in names if "P" not in n and (n not in phases or "_" in n)}
optional = {"to", "reason", "predicted_ms", "ranks"}
text = {"job", "run", "event", "from", "to", "node", "asked_by", "phase", "reason", "how", "action", "policy", "before"}
n = 0
for name in sys.argv[2:]:
    for line in open(name, encoding="utf-8"):
        e = json.loads(line)
        members = set(e) - {"v", "time", "job", "run", "event"}
        assert e["v"] == 1 and e["time"] > 1.6e9 and re.fullmatch("[0-9a-f]{16}", e["run"]), line
        want = schema.get(e["event"])
        assert want is not None, "no event %s in the schema" % e["event"]
        assert members <= want, "not in the schema: %s of %s" % (members - want, e["event"])
        assert want - members <= optional, "missing: %s of %s" % (want - members, e["event"])
        for k, v in e.items():
            if k in text or (k == "ranks" and e["event"] == "not-drained"):
                assert isinstance(v, str), line
            elif k in ("nodes", "spares", "step_ms", "ranks_there"):
                assert isinstance(v, list), line
            else:
                assert isinstance(v, (int, float)) or (v is None and k.endswith(("_ms", "_us"))), line
            if k.endswith("_ms") and isinstance(v, float):
                assert v >= 0, line
        if e["event"] == "move":
            parts = ("negotiate_ms", "stop_ms", "drain_ms", "join_ms", "restore_ms", "commit_ms")
            assert abs(sum(e[k] for k in parts) - e["total_ms"]) < 1, line
            assert e["predicted_us"] > 0 and e["bytes"] > 0, line
        n += 1
print(n, "events are as the schema says")
assert n
PYTHON
check_events() { python3 schema.py "$HMF_SRCDIR/doc/operations.md" "$@" || fail "the events are not what doc/operations.md says"; }
ls events.jsonl*
check_events events.jsonl
hmf events 1000 >memory.jsonl && check_events memory.jsonl

# For Prometheus: names, types before samples, each metric once, numbers.
hmf status --prometheus >metrics && python3 - metrics <<'PYTHON' || { cat metrics; fail "Prometheus would not read it"; }
import re, sys
typed, seen = {}, set()
for line in open(sys.argv[1]):
    m = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.*)\n", line)
    if m:
        if m[1] == "TYPE":
            assert m[3] in ("counter", "gauge") and m[2] not in typed, line
            assert (m[3] == "counter") == m[2].endswith("_total"), line
            typed[m[2]] = m[3]
        continue
    m = re.fullmatch(r'([a-z_]+)\{([a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*)\} (\S+)\n', line)
    assert m and m[1] in typed and (m[1], m[2]) not in seen, line
    seen.add((m[1], m[2]))
    float(m[3])
assert {"hmf_moves_total", "hmf_rank_step_seconds", "hmf_spares"} <= {n for n, _ in seen}
PYTHON

# As many events as it takes to begin a second file.
rotated() { hmf policy none && hmf policy manual && test -s events.jsonl.1; }
wait_for 60 rotated >/dev/null || fail "the file was not rotated"
says 0 'taken' stop
wait $job || { cat job.err; fail "the job's exit status is $?"; }
job=

# What lies on disk, as JSON: whole objects, also when something fails amid them.
gives() { # CONDITION STATUS WORDS...: what hmf WORDS --json prints is an object j with that property
    condition=$1
    shift
    as_json "$@" --json
    python3 -c "import json; j = json.load(open('said')); assert $condition" || { cat said; fail "hmf $*: not $condition"; }
}
newest=$(ls -d state/gen-0* | tail -n 1)
gives 'j["program"] == "heat2d" and j["ranks"] == 2 and j["generations"][0]["problem"] is None' 0 inspect state
gives 'any(v["name"] == "temperature" or v["bytes"] > 100000 for v in j["variables"]) and "error" not in j' 0 inspect state --rank=1
gives 'j["arrays"] == []' 0 inspect state
name=$(hmf inspect state --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["variables"][0]["name"])')
gives 'j["rows"][0]["row"] == 0 and j["rows"][0]["value"]' 0 inspect state "$name"
gives '"has ranks 0 to 1" in j["error"]' 1 inspect state --rank=9
gives 'j["intact"] and j["damage"] == []' 0 verify state
gives 'j["equal"] and j["count"] == 0' 0 diff state state
gives 'not j["equal"] and j["differences"][0]["a"] != j["differences"][0]["b"] and len(j["differences"]) == 3 < j["count"]' 1 \
    diff state/gen-000001 "$newest" --limit=3
gives 'j["bytes"] == __import__("os").path.getsize("bytes")' 0 restore state "$name" --to=bytes
cp -r "$newest" damaged
python3 - damaged/rank-00001.h5 <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    half = len(data) // 2
    data[half:half + 64] = bytes(b ^ 255 for b in data[half:half + 64])
    f.seek(0)
    f.write(data)
PYTHON
gives 'not j["intact"] and "rank-00001" in j["damage"][0]' 1 verify damaged
says 2 'needs two checkpoints' diff state
says 2 'needs a checkpoint, a variable' restore state "$name"
echo 'root:x:0:0' >no-events
says 1 'holds no events' explain --file=no-events
grep -q '"event":"end"' events.jsonl || fail "the end is not told"
check_events events.jsonl events.jsonl.1
exit 0
