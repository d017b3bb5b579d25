/*
 * The directory of a job's checkpoints: its generations, the lock, the marker of a finished job.
 *
 *     DIR/lock              held by the job that uses the directory
 *     DIR/gen-000042/       a complete generation: manifest.txt, rank-00000.h5, ...
 *     DIR/gen-000043.tmp/   one that is being written, or was when a job died: never read
 *     DIR/gen-000044.local/ the manifest of one whose parts lie in the nodes' own directories
 *     DIR/gen-000045.local.tmp/
 *     DIR/finished          the job ended normally with this generation: a new start begins afresh
 *
 * Order is by number alone: no clock is compared. All of it is done by rank 0; nothing here is
 * collective.
 */
#ifndef HMF_CHECK_DIR_H
#define HMF_CHECK_DIR_H

#include "hmf/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMF__DIR_PATH_MAX 4096

/* Paths; HMF_ERR_LIMIT if one would be too long. */
hmf_status_t hmf__dir_generation(const char *dir, uint64_t generation, bool temporary, char *path);
/* form: what stands behind the number, HMF__DIR_TMP and HMF__DIR_LOCAL or neither. */
enum { HMF__DIR_TMP = 1, HMF__DIR_LOCAL = 2 };
hmf_status_t hmf__dir_name(const char *dir, uint64_t generation, unsigned form, char *path);
hmf_status_t hmf__dir_part(const char *dir, uint64_t generation, bool temporary, int rank,
                           char *path);

/* Makes the directory if it is missing; its parent must be there. */
hmf_status_t hmf__dir_make(const char *dir);

/* The generations, newest first: complete or not. HMF_ERR_NOTFOUND if there is no DIR. */
struct hmf__dir_list {
    uint64_t *generations, *locals, *temporaries, *local_temporaries;
    size_t ngenerations, nlocals, ntemporaries, nlocal_temporaries;
};
hmf_status_t hmf__dir_list(const char *dir, struct hmf__dir_list *list);
void hmf__dir_list_fini(struct hmf__dir_list *list);

/* Gives a written generation its name, by rename, synced. HMF_ERR_IO: it does not count, its parts
   are under the temporary name still. */
hmf_status_t hmf__dir_publish(const char *dir, uint64_t generation, unsigned form);

/* Removes a generation: it stops counting at once, by a rename to its temporary name. */
hmf_status_t hmf__dir_remove(const char *dir, uint64_t generation, unsigned form);

/* The newest number of either kind, 0: none. */
uint64_t hmf__dir_newest(const struct hmf__dir_list *list);

/* Makes of a complete generation the temporary directory of another one, for its parts to be
   overwritten. Only parts are left in it. Not synced: after a loss of power it may have its old name
   and what has been overwritten by then. Its checksums tell, and newer ones are intact. */
hmf_status_t hmf__dir_recycle(const char *dir, uint64_t generation, uint64_t next);
/* Whether files of that directory can share extents (FICLONE); tried with the lock's file. */
bool hmf__dir_clones(const char *dir);

/* Takes the lock: *fd is open until the lock is to end, which it also does with the process.
   *fd = -1 and HMF_OK: another process of the same job (job_id, not 0) holds it, or the file system
   has no locks or no writing. HMF_ERR_BUSY: another job has it. */
hmf_status_t hmf__dir_lock(const char *dir, uint64_t job_id, int *fd);

/* The marker. *generation is set by get if *there. */
hmf_status_t hmf__dir_set_finished(const char *dir, uint64_t generation);
hmf_status_t hmf__dir_get_finished(const char *dir, bool *there, uint64_t *generation);
hmf_status_t hmf__dir_clear_finished(const char *dir);

#endif
