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
	    echo "MPI_CFLAGS='$(MPI_CFLAGS)' MPI_LIBS='$(MPI_LIBS)' HDF5_CFLAGS='$(HDF5_CFLAGS)' HWLOC_CFLAGS='$(HWLOC_CFLAGS)'"; \
	    echo "unit='$(unit_tests)'"; \
	    echo "shell='$(shell_tests)'"; \
	    echo "TESTS='$(shell_tests) $(mpi_cases) $(unit_run)'"; \
	} > $@
check_DATA = tests/lists.sh
CLEANFILES += tests/lists.sh
shell_tests += tests/rules.sh tests/install.sh
# make install links libhmf-heap again, and for a moment the one in the build folder is not whole. By a variable,
# since automake takes a rule for the log itself for one in place of its own.
install_log = tests/install.sh.log
$(install_log): tests/examples_rods.sh.log

# The program uses one flavour of HDF5, the library the other.
if HAVE_HDF5_PARALLEL
mpi_tests += tests/mpi/hdf5_both
tests_mpi_hdf5_both_CPPFLAGS = $(mpi_cppflags) $(HDF5_PARALLEL_CFLAGS)
tests_mpi_hdf5_both_LDFLAGS = $(mpi_ldflags)
tests_mpi_hdf5_both_LDADD = libhmf-mpi.la $(HDF5_PARALLEL_LIBS) $(MPI_LIBS)
mpi_cases += tests/mpi/hdf5_both.np2 tests/mpi/hdf5_both.np2s1
endif
EXTRA_DIST += tests/mpi/hdf5_both.c

# ./check asks for the names in one of the lists: make -s print-tests LIST=TESTS or LIST=unit
print-tests: tests/lists.sh
	@. ./tests/lists.sh; eval "echo \$$$(LIST)"

installcheck-local:
	@HMF_SRCDIR=$(abs_top_srcdir) HMF_BUILDDIR=$(abs_top_builddir) MPIRUN="$(MPIRUN)" CC="$(CC)" \
	SANITIZERS="$(hmf_sanitizers)" PKG_CONFIG="$(PKG_CONFIG)" \
	sh $(srcdir)/tests/install.sh $(DESTDIR)$(prefix) $(DESTDIR)$(pkgconfigdir)

.PHONY: print-tests

check-local:
	@test -n "$(MPIRUN)" || echo "no mpirun: the MPI tests are skipped; give --with-mpi=PREFIX"

clean-local:
	rm -rf tests/scratch tests/hetero/cross
