# Jobs over hosts made of namespaces; they skip, and say so, where those cannot be made.
check_PROGRAMS += tests/cluster/alone
tests_cluster_alone_CPPFLAGS = $(mpi_cppflags)
tests_cluster_alone_LDFLAGS = $(mpi_ldflags)
tests_cluster_alone_LDADD = $(mpi_ldadd)
shell_tests += tests/cluster/moves.sh tests/cluster/off.sh tests/cluster/silent.sh tests/cluster/levels.sh tests/cluster/steps.sh
EXTRA_DIST += tests/cluster/hosts.sh tests/cluster/lib.sh tests/cluster/stop.c

check_PROGRAMS += tests/cluster/carry
tests_cluster_carry_CPPFLAGS = $(mpi_cppflags)
tests_cluster_carry_LDFLAGS = $(mpi_ldflags)
tests_cluster_carry_LDADD = $(mpi_ldadd)
shell_tests += tests/cluster/costs.sh tests/cluster/predicts.sh
