/* The writing side of the meta; the bytes are described in doc/image-format.md. */
#include "config.h"

#include "meta.h"

#include "base.h"
#include "depend.h"

#include <string.h>

struct numbering { /* writer's node (class representative) -> number in the image */
    const struct hmf__types *t;
    uint32_t *number; /* HMF__TYPE_NONE: not yet */
    uint32_t *order;  /* number -> node */
    uint32_t n;
    uint32_t *queue;  /* behind pointers, still to be numbered */
    uint32_t nqueue;
};

/* Number what is nested by value first, so that a reader knows all parts of a type before it. */
static void number_type(struct numbering *m, uint32_t id)
{
    id = m->t->classes[id];
    const struct hmf__type *y = &m->t->v[id];

    if (m->number[id] != HMF__TYPE_NONE)
        return;
    if (y->kind == HMF__KIND_ARRAY || y->kind == HMF__KIND_TRANSIENT || y->kind == HMF__KIND_FLEX)
        number_type(m, y->elem);
    for (uint32_t f = 0; f < y->nfields; f++)
        number_type(m, y->fields[f].type);
    if (hmf__kind_refers(y->kind))
        m->queue[m->nqueue++] = y->elem;
    m->number[id] = m->n;
    m->order[m->n++] = id;
}

uint32_t hmf__meta_version_of(const struct hmf__type *y)
{
    enum hmf__kind kind = y->kind;

    if (kind == HMF__KIND_UNION && y->len == HMF__LEN_PATH)
        return 3;
    return kind == HMF__KIND_BITS || kind == HMF__KIND_UNION || kind == HMF__KIND_FLEX ||
                   kind == HMF__KIND_HANDLE
               ? 2
               : HMF__META_VERSION_FIRST;
}

static void put_type(struct hmf__buf *out, const struct numbering *m, uint32_t id)
{
    const struct hmf__type *y = &m->t->v[id];

    hmf__buf_put_u8(out, (uint8_t)y->kind);
    hmf__buf_put_u8(out, (uint8_t)(y->is_signed | y->weak << 1 | y->packed << 2 |
                                  y->otherwise << 3 | y->unnamed << 4));
    hmf__buf_put_u32(out, y->number);
    hmf__buf_put_u32(out, y->align);
    hmf__buf_put_u64(out, y->size);
    hmf__buf_put_u64(out, y->count);
    hmf__buf_put_u32(out, y->elem == HMF__TYPE_NONE ? HMF__TYPE_NONE
                                                    : m->number[m->t->classes[y->elem]]);
    /* what an expression gives is in the counts */
    hmf__buf_put_u8(out, y->nexpr && y->kind == HMF__KIND_POINTER ? HMF__LEN_FIXED
                                                                  : (uint8_t)y->len);
    hmf__buf_put_u32(out, y->len_field);
    hmf__buf_put_u32(out, y->len_up);
    hmf__buf_put_string(out, y->name);
    hmf__buf_put_u32(out, y->nfields);
    for (uint32_t f = 0; f < y->nfields; f++) {
        hmf__buf_put_string(out, y->fields[f].name);
        hmf__buf_put_u64(out, y->fields[f].offset);
        hmf__buf_put_u32(out, m->number[m->t->classes[y->fields[f].type]]);
        hmf__buf_put_u32(out, y->fields[f].align);
        hmf__buf_put_i64(out, y->fields[f].value);
    }
    if (y->kind != HMF__KIND_UNION || y->len != HMF__LEN_PATH)
        return;
    hmf__buf_put_u32(out, y->nexpr - HMF__PATH_STEPS);
    for (uint32_t i = HMF__PATH_STEPS; i < y->nexpr; i++)
        hmf__buf_put_u32(out, (uint32_t)y->expr[i]);
}

static void put_abi(struct hmf__buf *out, const struct hmf__abi *abi)
{
    hmf__buf_put_u8(out, abi->big_endian);
    hmf__buf_put_u8(out, abi->pointer_size);
    hmf__buf_put_u8(out, abi->char_signed);
    hmf__buf_put_u8(out, abi->max_align);
    hmf__buf_put_u8(out, abi->ldouble);
    hmf__buf_put_u8(out, abi->ldouble_size);
    hmf__buf_put_u8(out, abi->ldouble_align);
    hmf__buf_put_u8(out, 0);
}

hmf_status_t hmf__meta_write(const struct hmf__types *t, const struct hmf__meta_table *tables,
                             size_t ntables, const struct hmf__meta_root *roots, size_t nroots,
                             struct hmf__buf *out)
{
    struct numbering m = {.t = t};
    size_t start = out->len;
    uint32_t version = HMF__META_VERSION_FIRST;
    hmf_status_t rc = HMF_ERR_NOMEM;

    m.number = hmf__malloc(t->n * sizeof *m.number);
    m.order = hmf__malloc(t->n * sizeof *m.order);
    m.queue = hmf__malloc(t->n * sizeof *m.queue);
    if (!m.number || !m.order || !m.queue) {
        hmf__fail(rc, "no memory to write %u types", t->n);
        goto drop;
    }
    for (uint32_t i = 0; i < t->n; i++)
        m.number[i] = HMF__TYPE_NONE;
    for (size_t i = 0; i < nroots; i++)
        number_type(&m, roots[i].type);
    while (m.nqueue)
        number_type(&m, m.queue[--m.nqueue]);

    for (uint32_t i = 0; i < m.n; i++)
        if (hmf__meta_version_of(&t->v[m.order[i]]) > version)
            version = hmf__meta_version_of(&t->v[m.order[i]]);
    hmf__buf_put_bytes(out, HMF__META_MAGIC, 8);
    hmf__buf_put_u32(out, version);
    hmf__buf_put_u32(out, 0); /* length, set below */
    put_abi(out, &t->abi);
    hmf__buf_put_u32(out, m.n);
    hmf__buf_put_u32(out, (uint32_t)ntables);
    hmf__buf_put_u32(out, (uint32_t)nroots);
    for (uint32_t i = 0; i < m.n; i++)
        put_type(out, &m, m.order[i]);
    for (size_t i = 0; i < ntables; i++) {
        hmf__buf_put_u32(out, m.number[tables[i].type]);
        hmf__buf_put_u64(out, tables[i].nblocks);
        hmf__buf_put_u64(out, tables[i].nrows);
        hmf__buf_put_u8(out, (uint8_t)(tables[i].has_counts | tables[i].has_leaves << 1));
    }
    for (size_t i = 0; i < nroots; i++) {
        hmf__buf_put_string(out, roots[i].name);
        hmf__buf_put_u32(out, m.number[t->classes[roots[i].type]]);
        hmf__buf_put_u64(out, roots[i].count);
        hmf__buf_put_u64(out, roots[i].block);
        hmf__buf_put_u64(out, roots[i].row);
        hmf__buf_put_u64(out, roots[i].leaf);
        hmf__buf_put_u8(out, roots[i].inside);
    }
    rc = out->status;
    if (rc == HMF_OK && out->len - start + 4 > HMF__META_MAX)
        rc = hmf__fail(HMF_ERR_LIMIT, "the description of the state has %zu bytes: too many "
                       "variables or types", out->len - start);
    if (rc != HMF_OK)
        goto drop;
    uint32_t len = (uint32_t)(out->len - start + 4);
    for (int i = 0; i < 4; i++)
        out->data[start + 12 + (size_t)i] = (unsigned char)(len >> (8 * i));
    hmf__buf_put_u32(out, hmf__crc32c(0, out->data + start, len - 4));
    rc = out->status;
drop:
    hmf__free(m.number);
    hmf__free(m.order);
    hmf__free(m.queue);
    return rc;
}
