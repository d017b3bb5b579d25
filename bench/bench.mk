# Benchmarks: built and run by "make bench", one line a case; never part of make check.
#   benches += bench/x   bench_x_SOURCES = bench/x.c   _CPPFLAGS, _LDFLAGS, _LDADD as in mpi-examples
#   EXTRA_DIST += bench/run.sh ; the rule below runs it with the build's launcher settings
bench: libhmf-mpi.la $(benches)
.PHONY: bench
