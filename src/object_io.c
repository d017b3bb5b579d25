/* Objects as images: into a state to be captured, out of one that was restored; through files,
 * descriptors and memory.
 *
 * In an image an object is a root of its name, an attribute a root NAME@KEY of characters.
 */
#include "config.h"

#include "object.h"

#include "base.h"
#include "fdio.h"
#include "meta.h"
#include "openfile.h"
#include "typemap.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { ROOT_MAX = 2 * HMF__OBJECT_NAME_MAX + 2 };

/* ---- objects and states ---- */

static hmf_status_t register_data(hmf_state_t *state, const hmf_object_t *o, const char *name)
{
    if (o->format != HMF_FORMAT_HOST)
        return hmf__fail(HMF_ERR_ARG, "object %s is an image: it has no memory here", o->name);
    if (o->file || o->fd)
        return hmf__openfile_add(state, name, o->file, o->fd);
    return hmf_state_add(state, name, o->data, o->size, o->desc, o->desc_len,
                         (const char *const *)o->field_names);
}

static hmf_status_t register_text(hmf_state_t *state, const char *name, const char *key,
                                  char *text, size_t size)
{
    int desc[] = {typeFSTRING, (int)size};
    char root[ROOT_MAX];

    snprintf(root, sizeof root, "%s%c%s", name, HMF__OBJECT_MARK, key);
    return hmf_state_add(state, root, text, size, desc, 2, NULL);
}

hmf_status_t hmf__object_register(hmf_state_t *state, const hmf_object_t *o)
{
    hmf_status_t rc = register_data(state, o, o->name);

    for (size_t i = 0; i < o->nattributes && rc == HMF_OK; i++) {
        char *text = o->attributes[i].text;
        rc = register_text(state, o->name, o->attributes[i].key, text, strlen(text) + 1);
    }
    return rc;
}

/* Is this root an attribute?  *name: bytes of its object's name; *key. */
static bool is_text(const char *root, size_t *name, const char **key)
{
    const char *mark = strchr(root, HMF__OBJECT_MARK);

    if (!mark || mark == root || !mark[1] || strchr(mark + 1, HMF__OBJECT_MARK) ||
        strlen(mark + 1) > HMF__OBJECT_NAME_MAX)
        return false;
    *name = (size_t)(mark - root);
    *key = mark + 1;
    return true;
}

/* Bytes of an attribute's text, with its NUL; 0: this root is none. */
static size_t text_size(const hmf_meta_t *meta, const struct hmf__root_info *root)
{
    const struct hmf__type *y = &hmf_meta_types(meta)->v[root->type];

    return y->kind == HMF__KIND_FSTRING && root->count == 1 && !root->inside &&
                   y->count <= INT_MAX
               ? (size_t)y->count
               : 0;
}

static hmf_status_t foreign_root(const char *root)
{
    return hmf__fail(HMF_ERR_MISMATCH, "the image has %.300s, which is none of the objects asked "
                     "for: restore those together that were saved together", root);
}

static hmf_object_t *find_object(hmf_object_t *const *objects, size_t n, const char *only,
                                 const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        const char *is = only ? only : objects[i]->name;
        if (strlen(is) == len && !memcmp(is, name, len))
            return objects[i];
    }
    return NULL;
}

/* An attribute's key with room for its text, and a NUL if the text should have none. */
static hmf_status_t add_text(struct hmf__texts *out, hmf_object_t *of, const char *key, size_t size)
{
    struct hmf__text *t;

    if (!(t = hmf__realloc(out->v, (out->n + 1) * sizeof *out->v)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for an attribute");
    out->v = t;
    t += out->n++;
    *t = (struct hmf__text){of, {hmf__strdup(key), hmf__calloc(1, size + 1)}};
    return t->a.key && t->a.text ? HMF_OK
                                 : hmf__fail(HMF_ERR_NOMEM, "no memory for an attribute");
}

hmf_status_t hmf__object_expect(hmf_state_t *state, const hmf_meta_t *meta,
                                hmf_object_t *const *objects, size_t n, const char *name,
                                struct hmf__texts *out)
{
    hmf_status_t rc = HMF_OK;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n && rc == HMF_OK; i++)
        rc = register_data(state, objects[i], name ? name : objects[i]->name);
    for (size_t i = 0; i < hmf_meta_nroots(meta) && rc == HMF_OK; i++) {
        const struct hmf__root_info *root = hmf_meta_root(meta, i);
        const char *key = NULL;
        size_t len = strlen(root->name), size = 0;
        if (is_text(root->name, &len, &key))
            size = text_size(meta, root);
        hmf_object_t *of = find_object(objects, n, name, root->name, len);
        if (!of || (key && !size)) {
            rc = foreign_root(root->name);
        } else if (key && (rc = add_text(out, of, key, size)) == HMF_OK) {
            rc = register_text(state, name ? name : of->name, key, out->v[out->n - 1].a.text,
                               size);
        }
    }
    return rc;
}

hmf_status_t hmf__object_adopt(hmf_object_t *const *objects, size_t n, struct hmf__texts *texts)
{
    hmf_status_t rc = HMF_OK;

    for (size_t i = 0; i < n; i++)
        hmf__object_clear(objects[i]);
    for (size_t i = 0; i < texts->n && rc == HMF_OK; i++)
        rc = hmf_object_set(texts->v[i].of, texts->v[i].a.key, texts->v[i].a.text);
    return rc;
}

void hmf__texts_fini(struct hmf__texts *t)
{
    for (size_t i = 0; i < t->n; i++) {
        hmf__free(t->v[i].a.key);
        hmf__free(t->v[i].a.text);
    }
    hmf__free(t->v);
    memset(t, 0, sizeof *t);
}

/* ---- writing ---- */

hmf_status_t hmf__object_write(const hmf_object_t *o, hmf__stream_put *put, void *ctx)
{
    hmf_state_t *state = NULL;
    hmf_image_t *image = NULL;
    hmf_status_t rc;

    if (o->format == HMF_FORMAT_IMAGE)
        return put(ctx, o->bytes.data, o->bytes.len);
    if ((rc = hmf_state_new(&state)) == HMF_OK &&
        (rc = hmf__object_register(state, o)) == HMF_OK &&
        (rc = hmf_image_capture(state, &image)) == HMF_OK)
        rc = hmf__stream_write(image, put, ctx);
    hmf_image_free(image);
    hmf_state_free(state);
    return rc;
}

struct file {
    FILE *file;
    int fd;
    double limit_s;
    bool begun; /* the first byte was there: what is missing is missing in the middle */
};

static hmf_status_t put_file(void *ctx, const void *data, size_t len)
{
    struct file *f = ctx;

    if (f->file)
        return fwrite(data, 1, len, f->file) == len
                   ? HMF_OK
                   : hmf__fail(HMF_ERR_IO, "cannot write an object to a file: %s",
                               strerror(errno));
    return hmf__fd_write(f->fd, data, len, f->limit_s);
}

hmf_status_t hmf_object_write_file(const hmf_object_t *o, FILE *file)
{
    struct file f = {.file = file};

    if (!file)
        return hmf__fail(HMF_ERR_ARG, "object %s: there is no file to write to", o->name);
    return hmf__object_write(o, put_file, &f);
}

hmf_status_t hmf_object_write_fd(const hmf_object_t *o, int fd, double limit_s)
{
    struct file f = {.fd = fd, .limit_s = limit_s};

    return hmf__object_write(o, put_file, &f);
}

hmf_status_t hmf_object_write_memory(const hmf_object_t *o, void **bytes, size_t *len)
{
    struct hmf__buf b = HMF__BUF_INIT;
    hmf_status_t rc = hmf__object_write(o, hmf__stream_put_buf, &b);
    void *p = NULL;

    if (rc == HMF_OK && !(p = hmf__buf_take(&b, len)))
        rc = b.status;
    if (rc == HMF_OK)
        *bytes = p;
    else
        hmf__buf_fini(&b);
    return rc;
}

/* ---- reading ---- */

hmf_status_t hmf__object_root(const hmf_meta_t *meta, const struct hmf__root_info **out)
{
    size_t len;
    const char *key;

    *out = NULL;
    for (size_t i = 0; i < hmf_meta_nroots(meta); i++) {
        const struct hmf__root_info *root = hmf_meta_root(meta, i);
        if (is_text(root->name, &len, &key))
            continue;
        if (*out)
            return hmf__fail(HMF_ERR_FORMAT, "these bytes are no object, but an image of several "
                             "variables: %.300s and %.300s", (*out)->name, root->name);
        *out = root;
    }
    return *out ? HMF_OK : hmf__fail(HMF_ERR_FORMAT, "these bytes are no object: they have no "
                                     "data");
}

/* A text lies in its table as it is. */
static hmf_status_t read_text(hmf_object_t *o, const hmf_meta_t *meta, const size_t *offsets,
                              const struct hmf__root_info *root, const char *key)
{
    size_t size = text_size(meta, root);
    hmf_status_t rc = HMF_ERR_FORMAT;
    char *text;

    for (size_t i = 0; size && i < hmf_meta_nsegments(meta); i++) {
        const struct hmf__segment_info *s = hmf_meta_segment(meta, i);
        if (s->kind != HMF__SEG_DATA || s->table != root->table)
            continue;
        if (root->row >= s->bytes / size)
            break;
        if (!(text = hmf__calloc(1, size + 1)))
            return hmf__fail(HMF_ERR_NOMEM, "no memory for an attribute");
        memcpy(text, o->bytes.data + offsets[i] + root->row * size, size);
        rc = hmf_object_set(o, key, text);
        hmf__free(text);
        return rc;
    }
    return hmf__fail(rc, "object %s: its attribute %.300s is damaged", o->name, key);
}

static hmf_status_t read_attributes(hmf_object_t *o, const hmf_meta_t *meta,
                                    const size_t *offsets)
{
    hmf_status_t rc = HMF_OK;

    for (size_t i = 0; i < hmf_meta_nroots(meta) && rc == HMF_OK; i++) {
        const struct hmf__root_info *root = hmf_meta_root(meta, i);
        const char *key;
        size_t len;
        if (!is_text(root->name, &len, &key))
            continue;
        if (len != strlen(o->name) || memcmp(o->name, root->name, len))
            rc = foreign_root(root->name);
        else
            rc = read_text(o, meta, offsets, root, key);
    }
    return rc;
}

static hmf_status_t read_type(hmf_object_t *o, const hmf_meta_t *meta,
                              const struct hmf__root_info *root)
{
    const struct hmf__types *types = hmf_meta_types(meta);
    struct hmf__buf ints = HMF__BUF_INIT;
    hmf_status_t rc = hmf__types_describe(types, root->type, &ints);

    if (rc == HMF_OK && ints.status != HMF_OK)
        rc = ints.status;
    size_t n = ints.len / 4;
    if (rc == HMF_OK && !(o->desc = hmf__malloc(n * sizeof *o->desc)))
        rc = hmf__fail(HMF_ERR_NOMEM, "no memory for the type of object %s", o->name);
    for (size_t i = 0; rc == HMF_OK && i < n; i++)
        o->desc[i] = hmf__buf_get_i32(&ints);
    hmf__buf_fini(&ints);
    o->desc_len = n;
    o->count = (size_t)root->count;
    hmf__object_machine(&types->abi, o->machine, sizeof o->machine);
    return rc;
}

hmf_status_t hmf__object_read(uint64_t available, hmf__stream_get *get, void *ctx,
                              hmf_object_t **out)
{
    struct hmf__buf bytes = HMF__BUF_INIT;
    hmf_object_t *o = NULL;
    hmf_meta_t *meta = NULL;
    size_t *offsets = NULL;
    const struct hmf__root_info *root;
    hmf_status_t rc;

    if ((rc = hmf__stream_take(available, get, ctx, &bytes, &offsets, &meta)) != HMF_OK ||
        (rc = hmf__object_root(meta, &root)) != HMF_OK)
        goto drop;
    if ((rc = hmf__object_make(root->name, &o)) != HMF_OK) {
        rc = rc == HMF_ERR_ARG ? HMF_ERR_FORMAT : rc;
        goto drop;
    }
    o->bytes = bytes;
    bytes = (struct hmf__buf)HMF__BUF_INIT;
    if ((rc = read_type(o, meta, root)) == HMF_OK)
        rc = read_attributes(o, meta, offsets);
    o->format = HMF_FORMAT_IMAGE;
drop:
    hmf__buf_fini(&bytes);
    hmf__free(offsets);
    hmf_meta_free(meta);
    if (rc == HMF_OK)
        *out = o;
    else
        hmf_object_free(o);
    return rc;
}

static hmf_status_t no_more(void)
{
    return hmf__fail(HMF_ERR_NOTFOUND, "there are no more objects: the data end here");
}

static hmf_status_t get_file(void *ctx, void *data, size_t len)
{
    struct file *f = ctx;
    size_t got;
    hmf_status_t rc = HMF_OK;

    if (!len)
        return HMF_OK;
    if (f->file) {
        got = fread(data, 1, len, f->file);
        if (got != len && ferror(f->file))
            rc = hmf__fail(HMF_ERR_IO, "cannot read an object from a file: %s", strerror(errno));
        else if (got != len)
            rc = hmf__fail(HMF_ERR_FORMAT, "the file ends within an object: %zu bytes are missing",
                           len - got);
    } else {
        rc = hmf__fd_read(f->fd, data, len, f->limit_s, &got);
    }
    if (rc == HMF_ERR_FORMAT && !got && !f->begun)
        rc = no_more();
    f->begun = true;
    return rc;
}

hmf_status_t hmf_object_read_file(FILE *file, hmf_object_t **out)
{
    struct file f = {.file = file};

    if (!file)
        return hmf__fail(HMF_ERR_ARG, "there is no file to read an object from");
    return hmf__object_read(UINT64_MAX, get_file, &f, out);
}

hmf_status_t hmf_object_read_fd(int fd, double limit_s, hmf_object_t **out)
{
    struct file f = {.fd = fd, .limit_s = limit_s};

    return hmf__object_read(UINT64_MAX, get_file, &f, out);
}

hmf_status_t hmf_object_read_memory(const void *bytes, size_t len, size_t *used,
                                    hmf_object_t **out)
{
    struct hmf__buf b;
    hmf_status_t rc;

    if (!len)
        return no_more();
    hmf__buf_borrow(&b, bytes, len);
    rc = hmf__object_read(len, hmf__stream_get_buf, &b, out);
    if (rc == HMF_OK && used)
        *used = b.pos;
    return rc;
}
