# The MPI_* wrappers: functions.tab is the table, gen.pl makes fn.h and gen.c of it.
libhmf_mpi_la_SOURCES += \
	src/outputs.c \
	src/startup.c src/startup.h \
	src/vreq.c src/vreq.h src/vreqpack.c \
	src/shim/begin.c \
	src/shim/comm.c \
	src/shim/complete.c \
	src/shim/file.c \
	src/shim/init.c \
	src/shim/local.c \
	src/shim/mpi1.c \
	src/shim/p2p.c \
	src/shim/shim.h src/shim/timed.h \
	src/shim/threads.c \
	src/shim/win.c
nodist_libhmf_mpi_la_SOURCES = src/shim/gen.c src/shim/outer.c src/shim/fn.h src/shim/inner.h
BUILT_SOURCES += src/shim/fn.h src/shim/inner.h src/shim/gen.c src/shim/outer.c
CLEANFILES += src/shim/fn.h src/shim/inner.h src/shim/gen.c src/shim/outer.c
EXTRA_DIST += src/shim/functions.tab src/shim/others.tab src/shim/gen.pl doc/mpi-functions.md doc/mpi-handles.md

shim_gen = $(AM_V_GEN)$(MKDIR_P) src/shim && $(PERL) $(srcdir)/src/shim/gen.pl
shim_deps = src/shim/functions.tab src/shim/gen.pl

src/shim/gen.c: $(shim_deps)
	$(shim_gen) code $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@
src/shim/fn.h: $(shim_deps)
	$(shim_gen) header $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@

src/shim/inner.h: $(shim_deps)
	$(shim_gen) inner $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@
src/shim/outer.c: $(shim_deps)
	$(shim_gen) outer $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@

shell_tests += tests/shim-complete.sh
mpi_tests += tests/mpi/shim_p2p tests/mpi/shim_coll tests/mpi/shim_comm
EXTRA_DIST += tests/mpi/shim.h
tests_mpi_shim_p2p_CPPFLAGS = $(mpi_cppflags)
tests_mpi_shim_p2p_LDFLAGS = $(mpi_ldflags)
tests_mpi_shim_p2p_LDADD = $(mpi_ldadd)
tests_mpi_shim_coll_CPPFLAGS = $(mpi_cppflags)
tests_mpi_shim_coll_LDFLAGS = $(mpi_ldflags)
tests_mpi_shim_coll_LDADD = $(mpi_ldadd)
tests_mpi_shim_comm_CPPFLAGS = $(mpi_cppflags)
tests_mpi_shim_comm_LDFLAGS = $(mpi_ldflags)
tests_mpi_shim_comm_LDADD = $(mpi_ldadd)
mpi_cases += \
	tests/mpi/shim_p2p.np4 tests/mpi/shim_p2p.np3s1 tests/mpi/shim_p2p.np2s1 \
	tests/mpi/shim_coll.np4 tests/mpi/shim_coll.np3s2 tests/mpi/shim_coll.np1 \
	tests/mpi/shim_comm.np4 tests/mpi/shim_comm.np4s1 tests/mpi/shim_comm.np2s1
mpi_tests += tests/mpi/shim_moves
tests_mpi_shim_moves_CPPFLAGS = $(mpi_cppflags)
tests_mpi_shim_moves_LDFLAGS = $(mpi_ldflags)
tests_mpi_shim_moves_LDADD = $(mpi_ldadd)
mpi_cases += tests/mpi/shim_moves.np4 tests/mpi/shim_moves.np4s1 tests/mpi/shim_moves.np4s8
mpi_tests += tests/mpi/shim_refuse
tests_mpi_shim_refuse_CPPFLAGS = $(mpi_cppflags)
tests_mpi_shim_refuse_LDFLAGS = $(mpi_ldflags)
tests_mpi_shim_refuse_LDADD = $(mpi_ldadd)
# An undone move costs a spare.
mpi_cases += tests/mpi/shim_refuse.np2s2
mpi_tests += tests/mpi/shim_startup
tests_mpi_shim_startup_CPPFLAGS = $(mpi_cppflags)
tests_mpi_shim_startup_LDFLAGS = $(mpi_ldflags)
tests_mpi_shim_startup_LDADD = $(mpi_ldadd)
shell_tests += tests/shim-startup.sh

# For profiling tools that are loaded before the program: chain.h.
lib_LTLIBRARIES += libhmf-pmpi.la
libhmf_pmpi_la_CPPFLAGS = $(AM_CPPFLAGS) $(MPI_CFLAGS)
libhmf_pmpi_la_LDFLAGS = -version-info $(HMF_SO_VERSION) -export-symbols-regex '^PMPI_' -no-undefined
libhmf_pmpi_la_SOURCES = src/shim/chain.c src/shim/chain.h
nodist_libhmf_pmpi_la_SOURCES = src/shim/chain_gen.c
BUILT_SOURCES += src/shim/chain_gen.c
CLEANFILES += src/shim/chain_gen.c
src/shim/chain_gen.c: $(shim_deps)
	$(shim_gen) chain $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@
shell_tests += tests/chain.sh tests/languages.sh tests/libraries.sh
EXTRA_DIST += tests/chain/counter.c tests/languages/plain.cc tests/languages/openmp.c \
	tests/libraries/dense.c tests/libraries/fourier.c \
	tests/libraries/multigrid.c tests/libraries/parallel.c
