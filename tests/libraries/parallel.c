/* A program on parallel HDF5. It writes a file in each step and reads it back, with collective
 * transfers; ranks move in between. With the argument "keep" it keeps a file open over the polls,
 * which HDF5 would have to know of in the new process: that move is refused. */
#include <mpi.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

enum { STEPS = 12, MOST = 20000, EACH = 50 };

static int rank, size, bad;

static hid_t create(const char *name)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file;

    H5Pset_fapl_mpio(access, MPI_COMM_WORLD, MPI_INFO_NULL);
    file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    bad += file < 0;
    return file;
}

static void transfer(hid_t file, const char *name, int step)
{
    hsize_t whole = (hsize_t)(EACH * size), first = (hsize_t)(EACH * rank), each = EACH;
    hid_t all = H5Screate_simple(1, &whole, NULL), own = H5Screate_simple(1, &each, NULL);
    hid_t how = H5Pcreate(H5P_DATASET_XFER), set;
    int out[EACH], in[EACH];

    for (int i = 0; i < EACH; i++)
        out[i] = step * 1000 + rank * EACH + i;
    set = H5Dcreate2(file, name, H5T_NATIVE_INT, all, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Sselect_hyperslab(all, H5S_SELECT_SET, &first, NULL, &each, NULL);
    H5Pset_dxpl_mpio(how, H5FD_MPIO_COLLECTIVE);
    bad += H5Dwrite(set, H5T_NATIVE_INT, own, all, how, out) < 0;
    bad += H5Dread(set, H5T_NATIVE_INT, own, all, how, in) < 0;
    bad += memcmp(in, out, sizeof in) != 0;
    H5Dclose(set);
    H5Pclose(how);
    H5Sclose(own);
    H5Sclose(all);
}

int main(int argc, char **argv)
{
    const char *setting = getenv("HMF_SPARES");
    int keep = argc > 1 && strcmp(argv[1], "keep") == 0;
    int wanted = keep || setting == NULL ? 0 : atoi(setting), gone = 0, all = 0;
    int step = 0, moves = 0, asked = 0, type_int[] = {typeINT};
    hid_t kept = -1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    auto_init(argv[0]);
    auto_track("step", &step, sizeof step, type_int, 1);
    auto_track("moves", &moves, sizeof moves, type_int, 1);
    auto_track("asked", &asked, sizeof asked, type_int, 1);
    if (auto_read(AUTO_MIGR))
        moves++;
    if (keep)
        kept = create("kept.h5");
    for (; step < MOST && (step < STEPS || all < wanted); step++) {
        char name[24];
        hid_t file;

        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            gone = 1;
            break;
        }
        if (all < wanted + keep && asked <= all && step > 2) {
            if (rank == 0)
                hmf_request_move((all + 1) % size, NULL);
            asked = all + 1;
        }
        if (keep) {
            snprintf(name, sizeof name, "step %d", step);
            transfer(kept, name, step);
        } else {
            file = create("step.h5");
            transfer(file, "cells", step);
            H5Fclose(file);
        }
        MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    }
    if (kept >= 0)
        H5Fclose(kept);
    if (!gone && (bad || all != wanted))
        fprintf(stderr, "rank %d: %d errors, %d moves instead of %d\n", rank, bad, all, wanted);
    auto_done();
    MPI_Finalize();
    return bad || (!gone && all != wanted);
}
