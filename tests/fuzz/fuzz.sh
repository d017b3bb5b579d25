#!/bin/sh
# A short run of the fuzzer over its corpus; HMF_FUZZ_RUNS=1000000 for a long one, HMF_SEED=n for others.
# launch: limit=300
# What is restored belongs to the state, whose own pointers may be overwritten by the next run.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
exec "${HMF_BUILDDIR:-.}/tests/fuzz/fuzz_image" -n "${HMF_FUZZ_RUNS:-2000}" "${HMF_SRCDIR:-.}"/tests/fuzz/corpus/*
