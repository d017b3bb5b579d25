/*
 * The manifest of a checkpoint: a short text that is written last, and without which a generation
 * does not count. It names the program, the number of ranks, and each part with size and seal.
 *
 *     hmf-checkpoint 1
 *     program heat
 *     library 0.1.0
 *     generation 42
 *     ranks 2
 *     time 2026-11-22T10:00:00Z
 *     part 0 1052672 9f3a01bc rank-00000.h5
 *     part 1 1052672 03bb77e1 rank-00001.h5
 *     global 8192 77aa01c3 global.h5
 *     crc32c 5d1e0a44
 *
 * With the parts in the nodes' directories (check_level.h) there is a line `level local` or `level
 * partner` after the time, and each part's line ends with the node and that of its copy.
 *
 * The line `global` is there if variables were declared parts of global arrays or equal on all
 * ranks (check_global.h). The last line is the checksum of all bytes before it. Control characters
 * and '%' in the program's name are written as %XX.
 */
#ifndef HMF_CHECK_MANIFEST_H
#define HMF_CHECK_MANIFEST_H

#include "check_file.h"
#include "check_level.h"

#include "hmf/status.h"

#include <stdint.h>

struct hmf__manifest {
    char *program;
    char library[64];
    char time[32];                      /* UTC, for people: never compared */
    uint64_t generation;
    int nranks;
    enum hmf__level level;
    char (*nodes)[HMF__NODE_MAX];       /* of each part, NULL: all are beside the manifest */
    const int *partners;                /* to be written, for each part: the rank that has a copy */
    char (*copies)[HMF__NODE_MAX];      /* as read: the node that has a copy, "": none has */
    struct hmf__file_seal *seals;       /* nranks of them */
    struct hmf__file_seal global;       /* bytes 0: there is none */
};

/* Writes DIR/manifest.txt, synced. HMF_ERR_IO, HMF_ERR_NOMEM. */
hmf_status_t hmf__manifest_write(const char *dir, const struct hmf__manifest *m);

/* HMF_ERR_NOTFOUND, HMF_ERR_IO, HMF_ERR_FORMAT, HMF_ERR_VERSION, HMF_ERR_CHECKSUM,
   HMF_ERR_NOMEM. */
hmf_status_t hmf__manifest_read(const char *dir, struct hmf__manifest **out);
void hmf__manifest_free(struct hmf__manifest *m);

#define HMF__MANIFEST_NAME "manifest.txt"

#endif
