# A short run of the fuzzer of the control socket; HMF_FUZZ_RUNS for a long one, HMF_SEED=n for others.
# launch: limit=120
exec "${HMF_BUILDDIR:-.}/tests/fuzz/fuzz_control" -n "${HMF_FUZZ_RUNS:-1500}" "${HMF_SRCDIR:-.}"/tests/fuzz/corpus-control/*
