#!/bin/sh
# Random communicators, traffic and moves (tests/mpi/stress.c): what the ranks receive is, to the bit,
# what they receive in a job without moves. HMF_STRESS_SEEDS are the seeds (any number of them),
# HMF_STRESS_STEPS how long each run is.
# launch: limit=170
. "$HMF_SRCDIR/tests/lib.sh"
program=$HMF_BUILDDIR/tests/mpi/stress
steps=${HMF_STRESS_STEPS:-40}

for seed in ${HMF_STRESS_SEEDS:-1 2}; do
    HMF_TEST_SEED=$seed
    export HMF_TEST_SEED
    hmf_run 4 0 "$program" "$steps" > still 2> err || { cat still err; fail "seed $seed without moves"; }
    hmf_run 4 "${HMF_STRESS_MOVES:-5}" "$program" "$steps" > moved 2> err ||
        { cat moved err; fail "seed $seed with moves"; }
    test ! -s err || { cat err; fail "seed $seed: a clean run prints nothing"; }
    cut -d, -f1 still > a
    cut -d, -f1 moved > b
    cmp -s a b || { cat still moved; fail "seed $seed: the results differ"; }
    cat moved
done
exit 0
