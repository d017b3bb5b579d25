/* Objects: attributes, files, descriptors and memory, several in a row, cut and damaged; into and
 * out of this machine's memory; layouts and plans of other machines. */
#include "config.h"

#include "base.h"
#include "hmf/object.h"
#include "hmf/translate.h"
#include "typemap.h"

#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct node {
    int value;
    struct node *next;
    char *label;
};

static const int node_type[] = {-3, typeINT, typePOINTER, typeSELF, 0, typePOINTER, typeCSTRING};
static const char *const node_fields[] = {"value", "next", "label", NULL};
static const int double_type[] = {typeDOUBLE};
static struct node ring[2] = {{1, &ring[1], "one"}, {2, &ring[0], NULL}};
static double u[1000];

static hmf_object_t *new_ring(void)
{
    hmf_object_t *o = NULL;

    CU_ASSERT_EQUAL_FATAL(hmf_object_new("ring", ring, sizeof ring, node_type, 7, node_fields, &o),
                          HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_set(o, "units", "none"), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_set(o, "empty", ""), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_set(o, "author", "nobody"), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_set(o, "units", "m"), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_set(o, "author", NULL), HMF_OK);
    return o;
}

static hmf_object_t *new_u(void)
{
    hmf_object_t *o = NULL;

    for (int i = 0; i < 1000; i++)
        u[i] = 1.0 / (i + 1);
    CU_ASSERT_EQUAL_FATAL(hmf_object_new("u", u, sizeof u, double_type, 1, NULL, &o), HMF_OK);
    return o;
}

/* Is this image the ring? */
static void is_ring(const hmf_object_t *image)
{
    struct node back[2] = {{0}, {0}};
    size_t len, count;
    hmf_object_t *o;

    CU_ASSERT_STRING_EQUAL(hmf_object_name(image), "ring");
    CU_ASSERT_EQUAL(hmf_object_format(image), HMF_FORMAT_IMAGE);
    CU_ASSERT_PTR_NULL(hmf_object_data(image, &len));
    CU_ASSERT(len > 100);
    const int *type = hmf_object_type(image, &len, &count);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT(len == 7 && !memcmp(type, node_type, sizeof node_type));
    CU_ASSERT_STRING_EQUAL(hmf_object_get(image, "units"), "m");
    CU_ASSERT_STRING_EQUAL(hmf_object_get(image, "empty"), "");
    CU_ASSERT_PTR_NULL(hmf_object_get(image, "author"));
    CU_ASSERT_PTR_NULL(hmf_object_key(image, 2));
    CU_ASSERT_EQUAL(hmf_object_set((hmf_object_t *)image, "units", "s"), HMF_ERR_ARG);

    CU_ASSERT_EQUAL(hmf_translate_into(image, back, sizeof back, node_type, 7), HMF_OK);
    CU_ASSERT(back[0].value == 1 && back[0].next == &back[1] && back[1].next == &back[0]);
    CU_ASSERT(back[0].label && !strcmp(back[0].label, "one") && !back[1].label);
    free(back[0].label);

    CU_ASSERT_EQUAL_FATAL(hmf_translate_new(image, &o), HMF_OK);
    struct node *fresh = hmf_object_data(o, &len);
    CU_ASSERT_EQUAL(len, sizeof ring);
    CU_ASSERT(fresh[1].value == 2 && fresh[1].next == fresh && !strcmp(fresh->label, "one"));
    CU_ASSERT_EQUAL(hmf_object_format(o), HMF_FORMAT_HOST);
    CU_ASSERT_STRING_EQUAL(hmf_object_get(o, "units"), "m");
    free(fresh->label);
    free(fresh);
    hmf_object_free(o);
}

static void is_u(const hmf_object_t *image)
{
    double back[1000];
    float other[1000];

    CU_ASSERT_STRING_EQUAL(hmf_object_name(image), "u");
    CU_ASSERT_EQUAL(hmf_translate_into(image, back, sizeof back, double_type, 1), HMF_OK);
    CU_ASSERT_EQUAL(memcmp(back, u, sizeof u), 0);
    CU_ASSERT_EQUAL(hmf_translate_into(image, back, sizeof back / 2, double_type, 1),
                    HMF_ERR_MISMATCH);
    CU_ASSERT_EQUAL(hmf_translate_into(image, other, sizeof other, (int[]){typeFLOAT}, 1),
                    HMF_ERR_MISMATCH);
}

static void arguments(void)
{
    hmf_object_t *o = new_ring(), *other = NULL;
    int n = 0;
    char key[300];
    size_t len;

    CU_ASSERT_EQUAL(hmf_object_new("a@b", &n, sizeof n, double_type, 1, NULL, &other), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_object_new("", &n, sizeof n, double_type, 1, NULL, &other), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_object_new("n", &n, sizeof n, NULL, 0, NULL, &other), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_object_new("n", &n, sizeof n, double_type, 1, NULL, &other), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_object_new("n", &n, sizeof n, (int[]){99}, 1, NULL, &other), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf_object_new_openfile("f", NULL, &other), HMF_ERR_ARG);
    memset(key, 'k', sizeof key);
    key[299] = '\0';
    CU_ASSERT_EQUAL(hmf_object_set(o, key, "x"), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_object_set(o, "a@", "x"), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_object_set(o, "not there", NULL), HMF_OK);
    CU_ASSERT_STRING_EQUAL(hmf_object_key(o, 0), "units");
    CU_ASSERT_STRING_EQUAL(hmf_object_key(o, 1), "empty");
    CU_ASSERT_PTR_EQUAL(hmf_object_data(o, &len), ring);
    CU_ASSERT_EQUAL(len, sizeof ring);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_object_machine(o), "-endian, "));
    CU_ASSERT_EQUAL(hmf_translate_unpack(o, o), HMF_ERR_ARG);
    CU_ASSERT_EQUAL(hmf_translate_new(o, &other), HMF_ERR_ARG);
    hmf_object_free(o);
    hmf_object_free(NULL);
}

static void memory(void)
{
    hmf_object_t *a = new_ring(), *b = new_u(), *o;
    void *bytes, *both, *again;
    size_t n, m, used = 0, k;

    CU_ASSERT_EQUAL_FATAL(hmf_object_write_memory(a, &bytes, &n), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_object_write_memory(b, &again, &m), HMF_OK);
    both = malloc(n + m);
    memcpy(both, bytes, n);
    memcpy((char *)both + n, again, m);
    free(again);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_memory(both, n + m, &used, &o), HMF_OK);
    CU_ASSERT_EQUAL(used, n);
    is_ring(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_write_memory(o, &again, &k), HMF_OK); /* handed on */
    CU_ASSERT(k == n && !memcmp(again, bytes, n));
    free(again);
    hmf_object_free(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_memory((char *)both + n, m, NULL, &o), HMF_OK);
    is_u(o);
    hmf_object_free(o);
    CU_ASSERT_EQUAL(hmf_object_read_memory(both, 0, NULL, &o), HMF_ERR_NOTFOUND);
    free(both);
    for (k = 1; k < n; k++) { /* cut anywhere, and any byte wrong */
        unsigned char *part = malloc(k);
        memcpy(part, bytes, k);
        CU_ASSERT_NOT_EQUAL(hmf_object_read_memory(part, k, NULL, &o), HMF_OK);
        free(part);
        ((unsigned char *)bytes)[k] ^= 0x10;
        CU_ASSERT_NOT_EQUAL(hmf_object_read_memory(bytes, n, NULL, &o), HMF_OK);
        ((unsigned char *)bytes)[k] ^= 0x10;
    }
    free(bytes);
    hmf_object_free(a);
    hmf_object_free(b);
}

static void files(void)
{
    hmf_object_t *a = new_ring(), *b = new_u(), *o;
    FILE *f = tmpfile();
    int fd[2];

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(hmf_object_write_file(a, f), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_write_file(b, f), HMF_OK);
    rewind(f);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_file(f, &o), HMF_OK);
    is_ring(o);
    hmf_object_free(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_file(f, &o), HMF_OK);
    is_u(o);
    hmf_object_free(o);
    CU_ASSERT_EQUAL(hmf_object_read_file(f, &o), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(ftruncate(fileno(f), ftell(f) - 3), 0);
    rewind(f);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_file(f, &o), HMF_OK);
    hmf_object_free(o);
    CU_ASSERT_EQUAL(hmf_object_read_file(f, &o), HMF_ERR_FORMAT);
    fclose(f);

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    CU_ASSERT_EQUAL(hmf_object_write_fd(a, fd[1], 10), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_write_fd(b, fd[1], 10), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_fd(fd[0], 10, &o), HMF_OK);
    is_ring(o);
    hmf_object_free(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_read_fd(fd[0], 10, &o), HMF_OK);
    is_u(o);
    hmf_object_free(o);
    CU_ASSERT_EQUAL(hmf_object_read_fd(fd[0], 0.01, &o), HMF_ERR_TIMEOUT);
    close(fd[1]);
    CU_ASSERT_EQUAL(hmf_object_read_fd(fd[0], 10, &o), HMF_ERR_NOTFOUND);
    close(fd[0]);
    CU_ASSERT_EQUAL(hmf_object_write_fd(a, fd[1], 10), HMF_ERR_IO);
    hmf_object_free(a);
    hmf_object_free(b);
}

/* A pointer into nowhere is named; a snapshot does not follow the memory. */
static void packing(void)
{
    struct node n = {.next = (struct node *)64}, back = {0};
    hmf_object_t *o, *image;

    CU_ASSERT_EQUAL_FATAL(hmf_object_new("n", &n, sizeof n, node_type, 7, node_fields, &o), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_pack(o, &image), HMF_ERR_POINTER);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "n.next"));
    n = (struct node){.value = 5};
    CU_ASSERT_EQUAL_FATAL(hmf_translate_pack(o, &image), HMF_OK);
    n.value = 6;
    hmf_object_free(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_new("other", &back, sizeof back, node_type, 7, NULL, &o),
                          HMF_OK);
    hmf_object_set(o, "stale", "yes");
    CU_ASSERT_EQUAL(hmf_translate_unpack(image, o), HMF_OK); /* another name is fine */
    CU_ASSERT_EQUAL(back.value, 5);
    CU_ASSERT_PTR_NULL(hmf_object_get(o, "stale"));
    hmf_object_free(o);
    hmf_object_free(image);
}

static void open_files(void)
{
    char name[] = "object.XXXXXX";
    int fd = mkstemp(name);
    FILE *f = fdopen(fd, "w+"), *back = NULL;
    hmf_object_t *o, *image;
    size_t len;

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs("abcdef", f);
    fseek(f, 3, SEEK_SET);
    CU_ASSERT_EQUAL_FATAL(hmf_object_new_openfile("f", &f, &o), HMF_OK);
    CU_ASSERT_EQUAL(hmf_object_type(o, &len, NULL)[0], -3);
    CU_ASSERT_EQUAL_FATAL(hmf_translate_pack(o, &image), HMF_OK);
    hmf_object_free(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_new_openfile("f", &back, &o), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_unpack(image, o), HMF_OK);
    CU_ASSERT_FATAL(back != NULL);
    CU_ASSERT_EQUAL(fgetc(back), 'd');
    fclose(back);
    hmf_object_free(o);
    CU_ASSERT_EQUAL_FATAL(hmf_object_new_openfile_fd("f", &fd, &o), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_unpack(image, o), HMF_OK); /* a stream there, a descriptor here */
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_CUR), 3);
    close(fd);
    hmf_object_free(o);
    hmf_object_free(image);
    fclose(f);
    unlink(name);
}

/* Each allocation fails once. */
static void no_memory(void)
{
    hmf_status_t rc = HMF_ERR_NOMEM;

    for (long n = 1; rc != HMF_OK && n < 2000; n++) {
        hmf_object_t *o = NULL, *image = NULL, *back = NULL;
        hmf__alloc_fail_at(n);
        rc = hmf_object_new("ring", ring, sizeof ring, node_type, 7, node_fields, &o);
        if (rc == HMF_OK && (rc = hmf_object_set(o, "k", "v")) == HMF_OK &&
            (rc = hmf_translate_pack(o, &image)) == HMF_OK)
            rc = hmf_translate_new(image, &back);
        hmf__alloc_fail_at(0);
        if (back) {
            struct node *p = hmf_object_data(back, NULL);
            free(p->label);
            free(p);
        }
        hmf_object_free(o);
        hmf_object_free(image);
        hmf_object_free(back);
    }
    CU_ASSERT_EQUAL(rc, HMF_OK);
}

/* A variable with a flexible array member, aligned more than malloc does. */
static void flexible(void)
{
    struct text {
        _Alignas(64) int len;
        char text[];
    };
    static const int type[] = {-2, typeALIGNED, 64, typeINT, typeFLEX, 0, typeCHAR};
    hmf_object_t *o, *image, *back;
    struct text *t = aligned_alloc(64, 256), *u;
    size_t len;

    memset(t, 0, 256);
    t->len = 100;
    memset(t->text, 'x', 100);
    CU_ASSERT_EQUAL_FATAL(hmf_object_new("t", t, 256, type, LEN(type), NULL, &o), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_object_set(o, "a key", "a text"), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_translate_pack(o, &image), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_translate_new(image, &back), HMF_OK);
    u = hmf_object_data(back, &len);
    CU_ASSERT_EQUAL(len, 128);
    CU_ASSERT_EQUAL((uintptr_t)u % 64, 0);
    CU_ASSERT(u->len == 100 && !memcmp(u->text, t->text, 100));
    hmf_object_free(back);
    hmf_object_free(image);
    hmf_object_free(o);
    free(u);
    t->len = 0; /* no elements at all */
    CU_ASSERT_EQUAL_FATAL(hmf_object_new("t", t, 256, type, LEN(type), NULL, &o), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_translate_pack(o, &image), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_translate_new(image, &back), HMF_OK);
    u = hmf_object_data(back, &len);
    CU_ASSERT_EQUAL(u->len, 0);
    hmf_object_free(back);
    hmf_object_free(image);
    hmf_object_free(o);
    free(u);
    free(t);
    CU_ASSERT_EQUAL(hmf_object_new("t", ring, sizeof ring, node_type, 7, NULL, NULL), HMF_ERR_ARG);
}

static void layouts(void)
{
    static const int type[] = {-4, typeCHAR, typeLONG, typeDOUBLE, typeARRAY, 2, typeSHORT};
    hmf_layout_t *here, *there;
    struct s { char c; long l; double d; short s[2]; } in[3], out[3];
    char path[40], wire[3 * 40];
    size_t i;

    CU_ASSERT_EQUAL_FATAL(hmf_layout_new(type, 7, NULL, &here), HMF_OK);
    CU_ASSERT_EQUAL(hmf_layout_size(here), sizeof(struct s));
    CU_ASSERT_EQUAL(hmf_layout_align(here), _Alignof(struct s));
    CU_ASSERT_EQUAL(hmf_layout_leaves(here), 5);
    CU_ASSERT_EQUAL(hmf_layout_leaf(here, 4, path, sizeof path), offsetof(struct s, s[1]));
    CU_ASSERT_STRING_EQUAL(path, ".f3[1]");
    CU_ASSERT_EQUAL(hmf_layout_leaf(here, 5, NULL, 0), SIZE_MAX);
    CU_ASSERT_EQUAL(hmf_layout_new(type, 7, "pdp11", &there), HMF_ERR_NOTFOUND);
    CU_ASSERT_EQUAL(hmf_layout_new(type, 6, NULL, &there), HMF_ERR_TYPE);

    memset(in, 0, sizeof in);
    for (int k = 0; k < 3; k++)
        in[k] = (struct s){.c = 'a', .l = k - 1, .d = k / 3.0, .s = {(short)k, -1}};
    for (i = 0; hmf_machine_name(i); i++) {
        hmf_plan_t *go, *come;
        CU_ASSERT_EQUAL_FATAL(hmf_layout_new(type, 7, hmf_machine_name(i), &there), HMF_OK);
        CU_ASSERT_FATAL(3 * hmf_layout_size(there) <= sizeof wire);
        CU_ASSERT_EQUAL_FATAL(hmf_plan_new(here, there, &go), HMF_OK);
        CU_ASSERT_EQUAL_FATAL(hmf_plan_new(there, here, &come), HMF_OK);
        memset(wire, 0, sizeof wire);
        memset(out, 0, sizeof out);
        CU_ASSERT_EQUAL(hmf_plan_run(go, in, wire, 3), HMF_OK);
        CU_ASSERT_EQUAL(hmf_plan_run(come, wire, out, 3), HMF_OK);
        CU_ASSERT_EQUAL(memcmp(in, out, sizeof in), 0);
        if (!strcmp(hmf_machine_name(i), "i386")) {
            CU_ASSERT_EQUAL(hmf_layout_size(there), 20); /* double at a multiple of 4 */
            in[1].l = LONG_MAX;
            CU_ASSERT_EQUAL(hmf_plan_run(go, in, wire, 3),
                            sizeof(long) > 4 ? HMF_ERR_RANGE : HMF_OK);
            in[1].l = 0;
        }
        if (!strcmp(hmf_machine_name(i), "s390x")) {
            CU_ASSERT(wire[15] == -1 && wire[32 + 15] == 0 && wire[8] == -1);
            CU_ASSERT_EQUAL(hmf_plan_is_copy(go), 0);
        }
        hmf_plan_free(go);
        hmf_plan_free(come);
        hmf_layout_free(there);
    }
    CU_ASSERT(i >= 9);
    CU_ASSERT_EQUAL_FATAL(hmf_layout_new(node_type, 7, NULL, &there), HMF_OK);
    hmf_plan_t *none;
    CU_ASSERT_EQUAL(hmf_plan_new(here, there, &none), HMF_ERR_MISMATCH);
    hmf_layout_free(there);
    hmf_layout_free(here);
}

/* A described type through XDR is what its parts are by hand. */
static void external(void)
{
    static const int type[] = {-5, typeCHAR, typeLONG, typeARRAY, 2, typeARRAY, 2, typeFLOAT,
                               typeFSTRING, 5, typeTRANSIENT, typeINT};
    static const int list[] = {-1, typePOINTER, typeSELF, 0};
    struct s { char c; long l; float f[2][2]; char text[5]; int left_out; };
    struct s in[2] = {{'a', -2, {{1, 2}, {3, 4}}, "four", 9}, {'b', LONG_MAX, {{0}}, "", 9}}, out[2];
    unsigned char ours[200] = {0}, hand[200] = {0};
    hmf_xdr_t *x;

    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_ENCODE, hand, sizeof hand, &x), HMF_OK);
    for (int i = 0; i < 2; i++) {
        hmf_xdr_char(x, &in[i].c);
        hmf_xdr_long(x, &in[i].l);
        hmf_xdr_values(x, typeFLOAT, in[i].f, 4);
        hmf_xdr_opaque(x, in[i].text, 5);
    }
    uint64_t len = hmf_xdr_position(x);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_ENCODE, ours, sizeof ours, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_xdr(x, type, 12, in, 2), HMF_OK);
    CU_ASSERT_EQUAL(hmf_xdr_position(x), len);
    CU_ASSERT_EQUAL(hmf_xdr_close(x), HMF_OK);
    CU_ASSERT_EQUAL(memcmp(ours, hand, sizeof ours), 0);
    memset(out, 0x77, sizeof out);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_DECODE, ours, len, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_xdr(x, type, 12, out, 2), HMF_OK);
    CU_ASSERT(out[1].c == 'b' && out[1].l == LONG_MAX && out[0].f[1][0] == 3 &&
              !strcmp(out[0].text, "four") && !out[0].left_out);
    CU_ASSERT_EQUAL(hmf_translate_xdr(x, type, 12, out, 1), HMF_ERR_FORMAT);
    hmf_xdr_close(x);
    CU_ASSERT_EQUAL_FATAL(hmf_xdr_memory(HMF_XDR_ENCODE, ours, sizeof ours, &x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_xdr(x, type, 11, in, 1), HMF_ERR_TYPE);
    CU_ASSERT_EQUAL(hmf_xdr_status(x), HMF_OK);
    CU_ASSERT_EQUAL(hmf_translate_xdr(x, list, 4, in, 1), HMF_ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(hmf_error_text(), "f0"));
    hmf_xdr_close(x);
}

static const struct unit_test tests[] = {
    {"arguments and attributes", arguments},
    {"memory, cut and damaged", memory},
    {"files and pipes", files},
    {"packing", packing},
    {"open files", open_files},
    {"every allocation fails", no_memory},
    {"through XDR", external},
    {"a flexible array member", flexible},
    {"layouts and plans", layouts},
};

UNIT_MAIN("object", tests)
