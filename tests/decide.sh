# hmf graph and hmf sim from outside: the examples, what they come to, and files that are wrong.
. "$HMF_SRCDIR/tests/lib.sh"
hmf=$HMF_BUILDDIR/hmf figure=$HMF_SRCDIR/mpi-examples/graph/figure1.json
cd "$HMF_SCRATCH" || exit 1
"$hmf" graph "$figure" >table 2>err || {
    grep -q 'built without JSON' err && skip "built without jansson"
    cat err; fail "hmf graph figure1.json"; }

# says STATUS TEXT WORDS...: hmf WORDS exits with STATUS and says TEXT
says() {
    want=$1 text=$2
    shift 2
    "$hmf" "$@" >said 2>&1
    status=$?
    test $status -eq "$want" && grep -q -e "$text" said ||
        { cat said; fail "hmf $*: exit status $status, not $want, or not: $text"; }
}
says 0 '^sun1 .* active' graph "$figure"
says 0 '^t3d  *host  *inf' graph "$figure"
says 0 '^sun1 -> nfs -> sun2  ' graph "$figure" --route sun1 sun2
says 0 'digraph' graph "$figure" --dot
says 0 '"active": "sun1"' graph "$figure" --json
says 2 'what is "--bogus"' graph "$figure" --bogus
mkdir -m 700 run
HMF_RUN_DIR=$PWD/run says 1 'no running job' graph    # without a file it asks one
says 1 'no vertex mars' graph "$figure" --route sun1 mars
says 1 'cannot open none.json' graph none.json

# What was written is read back, and writes the same.
"$hmf" graph "$figure" --json >once.json && "$hmf" graph once.json --json >twice.json || fail "--json is not read back"
cmp once.json twice.json || fail "a graph changes when it is read and written"

wrong() { # TEXT JSON
    printf '%s' "$2" >wrong.json
    says 1 "$1" graph wrong.json
}
wrong 'line 1, column' '{"vertices": [}'
wrong 'vertices\[1\].speed is not a number' '{"vertices": [{"name":"a"}, {"name":"b", "speed":"fast"}]}'
wrong 'vertices\[0\].sped is not known here' '{"vertices": [{"name":"a", "sped":1}]}'
wrong 'two vertices are called a' '{"vertices": [{"name":"a"}, {"name":"a"}]}'
wrong 'edges\[0\].to is b: no vertex has that name' '{"vertices": [{"name":"a"}], "edges":[{"from":"a","to":"b"}]}'
wrong 'duplicate object key' '{"active":"a", "active":"b"}'
wrong 'vertices\[0\].name is missing' '{"vertices": [{}]}'
wrong 'mechanism is none of whole, precopy, on-reference' '{"process": {"mechanism":"magic"}}'
wrong 'touched is 2: give 0 to 1' '{"process": {"touched":2}}'

# The simulator: a host that gets slow and one that is to fail; who sees to both ends first.
model=$HMF_SRCDIR/mpi-examples/graph/slow_node.json
says 0 '^none  *whole  *3320.0  *0 ' sim "$model"
says 0 '^degradation,least-cost  *whole  *60[0-9].[0-9]  *2 .* 0  *0.0$' sim "$model" --policy=degradation,least-cost
says 0 '200.0 s  rank 2  degradation: leaves n2, which ends in\|rank 2  degradation: leaves n2' sim "$model" --policy=degradation --explain
says 0 'rank 0  none: stays on n0, as always' sim "$model" --policy=none --explain=all
says 0 '"policy": "none", "mechanism": "whole", "finished": true, "end_us": 3320000000,' sim "$model" --json
"$hmf" sim "$model" --seed=7 >once && "$hmf" sim "$model" --seed=7 >twice && cmp once twice ||
    fail "the same seed gives other results"
says 2 'sim takes a file' sim
says 1 'there is no policy "best"' sim "$model" --policy=best
says 0 '^least-cost ' policies
wrong_model() { # TEXT JSON
    printf '%s' "$2" >wrong.json
    says 1 "$1" sim wrong.json
}
host='"graph": {"vertices": [{"name":"a"}]}'
wrong_model 'graph is missing' '{}'
wrong_model 'a model needs a graph and ranks' "{$host, \"policies\": [\"none\"]}"
wrong_model 'ranks\[0\].at is b: no vertex' "{$host, \"ranks\": [{\"at\":\"b\", \"work_us\":1}]}"
wrong_model 'events\[0\] says nothing that happens' "{$host, \"events\": [{\"at_us\":1, \"vertex\":\"a\"}]}"
wrong_model 'events\[0\].vertex is missing' "{$host, \"events\": [{\"at_us\":1, \"load\":1}]}"
wrong_model 'mechanisms is not a list of whole' "{$host, \"mechanisms\": [\"magic\"]}"
exit 0
