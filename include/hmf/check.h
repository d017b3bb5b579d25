/*
 * Looking into checkpoints: what is in one, whether it is intact, its values, and how two differ.
 *
 * For tools and scripts; a program that is restarted does not need it. No function is collective,
 * and none changes a file. A handle is used by one thread at a time. Everything that is shown was
 * verified by its checksums before. What a checkpoint is made of: doc/checkpoint-format.md.
 *
 * Errors: HMF_ERR_NOTFOUND (no such file, rank or name), HMF_ERR_IO, HMF_ERR_FORMAT,
 * HMF_ERR_VERSION, HMF_ERR_CHECKSUM (damage; the text names file and dataset), HMF_ERR_ARG,
 * HMF_ERR_NOMEM. hmf_error_text() says more.
 */
#ifndef HMF_CHECK_H
#define HMF_CHECK_H

#include <hmf/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hmf_object; /* hmf/object.h */

/* One generation of a job's checkpoints, opened for reading. */
typedef struct hmf_check hmf_check_t;

struct hmf_check_info {
    const char *path;                   /* the generation's directory */
    const char *program, *library;      /* who wrote it, by which version of the library */
    const char *time;                   /* when, UTC, by the writer's clock */
    uint64_t generation;
    int nranks;
    uint64_t bytes;                     /* of all parts on disk */
    const char *level;                  /* "shared"; "local" or "partner": the parts are in the nodes'
                                           directories, and are read with HMF_LOCAL_DIR set as it was
                                           on a node that has them */
};

/* A registered variable, or a table of heap blocks ("/tables/NAME"). A variable that lies within
   another one has no rows of its own: look at that one. */
struct hmf_check_var {
    const char *name;
    const char *type;                   /* as a C declaration, cut at 255 bytes */
    uint64_t rows;                      /* elements of the innermost type */
    uint64_t bytes;                     /* in the writer's memory */
    bool heap;                          /* a table of heap blocks, not a variable */
};

/* A generation as a directory has it. */
struct hmf_check_generation {
    uint64_t number;
    bool complete;                      /* its manifest is intact; the parts were not looked at */
    const char *problem;                /* if not: what is wrong; valid during the call back */
    const char *level;                  /* as above; a number may be there at two */
};

/* Opens a generation: its own directory, or a job's directory (HMF_DIR), of which the newest
   complete one is taken. The manifest is checked here, each part when it is first used. */
hmf_status_t hmf_check_open(const char *path, hmf_check_t **out);
void hmf_check_close(hmf_check_t *check);               /* NULL is fine */

/* What the strings point to is valid until the handle is closed. */
void hmf_check_get_info(const hmf_check_t *check, struct hmf_check_info *out);

/* Calls back for each generation of a job's directory, newest first. */
hmf_status_t hmf_check_list(const char *dir,
                            void (*each)(void *ctx, const struct hmf_check_generation *generation),
                            void *ctx);

/* Reads every byte of that rank's part and compares all checksums. */
hmf_status_t hmf_check_verify(hmf_check_t *check, int rank);

/* How many variables and tables that rank's part has, and the i-th of them. The strings are valid
   until another rank is asked for or the handle is closed. */
hmf_status_t hmf_check_count(hmf_check_t *check, int rank, size_t *n);
hmf_status_t hmf_check_var(hmf_check_t *check, int rank, size_t i, struct hmf_check_var *out);

/* Calls back with each of count rows from the first on as text, as far as there are any. Structs
   look like {value=3, next=-> node[4]}, numbers keep all their digits, long arrays within a row are
   cut. */
hmf_status_t hmf_check_print(hmf_check_t *check, int rank, const char *name, uint64_t first,
                             uint64_t count,
                             void (*row)(void *ctx, uint64_t index, const char *text), void *ctx);

/* The bytes of count rows from the first on, as the writer had them in memory (pointers are zero),
   into bytes, which has room for len. HMF_ERR_ARG if they are more than len or the rows not
   there. */
hmf_status_t hmf_check_bytes(hmf_check_t *check, int rank, const char *name, uint64_t first,
                             uint64_t count, void *bytes, size_t len);

/* What was declared of a variable (hmf/partition.h). */
struct hmf_check_array {
    const char *name;
    bool equal;                         /* on all ranks; else a part of a global array: */
    int ndims;
    const uint64_t *shape;              /* of the global array */
    uint64_t pieces;                    /* of all ranks, those that are no halo */
    uint64_t elements;                  /* in them */
};

/* How many declared variables there are, 0 where nothing was declared, and the i-th of them. Verifies
   global.h5. The strings are valid until the handle is closed. */
hmf_status_t hmf_check_arrays(hmf_check_t *check, size_t *n);
hmf_status_t hmf_check_array(hmf_check_t *check, size_t i, struct hmf_check_array *out);

/* One difference. path: within the row, as ".place[1]", or "". a, b: the two values as text; NULL
   for one that is not there. */
struct hmf_check_difference {
    const char *name;
    uint64_t row;
    const char *path, *a, *b;
};

/* Compares that rank's variables and heap blocks, variables by name. Numbers of either may be of
   another size or byte order. Floating-point numbers a and b are equal if |a - b| <= absolute +
   relative * max(|a|, |b|), or if both are NaN. Pointers are equal if they lead to the same place
   of the same variable or table. *differences: how many there are; the first `limit` are called
   back. */
hmf_status_t hmf_check_diff(hmf_check_t *a, hmf_check_t *b, int rank, double absolute,
                            double relative, uint64_t limit,
                            void (*each)(void *ctx, const struct hmf_check_difference *difference),
                            void *ctx, uint64_t *differences);

/* ---- single objects ----
   Without a job or a registered state: objects (hmf/object.h) into a file of their own, and back. The
   file is HDF5, made like a rank's part of a job's checkpoint, and readable on any machine. Not
   collective: each process has its own path. */

/* Saves n host objects, which together with all that their pointers lead to are one state: what two
   of them share is shared again afterwards. Names must differ. The file appears, synced, when it is
   whole; one of that path is replaced. HMF_ERR_NAME, HMF_ERR_POINTER (the text has the pointer's
   path), HMF_ERR_LIMIT, HMF_ERR_HDF5, and what hmf/openfile.h says. */
hmf_status_t hmf_check_save(const char *path, struct hmf_object *const *objects, size_t n);

/* Restores those objects, by name, into the memory that they stand for; their attributes become
   those saved. All objects of a file are restored together. Every byte is verified before memory is
   touched. HMF_ERR_MISMATCH (other objects, types or numbers of elements; the text says which),
   HMF_ERR_RANGE (a value does not fit here; the objects' memory is unspecified then), and what
   hmf/openfile.h says. */
hmf_status_t hmf_check_restore(const char *path, struct hmf_object *const *objects, size_t n);

#ifdef __cplusplus
}
#endif

#endif
