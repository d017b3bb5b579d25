#!/bin/sh
# A job script to copy: runs a program that stands on libhmf-mpi until it has finished, over as many time limits as
# that takes.
#
#   sbatch slurm-job.sh ./program arguments...
#
# Before the time limit the job goes to disk and ends in order; Slurm puts it into the queue again, and the same
# command continues it. So it does when you say:  scancel --batch --signal=USR1 JOBID
# It also does when a node is lost with ranks on it; a node that the ranks have left (hmf drain) may die.
#SBATCH --job-name=hmf
#SBATCH --ntasks=2
#SBATCH --time=60
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --open-mode=append

# One socket and one folder of checkpoints for each job.
export HMF_RUN_DIR="${TMPDIR:-/tmp}/hmf-job-$SLURM_JOB_ID"
export HMF_DIR="${HMF_DIR:-$PWD/hmf-job-$SLURM_JOB_ID}"

# When Slurm ends this job: newer versions say so, others are asked. The library goes to disk HMF_END_MARGIN seconds
# before, also if the signal does not come.
end=${SLURM_JOB_END_TIME:-$(date -d "$(squeue -h -j "$SLURM_JOB_ID" -o %e)" +%s 2>/dev/null)}
test -z "$end" || export HMF_END_TIME="$end"

# mpirun hands signals on as it likes (SIGTERM: ranks are killed a second later), so it gets none.
trap 'hmf stop' USR1
hmfrun "$@" &
job=$!
while :; do
    wait $job
    status=$?
    kill -0 $job 2>/dev/null || break       # a signal has interrupted the wait
done

# The library leaves the file "finished" when the program has come to its end; 75 says that a node was lost.
if test $status = 75 || { test $status = 0 && test -d "$HMF_DIR" && ! test -e "$HMF_DIR/finished"; }; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit $status
