# The MPI_* wrappers, generated from one table: generator output goes to $(top_builddir)/src/shim/.
#   nodist_libhmf_mpi_la_SOURCES += src/shim/gen.c   BUILT_SOURCES += ...   CLEANFILES += ...
#   EXTRA_DIST += the table and the generator        libhmf_mpi_la_SOURCES += src/shim/x.c src/shim/x.h
nodist_libhmf_mpi_la_SOURCES =
