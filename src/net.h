/* net.h - frames between the agents of a job, over TCP.
 *
 * One struct hmf__net belongs to one thread (the agent).  Connections are made when first needed
 * and kept.  A frame is a kind (1 and up) and up to HMF__NET_MAX bytes; frames from A to B
 * arrive in order.  What the kinds mean is left to wave.c and coord.c.  Nobody gets in without
 * the job's secret. */
#ifndef HMF_NET_H
#define HMF_NET_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "hmf/status.h"

#define HMF__NET_MAX (16u << 20)   /* largest payload of a frame, bytes */
#define HMF__NET_SECRET 16
#define HMF__NET_NADDR 4
#define HMF__NET_NAME 64
#define HMF__NET_KINDS 64

/* Where a process's agent listens: exchanged once by MPI_Allgather, hence plain and of fixed
 * size. */
struct hmf__net_addr {
    char node[HMF__NET_NAME];          /* host name, for messages and for "another node" */
    uint64_t host_key;                 /* equal: same kernel and namespace, loopback reaches */
    uint16_t port;
    uint16_t naddr;
    int32_t pid;                       /* for messages only */
    char data[16];                     /* name of its data format, "": not known */
    uint8_t addr[HMF__NET_NADDR][16];  /* IPv6, or IPv4 mapped into it */
};

struct hmf__net;

struct hmf__net_events {
    void *ctx;
    void (*frame)(void *ctx, int from, unsigned kind, const void *data, size_t len);
    void (*lost)(void *ctx, int peer, const char *why);  /* established or attempted */
};

/* Names this process's host and fills everything but the port.  Not collective. */
void hmf__net_self(struct hmf__net_addr *self);

/* Opens the listening socket; `self->port` is set.  With `local` only loopback is bound.
 * HMF_ERR_IO: no socket can be had. */
hmf_status_t hmf__net_new(struct hmf__net_addr *self, int local, const struct hmf__net_events *ev,
                          struct hmf__net **out);

/* Tells who is who: `all` (copied) has `n` entries, mine is `me`; `secret` is the job's. */
hmf_status_t hmf__net_peers(struct hmf__net *net, const struct hmf__net_addr *all, int n, int me,
                            const uint8_t secret[HMF__NET_SECRET]);

/* Queues a frame (copied).  A frame to oneself is delivered by the next hmf__net_handle.
 * HMF_ERR_PEER: that process is known to be gone.  HMF_ERR_LIMIT: too large. */
hmf_status_t hmf__net_send(struct hmf__net *net, int peer, unsigned kind, const void *data,
                           size_t len);

/* How many frames of a kind below HMF__NET_KINDS have gone out and come in, those to oneself left out.
 * Any thread. */
uint32_t hmf__net_frames(const struct hmf__net *net, unsigned kind);

/* The event loop's two halves: the descriptors to wait for (at most `max` are written; -1 when
 * that is too few), and what to do when some are ready. */
int hmf__net_pollfds(struct hmf__net *net, struct pollfd *fds, int max);
void hmf__net_handle(struct hmf__net *net, const struct pollfd *fds, int n);
int hmf__net_npollfds(const struct hmf__net *net);

/* 1 while queued bytes are not yet with the kernel, or a connection is being made. */
int hmf__net_pending(const struct hmf__net *net);

/* Tells every connected peer that this process ends in order: to them it is not "lost". */
void hmf__net_goodbye(struct hmf__net *net);

const char *hmf__net_node(const struct hmf__net *net, int peer);
int hmf__net_same_host(const struct hmf__net *net, int a, int b);
int hmf__net_is_lost(const struct hmf__net *net, int peer);

void hmf__net_free(struct hmf__net *net);

#endif
