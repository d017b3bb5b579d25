# Example programs, built by make and run by tests/examples_*.sh.
#
# Descriptions that hmf-checktype made of them are kept beside them, so that no libclang is needed:
# x.types.h is the end of x.c, which has types of its own; x.types.c is a source like others.
# `make descriptions` makes them anew after a change; a test compares.
described_examples = mpi-examples/counter.types.c mpi-examples/jacobi_hmf.types.c \
	mpi-examples/heat2d.types.c mpi-examples/logbook.types.c mpi-examples/particles.types.h \
	mpi-examples/ants_hmf.types.h mpi-examples/crackhash.types.h mpi-examples/rods.types.h \
	mpi-examples/relay.types.h
descriptions: hmf-checktype$(EXEEXT)
	@for kept in $(described_examples); do \
	    echo "  DESCRIBE $$kept"; \
	    ./hmf-checktype -o $(srcdir)/$$kept $(srcdir)/$${kept%.types.[ch]}.c -I$(srcdir)/include \
	        $(MPI_CFLAGS) $(HDF5_CFLAGS) || exit; \
	done; \
	for header in shapes nasty hard; do \
	    echo "  DESCRIBE tests/checktype/$$header.h"; \
	    ./hmf-checktype -o $(srcdir)/tests/checktype/$$header.types.c \
	        $(srcdir)/tests/checktype/$$header.h -I$(srcdir)/include || exit; \
	done
.PHONY: descriptions

# Values must not depend on whether a machine fuses multiply and add: ranks may go to another one.
example_cflags = $(AM_CFLAGS) -ffp-contract=off

examples += mpi-examples/counter
mpi_examples_counter_SOURCES = mpi-examples/counter.c mpi-examples/counter.types.c
mpi_examples_counter_CPPFLAGS = $(mpi_cppflags)
mpi_examples_counter_CFLAGS = $(example_cflags)
mpi_examples_counter_LDFLAGS = $(mpi_ldflags)
mpi_examples_counter_LDADD = $(mpi_ldadd)

examples += mpi-examples/heat2d
mpi_examples_heat2d_SOURCES = mpi-examples/heat2d.c mpi-examples/heat2d.types.c \
	mpi-examples/heat2d_files.c mpi-examples/heat2d_files.h
mpi_examples_heat2d_CPPFLAGS = $(mpi_cppflags) $(HDF5_CFLAGS) $(PNG_CFLAGS)
mpi_examples_heat2d_CFLAGS = $(example_cflags)
mpi_examples_heat2d_LDFLAGS = $(mpi_ldflags)
mpi_examples_heat2d_LDADD = libhmf-mpi.la $(HDF5_LIBS) $(PNG_LIBS) $(MPI_LIBS) -lm

examples += mpi-examples/particles
mpi_examples_particles_SOURCES = mpi-examples/particles.c mpi-examples/particles.types.h
mpi_examples_particles_CPPFLAGS = $(mpi_cppflags)
mpi_examples_particles_CFLAGS = $(example_cflags)
mpi_examples_particles_LDFLAGS = $(mpi_ldflags)
mpi_examples_particles_LDADD = $(mpi_ldadd) -lm

# The first one knows nothing of the library, so it is not linked to it either.
examples += mpi-examples/jacobi_plain mpi-examples/jacobi_hmf
mpi_examples_jacobi_plain_SOURCES = mpi-examples/jacobi_plain.c
mpi_examples_jacobi_plain_CPPFLAGS = $(MPI_CFLAGS)
mpi_examples_jacobi_plain_CFLAGS = $(example_cflags)
mpi_examples_jacobi_plain_LDADD = $(MPI_LIBS) -lm
mpi_examples_jacobi_hmf_SOURCES = mpi-examples/jacobi_hmf.c mpi-examples/jacobi_hmf.types.c
mpi_examples_jacobi_hmf_CPPFLAGS = $(mpi_cppflags)
mpi_examples_jacobi_hmf_CFLAGS = $(example_cflags)
mpi_examples_jacobi_hmf_LDFLAGS = $(mpi_ldflags)
mpi_examples_jacobi_hmf_LDADD = $(mpi_ldadd) -lm

# The same pair for a code made of structs and pointers (doc/tutorial.md).
examples += mpi-examples/ants_plain mpi-examples/ants_hmf
mpi_examples_ants_plain_SOURCES = mpi-examples/ants_plain.c
mpi_examples_ants_plain_CPPFLAGS = $(MPI_CFLAGS)
mpi_examples_ants_plain_CFLAGS = $(example_cflags)
mpi_examples_ants_plain_LDADD = $(MPI_LIBS)
mpi_examples_ants_hmf_SOURCES = mpi-examples/ants_hmf.c mpi-examples/ants_hmf.types.h
mpi_examples_ants_hmf_CPPFLAGS = $(mpi_cppflags)
mpi_examples_ants_hmf_CFLAGS = $(example_cflags)
mpi_examples_ants_hmf_LDFLAGS = $(mpi_ldflags)
mpi_examples_ants_hmf_LDADD = $(mpi_ldadd)

examples += mpi-examples/rods
mpi_examples_rods_SOURCES = mpi-examples/rods.c mpi-examples/rods.types.h
mpi_examples_rods_CPPFLAGS = $(mpi_cppflags)
mpi_examples_rods_CFLAGS = $(example_cflags)
mpi_examples_rods_LDFLAGS = $(mpi_ldflags)
mpi_examples_rods_LDADD = libhmf-heap.la $(mpi_ldadd)

if HAVE_CRYPT
examples += mpi-examples/crackhash
mpi_examples_crackhash_SOURCES = mpi-examples/crackhash.c mpi-examples/crackhash.types.h
mpi_examples_crackhash_CPPFLAGS = $(mpi_cppflags)
mpi_examples_crackhash_CFLAGS = $(example_cflags)
mpi_examples_crackhash_LDFLAGS = $(mpi_ldflags)
mpi_examples_crackhash_LDADD = $(mpi_ldadd) $(CRYPT_LIBS)
endif

EXTRA_DIST += mpi-examples/README.md mpi-examples/floorplan.py mpi-examples/floorplan.pgm \
	mpi-examples/crackhash-demo.txt mpi-examples/crackhash-words.txt

# The report's sample program as it stands there: the C of its time.
mpi_tests += tests/report_sample
tests_report_sample_SOURCES = tests/report_sample.c
tests_report_sample_CPPFLAGS = $(mpi_cppflags)
tests_report_sample_CFLAGS = $(SANITIZER_FLAGS) -std=gnu89 -w
tests_report_sample_LDFLAGS = $(mpi_ldflags)
tests_report_sample_LDADD = $(mpi_ldadd)

EXTRA_DIST += tests/examples_lib.sh
shell_tests += tests/report_sample.sh tests/examples_input.sh tests/examples_counter.sh \
	tests/examples_heat2d.sh tests/examples_crackhash.sh tests/examples_particles.sh \
	tests/examples_jacobi.sh tests/examples_ants.sh tests/examples_rods.sh
