# Real heterogeneity: programs that run here and, under qemu, on other architectures.
# tests/hetero_lib.sh says which, and builds them there with tests/hetero/cross.mk.
shell_tests += tests/hetero/matrix.sh tests/hetero/random.sh tests/hetero/job.sh tests/hetero/chain.sh \
	tests/hetero/relay.sh
EXTRA_DIST += tests/hetero_lib.sh tests/hetero_run.sh tests/hetero/cross.mk tests/hetero/readdir32.c \
	build-aux/sysroot.sh

check_PROGRAMS += tests/hetero/matrix
tests_hetero_matrix_SOURCES = tests/hetero/matrix.c tests/hetero/cases.h tests/hetero/carriers.h \
	tests/hetero/values.c tests/hetero/graphs.c tests/hetero/forms.c tests/hetero/paths.c tests/hetero/layouts.c
tests_hetero_matrix_CPPFLAGS = $(AM_CPPFLAGS) -DHETERO_HDF5 -I$(srcdir)/tests/unit
tests_hetero_matrix_LDADD = libhmf-core.la

check_PROGRAMS += tests/hetero/job
tests_hetero_job_SOURCES = tests/hetero/job.c tests/hetero/carriers.h
tests_hetero_job_CPPFLAGS = $(mpi_cppflags)
tests_hetero_job_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
tests_hetero_job_LDFLAGS = $(mpi_ldflags) -static
tests_hetero_job_LDADD = $(mpi_ldadd) -lm

check_PROGRAMS += tests/hetero/random
tests_hetero_random_SOURCES = tests/hetero/random.c tests/hetero/carriers.h
tests_hetero_random_CPPFLAGS = $(AM_CPPFLAGS) -DHETERO_HDF5
tests_hetero_random_LDADD = libhmf-core.la
