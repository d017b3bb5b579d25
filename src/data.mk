# Data side: base, type, layout, plan, state, image. No mpi.h, no hdf5.h.
#   pkginclude_HEADERS += include/typemap.h          hmfinclude_HEADERS += include/hmf/x.h
#   libhmf_core_la_SOURCES += src/x.c src/x.h        unit_tests += tests/unit/test_x   (from test_x.c)
pkginclude_HEADERS += include/typemap.h
hmfinclude_HEADERS += include/hmf/status.h include/hmf/type.h include/hmf/function.h include/hmf/heap.h include/hmf/partition.h
libhmf_core_la_SOURCES += \
	src/base.c src/base.h src/status.c src/log.c src/param.c \
	src/buf.c src/buf.h src/crc32c.c src/crc32c.h \
	src/type.c src/type.h src/typecache.h src/desc.c src/desc.h src/desc_struct.c src/desc_depend.c src/desc_compile.c src/describe.c src/typereg.c src/typereg.h \
	src/typeclass.c src/layout.c src/bits.c src/bits.h src/depend.c src/depend.h src/length.c src/length.h \
	src/slots.c src/slots.h \
	src/match.c src/plan.c src/plan.h src/shuffle.c src/shuffle.h src/convert.c src/convert.h src/ldouble.c \
	src/function.c src/function.h src/handle.c src/handle.h src/state.c src/state.h src/statepriv.h \
	src/heap.c src/heap.h src/walk.c src/walk.h src/shape.c src/cands.c src/ends.c src/batch.c src/walkpath.c src/overlap.c src/extent.c src/region.c \
	src/image.c src/image.h src/padding.c src/padding.h src/meta.c src/meta.h src/metawrite.c src/restore.c src/restore.h src/restore_place.c src/restore_refs.c src/fresh.c src/fresh.h \
	src/stream.c src/stream.h
libhmf_core_la_SOURCES += src/parts.c src/parts.h

unit_tests += tests/unit/test_base tests/unit/test_buf tests/unit/test_crc32c \
	tests/unit/test_type tests/unit/test_image tests/unit/test_plan tests/unit/test_language tests/unit/test_length tests/unit/test_forms tests/unit/test_stream
EXTRA_DIST += tests/unit/carry.h tests/unit/pair.h tests/unit/foreign.h tests/unit/golden.h tests/unit/golden2.h tests/unit/golden3.h tests/tools/image.py tests/golden/README.md \
	tests/golden/v1-x86_64.hmf tests/golden/v1-x86_64.txt tests/golden/v2-x86_64.hmf tests/golden/v2-x86_64.txt \
	tests/golden/v2-s390x.hmf tests/golden/v2-s390x.txt tests/golden/v2-i386.hmf tests/golden/v2-i386.txt \
	tests/golden/v2-powerpc.hmf tests/golden/v2-powerpc.txt tests/golden/v3-x86_64.hmf tests/golden/v3-x86_64.txt \
	tests/golden/v3-s390x.hmf tests/golden/v3-s390x.txt tests/golden/v3-i386.hmf tests/golden/v3-i386.txt \
	tests/golden/v3-powerpc.hmf tests/golden/v3-powerpc.txt doc/type-language.md doc/image-format.md
shell_tests += tests/tools/image_reader.sh
shell_tests += tests/valgrind.sh

dist_man_MANS += doc/man/libhmf-heap.7 doc/man/hmf_function.3

unit_tests += tests/unit/test_heap tests/unit/test_graph tests/unit/test_graph_large tests/unit/test_batch tests/unit/test_edges tests/unit/test_padding

# libhmf-heap in a program: linked before everything else that has a malloc.
mpi_tests += tests/mpi/heap
tests_mpi_heap_SOURCES = tests/mpi/heap.c tests/unit/carry.h
tests_mpi_heap_CPPFLAGS = $(mpi_cppflags)
tests_mpi_heap_CFLAGS = $(AM_CFLAGS) -fno-builtin
tests_mpi_heap_LDFLAGS = $(mpi_ldflags) -static
tests_mpi_heap_LDADD = libhmf-heap.la $(mpi_ldadd)
mpi_cases += tests/mpi/heap.np1

# Fuzzers as plain programs: run files, or mutate them (tests/fuzz/fuzz_main.h says how).
fuzz_ldflags = -Wl,--wrap=hmf_heap_note,--wrap=hmf_heap_forget
check_PROGRAMS += tests/fuzz/fuzz_image tests/fuzz/fuzz_formats tests/fuzz/fuzz_check
tests_fuzz_fuzz_formats_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_MAIN
tests_fuzz_fuzz_formats_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_formats_LDADD = libhmf-core.la
tests_fuzz_fuzz_check_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_MAIN -I$(top_srcdir)/tests/unit
tests_fuzz_fuzz_check_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_check_LDADD = libhmf-core.la
EXTRA_DIST += tests/fuzz/fuzz_main.h tests/fuzz/mend.h tests/fuzz/restored.h
tests_fuzz_fuzz_image_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_MAIN -I$(top_srcdir)/tests/unit
tests_fuzz_fuzz_image_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_image_LDADD = libhmf-core.la
shell_tests += tests/fuzz/fuzz.sh
EXTRA_DIST += tests/fuzz/corpus/description tests/fuzz/corpus/meta tests/fuzz/corpus/stream \
	tests/fuzz/corpus/description2 tests/fuzz/corpus/description3 tests/fuzz/corpus/meta2 tests/fuzz/corpus/stream2 tests/fuzz/corpus/stream2b tests/fuzz/corpus/stream3 tests/fuzz/corpus/description4
