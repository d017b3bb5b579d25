# Benchmarks: built and run by "make bench", a line a case; never part of make check.
#   benches += bench/x   bench_x_SOURCES = bench/x.c bench/bench.h   _CPPFLAGS, _LDFLAGS, _LDADD
#                        as in mpi-examples
#   bench_cases += N+S:bench/x:ARG:ARG     run it on N ranks and S spares; without "N+S:" alone
# "make bench CASES='4+5:bench/move:0'" runs just these.

benches += bench/poll
bench_poll_SOURCES = bench/poll.c bench/bench.h
bench_poll_CPPFLAGS = $(mpi_cppflags)
bench_poll_LDFLAGS = $(mpi_ldflags)
bench_poll_LDADD = $(mpi_ldadd)
bench_cases += 1+0:bench/poll

benches += bench/move
bench_move_SOURCES = bench/move.c bench/bench.h
bench_move_CPPFLAGS = $(mpi_cppflags)
bench_move_LDFLAGS = $(mpi_ldflags)
bench_move_LDADD = $(mpi_ldadd)
bench_cases += 4+5:bench/move:0 8+5:bench/move:0 2+5:bench/move:1 2+5:bench/move:64 \
	2+3:bench/move:256 2+3:bench/move:256:fresh

benches += bench/spare
bench_spare_SOURCES = bench/spare.c bench/bench.h
bench_spare_CPPFLAGS = $(mpi_cppflags)
bench_spare_LDFLAGS = $(mpi_ldflags)
bench_spare_LDADD = $(mpi_ldadd)
bench_cases += 1+3:bench/spare:processes:5

benches += bench/shim
bench_shim_SOURCES = bench/shim.c bench/bench.h
bench_shim_CPPFLAGS = $(mpi_cppflags)
bench_shim_LDFLAGS = $(mpi_ldflags)
bench_shim_LDADD = $(mpi_ldadd)
bench_cases += 2+0:bench/shim 2+1:bench/shim

# The data side alone, over plain MPI: no libhmf-mpi.la.
benches += bench/checkpoint
bench_checkpoint_SOURCES = bench/checkpoint.c bench/bench.h
bench_checkpoint_CPPFLAGS = $(mpi_cppflags)
bench_checkpoint_LDFLAGS = $(mpi_ldflags)
bench_checkpoint_LDADD = libhmf-core.la $(MPI_LIBS)
bench_cases += 1+0:bench/checkpoint:1 1+0:bench/checkpoint:64 4+0:bench/checkpoint:64 \
	1+0:bench/checkpoint:256

benches += bench/data_graph bench/data_plan
bench_data_graph_SOURCES = bench/data_graph.c bench/bench.h
bench_data_graph_LDADD = libhmf-core.la
bench_data_plan_SOURCES = bench/data_plan.c bench/bench.h
bench_data_plan_CPPFLAGS = $(mpi_cppflags) $(HDF5_CFLAGS) $(TIRPC_CFLAGS)
bench_data_plan_LDADD = libhmf-core.la $(HDF5_LIBS) $(TIRPC_LIBS) $(MPI_LIBS)
bench_cases += bench/data_plan bench/data_graph

# The examples as they were before: without the library, for the price of nothing happening.
benches += bench/heat2d_plain bench/particles_plain
bench_heat2d_plain_SOURCES = mpi-examples/heat2d.c mpi-examples/heat2d_files.c \
	mpi-examples/heat2d_files.h bench/plain/auto.h bench/plain/typemap.h
bench_heat2d_plain_CPPFLAGS = -I$(top_srcdir)/bench/plain $(MPI_CFLAGS) $(HDF5_CFLAGS) $(PNG_CFLAGS)
bench_heat2d_plain_CFLAGS = $(example_cflags)
bench_heat2d_plain_LDADD = $(HDF5_LIBS) $(PNG_LIBS) $(MPI_LIBS) -lm
bench_particles_plain_SOURCES = mpi-examples/particles.c bench/plain/auto.h \
	bench/plain/typemap.h bench/plain/hmf/type.h
bench_particles_plain_CPPFLAGS = -I$(top_srcdir)/bench/plain $(MPI_CFLAGS)
bench_particles_plain_CFLAGS = $(example_cflags)
bench_particles_plain_LDADD = $(MPI_LIBS) -lm

EXTRA_DIST += bench/run.sh bench/overhead.sh

bench: libhmf-mpi.la $(benches) $(examples)
	@HMF_SRCDIR="$(abs_top_srcdir)" HMF_BUILDDIR="$(abs_top_builddir)" MPIRUN="$(MPIRUN)" \
	    sh $(srcdir)/bench/run.sh $(if $(CASES),$(CASES),$(bench_cases) overhead)
.PHONY: bench
