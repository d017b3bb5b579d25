# The virtual world: communicators, groups, attributes, drain, moves.
libhmf_mpi_la_SOURCES += \
	src/drain.c src/drain.h \
	src/procmap.c src/procmap.h \
	src/stash.c src/stash.h \
	src/vadopt.c \
	src/vattr.c src/vattr.h \
	src/vbuild.c src/vbuild.h \
	src/vcomm.c src/vcomm.h \
	src/vgroup.c src/vgroup.h \
	src/vplan.c src/vplan.h \
	src/world.c src/world.h \
	src/wpack.c src/wpack.h
