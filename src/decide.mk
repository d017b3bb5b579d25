# The decision side: graph, policies, simulator. No mpi.h; jansson only where JSON is read.
hmfinclude_HEADERS += include/hmf/graph.h
libhmf_core_la_SOURCES += src/graph.c src/graph_priv.h src/graph_weight.c src/graph_cost.c \
	src/graph_route.c src/graph_dot.c
if HAVE_JANSSON
libhmf_core_la_SOURCES += src/graph_field.c src/graph_field.h src/graph_json.c src/graph_json.h
else
libhmf_core_la_SOURCES += src/graph_nojson.c
endif
libhmf_core_la_CPPFLAGS += $(JANSSON_CFLAGS)
libhmf_core_la_LIBADD += $(JANSSON_LIBS)
EXTRA_DIST += src/graph_field.c src/graph_field.h src/graph_json.c src/graph_json.h src/graph_nojson.c

hmf_SOURCES += src/tools/hmf_graph.c src/tools/hmf_graph.h
dist_man_MANS += doc/man/hmf-graph.1
EXTRA_DIST += mpi-examples/graph/figure1.json mpi-examples/graph/figure1.svg

unit_tests += tests/unit/test_costs
tests_unit_test_costs_CPPFLAGS = $(AM_CPPFLAGS) -DEXAMPLES='"$(abs_top_srcdir)/mpi-examples/graph"'
shell_tests += tests/decide.sh

check_PROGRAMS += tests/fuzz/fuzz_graph
tests_fuzz_fuzz_graph_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_MAIN
tests_fuzz_fuzz_graph_LDADD = libhmf-core.la
shell_tests += tests/fuzz/fuzz_graph.sh
EXTRA_DIST += tests/fuzz/corpus-graph/figure1
