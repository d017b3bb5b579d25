# How well the simulator predicts a real job. A job over hosts runs undisturbed, which also measures what moves cost; then with one
# host held back from a known time on, without a policy, which says by how much; then the same with a policy. A model made of the
# costs, that time and that slowness is asked the same. What it says and what there was is printed, not judged: on a busy machine
# time is no fact, and limits do not bite. PREDICTS_STEPS=6000 on a quiet one is what doc/policies.md shows.
# launch: limit=180
. "$HMF_SRCDIR/tests/cluster/lib.sh"
command -v python3 >/dev/null || skip "no python3"
HMF_LIMIT=150
HMF_COSTS=$HMF_SCRATCH/costs
export HMF_COSTS
steps=${PREDICTS_STEPS:-2000}
percent=${PREDICTS_PERCENT:-20}
policy=${PREDICTS_POLICY:-least-cost}

hosts 4
"$cluster" cpu "$vc" node1 max >said 2>&1 || skip "no CPU limits: $(cat said)"
# job NAME POLICY: begins
begin() {
    scenario=$1
    rm -rf run progress
    over "$MPIRUN" -np 4 --map-by node -x HMF_RUN_DIR -x HMF_COSTS -x HMF_SPARE_HOSTS=node2,node3 -x HMF_EVENTS="$PWD/$1.jsonl" \
        -x HMF_POLICY="$2" -x HMF_CALIBRATE=100 -x HMF_MONITOR_INTERVAL=0.2 -x HMF_SILENCE=4 -x HMF_LOG=info \
        "$HMF_BUILDDIR/mpi-examples/heat2d" -s "$steps" -x 2 -p progress -o "$1" "$HMF_SRCDIR/mpi-examples/floorplan.pgm" >out 2>err &
    job=$!
}
hold_back() {
    at_step $((steps / 4))
    "$cluster" cpu "$vc" node1 "$percent" || broken "node1 cannot be limited"
    date +%s.%N >"$1.at"
}

begin undisturbed manual
at_step $((steps * 7 / 8))
"$hmf" migrate 1 node2 >moved 2>&1 || broken "$(cat moved)"
ended 0
for run in none policy; do
    test $run = none && begin none none || begin policy "$policy"
    hold_back $run
    ended 0
    "$cluster" cpu "$vc" node1 max
done
cmp undisturbed.h5 policy.h5 || broken "the result differs from the undisturbed one"

bytes=$(sed -n 's/.*"event":"move".*"bytes":\([0-9]*\).*/\1/p' undisturbed.jsonl)
"$hmf" costs --program=heat2d --ranks=2 --bytes="$bytes" --graph node1 node0 node2 node3 >graph.json 2>err ||
    { grep -q 'built without JSON' err && skip "built without jansson"; broken "no graph from the costs"; }
python3 - "$policy" <<'PYTHON' || broken "the model cannot be made"
import json, sys
def events(run): return [json.loads(l) for l in open(run + ".jsonl")]
def span(run):
    e = events(run)
    begin = next(x["time"] for x in e if x["event"] == "start")
    return begin, next(x["time"] for x in e if x["event"] == "end") - begin
whole = span("undisturbed")[1]
b, slow = span("none")
at = float(open("none.at").read()) - b
weight = max(1.0, (slow - at) / (whole * 3 / 4))
b, real = span("policy")
at = whole / 4        # of the work, whatever else the machine has to do
graph = json.load(open("graph.json"))
graph["process"]["state_bytes"] = graph["process"].get("state_bytes", 0)
for v in graph["vertices"]:
    if v["name"] == "node0": v["slots"] = 0
model = {"format": "hmf-sim 1", "graph": graph, "step_us": 1e4, "decide_us": 2e5, "policies": ["none", sys.argv[1]],
         "ranks": [{"at": "node0", "work_us": whole * 1e6}, {"at": "node1", "work_us": whole * 1e6}],
         "options": {"confirm": 3},
         "events": [{"at_us": at * 1e6, "vertex": "node1", "weight": weight}]}
json.dump(model, open("model.json", "w"), indent=1)
moves = [x for x in events("policy") if x["event"] == "move"]
json.dump({"real": real, "slow": slow, "whole": whole, "at": at, "weight": weight, "ranks": [m["rank"] for m in moves],
           "ms": [m["total_ms"] for m in moves]}, open("real.json", "w"))
PYTHON
"$hmf" sim model.json --json >sim.json 2>err && "$hmf" sim model.json --policy="$policy" --explain >explained 2>>err ||
    { cat err; broken "the simulator does not take the model"; }
cat explained
python3 - <<'PYTHON' || broken "the simulation makes no sense"
import json, re
real, sim = json.load(open("real.json")), json.load(open("sim.json"))
none, policy = sim
ranks = [int(r) for r in re.findall(r" s  rank (\d+)  ", open("explained").read())]
def off(p, r): return f"{p:.2f} s predicted, {r:.2f} s real ({(p - r) / r:+.0%})"
print(f"undisturbed {real['whole']:.2f} s; after {real['at']:.2f} s a host is {real['weight']:.2f} times slower")
print("without a policy:", off(none["end_us"] * 1e-6, real["slow"]))
print("with the policy: ", off(policy["end_us"] * 1e-6, real["real"]))
print(f"moves: {policy['moves']} predicted of ranks {ranks}, {len(real['ranks'])} real of ranks {real['ranks']}; moving {policy['moving_us'] * 1e-3:.1f} ms predicted, {sum(real['ms']):.1f} ms real")
assert none["finished"] and policy["finished"] and none["moves"] == 0 and policy["moves"] == len(ranks)
# It is no worse for having a policy, and what follows from the slowness alone is simple enough to be checked.
assert policy["end_us"] <= none["end_us"] * 1.01 + 1e6
assert abs(none["end_us"] * 1e-6 - real["whole"] * (1 / 4 + 3 / 4 * real["weight"])) < 0.1 + 0.01 * real["slow"]
PYTHON
