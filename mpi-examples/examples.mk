# Example programs, built by make and run by the tests.
#   examples += mpi-examples/x   mpi_examples_x_SOURCES = mpi-examples/x.c
#   mpi_examples_x_CPPFLAGS = $(mpi_cppflags)  mpi_examples_x_LDFLAGS = $(mpi_ldflags)  mpi_examples_x_LDADD = $(mpi_ldadd)
#   $(HDF5_CFLAGS) $(HDF5_LIBS), $(CRYPT_LIBS) with "if HAVE_CRYPT"   EXTRA_DIST += data   shell_tests += mpi-examples/x.sh
