# Runs one program of tests/hetero on one architecture; mpirun can start it. Sourced by nobody.
# Usage: sh tests/hetero_run.sh ARCH PROGRAM ARGS...    (in the environment of a test)
. "$HMF_SRCDIR/tests/hetero_lib.sh"
arch=$1 program=$2
shift 2
test "$arch" != amd64 || exec "$HMF_BUILDDIR/tests/hetero/$program" "$@"
root=$(hetero_root "$arch") out=$HETERO_CROSS/$arch.out
# A process alone asks no server for its place in a job: the one that it would start is amd64's.
test -n "$OMPI_COMM_WORLD_SIZE" || export OMPI_MCA_ess_singleton_isolated=1
if test "$arch" = i386; then
    # qemu passes 64-bit offsets of folders on to a program that has room for 32, and does not look
    # into its root for statx: Open MPI would find none of its components.
    export OMPI_MCA_mca_base_component_path="$root/usr/lib/i386-linux-gnu/openmpi/lib/openmpi3"
    if test -f "$out/readdir32.so"; then
        set -- -E "LD_PRELOAD=$out/readdir32.so" "$out/$program" "$@"
        exec "$(hetero_qemu "$arch")" -L "$root" "$@"
    fi
fi
exec "$(hetero_qemu "$arch")" -L "$root" "$out/$program" "$@"
