# The MPI_* wrappers: functions.tab is the table, gen.pl makes fn.h and gen.c of it.
PERL = perl
libhmf_mpi_la_SOURCES += \
	src/outputs.c \
	src/startup.c src/startup.h \
	src/vreq.c src/vreq.h \
	src/shim/begin.c \
	src/shim/comm.c \
	src/shim/complete.c \
	src/shim/init.c \
	src/shim/local.c \
	src/shim/mpi1.c \
	src/shim/object.c \
	src/shim/p2p.c \
	src/shim/shim.h
nodist_libhmf_mpi_la_SOURCES = src/shim/gen.c src/shim/fn.h
BUILT_SOURCES += src/shim/fn.h src/shim/gen.c
CLEANFILES += src/shim/fn.h src/shim/gen.c
EXTRA_DIST += src/shim/functions.tab src/shim/gen.pl

shim_gen = $(AM_V_GEN)$(MKDIR_P) src/shim && $(PERL) $(srcdir)/src/shim/gen.pl
shim_deps = src/shim/functions.tab src/shim/gen.pl

src/shim/gen.c: $(shim_deps)
	$(shim_gen) code $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@
src/shim/fn.h: $(shim_deps)
	$(shim_gen) header $(srcdir)/src/shim/functions.tab > $@.tmp && mv -f $@.tmp $@
