/* Objects: what they are, and their attributes.  Reading and writing them is object_io.c's. */
#include "config.h"

#include "object.h"

#include "base.h"
#include "openfile.h"
#include "typemap.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool good_name(const char *name)
{
    return name && *name && strlen(name) <= HMF__OBJECT_NAME_MAX &&
           !strchr(name, HMF__OBJECT_MARK);
}

static hmf_status_t no_memory(const char *name)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory for the object %s", name);
}

void hmf__object_machine(const struct hmf__abi *abi, char *buf, size_t size)
{
    static const char *const ld[] = {"?", "double", "x87", "quad", "pair"};

    snprintf(buf, size, "%s-endian, %d-bit, char %s, long double %s",
             abi->big_endian ? "big" : "little", 8 * abi->pointer_size,
             abi->char_signed ? "signed" : "unsigned", abi->ldouble <= 4 ? ld[abi->ldouble] : "?");
}

hmf_status_t hmf__object_make(const char *name, hmf_object_t **out)
{
    hmf_object_t *o;
    struct hmf__abi abi;

    if (!good_name(name))
        return hmf__fail(HMF_ERR_ARG, "an object needs a name of 1 to %d bytes without '%c'",
                         HMF__OBJECT_NAME_MAX, HMF__OBJECT_MARK);
    if (!(o = hmf__calloc(1, sizeof *o)) || !(o->name = hmf__strdup(name))) {
        hmf__free(o);
        return no_memory(name);
    }
    hmf__abi_native(&abi);
    hmf__object_machine(&abi, o->machine, sizeof o->machine);
    *out = o;
    return HMF_OK;
}

static hmf_status_t copy_names(hmf_object_t *o, const char *const *names)
{
    size_t n = 0;

    if (!names)
        return HMF_OK;
    while (names[n])
        n++;
    if (!(o->field_names = hmf__calloc(n + 1, sizeof *o->field_names)))
        return no_memory(o->name);
    for (size_t i = 0; i < n; i++)
        if (!(o->field_names[i] = hmf__strdup(names[i])))
            return no_memory(o->name);
    return HMF_OK;
}

hmf_status_t hmf_object_new(const char *name, void *data, size_t size, const int *desc,
                            size_t desc_len, const char *const *field_names, hmf_object_t **out)
{
    hmf_object_t *o;
    hmf_state_t *state = NULL;
    hmf_status_t rc;

    if (!out)
        return hmf__fail(HMF_ERR_ARG, "a new object needs a place for its handle");
    if ((rc = hmf__object_make(name, &o)) != HMF_OK)
        return rc;
    o->data = data;
    o->size = size;
    if (!desc || !desc_len || desc_len > SIZE_MAX / sizeof *desc) {
        rc = hmf__fail(HMF_ERR_ARG, "object %s has no type description", name);
        goto drop;
    }
    if (!(o->desc = hmf__malloc(desc_len * sizeof *desc))) {
        rc = no_memory(name);
        goto drop;
    }
    memcpy(o->desc, desc, desc_len * sizeof *desc);
    o->desc_len = desc_len;
    if ((rc = copy_names(o, field_names)) != HMF_OK || (rc = hmf_state_new(&state)) != HMF_OK ||
        (rc = hmf_state_add(state, name, data, size, desc, desc_len, field_names)) != HMF_OK)
        goto drop;
    o->count = (size_t)hmf__state_var(state, 0)->count;
    hmf_state_free(state);
    *out = o;
    return HMF_OK;
drop:
    hmf_state_free(state);
    hmf_object_free(o);
    return rc;
}

static hmf_status_t new_openfile(const char *name, FILE **file, int *fd, hmf_object_t **out)
{
    hmf_object_t *o;
    hmf_status_t rc = hmf__object_make(name, &o);

    if (rc != HMF_OK)
        return rc;
    if (!(o->desc = hmf__malloc(HMF__OPENFILE_INTS * sizeof *o->desc))) {
        hmf_object_free(o);
        return no_memory(name);
    }
    memcpy(o->desc, hmf__openfile_type, HMF__OPENFILE_INTS * sizeof *o->desc);
    o->desc_len = HMF__OPENFILE_INTS;
    o->count = 1;
    o->file = file;
    o->fd = fd;
    *out = o;
    return HMF_OK;
}

hmf_status_t hmf_object_new_openfile(const char *name, FILE **file, hmf_object_t **out)
{
    return file ? new_openfile(name, file, NULL, out)
                : hmf__fail(HMF_ERR_ARG, "an open file needs the address of its variable");
}

hmf_status_t hmf_object_new_openfile_fd(const char *name, int *fd, hmf_object_t **out)
{
    return fd ? new_openfile(name, NULL, fd, out)
              : hmf__fail(HMF_ERR_ARG, "an open file needs the address of its variable");
}

static void drop_attribute(struct hmf__attribute *a)
{
    hmf__free(a->key);
    hmf__free(a->text);
}

void hmf__object_clear(hmf_object_t *o)
{
    while (o->nattributes)
        drop_attribute(&o->attributes[--o->nattributes]);
    hmf__free(o->attributes);
    o->attributes = NULL;
}

void hmf_object_free(hmf_object_t *o)
{
    if (!o)
        return;
    hmf__object_clear(o);
    for (size_t i = 0; o->field_names && o->field_names[i]; i++)
        hmf__free(o->field_names[i]);
    hmf__free(o->field_names);
    hmf__buf_fini(&o->bytes);
    hmf__free(o->desc);
    hmf__free(o->name);
    hmf__free(o);
}

/* ---- looking ---- */

const char *hmf_object_name(const hmf_object_t *o)
{
    return o->name;
}

const int *hmf_object_type(const hmf_object_t *o, size_t *len, size_t *count)
{
    *len = o->desc_len;
    if (count)
        *count = o->count;
    return o->desc;
}

void *hmf_object_data(const hmf_object_t *o, size_t *size)
{
    if (size)
        *size = o->format == HMF_FORMAT_IMAGE ? o->bytes.len : o->size;
    return o->data;
}

enum hmf_format hmf_object_format(const hmf_object_t *o)
{
    return o->format;
}

const char *hmf_object_machine(const hmf_object_t *o)
{
    return o->machine;
}

/* ---- attributes ---- */

static struct hmf__attribute *find(const hmf_object_t *o, const char *key)
{
    for (size_t i = 0; key && i < o->nattributes; i++)
        if (!strcmp(o->attributes[i].key, key))
            return &o->attributes[i];
    return NULL;
}

const char *hmf_object_get(const hmf_object_t *o, const char *key)
{
    const struct hmf__attribute *a = find(o, key);

    return a ? a->text : NULL;
}

const char *hmf_object_key(const hmf_object_t *o, size_t i)
{
    return i < o->nattributes ? o->attributes[i].key : NULL;
}

hmf_status_t hmf_object_set(hmf_object_t *o, const char *key, const char *text)
{
    struct hmf__attribute *a = find(o, key), new = {0};

    if (!good_name(key) || (text && strlen(text) >= INT_MAX))
        return hmf__fail(HMF_ERR_ARG, "object %s: an attribute needs a key of 1 to %d bytes "
                         "without '%c', and a text below 2^31 bytes", o->name,
                         HMF__OBJECT_NAME_MAX, HMF__OBJECT_MARK);
    if (o->format != HMF_FORMAT_HOST)
        return hmf__fail(HMF_ERR_ARG, "object %s is an image: translate it to change attributes",
                         o->name);
    if (!text) {
        if (a) {
            drop_attribute(a);
            o->nattributes--;
            memmove(a, a + 1, (size_t)(o->attributes + o->nattributes - a) * sizeof *a);
        }
        return HMF_OK;
    }
    if (!(new.text = hmf__strdup(text)))
        return no_memory(o->name);
    if (a) {
        hmf__free(a->text);
        a->text = new.text;
        return HMF_OK;
    }
    void *more = hmf__realloc(o->attributes, (o->nattributes + 1) * sizeof *a);
    if (more)
        o->attributes = more;
    if (!more || !(new.key = hmf__strdup(key))) {
        hmf__free(new.text);
        return no_memory(o->name);
    }
    o->attributes[o->nattributes++] = new;
    return HMF_OK;
}
