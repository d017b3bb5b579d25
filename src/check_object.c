/*
 * Objects as checkpoint files of their own: an HDF5 file like a rank's part of a job's checkpoint,
 * complete or not there. Objects are object.c's; the file is check_file.c's.
 */
#include "config.h"

#include "hmf/check.h"

#include "base.h"
#include "check_file.h"
#include "check_priv.h"
#include "check_sys.h"
#include "object.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static hmf_status_t check_arguments(const char *path, hmf_object_t *const *objects, size_t n)
{
    if (!path || !*path || strlen(path) >= PATH_MAX - 32)
        return hmf__fail(HMF_ERR_ARG, "a file of objects needs a path");
    if (!objects || !n)
        return hmf__fail(HMF_ERR_ARG, "%s: there are no objects to save or restore", path);
    for (size_t i = 0; i < n; i++)
        if (!objects[i] || objects[i]->format != HMF_FORMAT_HOST)
            return hmf__fail(HMF_ERR_ARG, "%s: object %zu is %s, not memory of this process", path,
                             i, objects[i] ? "an image" : "NULL");
    return HMF_OK;
}

/* The directory that a path's last part is in. */
static void directory_of(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    memcpy(out, path, n);
    out[n] = '\0';
    if (!n)
        strcpy(out, slash ? "/" : ".");
}

static hmf_status_t write_file(const char *path, const hmf_image_t *image)
{
    struct hmf__file_label label = {.program = program_invocation_short_name, .nranks = 1};
    struct hmf__file_source source = {0};
    struct hmf__file_seal seal;
    struct hmf__io *io = NULL;
    hmf_status_t rc = hmf__save_source(image, &source);

    if (rc == HMF_OK && (rc = hmf__io_new(&io)) == HMF_OK)
        rc = hmf__file_write(io, path, &label, &source, &seal);
    hmf__io_free(io);
    hmf__free(source.segments);
    return rc;
}

hmf_status_t hmf_check_save(const char *path, hmf_object_t *const *objects, size_t n)
{
    char aside[PATH_MAX], dir[PATH_MAX];
    hmf_state_t *state = NULL;
    hmf_image_t *image = NULL;
    hmf_status_t rc = check_arguments(path, objects, n);

    if (rc != HMF_OK)
        return rc;
    snprintf(aside, sizeof aside, "%s.tmp-%ld", path, (long)getpid());
    directory_of(path, dir);
    if ((rc = hmf_state_new(&state)) != HMF_OK)
        return rc;
    for (size_t i = 0; i < n && rc == HMF_OK; i++)
        rc = hmf__object_register(state, objects[i]);
    if (rc != HMF_OK || (rc = hmf_image_capture(state, &image)) != HMF_OK)
        goto free_state;
    hmf__sys_unlink(aside); /* left by a process of this number that crashed */
    if ((rc = write_file(aside, image)) != HMF_OK)
        goto free_state;
    if (hmf__sys_rename(aside, path)) {
        rc = hmf__fail(HMF_ERR_IO, "cannot rename %s to %s: %s", aside, path, strerror(errno));
        hmf__sys_unlink(aside);
    } else if (hmf__sys_fsync_dir(dir)) {
        rc = hmf__fail(HMF_ERR_IO, "cannot sync the directory %s: %s", dir, strerror(errno));
    }
free_state:
    hmf_image_free(image);
    hmf_state_free(state);
    return rc;
}

hmf_status_t hmf_check_restore(const char *path, hmf_object_t *const *objects, size_t n)
{
    struct hmf__texts texts = {0};
    struct hmf__file *f = NULL;
    hmf_state_t *state = NULL;
    hmf_meta_t *meta = NULL;
    hmf_restore_t *restore = NULL;
    hmf_status_t rc = check_arguments(path, objects, n);

    if (rc != HMF_OK || (rc = hmf__file_open(path, NULL, &f)) != HMF_OK)
        return rc;
    /* every byte is checked before any memory is touched */
    if ((rc = hmf__file_verify(f)) != HMF_OK || (rc = hmf_state_new(&state)) != HMF_OK ||
        (rc = hmf_meta_parse(f->meta, f->meta_len, &meta)) != HMF_OK ||
        (rc = hmf__object_expect(state, meta, objects, n, NULL, &texts)) != HMF_OK ||
        (rc = hmf_restore_begin(state, f->meta, f->meta_len, &restore)) != HMF_OK)
        goto drop;
    rc = hmf__file_restore(f, restore);
    if (rc == HMF_OK)
        rc = hmf_restore_finish(restore);
    else
        hmf_restore_abort(restore);
    if (rc == HMF_OK)
        rc = hmf__object_adopt(objects, n, &texts);
drop:
    if (rc != HMF_OK)
        hmf__fail_prefix(rc, "%s", path);
    hmf__texts_fini(&texts);
    hmf_meta_free(meta);
    hmf_state_free(state);
    hmf__file_close(f);
    return rc;
}
