/* Types as codes have them, with marks; shapes.types.c is what hmf-checktype makes of this. */
#ifndef SHAPES_H
#define SHAPES_H

#include <hmf/checktype.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#ifndef __cplusplus
#include <complex.h>
#include <stdbool.h>
#endif

#define FIELD(type, name) \
    type name##_value;    \
    int name##_count

enum color { RED, GREEN = 7, BLUE };
enum { DIMS = 3 };
enum wide { LOW, HIGH = 0x7fffffff };
typedef double vec3[3];
typedef unsigned char byte;
typedef struct branch *branch_p; /* before its definition */

struct leaf {
    char key;
    double value;
};

struct branch {
    struct leaf *leaves HMF_LEN(nleaves);
    int nleaves;
    branch_p left, right;
    struct tree *home; /* which leads back here */
};

checktype typedef struct tree {
    struct branch *root;
    struct branch *favourite HMF_WEAK;
    struct tree *next;
} tree_t;

/* Without a name of its own but for the typedef. */
checktype typedef struct {
    signed char a;
    short b;
    unsigned c HMF_TRANSIENT;
} plain_t;

checktype typedef struct mix {
    vec3 x, pair[2];
    enum color color;
    enum wide wide;
    size_t size;
    ssize_t ssize;
    ptrdiff_t distance;
    int8_t i8;
    uint16_t u16;
    int32_t i32;
    uint64_t u64;
    time_t when;
    ino_t inode; /* of a width that the system chose */
    long l;
    unsigned long long ull;
    float f;
    long double ld;
    bool yes;
    char title[24] HMF_STRING;
    byte raw[4];
    char *name HMF_STRING;
    const char *names[2] HMF_STRING;
    int n, m;
    double *v HMF_LEN(n), *w HMF_LEN(2 * m);
    double *fixed HMF_LEN(DIMS);
    double **rows HMF_LEN(n, m);
    double (*matrix)[3] HMF_LEN(n);
    int *one HMF_ONE;
    int *end HMF_WEAK; /* into others' memory */
    void *leaf HMF_POINTS_TO(struct leaf);
    void *any HMF_POINTS_TO(void);
    void *numbers HMF_POINTS_TO(double) HMF_LEN(m);
    int (*compare)(const void *, const void *);
    void (*steps[2])(int);
    FILE *log HMF_TRANSIENT;
    struct {
        int count;
        double *part HMF_LEN(count);
    } inside[2];
    struct {
        short anonymous_a, anonymous_b;
    };
    struct inner {
        char c;
        long l;
    } inner;
    FIELD(int, made);
    union {
        float real;
        uint32_t bits;
    } pun HMF_AS(real);
    float aligned __attribute__((aligned(32)));
    tree_t *forest HMF_ONE;
} mix;

checktype typedef struct __attribute__((packed)) packed {
    char c;
    int i;
    long long ll;
    double d;
} packed_t;

extern checktype mix shapes_mix;
extern checktype tree_t shapes_trees[4];

#endif
