# Agent, wave, move, control, auto interface. May include mpi.h.
#   pkginclude_HEADERS += include/auto.h             libhmf_mpi_la_SOURCES += src/x.c src/x.h
#   mpi_tests += tests/mpi/x   mpi_cases += tests/mpi/x.np4s1   shell_tests += tests/mpi/y.sh
pkginclude_HEADERS += include/auto.h
hmfinclude_HEADERS += include/hmf/job.h include/hmf/comm.h
# The agents know nothing of MPI: unit tests run a whole job of them in one process.
libhmf_core_la_SOURCES += src/net.c src/net.h src/op.c src/op.h src/agent.c src/agent.h \
	src/wave.c src/wave.h src/coord.c src/coord.h src/coord_priv.h src/coord_ask.c src/coord_report.c \
	src/coord_drain.c src/coord_decide.c src/coord_view.c src/control.c src/control.h \
	src/rundir.c src/rundir.h src/schedule.c src/schedule.h src/events.c src/events.h \
	src/pulse.c src/pulse.h src/statesize.c src/coord_cost.c
libhmf_mpi_la_SOURCES += src/xfer.c src/xfer.h src/settings.c src/settings.h src/move.c src/move.h \
	src/job.c src/job.h src/auto.c src/calibrate.c src/calibrate.h src/partition.c
libhmf_core_la_LIBADD += -lpthread
unit_tests += tests/unit/test_agent tests/unit/test_schedule

bin_PROGRAMS += hmf hmfrun
hmfrun_SOURCES = src/tools/hmfrun.c src/tools/hmf_line.c src/tools/hmf_line.h
hmfrun_LDADD =
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = src/tools/completion/hmf src/tools/completion/hmfrun
check_PROGRAMS += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_LDADD = libhmf-core.la
shell_tests += tests/fuzz/fuzz_control.sh
EXTRA_DIST += doc/operations.md doc/night.svg doc/night-graph.svg tests/fuzz/corpus-control/status tests/fuzz/corpus-control/migrate \
	tests/fuzz/corpus-control/resume tests/fuzz/corpus-control/drain tests/fuzz/corpus-control/events
hmf_SOURCES = src/tools/hmf.c src/tools/hmf_check.c src/tools/hmf_check.h src/tools/hmf_job.c src/tools/hmf_job.h \
	src/tools/hmf_line.c src/tools/hmf_line.h src/tools/hmf_status.c src/tools/hmf_events.c src/tools/hmf_plot.c \
	src/tools/hmf_live.c
hmf_LDADD = libhmf-core.la -lm

mpi_tests += tests/mpi/moves
tests_mpi_moves_CPPFLAGS = $(mpi_cppflags)
tests_mpi_moves_LDFLAGS = $(mpi_ldflags)
tests_mpi_moves_LDADD = $(mpi_ldadd)
mpi_cases += tests/mpi/moves.np4 tests/mpi/moves.np4s1 tests/mpi/moves.np4s3 tests/mpi/moves.np4s8
mpi_tests += tests/mpi/forms_move
tests_mpi_forms_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_forms_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_forms_move_LDADD = $(mpi_ldadd)
mpi_cases += tests/mpi/forms_move.np2s2
dist_man_MANS += doc/man/hmf.1 doc/man/hmfrun.1 doc/man/hmf-status.1 doc/man/hmf-migrate.1 \
	doc/man/hmf-drain.1 doc/man/hmf-resume.1 doc/man/hmf-events.1 doc/man/hmf-explain.1 doc/man/hmf-plot.1 \
	doc/man/hmf-checkpoint.1 doc/man/hmf-stop.1 doc/man/hmf-policy.1 doc/man/hmf-jobs.1 \
	doc/man/hmf-policies.1 doc/man/hmf-inspect.1 doc/man/hmf-verify.1 doc/man/hmf-diff.1 \
	doc/man/hmf-restore.1

check_PROGRAMS += tests/fault/newcomer
tests_fault_newcomer_CPPFLAGS = $(mpi_cppflags)
tests_fault_newcomer_LDFLAGS = $(mpi_ldflags)
tests_fault_newcomer_LDADD = $(mpi_ldadd)
shell_tests += tests/fault/newcomer.sh tests/tool.sh tests/operator.sh tests/schedule.sh tests/messages.sh
