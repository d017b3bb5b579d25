#!/bin/sh
# What happens when the start-up phase cannot be replayed to a newcomer: see tests/mpi/shim_startup.c.
# launch: limit=150
. "$HMF_SRCDIR/tests/lib.sh"
program=$HMF_BUILDDIR/tests/mpi/shim_startup
HMF_LIMIT=40

# refused MODE TEXT: the move of rank 1 is refused with these words, and the job ends well. It ends when
# it was answered; the number of steps is only a limit.
refused() {
    hmf_run 2 1 "$program" "$1" 20000000 > out 2> err || { cat out err; fail "$1: the job failed"; }
    grep -q '^0 moves' out || { cat out err; fail "$1: the rank moved"; }
    grep 'stays' err | grep -q -- "$2" || { cat out err; fail "$1: no message with '$2'"; }
}

export HMF_STARTUP_LIMIT=1000
refused limit 'HMF_STARTUP_LIMIT'
unset HMF_STARTUP_LIMIT
refused void 'MPI_File_get_info was called before auto_read'
refused other 'MPI_Allreduce on MPI_COMM_WORLD.*but was MPI_Bcast'
refused args 'MPI_Bcast, has other counts'
refused less 'MPI_Barrier on MPI_COMM_WORLD.*is missing'
refused more 'but the rank made only'
hmf_run 2 1 "$program" file 20000000 > out 2> err || { cat out err; fail "file: the job failed"; }
grep -q '^1 moves' out || { cat out err; fail "file: the rank did not move"; }
test ! -s err || { cat err; fail "file: a clean run prints nothing"; }
exit 0
