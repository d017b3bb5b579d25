# hmf-checktype: descriptions made from the source. Only the tool needs libclang.
hmfinclude_HEADERS += include/hmf/checktype.h include/hmf/struct.h
hmfinclude_HEADERS += include/hmf/globals.h
libhmf_core_la_SOURCES += src/checktype.c src/checktype.h src/cnames.h
libhmf_mpi_la_SOURCES += src/track.c src/globals_track.c
dist_man_MANS += doc/man/hmf-checktype.1 doc/man/hmfcc.1 doc/man/hmf_globals.3
bin_SCRIPTS = hmfcc
aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = src/tools/hmf-mpi.m4
EXTRA_DIST += doc/checktype.md doc/tutorial.md

if HAVE_LIBCLANG
bin_PROGRAMS += hmf-checktype
endif
hmf_checktype_SOURCES = \
	src/tools/checktype/main.c src/tools/checktype/model.c src/tools/checktype/model.h \
	src/tools/checktype/read.c src/tools/checktype/read.h src/tools/checktype/readcode.c \
	src/tools/checktype/readrecord.c src/tools/checktype/readtype.c \
	src/tools/checktype/ctypes.c src/tools/checktype/ctypes.h src/tools/checktype/notes.c \
	src/tools/checktype/length.c src/tools/checktype/resolve.c src/tools/checktype/resolve.h \
	src/tools/checktype/union.c src/tools/checktype/write.c
hmf_checktype_CPPFLAGS = $(AM_CPPFLAGS) $(LIBCLANG_CFLAGS)
hmf_checktype_LDADD = $(LIBCLANG_LIBS)

unit_tests += tests/unit/test_checktype
described_types = tests/checktype/shapes.types.c tests/checktype/shapes.h \
	tests/checktype/nasty.types.c tests/checktype/nasty.h tests/checktype/hard.types.c tests/checktype/hard.h
tests_unit_test_checktype_SOURCES = tests/unit/test_checktype.c $(described_types)
tests_unit_test_checktype_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS) -I$(top_srcdir)/tests
shell_tests += tests/checktype/generate.sh tests/checktype/hmfcc.sh tests/checktype/foreign.sh \
	tests/checktype/tutorial.sh
EXTRA_DIST += tests/checktype/inst.sh
EXTRA_DIST += tests/checktype/CUnit/CUnit.h tests/checktype/CUnit/Basic.h

# Variables found by debug information: programs that want theirs found are compiled with -g.
if HAVE_LIBDW
libhmf_core_la_SOURCES += src/globals.c src/globals.h src/globals_type.c
else
libhmf_core_la_SOURCES += src/globals_none.c
endif
libhmf_core_la_CPPFLAGS += $(LIBDW_CFLAGS)
libhmf_core_la_LIBADD += $(LIBDW_LIBS)
EXTRA_DIST += src/globals.c src/globals.h src/globals_type.c src/globals_none.c

unit_tests += tests/unit/test_globals
tests_unit_test_globals_SOURCES = tests/unit/test_globals.c tests/unit/globals_more.c \
	tests/unit/globals_more.h $(described_types)
tests_unit_test_globals_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS) $(LIBDW_CFLAGS) -I$(top_srcdir)/tests
# clang leaves out what no variable has, and the generated files only ask where the fields are
tests_unit_test_globals_CFLAGS = $(AM_CFLAGS) -g -fno-eliminate-unused-debug-types
tests_unit_test_globals_LDADD = $(LDADD) $(LIBDW_LIBS)
mpi_tests += tests/mpi/globals
tests_mpi_globals_CFLAGS = $(AM_CFLAGS) -g
tests_mpi_globals_CPPFLAGS = $(mpi_cppflags)
tests_mpi_globals_LDFLAGS = $(mpi_ldflags)
tests_mpi_globals_LDADD = $(mpi_ldadd)
mpi_cases += tests/mpi/globals.np3s1
