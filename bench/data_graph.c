/* Lists and trees of a million nodes: capture and restore, nanoseconds of CPU time a node.
 * The carrier in between, which only copies, is not counted.  Warm: the first turn is not counted;
 * what was restored is freed in the order of its blocks. */
#include "config.h"

#include "base.h"
#include "bench.h"
#include "image.h"
#include "typemap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

/* From the image into the other state; the time that is the library's. */
static double restore(hmf_state_t *to, const hmf_image_t *image)
{
    hmf_restore_t *r;
    size_t len;
    const void *meta = hmf_image_meta(image, &len);
    double spent = 0, t = cpu_ns();

    check(hmf_restore_begin(to, meta, len, &r));
    spent += cpu_ns() - t;
    for (size_t i = 0; i < hmf_image_nsegments(image); i++) {
        const struct hmf__segment *s = hmf_image_segment(image, i);
        const struct iovec *iov;
        size_t n, k = 0, at = 0;
        uint64_t bytes;
        t = cpu_ns();
        check(hmf_restore_segment(r, i, &iov, &n, &bytes));
        spent += cpu_ns() - t;
        for (size_t j = 0; j < s->niov; j++) /* here each side is one piece, or few */
            for (size_t left = s->iov[j].iov_len, part; left; left -= part) {
                part = left < iov[k].iov_len - at ? left : iov[k].iov_len - at;
                memcpy((char *)iov[k].iov_base + at,
                       (char *)s->iov[j].iov_base + (s->iov[j].iov_len - left), part);
                at += part;
                if (at == iov[k].iov_len) {
                    k++;
                    at = 0;
                }
            }
        t = cpu_ns();
        check(hmf_restore_segment_done(r, i));
        spent += cpu_ns() - t;
    }
    t = cpu_ns();
    check(hmf_restore_finish(r));
    return spent + cpu_ns() - t;
}

static void free_tree(struct tree *root)
{
    static struct tree *all[NODES]; /* static: a large malloc would reorder the heap */
    size_t n = 0;

    all[n++] = root;
    for (size_t i = 0; i < n; i++) {
        if (all[i]->left)
            all[n++] = all[i]->left;
        if (all[i]->right)
            all[n++] = all[i]->right;
        free(all[i]);
    }
}

static void run(const char *name, bool is_tree, bool shuffled)
{
    void **p = malloc(NODES * sizeof *p), *root, *got = NULL;
    double encode[TURNS], decode[TURNS], walk[TURNS], sum = 0;
    hmf_state_t *a, *b;
    char line[64];

    for (size_t i = 0; i < NODES; i++)
        p[i] = malloc(is_tree ? sizeof(struct tree) : sizeof(struct list));
    if (shuffled)
        shuffle(p);
    for (size_t i = 0; i < NODES; i++)
        if (is_tree)
            *(struct tree *)p[i] = (struct tree){(int)i, 0.5 * (double)i,
                                                 2 * i + 1 < NODES ? p[2 * i + 1] : NULL,
                                                 2 * i + 2 < NODES ? p[2 * i + 2] : NULL};
        else
            *(struct list *)p[i] = (struct list){(int)i, 0.5 * (double)i,
                                                 i + 1 < NODES ? p[i + 1] : NULL};
    root = p[0];
    check(hmf_state_new(&a));
    check(hmf_state_new(&b));
    const int *d = is_tree ? d_tree : d_list;
    size_t len = is_tree ? sizeof d_tree / sizeof *d : sizeof d_list / sizeof *d;
    check(hmf_state_add(a, "root", &root, sizeof root, d, len, NULL));
    check(hmf_state_add(b, "root", &got, sizeof got, d, len, NULL));
    for (int i = 0; i < TURNS + 1; i++) { /* the first warms up */
        hmf_image_t *image;
        double t = cpu_ns();
        if (is_tree)
            for (size_t k = 0; k < NODES; k++)
                sum += ((struct tree *)p[k])->value;
        else
            for (struct list *q = root; q; q = q->next)
                sum += q->weight;
        double w = cpu_ns() - t;
        t = cpu_ns();
        check(hmf_image_capture(a, &image));
        double e = cpu_ns() - t;
        double r = restore(b, image);
        hmf_image_free(image);
        if (i) {
            walk[i - 1] = w / NODES;
            encode[i - 1] = e / NODES;
            decode[i - 1] = r / NODES;
        }
        if (is_tree) {
            free_tree(got);
        } else {
            for (struct list *q = got, *next; q; q = next) {
                next = q->next;
                free(q);
            }
        }
    }
    double bare = bench_median(walk, TURNS), e = bench_median(encode, TURNS);
    snprintf(line, sizeof line, "graph capture %s", name);
    bench_line(line, e, "ns", sum > 0 ? e / bare : 0, "bare traversal");
    snprintf(line, sizeof line, "graph restore %s", name);
    bench_line(line, bench_median(decode, TURNS), "ns", 0, NULL);
    for (size_t i = 0; i < NODES; i++)
        free(p[i]);
    free(p);
    hmf_state_free(a);
    hmf_state_free(b);
}

int main(void)
{
    run("list", false, false);
    run("tree", true, false);
    run("list shuffled", false, true);
    run("tree shuffled", true, true);
    return 0;
}
