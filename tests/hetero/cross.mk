# Builds the library and the programs of tests/hetero for another architecture, one file after the
# other with the lists of the main makefile: configure's answers are the same on all Debian machines,
# and running it for each would take longer than the build. tests/hetero_lib.sh gives the variables:
#   SRC BUILD OUT   source tree, build tree (config.h, generated files), where everything goes
#   CC AR FLAGS     compiler with its root
#   ROOT LIBDIR     the root; its folder of libraries
#   ARCH            powerpc: no HDF5 and no MPI, so no checkpoints
#   core mpi        the sources of libhmf-core and libhmf-mpi, as lists.sh has them

# The simulator carries nothing; JSON and what reads debug information want a library of that architecture.
core_c = $(sort src/graph_nojson.c \
	$(filter-out src/graph_json.c src/graph_field.c src/sim% src/globals%,$(filter %.c,$(core))))
ifeq ($(ARCH),powerpc)
# nor hwloc
core_c := $(filter-out src/check.c src/check_% src/monitor_topology.c,$(core_c))
# no 64-bit atomics of its own
atomic_libs = -latomic
else
hdf5_flags = -DHETERO_HDF5 -I$(ROOT)/usr/include/hdf5/serial
hdf5_libs = -L$(ROOT)/usr/lib/$(LIBDIR)/hdf5/serial -lhdf5 -lxxhash
mpi_flags = -I$(ROOT)/usr/lib/$(LIBDIR)/openmpi/include -I$(ROOT)/usr/lib/$(LIBDIR)/openmpi/include/openmpi
mpi_libs = -L$(ROOT)/usr/lib/$(LIBDIR)/openmpi/lib -lmpi -lhwloc
endif
mpi_c = $(filter-out src/globals%,$(filter src/%.c,$(mpi))) src/shim/gen.c src/shim/outer.c

cflags = -std=gnu11 -O1 -g -pthread -Wall -Wextra -Werror -ffp-contract=off -D_FILE_OFFSET_BITS=64 \
	-I$(BUILD) -I$(SRC)/include -I$(SRC)/src -I$(BUILD)/src -I$(SRC)/tests/unit $(FLAGS)
libs = $(hdf5_libs) -Wl,-rpath-link,$(ROOT)/usr/lib/$(LIBDIR) -lm -ldl -pthread $(atomic_libs)

core_o = $(core_c:%.c=$(OUT)/%.o)
mpi_o = $(mpi_c:%.c=$(OUT)/%.o)

matrix random: %: $(OUT)/%
job: %: $(OUT)/% $(if $(filter i386,$(ARCH)),$(OUT)/readdir32.so)

$(OUT)/libcore.a: $(core_o)
	@rm -f $@ && $(AR) crs $@ $^

$(OUT)/matrix: $(patsubst %,$(OUT)/tests/hetero/%.o,values graphs forms paths layouts)
$(OUT)/matrix $(OUT)/random: $(OUT)/%: $(OUT)/tests/hetero/%.o $(OUT)/libcore.a
	$(CC) $(FLAGS) -o $@ $(filter %.o,$^) $(OUT)/libcore.a $(libs)

# tests/checktype/foreign.sh: the unit test of generated descriptions, with what it needs of CUnit.
described: %: $(OUT)/%
described_o = $(OUT)/tests/unit/test_checktype.o $(OUT)/tests/checktype/shapes.types.o \
	$(OUT)/tests/checktype/nasty.types.o $(OUT)/tests/checktype/hard.types.o
$(described_o): cflags += -I$(SRC)/tests -I$(SRC)/tests/checktype
$(OUT)/described: $(described_o) $(OUT)/libcore.a
	$(CC) $(FLAGS) -o $@ $(described_o) $(OUT)/libcore.a $(libs)

$(OUT)/job: $(OUT)/tests/hetero/job.o $(mpi_o) $(OUT)/libcore.a
	$(CC) $(FLAGS) -o $@ $^ $(mpi_libs) $(libs)

$(OUT)/readdir32.so: $(SRC)/tests/hetero/readdir32.c
	$(CC) $(FLAGS) -O1 -fPIC -shared -o $@ $<

$(mpi_o) $(OUT)/tests/hetero/job.o: cflags += $(mpi_flags)

$(OUT)/%.o: $(SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(cflags) $(hdf5_flags) -MMD -MP -c -o $@ $<
$(OUT)/%.o: $(BUILD)/%.c
	@mkdir -p $(@D)
	$(CC) $(cflags) $(hdf5_flags) -MMD -MP -c -o $@ $<

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
.PHONY: matrix random job described
