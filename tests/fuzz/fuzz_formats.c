/* Fuzzer over XDR and object streams.
 *
 * The first byte says which.  XDR: a byte chooses procedures, the rest is decoded by them, encoded
 * again and decoded again, which must give the same.  Objects: checksums are made right first; what
 * was read is looked at from all sides and brought into memory.  See fuzz_main.h.
 */
#include "config.h"

#include "hmf/object.h"
#include "hmf/translate.h"
#include "hmf/xdr.h"
#include "mend.h"
#include "restored.h"
#include "typemap.h"

#include <stdbool.h>
#include <stdio.h>

/* ---- a type that has everything ---- */

struct item {
    int kind;
    union {
        int64_t number;
        double real;
        char *text;
    } u;
    struct item *next;
};

struct box {
    char c;
    short s;
    unsigned u;
    long l;
    unsigned long ul;
    float f;
    long double ld;
    int flag;
    char name[6];
    void *bytes;
    size_t nbytes;
    char *text;
    void *items;
    size_t nitems;
    struct item *list;
    void *shorts;
    size_t nshorts;
};

static hmf_status_t on_number(hmf_xdr_t *x, void *p)
{
    return hmf_xdr_int64(x, p);
}

static hmf_status_t on_real(hmf_xdr_t *x, void *p)
{
    return hmf_xdr_double(x, p);
}

static hmf_status_t on_text(hmf_xdr_t *x, void *p)
{
    return hmf_xdr_string(x, p, 1000);
}

static hmf_status_t on_item(hmf_xdr_t *x, void *p)
{
    static const struct hmf_xdr_arm arms[] = {
        {0, on_number}, {1, on_real}, {2, on_text}, {3, NULL}};
    struct item *i = p;
    hmf_status_t rc = hmf_xdr_union(x, &i->kind, &i->u, arms, 4, NULL);

    return rc == HMF_OK ? hmf_xdr_optional(x, (void **)&i->next, sizeof *i, on_item) : rc;
}

static hmf_status_t on_box(hmf_xdr_t *x, void *p)
{
    struct box *b = p;

    hmf_xdr_char(x, &b->c); /* errors stay with the handle */
    hmf_xdr_short(x, &b->s);
    hmf_xdr_uint(x, &b->u);
    hmf_xdr_long(x, &b->l);
    hmf_xdr_ulong(x, &b->ul);
    hmf_xdr_float(x, &b->f);
    hmf_xdr_ldouble(x, &b->ld);
    hmf_xdr_bool(x, &b->flag);
    hmf_xdr_opaque(x, b->name, sizeof b->name);
    hmf_xdr_bytes(x, &b->bytes, &b->nbytes, 1 << 20);
    hmf_xdr_string(x, &b->text, SIZE_MAX);
    hmf_xdr_array(x, &b->items, &b->nitems, SIZE_MAX, sizeof(struct item), on_item);
    hmf_xdr_optional(x, (void **)&b->list, sizeof(struct item), on_item);
    return hmf_xdr_value_array(x, typeSHORT, &b->shorts, &b->nshorts, SIZE_MAX);
}

static bool encode(void *object, hmf_xdr_proc *proc, void **bytes, size_t *len)
{
    hmf_xdr_t *x;

    *bytes = NULL;
    if (hmf_xdr_buffer(&x) != HMF_OK)
        return false;
    bool good = proc(x, object) == HMF_OK && hmf_xdr_take(x, bytes, len) == HMF_OK;
    return hmf_xdr_close(x) == HMF_OK && good;
}

/* What was decoded is encoded and decoded again: the same bytes then. */
static void again(void *object, hmf_xdr_proc *proc, size_t size)
{
    void *bytes, *twice;
    size_t len, len2;
    hmf_xdr_t *x;

    if (!encode(object, proc, &bytes, &len))
        abort();
    void *copy = calloc(1, size);
    if (hmf_xdr_memory(HMF_XDR_DECODE, bytes, len, &x) == HMF_OK) {
        if (proc(x, copy) != HMF_OK || hmf_xdr_position(x) != len)
            abort();
        (void)hmf_xdr_close(x);
        if (!encode(copy, proc, &twice, &len2) || len2 != len || memcmp(bytes, twice, len))
            abort();
        free(twice);
        (void)hmf_xdr_release(proc, copy);
    }
    free(copy);
    free(bytes);
}

static void try_xdr(unsigned char *p, size_t len)
{
    static const struct {
        hmf_xdr_proc *proc;
        size_t size;
    } of[] = {{on_box, sizeof(struct box)}, {on_item, sizeof(struct item)},
              {on_text, sizeof(char *)}};
    hmf_xdr_t *x;

    if (!len || hmf_xdr_memory(HMF_XDR_DECODE, p + 1, len - 1, &x) != HMF_OK)
        return;
    size_t k = p[0] % 3;
    void *object = calloc(1, of[k].size);
    hmf_status_t rc = of[k].proc(x, object);
    if (hmf_xdr_position(x) > len - 1)
        abort();
    (void)hmf_xdr_close(x);
    if (rc == HMF_OK)
        again(object, of[k].proc, of[k].size);
    (void)hmf_xdr_release(of[k].proc, object);
    free(object);
}

/* ---- objects ---- */

struct thing {
    int n;
    char label[8];
    double *values;
    struct thing *other;
    const char *text;
};

static const int d_thing[] = {-5, typeINT, typeFSTRING, 8, typeCOUNTED, 0, typeDOUBLE, typePOINTER,
                              typeSELF, 0, typePOINTER, typeCSTRING};
enum { D_THING = sizeof d_thing / sizeof *d_thing };

static void look(const hmf_object_t *o)
{
    size_t n, count, size;

    (void)hmf_object_name(o);
    (void)hmf_object_type(o, &n, &count);
    (void)hmf_object_data(o, &size);
    (void)hmf_object_machine(o);
    for (size_t i = 0; hmf_object_key(o, i); i++)
        if (!hmf_object_get(o, hmf_object_key(o, i)))
            abort();
}

static void try_object(unsigned char *p, size_t len)
{
    hmf_object_t *o, *mine = NULL;
    struct thing t;
    size_t used;

    mend_stream(p, len);
    if (hmf_object_read_memory(p, len, &used, &o) != HMF_OK)
        return;
    if (used > len)
        abort();
    look(o);
    memset(&t, 0, sizeof t);
    if (hmf_object_new("thing", &t, sizeof t, d_thing, D_THING, NULL, &mine) == HMF_OK)
        (void)hmf_translate_unpack(o, mine);
    hmf_object_free(mine);
    if (hmf_translate_new(o, &mine) == HMF_OK) {
        void *data = hmf_object_data(mine, NULL);
        look(mine);
        hmf_object_free(mine);
        free(data);
    }
    hmf_object_free(o);
    restored_free();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    restored_begin();
    unsigned char *copy = malloc(size); /* exact: a read too far is seen */
    memcpy(copy, data, size);
    if (copy[0] % 2)
        try_object(copy + 1, size - 1);
    else
        try_xdr(copy + 1, size - 1);
    free(copy);
    return 0;
}

#ifdef FUZZ_MAIN
#include "fuzz_main.h"

/* A first input of each kind, behind `head` bytes. */
static size_t seed_xdr(unsigned char *out)
{
    struct item third = {2, {.text = "third"}, NULL}, second = {1, {.real = 2.5}, &third};
    struct item items[2] = {{0, {.number = -7}, &second}, {3, {0}, NULL}};
    short shorts[3] = {1, -2, 3};
    struct box b = {'c', -3, 4, -5, 6, 0.5f, 1.25L, 1, "name", "bytes", 5, "text", items, 2, &second,
                    shorts, 3};
    void *bytes;
    size_t len;

    if (!encode(&b, on_box, &bytes, &len))
        abort();
    out[0] = out[1] = 0;
    memcpy(out + 2, bytes, len);
    free(bytes);
    return len + 2;
}

static size_t seed_object(unsigned char *out)
{
    double values[4] = {1, 2, 3, 4};
    struct thing second = {1, "second", values + 3, NULL, NULL};
    struct thing t = {3, "first", values, &second, "a text"};
    hmf_object_t *o;
    void *bytes;
    size_t len;

    if (hmf_object_new("thing", &t, sizeof t, d_thing, D_THING, NULL, &o) != HMF_OK ||
        hmf_object_set(o, "unit", "m/s") != HMF_OK || hmf_object_set(o, "when", "") != HMF_OK ||
        hmf_object_write_memory(o, &bytes, &len) != HMF_OK)
        abort();
    hmf_object_free(o);
    out[0] = 1;
    memcpy(out + 1, bytes, len);
    free(bytes);
    return len + 1;
}

int main(int argc, char **argv)
{
    static unsigned char seed[FUZZ_ROOM];
    int first, bad = 0;
    long runs = fuzz_arguments(argc, argv, &first);

    printf("seed %llu\n", (unsigned long long)fuzz_seed);
    fuzz_input(seed, seed_xdr(seed), runs);
    fuzz_input(seed, seed_object(seed), runs);
    for (int i = first; i < argc; i++)
        bad |= !fuzz_file(argv[i], runs);
    printf("2 seeds and %d files, %ld runs on each\n", argc - first, runs);
    free(restored);
    return bad;
}
#endif
