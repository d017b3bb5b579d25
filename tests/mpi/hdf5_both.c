/* A program that uses the parallel HDF5 itself, while the library writes a checkpoint with the serial
 * one: each finds its own symbols, and both files are whole.  The parallel file is open all the time. */
#include "auto.h"
#include "typemap.h"

#include <hdf5.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>

#ifndef H5_HAVE_PARALLEL
#error "this test is about the parallel flavour"
#endif

#define CHECK(ok)                                                                 \
    do {                                                                          \
        if (!(ok)) {                                                              \
            fprintf(stderr, "rank %d: line %d: %s\n", rank, __LINE__, #ok);       \
            bad++;                                                                \
        }                                                                         \
    } while (0)

static int rank, ranks, bad;

static void put(hid_t file, const char *name, int value)
{
    hsize_t all = ranks, first = rank, one = 1;
    hid_t whole = H5Screate_simple(1, &all, NULL), own = H5Screate_simple(1, &one, NULL);
    hid_t collective = H5Pcreate(H5P_DATASET_XFER);
    hid_t set = H5Dcreate(file, name, H5T_NATIVE_INT, whole, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    int back = -1;

    CHECK(set >= 0);
    CHECK(H5Sselect_hyperslab(whole, H5S_SELECT_SET, &first, NULL, &one, NULL) >= 0);
    CHECK(H5Pset_dxpl_mpio(collective, H5FD_MPIO_COLLECTIVE) >= 0);
    CHECK(H5Dwrite(set, H5T_NATIVE_INT, own, whole, collective, &value) >= 0);
    CHECK(H5Dread(set, H5T_NATIVE_INT, own, whole, collective, &back) >= 0);
    CHECK(back == value);
    H5Dclose(set);
    H5Pclose(collective);
    H5Sclose(own);
    H5Sclose(whole);
}

int main(int argc, char **argv)
{
    int polls = 0, all_bad = 0, type_list[] = {typeINT};
    hid_t access, file;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    CHECK(auto_init(argv[0]) == 0);
    CHECK(auto_track("polls", &polls, sizeof polls, type_list, 1) == 0);
    CHECK(auto_read(AUTO_ALL) == 0);

    access = H5Pcreate(H5P_FILE_ACCESS);
    CHECK(H5Pset_fapl_mpio(access, MPI_COMM_WORLD, MPI_INFO_NULL) >= 0);
    file = H5Fcreate("parallel.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    CHECK(file >= 0);
    put(file, "before", rank + 1);

    if (rank == 0)
        raise(SIGUSR1);
    while (!(auto_poll(AUTO_ALL) & AUTO_CHKP)) {
        polls++;
        MPI_Barrier(MPI_COMM_WORLD);
    }

    put(file, "after", rank + 2);
    CHECK(H5Fclose(file) >= 0);
    H5Pclose(access);
    MPI_Allreduce(&bad, &all_bad, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    auto_done();
    MPI_Finalize();
    return all_bad != 0;
}
