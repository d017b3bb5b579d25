# Jobs under real Slurm daemons, which the test starts itself.
check_PROGRAMS += tests/slurm/rounds
tests_slurm_rounds_CPPFLAGS = $(mpi_cppflags)
tests_slurm_rounds_LDFLAGS = $(mpi_ldflags)
tests_slurm_rounds_LDADD = $(mpi_ldadd)
shell_tests += tests/slurm/jobs.sh
EXTRA_DIST += tests/slurm/cluster.sh mpi-examples/slurm-job.sh doc/slurm.md
