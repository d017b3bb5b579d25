# What a running job sees of its ranks and hosts, and what it decides from it. No mpi.h.
libhmf_core_la_SOURCES += src/progress.c src/progress.h \
	src/monitor.c src/monitor.h src/monitor_host.c src/monitor_host.h \
	src/monitor_command.c src/monitor_command.h src/monitor_slow.c src/monitor_slow.h \
	src/decide.c src/decide_graph.c src/decide.h src/decider.c src/decider.h src/costs.c src/costs_file.c src/costs_graph.c \
	src/costs.h \
	src/monitor_topology.c src/monitor_topology.h
libhmf_core_la_LIBADD += $(HWLOC_LIBS)
unit_tests += tests/unit/test_slow tests/unit/test_decide tests/unit/test_decider tests/unit/test_monitor tests/unit/test_moves_cost
shell_tests += tests/decides.sh tests/cluster/decides.sh
