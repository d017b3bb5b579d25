/* net.c - frames between the agents of a job, over TCP (see net.h). */
#include "config.h"

#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

#define HELLO_MAGIC 0x31464d48u        /* "1FMH" */
#define HEADER 8                       /* length, kind: 32 bits each, network order */
#define HELLO (4 + HMF__NET_SECRET + 4)
#define GOODBYE 0                      /* kind of the last frame of a process that ends in order */
#define CONNECT_LIMIT_NS (3ull * 1000000000)

struct conn {
    int fd;                /* -1: slot free */
    int peer;              /* process, or -1 before its hello */
    bool connecting;
    int attempt;           /* index of the address being tried */
    uint64_t since_ns;     /* start of this attempt, or of the accept */
    uint8_t *in, *out;
    size_t in_len, in_cap, out_pos, out_len, out_cap;
};

struct peer {
    struct conn *send;     /* carries my frames to it, never changed while it lives */
    bool lost;
};

struct self_frame { struct self_frame *next; unsigned kind; size_t len; uint8_t data[]; };

struct hmf__net {
    int listen_fd;
    int me, n;
    struct hmf__net_addr *all;
    struct peer *peers;
    uint8_t secret[HMF__NET_SECRET];
    struct hmf__net_events ev;
    struct conn **conns;
    int nconns, cap_conns;
    struct self_frame *self_head, **self_tail;
    _Atomic uint32_t frames[HMF__NET_KINDS]; /* by kind, out and in; to oneself neither */
};

/* ---- who and where am I -------------------- */

static uint64_t hash_text(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
    return h;
}

/* Two processes reach each other by loopback when kernel boot and network namespace are the
 * same. */
static uint64_t host_key(const char *node)
{
    char boot[64] = "", ns[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (f) {
        if (!fgets(boot, sizeof boot, f))
            boot[0] = 0;
        fclose(f);
    }
    ssize_t n = readlink("/proc/self/ns/net", ns, sizeof ns - 1);
    if (n > 0)
        ns[n] = 0;
    return hash_text(hash_text(hash_text(0xcbf29ce484222325ull, node), boot), ns);
}

void hmf__net_self(struct hmf__net_addr *self)
{
    struct ifaddrs *list = NULL;

    memset(self, 0, sizeof *self);
    if (gethostname(self->node, sizeof self->node - 1))
        snprintf(self->node, sizeof self->node, "unknown");
    self->host_key = host_key(self->node);
    self->pid = (int32_t)getpid();
    if (getifaddrs(&list))
        return;
    for (struct ifaddrs *i = list; i && self->naddr < HMF__NET_NADDR; i = i->ifa_next) {
        uint8_t *to = self->addr[self->naddr];
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
            continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            memset(to, 0, 10);
            to[10] = to[11] = 0xff;
            memcpy(to + 12, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
            self->naddr++;
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            struct in6_addr *a = &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(a))
                continue;
            memcpy(to, a, 16);
            self->naddr++;
        }
    }
    freeifaddrs(list);
}

/* ---- life -------------------- */

hmf_status_t hmf__net_new(struct hmf__net_addr *self, int local, const struct hmf__net_events *ev,
                          struct hmf__net **out)
{
    struct hmf__net *net = hmf__calloc(1, sizeof *net);
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t len = sizeof sin;

    if (!net)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the agent's network");
    sin.sin_addr.s_addr = htonl(local ? INADDR_LOOPBACK : INADDR_ANY);
    net->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (net->listen_fd < 0 || bind(net->listen_fd, (struct sockaddr *)&sin, sizeof sin) ||
        listen(net->listen_fd, 1024) ||
        getsockname(net->listen_fd, (struct sockaddr *)&sin, &len)) {
        hmf_status_t st = hmf__fail(HMF_ERR_IO, "the agent cannot open a listening socket on %s: %s",
                                    self->node, strerror(errno));
        if (net->listen_fd >= 0)
            close(net->listen_fd);
        hmf__free(net);
        return st;
    }
    self->port = ntohs(sin.sin_port);
    net->ev = *ev;
    net->self_tail = &net->self_head;
    *out = net;
    return HMF_OK;
}

hmf_status_t hmf__net_peers(struct hmf__net *net, const struct hmf__net_addr *all, int n, int me,
                            const uint8_t secret[HMF__NET_SECRET])
{
    net->all = hmf__malloc((size_t)n * sizeof *all);
    net->peers = hmf__calloc((size_t)n, sizeof *net->peers);
    if (!net->all || !net->peers)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the addresses of %d processes", n);
    memcpy(net->all, all, (size_t)n * sizeof *all);
    for (int i = 0; i < n; i++) {
        net->all[i].node[HMF__NET_NAME - 1] = 0;
        if (net->all[i].naddr > HMF__NET_NADDR)
            net->all[i].naddr = HMF__NET_NADDR;
    }
    net->n = n;
    net->me = me;
    memcpy(net->secret, secret, HMF__NET_SECRET);
    return HMF_OK;
}

static void conn_free(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    hmf__free(c->in);
    hmf__free(c->out);
    hmf__free(c);
}

void hmf__net_free(struct hmf__net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->nconns; i++)
        conn_free(net->conns[i]);
    while (net->self_head) {
        struct self_frame *f = net->self_head;
        net->self_head = f->next;
        hmf__free(f);
    }
    hmf__free(net->conns);
    hmf__free(net->peers);
    hmf__free(net->all);
    close(net->listen_fd);
    hmf__free(net);
}

const char *hmf__net_node(const struct hmf__net *net, int peer)
{
    return peer >= 0 && peer < net->n ? net->all[peer].node : "?";
}

int hmf__net_same_host(const struct hmf__net *net, int a, int b)
{
    return net->all[a].host_key == net->all[b].host_key;
}

int hmf__net_is_lost(const struct hmf__net *net, int peer)
{
    return net->peers[peer].lost;
}

/* ---- connections -------------------- */

static struct conn *conn_new(struct hmf__net *net, int fd, int peer)
{
    struct conn *c;

    if (net->nconns == net->cap_conns) {
        int cap = net->cap_conns ? 2 * net->cap_conns : 16;
        struct conn **p = hmf__realloc(net->conns, (size_t)cap * sizeof *p);
        if (!p)
            return NULL;
        net->conns = p;
        net->cap_conns = cap;
    }
    c = hmf__calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    c->peer = peer;
    c->since_ns = hmf__now_ns();
    net->conns[net->nconns++] = c;
    return c;
}

static void tune(int fd)
{
    int one = 1, idle = 10, interval = 5, probes = 3, limit_ms = 30000;
    /* Small frames at once; a peer whose node lost its power is noticed within half a minute. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms);
}

/* Starts the next possible attempt; false when no address is left. */
static bool try_connect(struct hmf__net *net, struct conn *c)
{
    const struct hmf__net_addr *to = &net->all[c->peer];
    bool local = hmf__net_same_host(net, net->me, c->peer);
    int n = local ? 1 : to->naddr;

    for (; c->attempt < n; c->attempt++) {
        struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(to->port)};
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

        if (c->fd >= 0)
            close(c->fd);
        c->fd = -1;
        if (local)
            sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else if (memcmp(to->addr[c->attempt], mapped, 12))
            continue;                     /* the agents listen on IPv4 */
        else
            memcpy(&sin.sin_addr, to->addr[c->attempt] + 12, 4);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (c->fd < 0)
            continue;
        tune(c->fd);
        c->since_ns = hmf__now_ns();
        c->connecting = true;
        if (!connect(c->fd, (struct sockaddr *)&sin, sizeof sin) || errno == EINPROGRESS)
            return true;
    }
    return false;
}

static bool out_append(struct conn *c, const void *data, size_t len)
{
    if (c->out_len + len > c->out_cap) {
        size_t cap = c->out_cap ? c->out_cap : 256;
        while (cap < c->out_len + len)
            cap *= 2;
        uint8_t *p = hmf__realloc(c->out, cap);
        if (!p)
            return false;
        c->out = p;
        c->out_cap = cap;
    }
    if (len)
        memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
    return true;
}

static void put32(uint8_t *p, uint32_t v)
{
    v = htonl(v);
    memcpy(p, &v, 4);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return ntohl(v);
}

/* Drops a connection.  The peer counts as gone when this was the connection that carried my frames,
 * or when the peer itself closed one that it had opened. */
static void drop(struct hmf__net *net, struct conn *c, const char *why)
{
    int peer = c->peer;

    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    if (peer < 0)
        return;
    if (net->peers[peer].send == c)
        net->peers[peer].send = NULL;
    if (!net->peers[peer].lost) {
        net->peers[peer].lost = true;
        net->ev.lost(net->ev.ctx, peer, why);
    }
}

static void count(struct hmf__net *net, unsigned kind)
{
    if (kind < HMF__NET_KINDS)
        atomic_fetch_add_explicit(&net->frames[kind], 1, memory_order_relaxed);
}

hmf_status_t hmf__net_send(struct hmf__net *net, int peer, unsigned kind, const void *data,
                           size_t len)
{
    uint8_t head[HEADER];
    struct conn *c;

    if (len > HMF__NET_MAX || peer < 0 || peer >= net->n)
        return hmf__fail(HMF_ERR_LIMIT, "a frame of %zu bytes to process %d cannot be sent", len,
                         peer);
    if (peer == net->me) {
        struct self_frame *f = hmf__malloc(sizeof *f + len);
        if (!f)
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a frame of %zu bytes", len);
        f->next = NULL;
        f->kind = kind;
        f->len = len;
        if (len)
            memcpy(f->data, data, len);
        *net->self_tail = f;
        net->self_tail = &f->next;
        return HMF_OK;
    }
    if (net->peers[peer].lost)
        return hmf__fail(HMF_ERR_PEER, "process %d on %s is gone", peer, net->all[peer].node);
    c = net->peers[peer].send;
    if (!c) {
        uint8_t hello[HELLO];
        c = conn_new(net, -1, peer);
        put32(hello, HELLO_MAGIC);
        memcpy(hello + 4, net->secret, HMF__NET_SECRET);
        put32(hello + 4 + HMF__NET_SECRET, (uint32_t)net->me);
        if (!c || !out_append(c, hello, HELLO))
            return hmf__fail(HMF_ERR_NOMEM, "no memory for a connection");
        net->peers[peer].send = c;
        if (!try_connect(net, c)) {
            drop(net, c, "no address of it answers");
            return hmf__fail(HMF_ERR_PEER, "process %d on %s cannot be reached", peer,
                             net->all[peer].node);
        }
    }
    put32(head, (uint32_t)len);
    put32(head + 4, kind);
    if (!out_append(c, head, HEADER) || !out_append(c, data, len))
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a frame of %zu bytes", len);
    count(net, kind);
    return HMF_OK;
}

uint32_t hmf__net_frames(const struct hmf__net *net, unsigned kind)
{
    return kind < HMF__NET_KINDS ? atomic_load(&net->frames[kind]) : 0;
}

void hmf__net_goodbye(struct hmf__net *net)
{
    uint8_t head[HEADER] = {0};            /* no payload, kind GOODBYE */

    for (int i = 0; i < net->nconns; i++) {
        struct conn *c = net->conns[i];
        if (c->fd >= 0 && c->peer >= 0)
            out_append(c, head, HEADER);
    }
}

/* ---- the event loop -------------------- */

int hmf__net_npollfds(const struct hmf__net *net)
{
    return net->nconns + 1;
}

int hmf__net_pending(const struct hmf__net *net)
{
    if (net->self_head)
        return 1;
    for (int i = 0; i < net->nconns; i++)
        if (net->conns[i]->fd >= 0 &&
            (net->conns[i]->connecting || net->conns[i]->out_pos < net->conns[i]->out_len))
            return 1;
    return 0;
}

int hmf__net_pollfds(struct hmf__net *net, struct pollfd *fds, int max)
{
    int n = 0;

    /* Slots of dropped connections are reclaimed here, where nobody holds an index. */
    for (int i = 0; i < net->nconns;) {
        if (net->conns[i]->fd < 0) {
            conn_free(net->conns[i]);
            net->conns[i] = net->conns[--net->nconns];
        } else {
            i++;
        }
    }
    if (max < net->nconns + 1)
        return -1;
    fds[n++] = (struct pollfd){.fd = net->listen_fd, .events = POLLIN};
    for (int i = 0; i < net->nconns; i++) {
        struct conn *c = net->conns[i];
        short ev = c->connecting ? POLLOUT : POLLIN;
        if (!c->connecting && c->out_pos < c->out_len)
            ev |= POLLOUT;
        fds[n++] = (struct pollfd){.fd = c->fd, .events = ev};
    }
    return n;
}

static void accept_all(struct hmf__net *net)
{
    for (;;) {
        int fd = accept4(net->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        tune(fd);
        if (!conn_new(net, fd, -1))
            close(fd);
    }
}

static void flush_out(struct hmf__net *net, struct conn *c)
{
    while (c->out_pos < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_pos, c->out_len - c->out_pos, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n < 0) {
            drop(net, c, strerror(errno));
            return;
        }
        c->out_pos += (size_t)n;
    }
    c->out_pos = c->out_len = 0;
}

/* Takes the hello of a fresh connection; false: a stranger. */
static bool take_hello(struct hmf__net *net, struct conn *c)
{
    uint32_t peer = get32(c->in + 4 + HMF__NET_SECRET);
    uint8_t differs = 0;

    for (int i = 0; i < HMF__NET_SECRET; i++)
        differs |= (uint8_t)(c->in[4 + i] ^ net->secret[i]);
    if (get32(c->in) != HELLO_MAGIC || differs || peer >= (uint32_t)net->n)
        return false;
    c->peer = (int)peer;
    if (!net->peers[peer].send)
        net->peers[peer].send = c;
    return true;
}

/* Delivers the complete frames of c->in; false when the stream is not one of ours. */
static bool deliver(struct hmf__net *net, struct conn *c)
{
    size_t at = 0;

    if (c->peer < 0) {
        if (c->in_len < HELLO)
            return true;
        if (!take_hello(net, c))
            return false;
        at = HELLO;
    }
    while (c->fd >= 0 && c->in_len - at >= HEADER) {
        uint32_t len = get32(c->in + at), kind = get32(c->in + at + 4);
        if (len > HMF__NET_MAX)
            return false;
        if (c->in_len - at - HEADER < len)
            break;
        count(net, kind);
        if (kind == GOODBYE)
            net->peers[c->peer].lost = true;      /* without the event: it is as it should be */
        else
            net->ev.frame(net->ev.ctx, c->peer, kind, c->in + at + HEADER, len);
        at += HEADER + len;
    }
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
    return true;
}

static void read_in(struct hmf__net *net, struct conn *c)
{
    for (;;) {
        if (c->in_cap - c->in_len < 4096) {
            /* A stranger gets no more memory than a hello needs. */
            size_t cap = c->in_cap ? 2 * c->in_cap : 8192;
            uint8_t *p = cap <= 4 * (size_t)HMF__NET_MAX ? hmf__realloc(c->in, cap) : NULL;
            if (!p) {
                drop(net, c, "no memory for what it sends");
                return;
            }
            c->in = p;
            c->in_cap = cap;
        }
        ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0) {
            drop(net, c, n ? strerror(errno) : "it closed the connection");
            return;
        }
        c->in_len += (size_t)n;
        if (!deliver(net, c)) {
            if (c->peer < 0)
                hmf__log(HMF__LOG_WARN, "a stranger's connection to this job's agent was refused");
            drop(net, c, "it sent what is not a frame");
            return;
        }
        if (c->fd < 0)
            return;
    }
}

static void finish_connect(struct hmf__net *net, struct conn *c)
{
    int err = 0;
    socklen_t len = sizeof err;

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err) {
        c->attempt++;
        if (!try_connect(net, c))
            drop(net, c, strerror(err));
        return;
    }
    c->connecting = false;
    flush_out(net, c);
}

static void deliver_self(struct hmf__net *net)
{
    while (net->self_head) {
        struct self_frame *f = net->self_head;
        net->self_head = f->next;
        if (!net->self_head)
            net->self_tail = &net->self_head;
        net->ev.frame(net->ev.ctx, net->me, f->kind, f->data, f->len);
        hmf__free(f);
    }
}

void hmf__net_handle(struct hmf__net *net, const struct pollfd *fds, int n)
{
    int polled = n - 1;     /* connections made by the handlers below come after these */
    uint64_t now = hmf__now_ns();

    for (int i = 0; i < polled && i < net->nconns; i++) {
        struct conn *c = net->conns[i];
        short got = fds[i + 1].revents;
        if (c->fd < 0 || c->fd != fds[i + 1].fd)
            continue;
        if (c->connecting) {
            if (got) {
                finish_connect(net, c);
            } else if (now - c->since_ns > CONNECT_LIMIT_NS) {
                c->attempt++;
                if (!try_connect(net, c))
                    drop(net, c, "it does not answer");
            }
            continue;
        }
        if (got & (POLLIN | POLLHUP | POLLERR))
            read_in(net, c);
        if (c->fd >= 0 && c->peer < 0 && now - c->since_ns > CONNECT_LIMIT_NS)
            drop(net, c, "no hello");
    }
    if (n > 0 && fds[0].revents)
        accept_all(net);
    deliver_self(net);
    for (int i = 0; i < net->nconns; i++)
        if (net->conns[i]->fd >= 0 && !net->conns[i]->connecting)
            flush_out(net, net->conns[i]);
}
