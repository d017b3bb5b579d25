# Agent, wave, move, control, auto interface. May include mpi.h.
#   pkginclude_HEADERS += include/auto.h             libhmf_mpi_la_SOURCES += src/x.c src/x.h
#   mpi_tests += tests/mpi/x   mpi_cases += tests/mpi/x.np4s1   shell_tests += tests/mpi/y.sh
