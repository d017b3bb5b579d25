# Layers that a program may enter at by itself: xdr, open files, objects, translate, single-object
# check and migrate. Only the last one includes mpi.h.
hmfinclude_HEADERS += include/hmf/xdr.h
libhmf_core_la_SOURCES += src/fdio.c src/fdio.h src/xdr.c src/xdr.h src/xdr_data.c
unit_tests += tests/unit/test_xdr
tests_unit_test_xdr_CPPFLAGS = $(AM_CPPFLAGS) $(TIRPC_CFLAGS)
tests_unit_test_xdr_LDADD = $(LDADD) $(TIRPC_LIBS)
