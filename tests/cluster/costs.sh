# What moves cost, predicted and measured: ranks with states of several sizes go to and fro between hosts, over links of several
# rates. Each move's event must have both, phase by phase, and the measured parts must be its whole; how well they agree is
# printed, not judged, for time on a busy machine is no fact.
#   COSTS_NETS="1gbit 400mbit 200mbit" COSTS_SIZES="1024 ... 268435456" COSTS_MOVES=4 tests/launch tests/cluster/costs.sh
# is what doc/policies.md shows; by default it is less.
# launch: limit=120
. "$HMF_SRCDIR/tests/cluster/lib.sh"
command -v python3 >/dev/null || skip "no python3"
nets=${COSTS_NETS:-"1gbit"}
sizes=${COSTS_SIZES:-"1024 4194304"}
moves=${COSTS_MOVES:-2}
HMF_LIMIT=${COSTS_LIMIT:-60}
HMF_COSTS=$HMF_SCRATCH/costs
export HMF_COSTS

hosts 3
migrate() { "$hmf" migrate 1 "$1" >moved 2>&1 || broken "$(cat moved)"; }
# The time from poll to poll of both is known.
started() { grep -q '"step_ms":\[[0-9.]*[1-9][0-9]*,[0-9.]*[1-9][0-9]*\]' "events.$net.$size" 2>/dev/null; }

for net in $nets; do
    for node in node0 node1 node2; do
        "$cluster" net "$vc" $node "$net" >said 2>&1 || skip "no shaped links: $(cat said)"
    done
    rm -f "$HMF_COSTS"
    for size in $sizes; do
        scenario="$size bytes over links at $net"
        rm -rf stop run
        over "$MPIRUN" -np $((2 + 2 * ((moves + 1) / 2 * 3 / 2 + 1))) --map-by node -x HMF_RUN_DIR -x HMF_COSTS \
            -x HMF_SPARES=$((2 * ((moves + 1) / 2 * 3 / 2 + 1))) -x HMF_EVENTS="$PWD/events.$net.$size" -x HMF_SILENCE=4 \
            -x HMF_CALIBRATE=100 -x HMF_LOG=info "$HMF_BUILDDIR/tests/cluster/carry" "$size" "$PWD/stop" >out 2>err &
        job=$!
        wait_job started || broken "the job ended"
        there=node2
        i=0
        while test $i -lt "$moves"; do
            migrate $there
            test $there = node2 && there=node1 || there=node2
            i=$((i + 1))
        done
        touch stop
        ended 0
        grep -q '^0 bytes wrong' out || broken "bytes have changed"
        cat err >>errs
    done
done
test -s "$HMF_COSTS" || broken "no file of costs was left"

python3 - "$moves" $nets -- $sizes <<'PYTHON' || broken "the events are not as they should be"
import json, statistics, sys
moves, rest = int(sys.argv[1]), sys.argv[2:]
nets, sizes = rest[:rest.index("--")], rest[rest.index("--") + 1:]
phases = "negotiate stop drain join create capture transfer translate commit".split()
errors, transfers = [], []
print(f"{'network':>8} {'bytes':>10} {'predicted ms':>13} {'measured ms':>12} {'error':>7}   transfer: predicted, measured ms")
for net in nets:
    for size in sizes:
        here = [json.loads(l) for l in open(f"events.{net}.{size}") if '"event":"move"' in l]
        assert len(here) == moves, f"{len(here)} moves, not {moves}"
        for e in here:
            p, m = e["predicted_us"], e["total_ms"] * 1e3
            assert all(0 <= e[b] - int(size) < 64 for b in ("bytes", "predicted_bytes")), e
            assert all(e[f"{x}_us"] >= 0 and e[f"predicted_{x}_us"] >= 0 for x in phases), e
            assert p > 0 and abs(sum(e[f"predicted_{x}_us"] for x in phases) - p) < 1e-3 * p, e
            assert abs(sum(e[f"{x}_us"] for x in phases) - m) < 0.1 * m + 2000, e
            errors.append(abs(p - m) / m)
            transfers.append(abs(e["predicted_transfer_us"] - e["transfer_us"]) / e["transfer_us"])
            print(f"{net:>8} {size:>10} {p / 1e3:13.1f} {m / 1e3:12.1f} {errors[-1]:7.0%}   {e['predicted_transfer_us'] / 1e3:.2f}, {e['transfer_us'] / 1e3:.2f}")
print(f"{len(errors)} moves: the median error of the whole is {statistics.median(errors):.1%}, of the transfer {statistics.median(transfers):.1%}")
PYTHON
grep calibrated errs
