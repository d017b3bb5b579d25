/* Typed fields of JSON objects with messages that name the place; see graph_field.h. */
#include "config.h"

#include "graph_field.h"

#include "base.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 64 << 20 };

static hmf_status_t parsed(json_t *root, const json_error_t *e, const char *where, json_t **out)
{
    if (!root && json_error_code(e) == json_error_out_of_memory)
        return hmf__fail(HMF_ERR_NOMEM, "%s: no memory to read it", where);
    if (!root)
        return hmf__fail(HMF_ERR_FORMAT, "%s: line %d, column %d: %s", where, e->line, e->column,
                         e->text);
    *out = root;
    return HMF_OK;
}

hmf_status_t hmf__json_parse(const char *text, size_t len, const char *where, json_t **root)
{
    json_error_t e;

    if (len > TEXT_MAX)
        return hmf__fail(HMF_ERR_FORMAT, "%s: longer than %d bytes", where, TEXT_MAX);
    return parsed(json_loadb(text, len, JSON_REJECT_DUPLICATES, &e), &e, where, root);
}

hmf_status_t hmf__json_load(const char *path, json_t **root)
{
    struct hmf__buf text = HMF__BUF_INIT;
    hmf_status_t rc;
    size_t n;
    FILE *f = fopen(path, "rb");

    if (!f)
        return hmf__fail(HMF_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    do {
        void *room = text.len <= TEXT_MAX ? hmf__buf_space(&text, 65536) : NULL;
        n = room ? fread(room, 1, 65536, f) : 0;
        if (room)
            text.len -= 65536 - n;
    } while (n);
    if (ferror(f))
        rc = hmf__fail(HMF_ERR_IO, "cannot read %s: %s", path, strerror(errno));
    else if (text.status)
        rc = hmf__fail(HMF_ERR_NOMEM, "%s: no memory to read it", path);
    else
        rc = hmf__json_parse((const char *)text.data, text.len, path, root);
    fclose(f);
    hmf__buf_fini(&text);
    return rc;
}

void hmf__json_wrong(struct hmf__json *f, const char *name, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    if (f->all->status)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->all->status = hmf__fail(HMF_ERR_FORMAT, "%s: %s%s%s %s", f->all->where, f->path,
                               f->path[0] && name[0] ? "." : "", name, text);
}

void hmf__json_failed(struct hmf__json *f, hmf_status_t status)
{
    if (!status || f->all->status)
        return;
    f->all->status = f->path[0] ? hmf__fail_prefix(status, "%s: %s", f->all->where, f->path)
                                : hmf__fail_prefix(status, "%s", f->all->where);
}

static struct hmf__json field_of(struct hmf__json_source *all, json_t *object)
{
    struct hmf__json f = {.all = all, .object = json_is_object(object) ? object : NULL};

    return f;
}

struct hmf__json hmf__json_root(struct hmf__json_source *all, json_t *root)
{
    struct hmf__json f = field_of(all, root);

    if (!f.object)
        hmf__json_wrong(&f, "", "the text is not an object: begin it with {");
    return f;
}

struct hmf__json hmf__json_item(struct hmf__json *f, json_t *array, const char *name, size_t i)
{
    struct hmf__json item = field_of(f->all, json_array_get(array, i));

    snprintf(item.path, sizeof item.path, "%.100s%s%.40s[%zu]", f->path, f->path[0] ? "." : "",
             name, i);
    if (!item.object)
        hmf__json_wrong(&item, "", "is not an object");
    return item;
}

json_t *hmf__json_get(struct hmf__json *f, const char *name)
{
    if (f->nasked < HMF__FIELDS_MAX)
        f->asked[f->nasked++] = name;
    return f->object && !f->all->status ? json_object_get(f->object, name) : NULL;
}

static json_t *ask(struct hmf__json *f, const char *name, int must)
{
    json_t *v = hmf__json_get(f, name);

    if (!v && must)
        hmf__json_wrong(f, name, "is missing");
    return v;
}

struct hmf__json hmf__json_object(struct hmf__json *f, const char *name)
{
    json_t *v = ask(f, name, 0);
    struct hmf__json sub = field_of(f->all, v);

    snprintf(sub.path, sizeof sub.path, "%.100s%s%.50s", f->path, f->path[0] ? "." : "", name);
    if (v && !sub.object)
        hmf__json_wrong(&sub, "", "is not an object");
    return sub;
}

void hmf__json_number(struct hmf__json *f, const char *name, int must, int infinite, double *out)
{
    json_t *v = ask(f, name, must);
    const char *text = json_string_value(v);

    if (!v)
        return;
    if (json_is_number(v))
        *out = json_number_value(v);
    else if (infinite && text && !strcmp(text, "inf"))
        *out = INFINITY;
    else
        hmf__json_wrong(f, name, "is not a number%s", infinite ? " or \"inf\"" : "");
}

void hmf__json_flag(struct hmf__json *f, const char *name, int *out)
{
    json_t *v = ask(f, name, 0);

    if (!v)
        return;
    if (json_is_boolean(v))
        *out = json_is_true(v);
    else
        hmf__json_wrong(f, name, "is neither true nor false");
}

void hmf__json_text(struct hmf__json *f, const char *name, int must, char *out, size_t size)
{
    json_t *v = ask(f, name, must);
    const char *text = json_string_value(v);

    if (!v)
        return;
    if (!text)
        hmf__json_wrong(f, name, "is not a text");
    else if (json_string_length(v) >= size)
        hmf__json_wrong(f, name, "has more than %zu characters", size - 1);
    else
        memcpy(out, text, json_string_length(v) + 1);
}

void hmf__json_word(struct hmf__json *f, const char *name, const char *const *words, int *out)
{
    json_t *v = ask(f, name, 0);
    const char *text = json_string_value(v);
    char all[200] = "";

    if (!v)
        return;
    for (int i = 0; words[i]; i++) {
        if (text && !strcmp(text, words[i])) {
            *out = i;
            return;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", words[i]);
    }
    hmf__json_wrong(f, name, "is none of %s", all);
}

json_t *hmf__json_array(struct hmf__json *f, const char *name, size_t *n)
{
    json_t *v = ask(f, name, 0);

    *n = 0;
    if (!v)
        return NULL;
    if (!json_is_array(v)) {
        hmf__json_wrong(f, name, "is not an array");
        return NULL;
    }
    *n = json_array_size(v);
    return v;
}

void hmf__json_end(struct hmf__json *f)
{
    const char *name;
    json_t *v;
    size_t i;

    if (!f->object || f->all->status)
        return;
    json_object_foreach(f->object, name, v) {
        for (i = 0; i < f->nasked && strcmp(f->asked[i], name); i++)
            ;
        if (i == f->nasked)
            hmf__json_wrong(f, name, "is not known here");
    }
}
