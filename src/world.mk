# The virtual world: communicators, groups, attributes, drain, moves.
libhmf_mpi_la_SOURCES += \
	src/blame.c src/blame.h \
	src/drain.c src/drain.h \
	src/gate.c src/gate.h \
	src/procmap.c src/procmap.h \
	src/stash.c src/stash.h \
	src/vadopt.c \
	src/varena.c src/varena.h \
	src/vattr.c src/vattr.h \
	src/vbuffer.c src/vbuffer.h \
	src/vbuild.c src/vbuild.h \
	src/vcomm.c src/vcomm.h \
	src/vdress.c src/vdress.h \
	src/verror.c src/verror.h \
	src/vfile.c src/vfile.h src/vfilepack.c \
	src/vgroup.c src/vgroup.h \
	src/vhandle.c src/vhandle.h \
	src/vlocal.c src/vlocal.h \
	src/vmade.c src/vmade.h \
	src/vmsg.c src/vmsg.h \
	src/vnode.c src/vnode.h \
	src/vplan.c src/vplan.h \
	src/vtype.c src/vtype.h \
	src/vwin.c src/vwin.h src/vwinpack.c \
	src/vwinmem.c src/vwinmem.h \
	src/world.c src/world.h \
	src/wpack.c src/wpack.h

# Threads at a poll.
mpi_tests += tests/mpi/threads_move
tests_mpi_threads_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_threads_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_threads_move_LDADD = $(mpi_ldadd) -lpthread
EXTRA_DIST += tests/threads.sh
shell_tests += tests/threads.sh

# Tests of the world layer alone call internal functions, so they link the archive.
mpi_tests += tests/mpi/world_parts tests/mpi/world_move tests/mpi/world_cost
mpi_cases += tests/mpi/world_parts.np2 tests/mpi/world_move.np7
tests_mpi_world_parts_SOURCES = tests/mpi/world_parts.c tests/mpi/moves.h
tests_mpi_world_parts_CPPFLAGS = $(mpi_cppflags)
tests_mpi_world_parts_LDFLAGS = $(mpi_ldflags) -static
tests_mpi_world_parts_LDADD = $(mpi_ldadd)
tests_mpi_world_move_SOURCES = tests/mpi/world_move.c tests/mpi/moves.h
tests_mpi_world_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_world_move_LDFLAGS = $(mpi_ldflags) -static
tests_mpi_world_move_LDADD = $(mpi_ldadd)
tests_mpi_world_cost_SOURCES = tests/mpi/world_cost.c tests/mpi/moves.h
tests_mpi_world_cost_CPPFLAGS = $(mpi_cppflags)
tests_mpi_world_cost_LDFLAGS = $(mpi_ldflags) -static
tests_mpi_world_cost_LDADD = $(mpi_ldadd)

mpi_tests += tests/mpi/comms_move
mpi_cases += tests/mpi/comms_move.np4s3 tests/mpi/comms_move.np2s2
tests_mpi_comms_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_comms_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_comms_move_LDADD = $(mpi_ldadd)

mpi_tests += tests/mpi/handles_move
mpi_cases += tests/mpi/handles_move.np4 tests/mpi/handles_move.np4s5 tests/mpi/handles_move.np2s2
tests_mpi_handles_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_handles_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_handles_move_LDADD = $(mpi_ldadd)
mpi_tests += tests/mpi/stress
mpi_cases += tests/mpi/stress.np4s5 tests/mpi/stress.np3s4
shell_tests += tests/stress.sh
tests_mpi_stress_CPPFLAGS = $(mpi_cppflags)
tests_mpi_stress_LDFLAGS = $(mpi_ldflags)
tests_mpi_stress_LDADD = $(mpi_ldadd)
mpi_tests += tests/mpi/odd_move
mpi_cases += tests/mpi/odd_move.np4 tests/mpi/odd_move.np4s5
tests_mpi_odd_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_odd_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_odd_move_LDADD = $(mpi_ldadd)
mpi_tests += tests/mpi/span_move
mpi_cases += tests/mpi/span_move.np4s3
tests_mpi_span_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_span_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_span_move_LDADD = $(mpi_ldadd)
shell_tests += tests/model.sh
EXTRA_DIST += tests/model/move.pml
mpi_tests += tests/mpi/node_move
mpi_cases += tests/mpi/node_move.np4s2 tests/mpi/node_move.np4
tests_mpi_node_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_node_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_node_move_LDADD = $(mpi_ldadd)
mpi_tests += tests/mpi/windows_move
mpi_cases += tests/mpi/windows_move.np4s3 tests/mpi/windows_move.np3
tests_mpi_windows_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_windows_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_windows_move_LDADD = $(mpi_ldadd)
mpi_tests += tests/mpi/files_move
mpi_cases += tests/mpi/files_move.np4s3 tests/mpi/files_move.np3
tests_mpi_files_move_CPPFLAGS = $(mpi_cppflags)
tests_mpi_files_move_LDFLAGS = $(mpi_ldflags)
tests_mpi_files_move_LDADD = $(mpi_ldadd)
