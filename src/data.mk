# Data side: base, type, layout, plan, state, image. No mpi.h, no hdf5.h.
#   pkginclude_HEADERS += include/typemap.h          hmfinclude_HEADERS += include/hmf/x.h
#   libhmf_core_la_SOURCES += src/x.c src/x.h        unit_tests += tests/unit/test_x   (from test_x.c)
pkginclude_HEADERS += include/typemap.h
hmfinclude_HEADERS += include/hmf/status.h
libhmf_core_la_SOURCES += \
	src/base.c src/base.h src/status.c src/log.c src/param.c \
	src/buf.c src/buf.h src/crc32c.c src/crc32c.h \
	src/type.h src/state.h src/image.h

unit_tests += tests/unit/test_base tests/unit/test_buf tests/unit/test_crc32c
tests_unit_test_base_SOURCES = tests/unit/test_base.c tests/unit/unit.h
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_crc32c_SOURCES = tests/unit/test_crc32c.c tests/unit/unit.h
