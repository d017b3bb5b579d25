/* Parsing a meta: any bytes give a valid meta or an error.  doc/image-format.md has the format. */
#include "config.h"

#include "meta.h"

#include "base.h"
#include "depend.h"
#include "handle.h"
#include "length.h"

#include "typemap.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hmf_meta {
    struct hmf__types types;
    struct hmf__table_info *tables;
    struct hmf__root_info *roots;
    struct hmf__segment_info *segments;
    size_t ntables, nroots, nsegments;
    uint64_t nblocks, bytes;
    uint32_t version;
};

/* Smallest encodings, so that counts can be checked against the bytes that are left. */
enum { TYPE_BYTES = 47, FIELD_BYTES = 28, TABLE_BYTES = 21, ROOT_BYTES = 41 };

static hmf_status_t damaged(const char *what, size_t i)
{
    return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: %s %zu is not valid", what, i);
}

static hmf_status_t parse_abi(struct hmf__buf *b, struct hmf__abi *abi)
{
    const uint8_t *p = hmf__buf_get_bytes(b, 8);

    if (!p)
        return b->status;
    *abi = (struct hmf__abi){.big_endian = p[0], .pointer_size = p[1], .char_signed = p[2],
                             .max_align = p[3], .ldouble = p[4], .ldouble_size = p[5],
                             .ldouble_align = p[6]};
    return hmf__abi_check(abi);
}

static bool power_of_two(uint64_t n)
{
    return n && !(n & (n - 1));
}

/* Is this a type that stands by value? */
static bool by_value(const struct hmf__type *y)
{
    return y->kind != HMF__KIND_CSTRING && y->kind != HMF__KIND_VOID;
}

/* One that is nothing outside of a struct? */
static bool only_field(const struct hmf__type *y)
{
    return y->kind == HMF__KIND_BITS || y->kind == HMF__KIND_FLEX;
}

/* A type that may stand in an array, be a variable or a row. */
static bool alone(const struct hmf__type *y)
{
    return by_value(y) && !only_field(y);
}

static hmf_status_t parse_fields(struct hmf__buf *b, struct hmf__type *y, uint32_t self,
                                 const struct hmf__types *t)
{
    uint32_t n = hmf__buf_get_u32(b);

    if (n > HMF__MAX_FIELDS || n > hmf__buf_left(b) / FIELD_BYTES)
        return b->status == HMF_OK ? damaged("type", self) : b->status;
    if (!n)
        return HMF_OK;
    if (!(y->fields = hmf__calloc(n, sizeof *y->fields)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a struct of %u fields", n);
    for (; y->nfields < n; y->nfields++) {
        struct hmf__field *f = &y->fields[y->nfields];
        f->name = hmf__buf_get_string(b, HMF__MAX_NAME);
        f->offset = hmf__buf_get_u64(b);
        f->type = hmf__buf_get_u32(b);
        f->align = hmf__buf_get_u32(b);
        f->value = hmf__buf_get_i64(b);
        if (b->status != HMF_OK || f->type >= self || f->offset > HMF__MAX_SIZE ||
            !by_value(&t->v[f->type]) ||
            (y->kind == HMF__KIND_UNION && only_field(&t->v[f->type])) ||
            (y->kind == HMF__KIND_STRUCT && f->value &&
             t->v[f->type].kind != HMF__KIND_BITS)) {
            hmf__free(f->name);
            return b->status == HMF_OK ? damaged("type", self) : b->status;
        }
    }
    return HMF_OK;
}

static bool plausible(const struct hmf__types *t, const struct hmf__type *y, uint32_t ntypes)
{
    struct hmf__type basic;

    switch (y->kind) {
    case HMF__KIND_INT:
    case HMF__KIND_FLOAT:
    case HMF__KIND_COMPLEX:
        return hmf__types_basic(t, y->number, &basic) && basic.kind == y->kind &&
               basic.size == y->size && basic.align == y->align &&
               basic.is_signed == y->is_signed && !y->count && y->elem == HMF__TYPE_NONE &&
               !y->nfields && !y->name;
    case HMF__KIND_POINTER:
        return y->elem < ntypes && !y->nfields && y->count == 1 && y->len <= HMF__LEN_OUTER;
    case HMF__KIND_FUNCTION:
        return y->elem < ntypes && !y->nfields && y->count == 1;
    case HMF__KIND_HANDLE:
        return y->elem < ntypes && !y->nfields && y->count == 1 &&
               hmf__handle_type(y->number) != NULL;
    case HMF__KIND_TRANSIENT:
        return y->elem < t->n && alone(&t->v[y->elem]) && !y->nfields && y->count == 1;
    case HMF__KIND_FLEX:
        return y->elem < t->n && alone(&t->v[y->elem]) && !y->nfields && y->count == 1 &&
               y->len == HMF__LEN_FIELD && !y->len_up;
    case HMF__KIND_BITS:
        return hmf__types_basic(t, y->number, &basic) && basic.kind == HMF__KIND_INT &&
               basic.align == y->align && basic.is_signed == y->is_signed &&
               y->count <= 8 * basic.size && (y->count || y->unnamed) &&
               y->elem == HMF__TYPE_NONE && !y->nfields && !y->name;
    case HMF__KIND_UNION:
        return y->nfields && y->elem == HMF__TYPE_NONE && power_of_two(y->align) &&
               y->align <= 1u << 28 && y->size && y->size <= HMF__MAX_SIZE &&
               (y->len <= HMF__LEN_FIELD || y->len == HMF__LEN_PATH);
    case HMF__KIND_OPAQUE:
        return y->count && y->count <= HMF__MAX_SIZE && y->elem == HMF__TYPE_NONE && !y->nfields;
    case HMF__KIND_ARRAY:
        return y->elem < t->n && alone(&t->v[y->elem]) && y->count && !y->nfields;
    case HMF__KIND_STRUCT:
        return y->nfields && y->elem == HMF__TYPE_NONE && power_of_two(y->align) &&
               y->align <= 1u << 28 && y->size && y->size <= HMF__MAX_SIZE;
    case HMF__KIND_FSTRING:
        return y->count && y->elem == HMF__TYPE_NONE && !y->nfields;
    case HMF__KIND_CSTRING:
    case HMF__KIND_VOID:
        return y->elem == HMF__TYPE_NONE && !y->nfields;
    default:
        return false;
    }
}

/* The way from the field to a union's discriminant within it: as the words of typePATH. */
static hmf_status_t parse_path(struct hmf__buf *b, struct hmf__type *y, uint32_t self)
{
    uint32_t n = hmf__buf_get_u32(b);

    if (b->status != HMF_OK || n > HMF__MAX_EXPR - HMF__PATH_STEPS || y->len_up > INT16_MAX ||
        y->len_field > UINT16_MAX)
        return b->status == HMF_OK ? damaged("type", self) : b->status;
    if (!(y->expr = hmf__malloc((n + HMF__PATH_STEPS) * sizeof *y->expr)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a path of %u steps", n);
    y->expr[0] = typePATH;
    y->expr[1] = (int32_t)n + 1;
    y->expr[2] = typeUP((int32_t)y->len_up, (int32_t)y->len_field);
    for (uint32_t i = 0; i < n; i++)
        y->expr[HMF__PATH_STEPS + i] = (int32_t)hmf__buf_get_u32(b);
    y->nexpr = n + HMF__PATH_STEPS;
    return b->status;
}

static hmf_status_t parse_type(struct hmf__buf *b, hmf_meta_t *m, uint32_t ntypes)
{
    struct hmf__types *t = &m->types;
    struct hmf__type y = {0};
    uint32_t id = t->n;
    hmf_status_t rc;

    y.kind = (enum hmf__kind)hmf__buf_get_u8(b);
    uint8_t flags = hmf__buf_get_u8(b);
    y.is_signed = flags & 1;
    y.weak = flags >> 1 & 1;
    y.packed = flags >> 2 & 1;
    y.otherwise = flags >> 3 & 1;
    y.unnamed = flags >> 4 & 1;
    y.number = hmf__buf_get_u32(b);
    y.align = hmf__buf_get_u32(b);
    y.size = hmf__buf_get_u64(b);
    y.count = hmf__buf_get_u64(b);
    y.elem = hmf__buf_get_u32(b);
    y.len = (enum hmf__length)hmf__buf_get_u8(b);
    y.len_field = hmf__buf_get_u32(b);
    y.len_up = hmf__buf_get_u32(b);
    y.name = hmf__buf_get_string(b, HMF__MAX_NAME);
    if (y.name && !*y.name) {
        hmf__free(y.name);
        y.name = NULL;
    }
    rc = parse_fields(b, &y, id, t);
    if (rc == HMF_OK && y.kind == HMF__KIND_UNION && y.len == HMF__LEN_PATH)
        rc = parse_path(b, &y, id);
    if (rc == HMF_OK)
        rc = b->status;
    uint64_t size = y.size;
    bool good = rc == HMF_OK && flags < 32 && plausible(t, &y, ntypes) &&
                (!y.otherwise || y.kind == HMF__KIND_UNION) &&
                (!y.unnamed || y.kind == HMF__KIND_BITS) &&
                hmf__meta_version_of(&y) <= m->version;
    hmf_status_t added = hmf__types_add(t, &y, &id); /* takes what y owns */
    if (added != HMF_OK || rc != HMF_OK)
        return rc != HMF_OK ? rc : added;
    if (!good)
        return damaged("type", id);
    rc = hmf__types_finish(t, id, true);
    if (rc == HMF_OK && t->v[id].size != size)
        rc = damaged("type", id);
    return rc == HMF_OK ? rc : hmf__fail(HMF_ERR_FORMAT, "the image is damaged: type %u", id);
}

static hmf_status_t parse_table(struct hmf__buf *b, hmf_meta_t *m, size_t i)
{
    struct hmf__table_info *t = &m->tables[i];

    t->type = hmf__buf_get_u32(b);
    t->nblocks = hmf__buf_get_u64(b);
    t->nrows = hmf__buf_get_u64(b);
    uint8_t flags = hmf__buf_get_u8(b);
    if (b->status != HMF_OK)
        return b->status;
    if (t->type >= m->types.n || flags > 3)
        return damaged("table", i);
    const struct hmf__type *y = &m->types.v[t->type];
    t->has_counts = flags & 1;
    t->has_leaves = flags >> 1;
    t->nslots = y->nslots;
    t->first_block = m->nblocks;
    t->has_tails = y->flex;
    if (!t->nblocks || only_field(y) || (t->has_tails && t->has_counts) ||
        !y->size || y->kind == HMF__KIND_ARRAY || y->kind == HMF__KIND_VOID ||
        t->nblocks > HMF__MAX_BLOCKS - m->nblocks || t->nrows > HMF__MAX_SIZE / y->size ||
        (!t->has_counts && t->nrows != t->nblocks) || (t->has_leaves && !t->nslots))
        return damaged("table", i);
    m->nblocks += t->nblocks;
    return HMF_OK;
}

/* The table that a block is in. */
static uint32_t table_of(const hmf_meta_t *m, uint64_t block)
{
    size_t lo = 0, hi = m->ntables;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->tables[mid].first_block <= block)
            lo = mid;
        else
            hi = mid;
    }
    return (uint32_t)lo;
}

static hmf_status_t parse_root(struct hmf__buf *b, hmf_meta_t *m, size_t i)
{
    struct hmf__root_info *r = &m->roots[i];
    uint32_t elem;
    uint64_t inner;

    r->name = hmf__buf_get_string(b, HMF__MAX_NAME);
    r->type = hmf__buf_get_u32(b);
    r->count = hmf__buf_get_u64(b);
    r->block = hmf__buf_get_u64(b);
    r->row = hmf__buf_get_u64(b);
    r->leaf = hmf__buf_get_u64(b);
    uint8_t inside = hmf__buf_get_u8(b);
    if (b->status != HMF_OK)
        return b->status;
    if (!*r->name || r->type >= m->types.n || !alone(&m->types.v[r->type]) || !r->count ||
        r->block >= m->nblocks || inside > 1 ||
        (m->types.v[r->type].flex && (inside || r->count != 1)))
        return damaged("variable", i);
    r->inside = inside;
    r->table = table_of(m, r->block);
    const struct hmf__table_info *t = &m->tables[r->table];
    hmf__types_flatten(&m->types, r->type, &elem, &inner);
    if (hmf__mul_overflow_u64(r->count, inner, &r->nrows) ||
        r->nrows > HMF__MAX_SIZE / m->types.v[elem].size)
        return damaged("variable", i);
    if (r->inside)
        r->nrows = 0;
    else if (elem != t->type || r->leaf || r->row > t->nrows || r->nrows > t->nrows - r->row)
        return damaged("variable", i);
    return HMF_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct hmf__root_info *const *)a)->name,
                  (*(const struct hmf__root_info *const *)b)->name);
}

static hmf_status_t check_names(const hmf_meta_t *m)
{
    const struct hmf__root_info **sorted = hmf__malloc(m->nroots * sizeof *sorted);
    hmf_status_t rc = HMF_OK;

    if (!sorted)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %zu names", m->nroots);
    for (size_t i = 0; i < m->nroots; i++)
        sorted[i] = &m->roots[i];
    qsort(sorted, m->nroots, sizeof *sorted, compare_names);
    for (size_t i = 1; i < m->nroots && rc == HMF_OK; i++)
        if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
            rc = hmf__fail(HMF_ERR_FORMAT, "the image is damaged: two variables are called %s",
                           sorted[i]->name);
    hmf__free(sorted);
    return rc;
}

/* A table's name for files: from its type, other characters as '_'. */
static hmf_status_t name_table(hmf_meta_t *m, size_t i)
{
    char text[120];

    hmf__type_text(&m->types, m->tables[i].type, text, sizeof text);
    for (char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    m->tables[i].name = hmf__strdup(text);
    return m->tables[i].name ? HMF_OK : hmf__fail(HMF_ERR_NOMEM, "no memory for a name");
}

static int compare_tables(const void *a, const void *b)
{
    const struct hmf__table_info *x = *(const struct hmf__table_info *const *)a;
    const struct hmf__table_info *y = *(const struct hmf__table_info *const *)b;
    int c = strcmp(x->name, y->name);

    return c ? c : x->first_block < y->first_block ? -1 : 1;
}

static int compare_types(const void *a, const void *b)
{
    uint32_t x = (*(const struct hmf__table_info *const *)a)->type;
    uint32_t y = (*(const struct hmf__table_info *const *)b)->type;

    return x < y ? -1 : x > y;
}

/* Each type has one table at most; tables whose types have one name get a number added. */
static hmf_status_t check_tables(hmf_meta_t *m)
{
    struct hmf__table_info **sorted = hmf__malloc(m->ntables * sizeof *sorted);
    hmf_status_t rc = HMF_OK;
    size_t first = 0;

    if (!sorted)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %zu tables", m->ntables);
    for (size_t i = 0; i < m->ntables; i++)
        sorted[i] = &m->tables[i];
    qsort(sorted, m->ntables, sizeof *sorted, compare_types);
    for (size_t i = 1; i < m->ntables && rc == HMF_OK; i++)
        if (sorted[i - 1]->type == sorted[i]->type)
            rc = damaged("table", (size_t)(sorted[i] - m->tables));
    qsort(sorted, m->ntables, sizeof *sorted, compare_tables);
    for (size_t i = 1; i < m->ntables && rc == HMF_OK; i++) {
        char name[160];
        if (strcmp(sorted[first]->name, sorted[i]->name)) {
            first = i;
            continue;
        }
        /* two underscores: no type's text has them, so the name is new */
        snprintf(name, sizeof name, "%s__%zu", sorted[i]->name, i - first + 1);
        hmf__free((char *)(uintptr_t)sorted[i]->name);
        if (!(sorted[i]->name = hmf__strdup(name)))
            rc = hmf__fail(HMF_ERR_NOMEM, "no memory for a name");
    }
    hmf__free(sorted);
    return rc;
}

static bool add_segment(hmf_meta_t *m, enum hmf__segment_kind kind, size_t table, uint64_t n,
                        uint64_t each)
{
    uint64_t bytes;

    if (hmf__mul_overflow_u64(n, each, &bytes) || bytes > HMF__MAX_SIZE ||
        hmf__add_overflow_u64(m->bytes, bytes, &m->bytes) || m->bytes > HMF__MAX_SIZE)
        return false;
    m->segments[m->nsegments++] = (struct hmf__segment_info){kind, (uint32_t)table, bytes};
    return true;
}

static hmf_status_t make_segments(hmf_meta_t *m)
{
    if (!(m->segments = hmf__calloc(5 * m->ntables, sizeof *m->segments)))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %zu tables", m->ntables);
    for (size_t i = 0; i < m->ntables; i++)
        if (m->tables[i].has_counts &&
            !add_segment(m, HMF__SEG_COUNTS, i, m->tables[i].nblocks, 8))
            return damaged("table", i);
    for (size_t i = 0; i < m->ntables; i++)
        if (m->tables[i].has_tails && !add_segment(m, HMF__SEG_TAIL, i, m->tables[i].nblocks, 4))
            return damaged("table", i);
    for (size_t i = 0; i < m->ntables; i++) {
        const struct hmf__table_info *t = &m->tables[i];
        uint64_t slots;
        if (!add_segment(m, HMF__SEG_DATA, i, t->nrows, m->types.v[t->type].size) ||
            hmf__mul_overflow_u64(t->nrows, t->nslots, &slots) ||
            (t->nslots && !add_segment(m, HMF__SEG_REF_BLOCK, i, slots, 4)) ||
            (t->has_leaves && !add_segment(m, HMF__SEG_REF_LEAF, i, slots, 8)))
            return damaged("table", i);
    }
    return HMF_OK;
}

static hmf_status_t parse_head(struct hmf__buf *b, size_t len, uint32_t *out)
{
    const unsigned char *magic = hmf__buf_get_bytes(b, 8);
    uint32_t version = hmf__buf_get_u32(b), length = hmf__buf_get_u32(b);
    struct hmf__buf tail;

    if (!magic || b->status != HMF_OK || memcmp(magic, HMF__META_MAGIC, 8))
        return hmf__fail(HMF_ERR_FORMAT, "these bytes are no image of a state");
    if (version < HMF__META_VERSION_FIRST || version > HMF__META_VERSION)
        return hmf__fail(HMF_ERR_VERSION, "the image has version %u, this library knows versions "
                         "%u to %u", version, HMF__META_VERSION_FIRST, HMF__META_VERSION);
    *out = version;
    if (length != len || len < 20)
        return hmf__fail(HMF_ERR_FORMAT, "the image is cut off or damaged: its description should "
                         "have %u bytes and has %zu", length, len);
    hmf__buf_borrow(&tail, b->data + len - 4, 4);
    if (hmf__buf_get_u32(&tail) != hmf__crc32c(0, b->data, len - 4))
        return hmf__fail(HMF_ERR_CHECKSUM, "the image's description is damaged (checksum)");
    b->len -= 4;
    return HMF_OK;
}

static hmf_status_t parse(struct hmf__buf *b, hmf_meta_t *m)
{
    struct hmf__abi abi;
    hmf_status_t rc;

    if ((rc = parse_abi(b, &abi)) != HMF_OK)
        return rc;
    m->types.abi = abi;
    uint32_t ntypes = hmf__buf_get_u32(b), ntables = hmf__buf_get_u32(b);
    uint32_t nroots = hmf__buf_get_u32(b);
    if (b->status != HMF_OK)
        return b->status;
    if (ntypes > HMF__MAX_TYPES ||
        (uint64_t)ntypes * TYPE_BYTES + (uint64_t)ntables * TABLE_BYTES +
                (uint64_t)nroots * ROOT_BYTES > hmf__buf_left(b))
        return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: its counts do not fit its size");
    while (m->types.n < ntypes)
        if ((rc = parse_type(b, m, ntypes)) != HMF_OK)
            return rc;
    m->tables = hmf__calloc(ntables, sizeof *m->tables);
    m->roots = hmf__calloc(nroots, sizeof *m->roots);
    if (!m->tables || !m->roots)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for %u tables and %u variables", ntables,
                         nroots);
    for (; m->ntables < ntables; m->ntables++)
        if ((rc = parse_table(b, m, m->ntables)) != HMF_OK ||
            (rc = name_table(m, m->ntables)) != HMF_OK)
            return rc;
    if ((rc = check_tables(m)) != HMF_OK)
        return rc;
    while (m->nroots < nroots) {
        rc = parse_root(b, m, m->nroots++);
        if (rc != HMF_OK)
            return rc;
    }
    if (hmf__buf_left(b))
        return hmf__fail(HMF_ERR_FORMAT, "the image is damaged: %zu bytes too many in its "
                         "description", hmf__buf_left(b));
    if ((rc = check_names(m)) != HMF_OK)
        return rc;
    return make_segments(m);
}

hmf_status_t hmf_meta_parse(const void *bytes, size_t len, hmf_meta_t **out)
{
    struct hmf__buf b;
    hmf_status_t rc;

    uint32_t version = 0;
    hmf__buf_borrow(&b, bytes, len);
    if ((rc = parse_head(&b, len, &version)) != HMF_OK)
        return rc;
    hmf_meta_t *m = hmf__calloc(1, sizeof *m);
    if (!m)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to read an image");
    hmf__types_init(&m->types, NULL);
    m->bytes = len;
    m->version = version;
    if ((rc = parse(&b, m)) != HMF_OK) {
        hmf_meta_free(m);
        return rc;
    }
    *out = m;
    return HMF_OK;
}

void hmf_meta_free(hmf_meta_t *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->ntables; i++)
        hmf__free((char *)(uintptr_t)m->tables[i].name);
    for (size_t i = 0; i < m->nroots; i++)
        hmf__free((char *)(uintptr_t)m->roots[i].name);
    hmf__free(m->tables);
    hmf__free(m->roots);
    hmf__free(m->segments);
    hmf__types_fini(&m->types);
    hmf__free(m);
}

const struct hmf__types *hmf_meta_types(const hmf_meta_t *m)
{
    return &m->types;
}

size_t hmf_meta_ntables(const hmf_meta_t *m)
{
    return m->ntables;
}

const struct hmf__table_info *hmf_meta_table(const hmf_meta_t *m, size_t i)
{
    return i < m->ntables ? &m->tables[i] : NULL;
}

size_t hmf_meta_nroots(const hmf_meta_t *m)
{
    return m->nroots;
}

const struct hmf__root_info *hmf_meta_root(const hmf_meta_t *m, size_t i)
{
    return i < m->nroots ? &m->roots[i] : NULL;
}

size_t hmf_meta_nsegments(const hmf_meta_t *m)
{
    return m->nsegments;
}

const struct hmf__segment_info *hmf_meta_segment(const hmf_meta_t *m, size_t i)
{
    return i < m->nsegments ? &m->segments[i] : NULL;
}

uint64_t hmf_meta_bytes(const hmf_meta_t *m)
{
    return m->bytes;
}
