# Virtual ranks, communicators, requests, groups, start-up log, drain. May include mpi.h.
#   libhmf_mpi_la_SOURCES += src/world.c src/world.h
#   mpi_tests += tests/mpi/x   mpi_cases += tests/mpi/x.np4 tests/mpi/x.np4s1   (see tests/tests.mk)
libhmf_mpi_la_SOURCES += \
	src/vcomm.h src/vattr.h src/vgroup.h src/stash.h src/drain.h src/world.h
