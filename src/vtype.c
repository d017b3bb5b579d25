/* Datatypes and their recipes; see vtype.h. */
#include "config.h"

#include "vtype.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

#define NAMED(X)                                                                                  \
    X(MPI_DATATYPE_NULL) X(MPI_CHAR) X(MPI_SIGNED_CHAR) X(MPI_UNSIGNED_CHAR) X(MPI_BYTE)          \
    X(MPI_WCHAR) X(MPI_SHORT) X(MPI_UNSIGNED_SHORT) X(MPI_INT) X(MPI_UNSIGNED) X(MPI_LONG)        \
    X(MPI_UNSIGNED_LONG) X(MPI_FLOAT) X(MPI_DOUBLE) X(MPI_LONG_DOUBLE) X(MPI_LONG_LONG_INT)       \
    X(MPI_UNSIGNED_LONG_LONG) X(MPI_PACKED) X(MPI_INT8_T) X(MPI_UINT8_T) X(MPI_INT16_T)           \
    X(MPI_UINT16_T) X(MPI_INT32_T) X(MPI_UINT32_T) X(MPI_INT64_T) X(MPI_UINT64_T) X(MPI_AINT)     \
    X(MPI_COUNT) X(MPI_OFFSET) X(MPI_C_BOOL) X(MPI_C_FLOAT_COMPLEX) X(MPI_C_DOUBLE_COMPLEX)       \
    X(MPI_C_LONG_DOUBLE_COMPLEX) X(MPI_FLOAT_INT) X(MPI_DOUBLE_INT) X(MPI_LONG_INT)               \
    X(MPI_2INT) X(MPI_SHORT_INT) X(MPI_LONG_DOUBLE_INT) X(MPI_CXX_BOOL) X(MPI_CXX_FLOAT_COMPLEX)  \
    X(MPI_CXX_DOUBLE_COMPLEX) X(MPI_CXX_LONG_DOUBLE_COMPLEX) X(MPI_CHARACTER) X(MPI_LOGICAL)      \
    X(MPI_INTEGER) X(MPI_REAL) X(MPI_DOUBLE_PRECISION) X(MPI_COMPLEX) X(MPI_DOUBLE_COMPLEX)       \
    X(MPI_2REAL) X(MPI_2DOUBLE_PRECISION) X(MPI_2INTEGER)

/* Handles are addresses that the linker knows, so the tables are filled when first asked for. */
static struct name { const char *name; MPI_Datatype type; } names[64];
static size_t nnames;

static void fill_names(void)
{
    if (nnames > 0)
        return;
#define X(t) names[nnames++] = (struct name) { #t, t };
    NAMED(X)
#undef X
}

const char *hmf__vtype_name(MPI_Datatype type)
{
    fill_names();
    for (size_t i = 0; i < nnames; i++)
        if (names[i].type == type)
            return names[i].name;
    return NULL;
}

static const struct combiner {
    const char *name;
    int combiner;
} combiners[] = {
    { "dup", MPI_COMBINER_DUP },
    { "contiguous", MPI_COMBINER_CONTIGUOUS },
    { "vector", MPI_COMBINER_VECTOR },
    { "hvector", MPI_COMBINER_HVECTOR },
    { "indexed", MPI_COMBINER_INDEXED },
    { "hindexed", MPI_COMBINER_HINDEXED },
    { "indexed_block", MPI_COMBINER_INDEXED_BLOCK },
    { "hindexed_block", MPI_COMBINER_HINDEXED_BLOCK },
    { "struct", MPI_COMBINER_STRUCT },
    { "subarray", MPI_COMBINER_SUBARRAY },
    { "darray", MPI_COMBINER_DARRAY },
    { "resized", MPI_COMBINER_RESIZED }
};

static const char *combiner_name(int combiner)
{
    for (size_t i = 0; i < sizeof(combiners) / sizeof(combiners[0]); i++)
        if (combiners[i].combiner == combiner)
            return combiners[i].name;
    return NULL;
}

static void put(struct hmf__buf *b, const char *text)
{
    hmf__buf_put_bytes(b, text, strlen(text));
}

static void put_number(struct hmf__buf *b, const char *before, long long n)
{
    char text[40];

    snprintf(text, sizeof(text), "%s%lld", before, n);
    put(b, text);
}

static hmf_status_t put_type(MPI_Datatype type, struct hmf__buf *b, int depth);

static hmf_status_t put_contents(MPI_Datatype type, int ni, int na, int nd, struct hmf__buf *b,
                                 int depth)
{
    int *ints = hmf__calloc((size_t) ni + 1, sizeof(*ints));
    MPI_Aint *addresses = hmf__calloc((size_t) na + 1, sizeof(*addresses));
    MPI_Datatype *types = hmf__calloc((size_t) nd + 1, sizeof(*types));
    hmf_status_t status = HMF_OK;
    int rc = MPI_SUCCESS;

    if (ints == NULL || addresses == NULL || types == NULL)
        status = hmf__fail(HMF_ERR_NOMEM, "no memory to describe a datatype");
    else
        rc = PMPI_Type_get_contents(type, ni, na, nd, ints, addresses, types);
    if (rc != MPI_SUCCESS)
        status = hmf__fail(HMF_ERR_MPI, "MPI does not tell how a datatype was made (%d)", rc);
    if (status == HMF_OK) {
        for (int i = 0; i < ni; i++)
            put_number(b, i > 0 ? "," : "", ints[i]);
        put(b, ";");
        for (int i = 0; i < na; i++)
            put_number(b, i > 0 ? "," : "", addresses[i]);
        put(b, ";");
        for (int i = 0; i < nd; i++) {
            if (i > 0)
                put(b, ",");
            if (status == HMF_OK)
                status = put_type(types[i], b, depth + 1);
            if (hmf__vtype_name(types[i]) == NULL)
                PMPI_Type_free(&types[i]);
        }
        put(b, ")");
    }
    hmf__free(ints);
    hmf__free(addresses);
    hmf__free(types);
    return status;
}

static hmf_status_t put_type(MPI_Datatype type, struct hmf__buf *b, int depth)
{
    const char *name = hmf__vtype_name(type);
    int ni, na, nd, combiner, rc;

    if (name != NULL) {
        put(b, name);
        return b->status;
    }
    if (depth > MAX_DEPTH)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "a datatype is made of others more than %d deep",
                         MAX_DEPTH);
    rc = PMPI_Type_get_envelope(type, &ni, &na, &nd, &combiner);
    if (rc != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "MPI does not tell what a datatype is (%d)", rc);
    name = combiner_name(combiner);
    if (name == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "a datatype of an unusual kind (combiner %d) cannot be "
                         "carried", combiner);
    put(b, name);
    put(b, "(");
    return put_contents(type, ni, na, nd, b, depth);
}

hmf_status_t hmf__vtype_text(MPI_Datatype type, struct hmf__buf *out)
{
    hmf_status_t status = put_type(type, out, 0);

    if (status == HMF_OK && out->status != HMF_OK)
        status = hmf__fail(HMF_ERR_NOMEM, "no memory to describe a datatype");
    return status;
}

/* ---- back ---- */

struct reader {
    const char *at, *end;
};

/* The parts of a recipe; lists of numbers grow, those of types too. */
struct recipe {
    int *ints;
    MPI_Aint *addresses;
    MPI_Datatype *types;
    int ni, na, nd;
};

static hmf_status_t damaged(void)
{
    return hmf__fail(HMF_ERR_FORMAT, "the description of a datatype is damaged");
}

static hmf_status_t no_memory(void)
{
    return hmf__fail(HMF_ERR_NOMEM, "no memory to make a datatype");
}

static bool skip(struct reader *r, char c)
{
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool number(struct reader *r, long long *out)
{
    char text[32];
    size_t n = 0;

    while (r->at < r->end && n + 1 < sizeof(text) && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
        text[n++] = *r->at++;
    text[n] = '\0';
    char *tail = text;
    *out = strtoll(text, &tail, 10);
    return n > 0 && *tail == '\0';
}

/* More than any list has: what is left of the text bounds it. */
static size_t most(const struct reader *r)
{
    return (size_t) (r->end - r->at) + 1;
}

static hmf_status_t numbers(struct reader *r, struct recipe *c)
{
    long long v;

    c->ints = hmf__calloc(most(r), sizeof(*c->ints));
    c->addresses = hmf__calloc(most(r), sizeof(*c->addresses));
    if (c->ints == NULL || c->addresses == NULL)
        return no_memory();
    for (bool more = !skip(r, ';'); more; more = !skip(r, ';')) {
        if ((c->ni > 0 && !skip(r, ',')) || !number(r, &v) || v < INT_MIN || v > INT_MAX)
            return damaged();
        c->ints[c->ni++] = (int) v;
    }
    for (bool more = !skip(r, ';'); more; more = !skip(r, ';')) {
        if ((c->na > 0 && !skip(r, ',')) || !number(r, &v))
            return damaged();
        c->addresses[c->na++] = (MPI_Aint) v;
    }
    return HMF_OK;
}

static bool shape(const struct recipe *c, int ni, int na, int nd)
{
    return c->ni == ni && c->na == na && c->nd == nd;
}

/* No number of the first n may be negative: counts and lengths. */
static bool natural(const struct recipe *c, int n)
{
    for (int i = 0; i < n; i++)
        if (c->ints[i] < 0)
            return false;
    return true;
}

/* MPI_SUCCESS, an MPI code, or -1: no such recipe. */
static int build(int combiner, const struct recipe *c, MPI_Datatype *out)
{
    int n = c->ni > 0 ? c->ints[0] : -1, *i = c->ints;
    const MPI_Aint *a = c->addresses;
    MPI_Datatype *t = c->types;

    if (combiner == MPI_COMBINER_DUP)
        return shape(c, 0, 0, 1) ? PMPI_Type_dup(t[0], out) : -1;
    if (combiner == MPI_COMBINER_RESIZED)
        return shape(c, 0, 2, 1) ? PMPI_Type_create_resized(t[0], a[0], a[1], out) : -1;
    if (n < 0)
        return -1;
    switch (combiner) {
    case MPI_COMBINER_CONTIGUOUS:
        return shape(c, 1, 0, 1) ? PMPI_Type_contiguous(n, t[0], out) : -1;
    case MPI_COMBINER_VECTOR:
        return shape(c, 3, 0, 1) && i[1] >= 0 ? PMPI_Type_vector(n, i[1], i[2], t[0], out) : -1;
    case MPI_COMBINER_HVECTOR:
        return shape(c, 2, 1, 1) && i[1] >= 0 ? PMPI_Type_create_hvector(n, i[1], a[0], t[0], out)
                                              : -1;
    case MPI_COMBINER_INDEXED:
        return n < INT_MAX / 2 && shape(c, 2 * n + 1, 0, 1) && natural(c, n + 1)
            ? PMPI_Type_indexed(n, i + 1, i + 1 + n, t[0], out) : -1;
    case MPI_COMBINER_HINDEXED:
        return n < INT_MAX && shape(c, n + 1, n, 1) && natural(c, n + 1)
            ? PMPI_Type_create_hindexed(n, i + 1, a, t[0], out) : -1;
    case MPI_COMBINER_INDEXED_BLOCK:
        return n < INT_MAX - 2 && shape(c, n + 2, 0, 1) && i[1] >= 0
            ? PMPI_Type_create_indexed_block(n, i[1], i + 2, t[0], out) : -1;
    case MPI_COMBINER_HINDEXED_BLOCK:
        return shape(c, 2, n, 1) && i[1] >= 0
            ? PMPI_Type_create_hindexed_block(n, i[1], a, t[0], out) : -1;
    case MPI_COMBINER_STRUCT:
        return n < INT_MAX && shape(c, n + 1, n, n) && natural(c, n + 1)
            ? PMPI_Type_create_struct(n, i + 1, a, t, out) : -1;
    case MPI_COMBINER_SUBARRAY:
        if (n > 1000 || !shape(c, 3 * n + 2, 0, 1))
            return -1;
        for (int k = 0; k < n; k++)
            if (i[1 + k] < 1 || i[1 + n + k] < 1 || i[1 + n + k] > i[1 + k]
                || i[1 + 2 * n + k] < 0 || i[1 + 2 * n + k] > i[1 + k] - i[1 + n + k])
                return -1;
        return PMPI_Type_create_subarray(n, i + 1, i + 1 + n, i + 1 + 2 * n, i[1 + 3 * n], t[0],
                                         out);
    default: /* darray: size, rank, ndims, gsizes, distribs, dargs, psizes, order */
        n = c->ni > 2 ? i[2] : -1;
        return n >= 1 && n <= 1000 && shape(c, 4 * n + 4, 0, 1)
            ? PMPI_Type_create_darray(i[0], i[1], n, i + 3, i + 3 + n, i + 3 + 2 * n,
                                      i + 3 + 3 * n, i[3 + 4 * n], t[0], out) : -1;
    }
}

static void let_go(MPI_Datatype *type)
{
    if (hmf__vtype_name(*type) == NULL)
        PMPI_Type_free(type);
}

static hmf_status_t get_type(struct reader *r, MPI_Datatype *out, int depth);

static hmf_status_t get_derived(struct reader *r, int combiner, MPI_Datatype *out, int depth)
{
    struct recipe c = { 0 };
    hmf_status_t status = numbers(r, &c);
    int rc;

    if (status == HMF_OK && (c.types = hmf__calloc(most(r), sizeof(*c.types))) == NULL)
        status = no_memory();
    for (bool more = status == HMF_OK && !skip(r, ')'); more; more = !skip(r, ')')) {
        if (c.nd > 0 && !skip(r, ','))
            status = damaged();
        if (status == HMF_OK)
            status = get_type(r, &c.types[c.nd], depth + 1);
        if (status != HMF_OK)
            break;
        c.nd++;
    }
    if (status == HMF_OK) {
        rc = build(combiner, &c, out);
        if (rc == -1)
            status = damaged();
        else if (rc != MPI_SUCCESS)
            status = hmf__fail(HMF_ERR_MPI, "MPI does not make a datatype again (%d)", rc);
    }
    while (c.nd > 0)
        let_go(&c.types[--c.nd]);
    hmf__free(c.ints);
    hmf__free(c.addresses);
    hmf__free(c.types);
    return status;
}

static hmf_status_t get_type(struct reader *r, MPI_Datatype *out, int depth)
{
    const char *word = r->at;
    size_t len;

    fill_names();
    while (r->at < r->end && strchr(",;()", *r->at) == NULL)
        r->at++;
    len = (size_t) (r->at - word);
    for (size_t i = 0; i < nnames; i++)
        if (strlen(names[i].name) == len && memcmp(names[i].name, word, len) == 0) {
            *out = names[i].type;
            /* A null handle is a variable's value, but nothing is made of it. */
            return depth > 0 && *out == MPI_DATATYPE_NULL ? damaged() : HMF_OK;
        }
    for (size_t i = 0; i < sizeof(combiners) / sizeof(combiners[0]); i++)
        if (strlen(combiners[i].name) == len && memcmp(combiners[i].name, word, len) == 0)
            return depth < MAX_DEPTH && skip(r, '(')
                ? get_derived(r, combiners[i].combiner, out, depth) : damaged();
    return damaged();
}

hmf_status_t hmf__vtype_find(const char *text, size_t len, MPI_Datatype *out)
{
    struct reader r = { text, text + len };
    MPI_Errhandler before;
    hmf_status_t status;
    int rc;

    /* Numbers that only MPI can judge must give an error, not end the job. */
    PMPI_Comm_get_errhandler(MPI_COMM_WORLD, &before);
    PMPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    status = get_type(&r, out, 0);
    if (status == HMF_OK && r.at != r.end) {
        let_go(out);
        status = damaged();
    }
    if (status == HMF_OK && hmf__vtype_name(*out) == NULL) {
        rc = PMPI_Type_commit(out);
        if (rc != MPI_SUCCESS) {
            PMPI_Type_free(out);
            status = hmf__fail(HMF_ERR_MPI, "MPI does not commit a datatype (%d)", rc);
        }
    }
    PMPI_Comm_set_errhandler(MPI_COMM_WORLD, before);
    PMPI_Errhandler_free(&before);
    return status;
}
