/* Inside of an object, for object.c (attributes), object_io.c (reading and writing), translate.c
 * and those that carry objects.
 */
#ifndef HMF__OBJECT_H
#define HMF__OBJECT_H

#include "hmf/object.h"

#include "buf.h"
#include "image.h"
#include "stream.h"

#define HMF__OBJECT_MARK '@' /* in an image, the text KEY of object NAME is the root NAME@KEY */

enum { HMF__OBJECT_NAME_MAX = 255 };

struct hmf__attribute {
    char *key, *text;
};

struct hmf_object {
    enum hmf_format format;
    char *name;
    int *desc;
    size_t desc_len, count;
    char **field_names;      /* ended by NULL, or NULL */
    void *data;              /* HOST: the memory ... */
    size_t size;
    FILE **file;             /* ... or an open file */
    int *fd;
    struct hmf__buf bytes;   /* IMAGE: the stream */
    struct hmf__attribute *attributes;
    size_t nattributes;
    char machine[80];
};

/* An empty object of that name.  HMF_ERR_ARG, HMF_ERR_NOMEM. */
hmf_status_t hmf__object_make(const char *name, hmf_object_t **out);

/* Forget all attributes. */
void hmf__object_clear(hmf_object_t *o);

/* Register a host object and its attributes in a state, to be captured. */
hmf_status_t hmf__object_register(hmf_state_t *state, const hmf_object_t *o);

/* For restoring: register the object alone, and texts as large as the image has them, which become
 * the object's attributes by hmf__object_adopt after the restore.  A list of objects whose
 * attributes are in one image; every root of the image must be of one of them.  `name` NULL: the
 * objects' own names; else there is one object, which has that name in the image. */
struct hmf__texts {
    struct hmf__text {
        hmf_object_t *of;
        struct hmf__attribute a;
    } *v;
    size_t n;
};
hmf_status_t hmf__object_expect(hmf_state_t *state, const hmf_meta_t *meta,
                                hmf_object_t *const *objects, size_t n, const char *name,
                                struct hmf__texts *out);
hmf_status_t hmf__object_adopt(hmf_object_t *const *objects, size_t n, struct hmf__texts *texts);
void hmf__texts_fini(struct hmf__texts *texts);

/* Through any pair of functions. */
/* The image's one root that is no attribute.  HMF_ERR_FORMAT. */
hmf_status_t hmf__object_root(const hmf_meta_t *meta, const struct hmf__root_info **out);

hmf_status_t hmf__object_write(const hmf_object_t *o, hmf__stream_put *put, void *ctx);
hmf_status_t hmf__object_read(uint64_t available, hmf__stream_get *get, void *ctx,
                              hmf_object_t **out);

/* "little-endian, 64-bit, ..." */
void hmf__object_machine(const struct hmf__abi *abi, char *buf, size_t size);

#endif
