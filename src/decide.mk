# The decision side: graph, policies, simulator. No mpi.h; jansson only where JSON is read.
hmfinclude_HEADERS += include/hmf/graph.h include/hmf/policy.h
libhmf_core_la_SOURCES += src/graph.c src/graph_priv.h src/graph_weight.c src/graph_cost.c \
	src/graph_route.c src/graph_dot.c \
	src/policy.c src/policy_priv.h src/policy_load.c src/policy_cost.c src/policy_leave.c src/policy_need.c \
	src/sim.c src/sim.h
if HAVE_JANSSON
libhmf_core_la_SOURCES += src/graph_field.c src/graph_field.h src/graph_json.c src/graph_json.h \
	src/sim_json.c
else
libhmf_core_la_SOURCES += src/graph_nojson.c
endif
libhmf_core_la_CPPFLAGS += $(JANSSON_CFLAGS)
libhmf_core_la_LIBADD += $(JANSSON_LIBS)
EXTRA_DIST += src/graph_field.c src/graph_field.h src/graph_json.c src/graph_json.h src/graph_nojson.c src/sim_json.c

hmf_SOURCES += src/tools/hmf_graph.c src/tools/hmf_graph.h src/tools/hmf_sim.c src/tools/hmf_costs.c
dist_man_MANS += doc/man/hmf-graph.1 doc/man/hmf-sim.1 doc/man/hmf-costs.1 doc/man/hmf_graph.3
EXTRA_DIST += doc/policies.md mpi-examples/graph/figure1.json mpi-examples/graph/figure1.svg mpi-examples/graph/slow_node.json

unit_tests += tests/unit/test_costs tests/unit/test_policy tests/unit/test_sim
tests_unit_test_policy_CPPFLAGS = $(AM_CPPFLAGS) -DINCLUDES='"$(abs_top_srcdir)/include"'
shell_tests += tests/decide.sh

check_PROGRAMS += tests/fuzz/fuzz_graph
tests_fuzz_fuzz_graph_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_MAIN
tests_fuzz_fuzz_graph_LDADD = libhmf-core.la
shell_tests += tests/fuzz/fuzz_graph.sh
EXTRA_DIST += tests/fuzz/corpus-graph/figure1
