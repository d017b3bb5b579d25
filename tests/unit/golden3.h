/* The state that is in golden images of version 3: unions whose discriminant lies within a field; also
 * pointers one past the last member of what they are in, for layouts differ in what follows it.
 * Never change it: old images must be readable for ever. */
#ifndef GOLDEN3_H
#define GOLDEN3_H

#include "hmf/status.h"
#include "hmf/type.h"
#include "state.h"
#include "typemap.h"

#include <stdlib.h>
#include <string.h>

struct golden3_packet {
    struct {
        short version;
        struct {
            unsigned kind : 3, rest : 5;
            signed char also[3];
        } head;
    } hdr;
    union { /* by hdr.head.kind */
        long i;
        double d;
        char *text;
        struct {
            signed char sub[2];
            union { /* by also[1] of the packet, one struct further out */
                short s;
                struct golden3_packet *next;
            } u;
        } inner;
    } body;
};

struct golden3_buffer {
    double d;
    char *cur, *end;
    char buf[5];
    struct {
        short *end;
        short v[3];
    } last;
};

struct golden3 {
    struct golden3_packet packets[9];
    struct golden3_packet *packet; /* one of its own, in the middle of nothing */
    struct golden3_buffer buffer;
    struct golden3_buffer *buffers[2];
};

enum { GOLDEN3_PACKET = 10178 };

static inline hmf_status_t golden3_register(hmf_state_t *s, struct golden3 *g)
{
    static const int packet[] = {-2, -2, typeSHORT, -3, typeBITS, 3, typeUINT, typeBITS, 5,
                                 typeUINT, typeARRAY, 3, typeSCHAR, typeUNIONELSE, typePATH, 3, 0,
                                 1, 0, 3, 1, typeLONG, 2, typeDOUBLE, 5, typePOINTER, typeCSTRING,
                                 -2, typeARRAY, 2, typeSCHAR, typeUNION, typePATH, 4,
                                 typeUP(1, 0), 1, 2, 1, 2, -1, typeSHORT, 1, typePOINTER,
                                 GOLDEN3_PACKET};
    static const int packets[] = {GOLDEN3_PACKET}, one[] = {typePOINTER, GOLDEN3_PACKET};
    static const int buffer[] = {typePOINTER, -5, typeDOUBLE, typePOINTER, typeCHAR, typePOINTER,
                                 typeCHAR, typeARRAY, 5, typeCHAR, -2, typePOINTER, typeSHORT,
                                 typeARRAY, 3, typeSHORT};
    hmf_status_t rc = hmf_type_define(GOLDEN3_PACKET, "packet", packet,
                                      sizeof packet / sizeof *packet, NULL, NULL);
    if (rc == HMF_OK)
        rc = hmf_state_add(s, "packets", g->packets, sizeof g->packets, packets, 1, NULL);
    if (rc == HMF_OK)
        rc = hmf_state_add(s, "packet", &g->packet, sizeof g->packet, one, 2, NULL);
    if (rc == HMF_OK)
        rc = hmf_state_add(s, "buffer", &g->buffer, sizeof g->buffer, buffer + 1,
                           sizeof buffer / sizeof *buffer - 1, NULL);
    if (rc == HMF_OK)
        rc = hmf_state_add(s, "buffers", g->buffers, sizeof g->buffers, buffer,
                           sizeof buffer / sizeof *buffer, NULL);
    return rc;
}

static inline void golden3_set(struct golden3_packet *p, int n, struct golden3_packet *next)
{
    static char text[] = "five";

    memset(p, 0, sizeof *p);
    p->hdr.version = (short)(n - 5);
    p->hdr.head.kind = (unsigned)n % 8;
    p->hdr.head.rest = (unsigned)(31 - n);
    p->hdr.head.also[0] = 7;
    p->hdr.head.also[1] = n % 2 ? 1 : -1;
    switch (n % 8) {
    case 1:
        p->body.i = 1000000007l - n;
        break;
    case 2:
        p->body.d = -n / 8.0;
        break;
    case 5:
        p->body.text = text;
        break;
    default:
        p->body.inner.sub[1] = (signed char)n;
        if (n % 2)
            p->body.inner.u.next = next;
        else
            p->body.inner.u.s = (short)(-30000 + n);
    }
}

static inline void golden3_buffer_fill(struct golden3_buffer *b, int n)
{
    memset(b, 0, sizeof *b);
    b->d = n;
    memcpy(b->buf, "ABCDE", 5);
    b->cur = b->buf + n;
    b->end = b->buf + 5;
    b->last.v[2] = (short)n;
    b->last.end = b->last.v + 3;
}

static inline void golden3_fill(struct golden3 *g)
{
    memset(g, 0, sizeof *g);
    for (int i = 0; i < 9; i++)
        golden3_set(&g->packets[i], i, &g->packets[(i + 4) % 9]);
    g->packet = malloc(sizeof *g->packet);
    golden3_set(g->packet, 7, g->packet);
    golden3_buffer_fill(&g->buffer, 1);
    for (int i = 0; i < 2; i++) {
        g->buffers[i] = malloc(sizeof **g->buffers);
        golden3_buffer_fill(g->buffers[i], 2 + i);
    }
}

static inline int golden3_same(const struct golden3_packet *p, int n,
                               const struct golden3_packet *next)
{
    if (p->hdr.version != n - 5 || p->hdr.head.kind != (unsigned)n % 8 ||
        p->hdr.head.rest != (unsigned)(31 - n) || p->hdr.head.also[0] != 7)
        return 0;
    switch (n % 8) {
    case 1:
        return p->body.i == 1000000007l - n;
    case 2:
        return p->body.d == -n / 8.0;
    case 5:
        return p->body.text && !strcmp(p->body.text, "five");
    default:
        return p->body.inner.sub[1] == n &&
               (n % 2 ? p->body.inner.u.next == next : p->body.inner.u.s == -30000 + n);
    }
}

static inline int golden3_buffer_good(const struct golden3_buffer *b, int n)
{
    return b->d == n && !memcmp(b->buf, "ABCDE", 5) && b->cur == b->buf + n &&
           b->end == b->buf + 5 && b->last.v[2] == n && b->last.end == b->last.v + 3;
}

static inline int golden3_good(const struct golden3 *g)
{
    for (int i = 0; i < 9; i++)
        if (!golden3_same(&g->packets[i], i, &g->packets[(i + 4) % 9]))
            return 0;
    return g->packet && golden3_same(g->packet, 7, g->packet) &&
           golden3_buffer_good(&g->buffer, 1) && golden3_buffer_good(g->buffers[0], 2) &&
           golden3_buffer_good(g->buffers[1], 3);
}

/* What golden3_fill made, or a restore. */
static inline void golden3_drop(struct golden3 *g, int restored)
{
    if (restored)
        free(g->packets[5].body.text);
    free(g->packet);
    free(g->buffers[0]);
    free(g->buffers[1]);
}

#endif
