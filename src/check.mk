# Checkpoints: the only owner of hdf5.h.
#   hmfinclude_HEADERS += include/hmf/check.h        libhmf_core_la_SOURCES += src/check.c src/check.h
#   unit_tests += tests/unit/test_check   ($(HDF5_CFLAGS) by tests_unit_test_check_CPPFLAGS)
