# The virtual world: communicators, groups, attributes, drain.
libhmf_mpi_la_SOURCES += \
	src/vcomm.h src/vattr.h src/vgroup.h src/stash.h src/drain.h src/world.h
