/* Fields of JSON objects, read with messages that name the place: "net.json: vertices[2].speed is a
 * string: give a number".  The first error sticks, later calls do nothing, so that readers check
 * once at the end.  Fields that nobody asked for are an error of hmf__json_end: a mistyped name
 * must not be taken for a default.  Needs jansson; what fields mean is the callers'.
 */
#ifndef HMF__GRAPH_FIELD_H
#define HMF__GRAPH_FIELD_H

#include "hmf/status.h"

#include <jansson.h>
#include <stddef.h>

enum { HMF__FIELDS_MAX = 40 }; /* names of one kind of object */

struct hmf__json_source {
    const char *where;   /* the file or text */
    hmf_status_t status; /* of the first error */
};

struct hmf__json {
    struct hmf__json_source *all;
    json_t *object;      /* borrowed; NULL after an error */
    char path[160];      /* "vertices[2]"; "" for the root */
    const char *asked[HMF__FIELDS_MAX]; /* names that are known here */
    size_t nasked;
};

/* Read a text or a file of at most 64 MiB; *root is for json_decref.  HMF_ERR_FORMAT, HMF_ERR_IO,
 * HMF_ERR_NOMEM. */
hmf_status_t hmf__json_parse(const char *text, size_t len, const char *where, json_t **root);
hmf_status_t hmf__json_load(const char *path, json_t **root);

struct hmf__json hmf__json_root(struct hmf__json_source *all, json_t *root);

/* The object in an array's place i; called `name[i]` in messages. */
struct hmf__json hmf__json_item(struct hmf__json *f, json_t *array, const char *name, size_t i);
/* The object under `name`; .object is NULL if it is not there. */
struct hmf__json hmf__json_object(struct hmf__json *f, const char *name);

/* These leave *out as it is when the field is not there; `must` makes that an error.  A number may
 * be "inf" where `infinite` is set. */
void hmf__json_number(struct hmf__json *f, const char *name, int must, int infinite, double *out);
void hmf__json_flag(struct hmf__json *f, const char *name, int *out);
/* Copied to out[size]. */
void hmf__json_text(struct hmf__json *f, const char *name, int must, char *out, size_t size);
/* One of the words; *out is its place in the list, which a NULL ends. */
void hmf__json_word(struct hmf__json *f, const char *name, const char *const *words, int *out);
/* The array under the name (borrowed) and its length; NULL and 0 if it is not there. */
json_t *hmf__json_array(struct hmf__json *f, const char *name, size_t *n);
/* The field as it is (borrowed), for those that may be of several kinds; NULL: not there. */
json_t *hmf__json_get(struct hmf__json *f, const char *name);

/* Complain of the field: "<where>: <path>.<name> <fmt...>" with HMF_ERR_FORMAT. */
void hmf__json_wrong(struct hmf__json *f, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A status that another function failed with gets "<where>: <path>" before its text. */
void hmf__json_failed(struct hmf__json *f, hmf_status_t status);

/* Complain of fields that were not asked for. */
void hmf__json_end(struct hmf__json *f);

#endif
