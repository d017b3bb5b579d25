# How tests run: every entry of TESTS goes through tests/launch, which sets a time limit (60 s), an own empty
# working directory and what Open MPI needs, and keeps the output in <test>.log. By the entry's name it runs
#   tests/mpi/ring.np4      mpirun -np 4 tests/mpi/ring           (no spares)
#   tests/mpi/ring.np4s1    mpirun -np 5 tests/mpi/ring           with HMF_SPARES=1
#   x.sh                    sh x.sh; it can source $HMF_SRCDIR/tests/lib.sh, whose hmf_run starts jobs
#   anything else           the program itself (unit tests)
# A line "launch: limit=120 args=-v env=NAME=VALUE" in a comment of the test's source changes these
# (keys may be repeated). Exit 77 skips: print why. No TEST_EXTENSIONS here: automake would
# strip the extension from the log's name and silently run only one of x.np2, x.np4.
#
# A test in C:   mpi_tests += tests/mpi/ring
#                tests_mpi_ring_CPPFLAGS = $(mpi_cppflags)
#                tests_mpi_ring_LDFLAGS = $(mpi_ldflags)    # + -static to reach hmf__ functions
#                tests_mpi_ring_LDADD = $(mpi_ldadd)
#                mpi_cases += tests/mpi/ring.np4 tests/mpi/ring.np4s1
# A unit test:   unit_tests += tests/unit/test_base         # nothing else: CPPFLAGS, LDADD are defaults

TEST_EXTENSIONS =
LOG_COMPILER = tests/launch
EXTRA_DIST += tests/lib.sh tests/unit/unit.h $(shell_tests)

LDADD = libhmf-core.la $(CUNIT_LIBS)

# Automake wants each entry of TESTS to be a file.
$(mpi_cases): Makefile
	@$(MKDIR_P) $(@D) && echo "run by tests/launch" > $@
CLEANFILES += $(mpi_cases)

# What tests/rules.sh looks at: the lists as the makefile knows them.
tests/lists.sh: Makefile
	@$(MKDIR_P) tests && { \
	    echo "core_SOURCES='$(libhmf_core_la_SOURCES)'"; \
	    echo "mpi_SOURCES='$(libhmf_mpi_la_SOURCES)'"; \
	    echo "pkginclude_HEADERS='$(pkginclude_HEADERS)'"; \
	    echo "hmfinclude_HEADERS='$(hmfinclude_HEADERS)'"; \
	    echo "MPI_CFLAGS='$(MPI_CFLAGS)' HDF5_CFLAGS='$(HDF5_CFLAGS)' HWLOC_CFLAGS='$(HWLOC_CFLAGS)'"; \
	    echo "unit='$(unit_tests)'"; \
	    echo "shell='$(shell_tests)'"; \
	    echo "TESTS='$(TESTS)'"; \
	} > $@
check_DATA = tests/lists.sh
CLEANFILES += tests/lists.sh
shell_tests += tests/rules.sh

# ./check asks for the names in one of the lists: make -s print-tests LIST=TESTS or LIST=unit
print-tests: tests/lists.sh
	@. ./tests/lists.sh; eval "echo \$$$(LIST)"

.PHONY: print-tests

check-local:
	@test -n "$(MPIRUN)" || echo "no mpirun: the MPI tests are skipped; give --with-mpi=PREFIX"

clean-local:
	rm -rf tests/scratch
