/* Lists and trees of a million nodes: capture and restore, nanoseconds of CPU time a node, the best
 * of several turns.  The list is a ring; each leaf of the tree leads to a node that others lead to.
 * The carrier in between, which only copies, is not counted.  Warm: the first turn is not counted;
 * what was restored is freed in the order of its blocks.  Fresh: in a new process, with the page
 * faults that it takes; "heap known": the same warm, with all blocks noted. */
#include "config.h"

#include "base.h"
#include "bench.h"
#include "heap.h"
#include "image.h"
#include "typemap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NODES = 1000000, TURNS = 7 };

struct list {
    int value;
    double weight;
    struct list *next;
};

struct tree {
    int key;
    double value;
    struct tree *left, *right;
};

static const int d_list[] = {typePOINTER, -3, typeINT, typeDOUBLE, typePOINTER, typeSELF, 0};
static const int d_tree[] = {typePOINTER, -4, typeINT, typeDOUBLE, typePOINTER, typeSELF, 0,
                             typePOINTER, typeSELF, 0};

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void check(hmf_status_t rc)
{
    if (rc != HMF_OK) {
        fprintf(stderr, "%s: %s\n", hmf_status_name(rc), hmf_error_text());
        exit(1);
    }
}

static void shuffle(void **p)
{
    uint64_t x = 88172645463325252u;

    for (size_t i = NODES - 1; i; i--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        size_t j = x % (i + 1);
        void *t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
}

/* An image as a carrier holds it. */
struct carried {
    size_t meta_len, nsegments, used;
    size_t at[16], len[16];
    char bytes[(size_t)160 << 20];
};

static void take(const hmf_image_t *image, struct carried *c)
{
    const void *meta = hmf_image_meta(image, &c->meta_len);

    c->nsegments = hmf_image_nsegments(image);
    memcpy(c->bytes, meta, c->meta_len);
    c->used = (c->meta_len + 63) / 64 * 64;
    for (size_t i = 0; i < c->nsegments; i++) {
        const struct hmf__segment *s = hmf_image_segment(image, i);
        c->at[i] = c->used;
        c->len[i] = (size_t)s->bytes;
        for (size_t k = 0; k < s->niov; k++) {
            hmf__segment_copy(s, k, 0, c->bytes + c->used, s->iov[k].iov_len);
            c->used += s->iov[k].iov_len;
        }
    }
}

/* Into the other state; the time that is the library's. */
static double restore(hmf_state_t *to, const struct carried *c)
{
    hmf_restore_t *r;
    double spent = 0, t = cpu_ns();

    check(hmf_restore_begin(to, c->bytes, c->meta_len, &r));
    spent += cpu_ns() - t;
    for (size_t i = 0; i < c->nsegments; i++) {
        const struct iovec *iov;
        uint64_t bytes;
        size_t n, at = 0;
        t = cpu_ns();
        check(hmf_restore_segment(r, i, &iov, &n, &bytes));
        spent += cpu_ns() - t;
        for (size_t k = 0; k < n; at += iov[k++].iov_len)
            memcpy(iov[k].iov_base, c->bytes + c->at[i] + at, iov[k].iov_len);
        t = cpu_ns();
        check(hmf_restore_segment_done(r, i));
        spent += cpu_ns() - t;
    }
    t = cpu_ns();
    check(hmf_restore_finish(r));
    return spent + cpu_ns() - t;
}

static void free_list(struct list *first)
{
    struct list *q = first;

    do {
        struct list *next = q->next;
        free(q);
        q = next;
    } while (q != first);
}

/* Node i has children 2 i + 1 and 2 i + 2, as far as there are; other pointers are shared ones. */
static void free_tree(struct tree *root)
{
    static struct tree *all[NODES]; /* static: a large malloc would reorder the heap */
    size_t n = 0;

    all[n++] = root;
    for (size_t i = 0; i < NODES; i++) {
        if (2 * i + 1 < NODES)
            all[n++] = all[i]->left;
        if (2 * i + 2 < NODES)
            all[n++] = all[i]->right;
        free(all[i]);
    }
}

static void *build(bool is_tree, bool shuffled, void **p)
{
    for (size_t i = 0; i < NODES; i++) {
        p[i] = malloc(is_tree ? sizeof(struct tree) : sizeof(struct list));
        if (hmf__heap_on())
            hmf_heap_note(p[i], is_tree ? sizeof(struct tree) : sizeof(struct list));
    }
    if (shuffled)
        shuffle(p);
    for (size_t i = 0; i < NODES; i++)
        if (is_tree)
            *(struct tree *)p[i] = (struct tree){(int)i, 0.5 * (double)i,
                                                 2 * i + 1 < NODES ? p[2 * i + 1] : p[i / 2],
                                                 2 * i + 2 < NODES ? p[2 * i + 2] : NULL};
        else
            *(struct list *)p[i] = (struct list){(int)i, 0.5 * (double)i, p[(i + 1) % NODES]};
    return p[0];
}

static void enroll(hmf_state_t **s, void **root, bool is_tree)
{
    const int *d = is_tree ? d_tree : d_list;
    size_t len = is_tree ? sizeof d_tree / sizeof *d : sizeof d_list / sizeof *d;

    check(hmf_state_new(s));
    check(hmf_state_add(*s, "root", root, sizeof *root, d, len, NULL));
}

static struct carried *carried;

static void run(const char *name, bool is_tree, bool shuffled)
{
    void **p = malloc(NODES * sizeof *p), *root = build(is_tree, shuffled, p), *got = NULL;
    double encode = 1e9, decode = 1e9, walk = 1e9, sum = 0;
    hmf_state_t *a, *b;
    char line[64];

    enroll(&a, &root, is_tree);
    enroll(&b, &got, is_tree);
    for (int i = 0; i < TURNS + 1; i++) { /* the first warms up */
        hmf_image_t *image;
        double t = cpu_ns();
        if (is_tree)
            for (size_t k = 0; k < NODES; k++)
                sum += ((struct tree *)p[k])->value;
        else
            for (struct list *q = ((struct list *)root)->next; q != root; q = q->next)
                sum += q->weight;
        double w = (cpu_ns() - t) / NODES;
        t = cpu_ns();
        check(hmf_image_capture(a, &image));
        double e = (cpu_ns() - t) / NODES;
        take(image, carried);
        double r = restore(b, carried) / NODES;
        hmf_image_free(image);
        if (i) {
            walk = w < walk ? w : walk;
            encode = e < encode ? e : encode;
            decode = r < decode ? r : decode;
        }
        if (is_tree)
            free_tree(got);
        else
            free_list(got);
    }
    snprintf(line, sizeof line, "graph capture %s", name);
    bench_line(line, encode, "ns", sum > 0 ? encode / walk : 0, "bare traversal");
    snprintf(line, sizeof line, "graph restore %s", name);
    bench_line(line, decode, "ns", 0, NULL);
    for (size_t i = 0; i < NODES; i++) {
        hmf_heap_forget(p[i]);
        free(p[i]);
    }
    free(p);
    hmf_state_free(a);
    hmf_state_free(b);
}

/* Run in a process of its own: nothing it does touches the heap of the others. */
static void apart(void (*what)(bool), bool is_tree)
{
    int status = 1;
    pid_t child = fork();

    if (child == 0) {
        what(is_tree);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status) {
        fprintf(stderr, "data_graph: a process of its own failed\n");
        exit(1);
    }
}

static void capture_apart(bool is_tree)
{
    void *root = build(is_tree, false, malloc(NODES * sizeof root));
    hmf_image_t *image;
    hmf_state_t *a;

    enroll(&a, &root, is_tree);
    check(hmf_image_capture(a, &image));
    take(image, carried);
}

static void restore_apart(bool is_tree)
{
    struct rusage before, after;
    void *got = NULL;
    hmf_state_t *b;
    char line[64];

    enroll(&b, &got, is_tree);
    for (size_t i = 0; i < carried->used; i += 4096) /* the carrier's pages are not at issue */
        (void)*(volatile char *)&carried->bytes[i];
    getrusage(RUSAGE_SELF, &before);
    double t = restore(b, carried) / NODES;
    getrusage(RUSAGE_SELF, &after);
    snprintf(line, sizeof line, "graph restore %s, fresh", is_tree ? "tree" : "list");
    printf("%-28s %10.3f ns   %8ld page faults\n", line, t, after.ru_minflt - before.ru_minflt);
    fflush(stdout);
}

int main(void)
{
    carried = mmap(NULL, sizeof *carried, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    if (carried == MAP_FAILED)
        return 1;
    for (int is_tree = 0; is_tree < 2; is_tree++) {
        apart(capture_apart, is_tree);
        apart(restore_apart, is_tree);
    }
    run("list", false, false);
    run("tree", true, false);
    run("list shuffled", false, true);
    run("tree shuffled", true, true);
    void *first = hmf_heap_malloc(1); /* from here on the heap is known */
    run("list, heap known", false, false);
    run("tree, heap known", true, false);
    hmf_heap_free(first);
    return 0;
}
