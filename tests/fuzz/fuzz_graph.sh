# A short run of the fuzzer of graphs over its corpus; HMF_FUZZ_RUNS for a long one, HMF_SEED=n for others.
# launch: limit=120
exec "${HMF_BUILDDIR:-.}/tests/fuzz/fuzz_graph" -n "${HMF_FUZZ_RUNS:-1000}" "${HMF_SRCDIR:-.}"/tests/fuzz/corpus-graph/*
