# Layers that a program may enter at by itself: xdr, open files, objects, translate, single-object
# check and migrate. Only the last one includes mpi.h.
hmfinclude_HEADERS += include/hmf/xdr.h include/hmf/openfile.h include/hmf/object.h include/hmf/translate.h include/hmf/migrate.h
libhmf_core_la_SOURCES += src/openfile.c src/openfile.h src/fdio.c src/fdio.h src/xdr.c src/xdr.h src/xdr_data.c \
	src/object.c src/object.h src/object_io.c src/translate.c src/translate_plan.c src/translate_xdr.c src/check_object.c
libhmf_mpi_la_SOURCES += src/openfile_job.c src/migrate.c
unit_tests += tests/unit/test_xdr tests/unit/test_openfile tests/unit/test_object
tests_unit_test_xdr_CPPFLAGS = $(AM_CPPFLAGS) $(TIRPC_CFLAGS)
tests_unit_test_xdr_LDADD = $(LDADD) $(TIRPC_LIBS)

examples += mpi-examples/logbook
mpi_examples_logbook_SOURCES = mpi-examples/logbook.c mpi-examples/logbook.types.c
mpi_examples_logbook_CPPFLAGS = $(mpi_cppflags)
mpi_examples_logbook_CFLAGS = $(example_cflags)
mpi_examples_logbook_LDFLAGS = $(mpi_ldflags)
mpi_examples_logbook_LDADD = $(mpi_ldadd)
shell_tests += tests/examples_logbook.sh

examples += mpi-examples/relay
mpi_examples_relay_SOURCES = mpi-examples/relay.c mpi-examples/relay.types.h
mpi_examples_relay_CPPFLAGS = $(mpi_cppflags)
mpi_examples_relay_CFLAGS = $(example_cflags)
mpi_examples_relay_LDFLAGS = $(mpi_ldflags)
mpi_examples_relay_LDADD = $(mpi_ldadd)
shell_tests += tests/examples_relay.sh tests/man_examples.sh

mpi_tests += tests/mpi/migrate
tests_mpi_migrate_CPPFLAGS = $(mpi_cppflags)
tests_mpi_migrate_LDFLAGS = $(mpi_ldflags)
tests_mpi_migrate_LDADD = $(mpi_ldadd)
mpi_cases += tests/mpi/migrate.np2 tests/mpi/migrate.np4s1

dist_man_MANS += doc/man/hmf_xdr.3 doc/man/hmf_openfile.3 doc/man/hmf_object.3 doc/man/hmf_translate.3 \
	doc/man/hmf_migrate.3 doc/man/hmf_check.3
