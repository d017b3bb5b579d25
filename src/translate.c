/* Objects between their image and this process's memory; see hmf/translate.h.  Layouts and plans
 * are in translate_plan.c.
 */
#include "config.h"

#include "hmf/translate.h"

#include "base.h"
#include "object.h"

#include <stdlib.h>
#include <string.h>

hmf_status_t hmf_translate_pack(const hmf_object_t *o, hmf_object_t **image)
{
    struct hmf__buf b = HMF__BUF_INIT;
    hmf_status_t rc = hmf__object_write(o, hmf__stream_put_buf, &b);

    if (rc == HMF_OK)
        rc = hmf__object_read(b.len, hmf__stream_get_buf, &b, image);
    hmf__buf_fini(&b);
    return rc;
}

/* Where the meta lies in a stream: behind magic, version, number of segments and its length. */
enum { META_LENGTH_AT = 16, META_AT = 24 };

hmf_status_t hmf_translate_unpack(const hmf_object_t *image, hmf_object_t *o)
{
    hmf_state_t *state = NULL;
    hmf_meta_t *meta = NULL;
    struct hmf__texts texts = {0};
    struct hmf__buf b;
    hmf_status_t rc;

    if (image->format != HMF_FORMAT_IMAGE)
        return hmf__fail(HMF_ERR_ARG, "object %s is no image: it needs no translation",
                         image->name);
    hmf__buf_borrow(&b, image->bytes.data, image->bytes.len);
    b.pos = META_LENGTH_AT;
    size_t len = (size_t)hmf__buf_get_u64(&b);
    if ((rc = hmf_state_new(&state)) == HMF_OK &&
        (rc = hmf_meta_parse(image->bytes.data + META_AT, len, &meta)) == HMF_OK &&
        (rc = hmf__object_expect(state, meta, &o, 1, image->name, &texts)) == HMF_OK) {
        b.pos = 0;
        rc = hmf__stream_read(state, b.len, hmf__stream_get_buf, &b);
    }
    if (rc == HMF_OK)
        rc = hmf__object_adopt(&o, 1, &texts);
    hmf__texts_fini(&texts);
    hmf_meta_free(meta);
    hmf_state_free(state);
    return rc;
}

hmf_status_t hmf_translate_into(const hmf_object_t *image, void *data, size_t size,
                                const int *desc, size_t desc_len)
{
    hmf_object_t *o = NULL;
    hmf_status_t rc = hmf_object_new(image->name, data, size, desc, desc_len, NULL, &o);

    if (rc == HMF_OK)
        rc = hmf_translate_unpack(image, o);
    hmf_object_free(o);
    return rc;
}

/* Bytes that there can be behind a struct with a flexible array member, what the image has of its
 * elements' type, and those up to a multiple of the alignment: the program's sizeof. */
static hmf_status_t room_behind(const hmf_object_t *image, const struct hmf__types *types,
                                uint32_t id, uint64_t *out)
{
    const struct hmf__type *y = &types->v[id];
    hmf_meta_t *meta = NULL;
    struct hmf__buf b;
    uint64_t count, rows = 0;
    uint32_t elem;
    hmf_status_t rc;

    *out = 0;
    if (!y->flex)
        return HMF_OK;
    hmf__buf_borrow(&b, image->bytes.data, image->bytes.len);
    b.pos = META_LENGTH_AT;
    size_t len = (size_t)hmf__buf_get_u64(&b);
    if ((rc = hmf_meta_parse(image->bytes.data + META_AT, len, &meta)) != HMF_OK)
        return rc;
    const struct hmf__types *w = hmf_meta_types(meta);
    const struct hmf__root_info *root;
    const struct hmf__type *x;
    rc = hmf__object_root(meta, &root);
    if (rc == HMF_OK && (x = &w->v[root->type])->flex) {
        hmf__types_flatten(w, w->v[x->fields[x->nfields - 1].type].elem, &elem, &count);
        for (size_t i = 0; i < hmf_meta_ntables(meta); i++)
            if (hmf_meta_table(meta, i)->type == elem)
                rows = hmf_meta_table(meta, i)->nrows;
    }
    hmf_meta_free(meta);
    if (rc != HMF_OK)
        return rc;
    hmf__types_flatten(types, types->v[y->fields[y->nfields - 1].type].elem, &elem, &count);
    if (hmf__mul_overflow_u64(rows, types->v[elem].size, out) || *out > HMF__MAX_SIZE)
        *out = UINT64_MAX; /* refused */
    else
        *out += -(y->size + *out) & (y->align - 1);
    return HMF_OK;
}

hmf_status_t hmf_translate_new(const hmf_object_t *image, hmf_object_t **out)
{
    struct hmf__types types;
    hmf_object_t *o = NULL;
    void *data = NULL;
    uint64_t behind = 0;
    size_t bytes;
    uint32_t id;
    hmf_status_t rc;

    if (image->format != HMF_FORMAT_IMAGE)
        return hmf__fail(HMF_ERR_ARG, "object %s is no image: it needs no translation",
                         image->name);
    hmf__types_init(&types, NULL);
    rc = hmf__types_compile(&types, image->desc, image->desc_len, NULL, &id);
    if (rc != HMF_OK) {
        rc = hmf__fail_prefix(rc == HMF_ERR_TYPE ? HMF_ERR_LIMIT : rc,
                              "object %s: its type cannot be written out", image->name);
        goto drop_types;
    }
    /* a count that exceeds the image's data is refused by the restore, before any are read; what
     * is asked for here is bounded by the bytes that came */
    if ((rc = room_behind(image, &types, id, &behind)) != HMF_OK)
        goto drop_types;
    if (image->count > image->bytes.len || types.v[id].size > 16 * (uint64_t)image->bytes.len ||
        behind > 16 * (uint64_t)image->bytes.len ||
        hmf__mul_overflow((size_t)types.v[id].size, image->count, &bytes) ||
        hmf__add_overflow(bytes, (size_t)behind, &bytes)) {
        rc = hmf__fail(HMF_ERR_LIMIT, "object %s is larger than its image", image->name);
        goto drop_types;
    }
    if (!(data = hmf__malloc_aligned(types.v[id].align, bytes))) {
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for %zu bytes of object %s", bytes, image->name);
        goto drop_types;
    }
    memset(data, 0, bytes);
    if ((rc = hmf_object_new(image->name, data, bytes, image->desc, image->desc_len, NULL, &o)) ==
        HMF_OK)
        rc = hmf_translate_unpack(image, o);
    if (rc == HMF_OK) {
        *out = o;
    } else {
        hmf_object_free(o);
        hmf__free(data);
    }
drop_types:
    hmf__types_fini(&types);
    return rc;
}
