# Checkpoints: the only owner of hdf5.h. Needs base and image, no mpi.h.
libhmf_core_la_SOURCES += \
	src/check.c src/check.h src/check_priv.h \
	src/check_blocks.c src/check_blocks.h src/check_reuse.c src/check_reuse.h \
	src/check_async.c src/check_load.c src/check_save.c \
	src/check_behind.c src/check_behind.h \
	src/check_level.c src/check_level.h src/check_local.c src/check_local.h \
	src/check_flush.c src/check_flush.h src/check_locate.c src/check_locate.h \
	src/check_diff.c \
	src/check_dir.c src/check_dir.h \
	src/check_file.c src/check_file.h src/check_write.c \
	src/check_global.c src/check_global.h src/check_reshape.c \
	src/check_index.c src/check_index.h \
	src/check_arrays.c src/check_arrays.h \
	src/check_h5type.c src/check_h5type.h \
	src/check_inspect.c \
	src/check_io.c src/check_io.h \
	src/check_manifest.c src/check_manifest.h \
	src/check_outline.c src/check_outline.h src/check_text.c \
	src/check_skel.c src/check_skel.h \
	src/check_sys.c src/check_sys.h \
	src/check_value.c src/check_value.h \
	src/check_vfd.c src/check_vfd.h \
	src/check_view.c src/check_view.h
hmfinclude_HEADERS += include/hmf/check.h

unit_tests += tests/unit/test_check tests/unit/test_check_async \
	tests/unit/test_check_changes tests/unit/test_check_damage tests/unit/test_check_fault tests/unit/test_check_hdf5 \
	tests/unit/test_check_killed tests/unit/test_check_large tests/unit/test_check_levels tests/unit/test_check_parts \
	tests/unit/test_check_power tests/unit/test_check_view tests/unit/test_check_forms
tests_unit_test_check_hdf5_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_check_hdf5_LDADD = $(LDADD) $(HDF5_LIBS)
tests_unit_test_check_parts_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_check_parts_LDADD = $(LDADD) $(HDF5_LIBS)
tests_unit_test_check_forms_CPPFLAGS = $(AM_CPPFLAGS) $(HDF5_CFLAGS)
tests_unit_test_check_forms_LDADD = $(LDADD) $(HDF5_LIBS)
EXTRA_DIST += tests/unit/check_team.h doc/checkpoint-format.md

# Restart on another number of ranks.
check_PROGRAMS += tests/mpi/reshape
tests_mpi_reshape_CPPFLAGS = $(mpi_cppflags)
tests_mpi_reshape_LDFLAGS = $(mpi_ldflags)
tests_mpi_reshape_LDADD = $(mpi_ldadd)
shell_tests += tests/mpi/reshape.sh
