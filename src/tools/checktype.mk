# hmf-checktype: descriptions made from the source. Only the tool needs libclang.
hmfinclude_HEADERS += include/hmf/checktype.h include/hmf/struct.h
libhmf_core_la_SOURCES += src/checktype.c src/checktype.h
libhmf_mpi_la_SOURCES += src/track.c
dist_man_MANS += doc/man/hmf-checktype.1 doc/man/hmfcc.1
bin_SCRIPTS = hmfcc
aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = src/tools/hmf-mpi.m4
EXTRA_DIST += doc/checktype.md

if HAVE_LIBCLANG
bin_PROGRAMS += hmf-checktype
endif
hmf_checktype_SOURCES = \
	src/tools/checktype/main.c src/tools/checktype/model.c src/tools/checktype/model.h \
	src/tools/checktype/read.c src/tools/checktype/read.h src/tools/checktype/readcode.c \
	src/tools/checktype/readrecord.c src/tools/checktype/readtype.c \
	src/tools/checktype/ctypes.c src/tools/checktype/ctypes.h src/tools/checktype/notes.c \
	src/tools/checktype/length.c src/tools/checktype/resolve.c src/tools/checktype/write.c
hmf_checktype_CPPFLAGS = $(AM_CPPFLAGS) $(LIBCLANG_CFLAGS)
hmf_checktype_LDADD = $(LIBCLANG_LIBS)

unit_tests += tests/unit/test_checktype
tests_unit_test_checktype_SOURCES = tests/unit/test_checktype.c tests/checktype/shapes.types.c \
	tests/checktype/shapes.h tests/checktype/nasty.types.c tests/checktype/nasty.h
tests_unit_test_checktype_CPPFLAGS = $(AM_CPPFLAGS) $(CUNIT_CFLAGS) -I$(top_srcdir)/tests
shell_tests += tests/checktype/generate.sh tests/checktype/hmfcc.sh tests/checktype/foreign.sh
EXTRA_DIST += tests/checktype/CUnit/CUnit.h tests/checktype/CUnit/Basic.h
