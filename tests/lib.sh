# Sourced by tests/launch and by the tests in shell: what every job of the tests needs.
# Expects HMF_SRCDIR, HMF_BUILDDIR and MPIRUN (tests/launch exports them).

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
export OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_mpi_yield_when_idle=1
# No network is needed on one machine; copying between processes is often forbidden in containers.
export OMPI_MCA_btl=self,vader
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# Without such copies this component of Open MPI 4.1 takes windows on and then cannot make them.
export OMPI_MCA_osc=^rdma
# In containers hwloc may miss parts of /sys and says so; the tests want a silent library.
export HWLOC_HIDE_ERRORS=2
# Open MPI leaves allocations behind at exit; unit tests run without these settings.
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0}

# skip "why": ends the test as skipped.  fail "what": ends it as failed.
skip() { echo "SKIP: $*"; exit 77; }
fail() { echo "FAIL: $*"; exit 1; }

# hmf_run RANKS SPARES PROGRAM [ARGS]: runs a job, at most HMF_LIMIT seconds (default 60).
# $TEST_WRAP, if set, stands between mpirun and the program (a debugger, valgrind).
hmf_run() {
    hmf_run_np=$(($1 + $2))
    hmf_run_spares=$2
    shift 2
    test -n "$MPIRUN" || skip "no mpirun was found by configure"
    HMF_SPARES=$hmf_run_spares timeout -k 5 "${HMF_LIMIT:-60}" \
        "$MPIRUN" -np $hmf_run_np $TEST_WRAP "$@"
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; 1 if it never does. For conditions outside
# of a job that nobody announces (a line in a log, a file).
wait_for() {
    wait_for_n=$(($1 * 20))
    shift
    until "$@"; do
        wait_for_n=$((wait_for_n - 1))
        test $wait_for_n -gt 0 || return 1
        sleep 0.05
    done
}
