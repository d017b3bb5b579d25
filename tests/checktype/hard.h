/* Rarer C: lengths that are expressions, complex numbers, small enums, tables of functions, structs
 * that are aligned or packed in each other; hard.types.c is what hmf-checktype makes of this. */
#ifndef HARD_H
#define HARD_H

#include <hmf/checktype.h>
#include <stdint.h>

enum { HARD_MARGIN = 2 };
enum __attribute__((packed)) hard_small { HARD_NO, HARD_YES = 200 };
typedef int hard_rule_t(int, double);
typedef hard_rule_t *hard_rule_p;
typedef const volatile long hard_watched_t;

struct hard_extent {
    short n[3];
    struct {
        unsigned char ghost;
    } rim;
};

/* Each a length of its own kind. */
checktype typedef struct hard_grid {
    int nx, ny;
    struct hard_extent extent;
    double *cells HMF_LEN(nx *ny);
    float *rim HMF_LEN(2 * (nx + ny) - 4);
    int *padded HMF_LEN((nx + HARD_MARGIN) * (ny + HARD_MARGIN));
    char *half HMF_LEN(nx / 2);
    long *block HMF_LEN(extent.n[0] * extent.n[1] * extent.n[2] + extent.rim.ghost);
    struct hard_cell {
        int owner;
        double *moments HMF_LEN(order + 1);
        uint8_t order;
    } *mesh HMF_LEN(nx *ny);
    double **planes HMF_LEN(extent.n[2], nx *ny);
} hard_grid_t;

/* Behind the struct itself, as many as two fields say. */
checktype typedef struct hard_image {
    uint16_t width, height;
    struct {
        uint8_t rgb[3];
        float weight;
    } pixels[] HMF_LEN(width *height);
} hard_image_t;

checktype typedef struct hard_odd {
    enum hard_small small, smalls[3];
    double _Complex z, zs[2][2];
    float _Complex w;
    hard_rule_p table[2][3];
    hard_rule_t *single;
    volatile int seen;
    hard_watched_t *watched HMF_WEAK;
    struct {
        int a[2][3][4];
        struct {
            char deep;
        } each[2][2];
    } boxes[3];
    struct __attribute__((packed)) {
        char tag;
        double value;
        short rest;
    } tight;
    struct __attribute__((aligned(32))) {
        char first;
    } wide;
    char after __attribute__((aligned(8)));
    union {
        struct {
            int which;
            union {
                long whole HMF_CASE(HARD_NO);
                float parts[2] HMF_DEFAULT;
            } HMF_SWITCH(which);
        } inner;
        double other;
    } HMF_AS(inner);
    hard_image_t *image HMF_ONE;
    hard_grid_t grid;
    struct {
        unsigned char tags[3];
        struct {
            signed char kind : 4;
        } deep;
    } head;
    union { /* told from within another field */
        double real HMF_CASE(-3);
        int pair[2] HMF_DEFAULT;
    } by_path HMF_SWITCH(head.deep.kind);
    union {
        short small HMF_CASE(200);
        long large HMF_DEFAULT;
    } by_index HMF_SWITCH(head.tags[2]);
} hard_odd_t;

extern checktype hard_odd_t hard_variable;

#endif
