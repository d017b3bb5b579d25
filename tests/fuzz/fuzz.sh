#!/bin/sh
# Short runs of the fuzzers over their corpus; HMF_FUZZ_RUNS=1000000 for a long one, HMF_SEED=n for others.
# launch: limit=300
. "$HMF_SRCDIR/tests/lib.sh"
export HMF_LOG=error ASAN_OPTIONS="allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
runs=${HMF_FUZZ_RUNS:-2000}
here=$HMF_BUILDDIR/tests/fuzz
"$here/fuzz_image" -n "$runs" "$HMF_SRCDIR"/tests/fuzz/corpus/* || fail "fuzz_image"
"$here/fuzz_formats" -n "$runs" || fail "fuzz_formats"
"$here/fuzz_check" -n $((runs / 4)) || fail "fuzz_check" # writes two files a run
