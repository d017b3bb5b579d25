/* control.c - the Unix socket by which a job's owner steers it (see control.h). */
#include "config.h"

#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coord.h"
#include "events.h"
#include "rundir.h"

#define NCLIENTS 8
#define LINE 1024
#define IDLE_NS (10ull * 1000000000)     /* a client that says nothing is sent away */

struct client {
    int fd;                 /* -1: free */
    uint64_t token;         /* 0: no wish made yet */
    uint64_t since_ns;
    size_t len;
    uid_t uid;
    uint8_t *out;           /* the answer, what the kernel has not taken of it yet */
    size_t out_at, out_len;
    char line[LINE];
};

struct hmf__control {
    struct hmf__agent *a;
    int fd;
    int dir;                /* where the socket is */
    char name[64];
    uint64_t next_token;
    struct client client[NCLIENTS];
};

void hmf__control_start(struct hmf__agent *a)
{
    struct hmf__control *c = hmf__calloc(1, sizeof *c);
    struct sockaddr_un sun;
    const char *given;
    char dir[PATH_MAX];

    if (!c)
        return;
    c->a = a;
    c->fd = -1;
    for (int i = 0; i < NCLIENTS; i++)
        c->client[i].fd = -1;
    snprintf(c->name, sizeof c->name, "%.20s.%ld.sock", a->program, (long)getpid());
    c->dir = hmf__rundir_open(dir, 1);
    if (c->dir < 0 || hmf__rundir_address(&sun, c->dir, c->name))
        goto no_socket;
    unlinkat(c->dir, c->name, 0);         /* a dead process of the same number */
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&sun, sizeof sun) ||
        fchmodat(c->dir, c->name, 0600, 0) || listen(c->fd, NCLIENTS))
        goto no_socket;
    a->control = c;
    return;

no_socket:
    /* Whoever names a directory wants to use it; without one the job needs no control. */
    hmf__param_string("HMF_RUN_DIR", NULL, &given);
    hmf__log(given ? HMF__LOG_WARN : HMF__LOG_INFO,
             "no control socket in %s (%s): the job runs, but hmf cannot reach it; set "
             "HMF_RUN_DIR to a directory of your own, mode 0700", dir, strerror(errno));
    if (c->fd >= 0)
        close(c->fd);
    if (c->dir >= 0)
        close(c->dir);
    hmf__free(c);
}

static void hang_up(struct client *cl)
{
    close(cl->fd);
    cl->fd = -1;
    hmf__free(cl->out);
    cl->out = NULL;
}

void hmf__control_stop(struct hmf__agent *a)
{
    struct hmf__control *c = a->control;

    if (!c)
        return;
    for (int i = 0; i < NCLIENTS; i++)
        if (c->client[i].fd >= 0)
            hang_up(&c->client[i]);
    close(c->fd);
    unlinkat(c->dir, c->name, 0);
    close(c->dir);
    hmf__free(c);
    a->control = NULL;
}

int hmf__control_npollfds(const struct hmf__control *c)
{
    return c ? 1 + NCLIENTS : 0;
}

int hmf__control_pollfds(struct hmf__control *c, struct pollfd *fds, int max)
{
    int n = 0;

    if (!c || max < 1 + NCLIENTS)
        return 0;
    fds[n++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
    for (int i = 0; i < NCLIENTS; i++)
        if (c->client[i].fd >= 0)
            fds[n++] = (struct pollfd){.fd = c->client[i].fd,
                                       .events = c->client[i].out ? POLLOUT : c->client[i].token ? 0 : POLLIN};
    return n;
}

/* Whoever does not read loses the rest of the answer after IDLE_NS. */
static void flush(struct client *cl)
{
    while (cl->out_at < cl->out_len) {
        ssize_t n = send(cl->fd, cl->out + cl->out_at, cl->out_len - cl->out_at, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR) && hmf__now_ns() - cl->since_ns < IDLE_NS)
            return;
        if (n <= 0)
            break;
        cl->out_at += (size_t)n;
    }
    hang_up(cl);
}

static void reply(struct client *cl, const char *head, const char *text, size_t len)
{
    size_t n = strlen(head);

    cl->out = hmf__malloc(n + len + 1);
    if (!cl->out) {
        hang_up(cl);
        return;
    }
    memcpy(cl->out, head, n);
    if (len)
        memcpy(cl->out + n, text, len);
    cl->out[n + len] = '\n';
    cl->out_at = 0;
    cl->out_len = n + len + 1;
    cl->since_ns = hmf__now_ns();
    flush(cl);
}

void hmf__control_answer(struct hmf__control *c, uint64_t token, int ok, const char *text)
{
    if (!c)
        return;
    for (int i = 0; i < NCLIENTS; i++)
        if (c->client[i].fd >= 0 && c->client[i].token == token && !c->client[i].out)
            reply(&c->client[i], ok ? "ok " : "error ", text, strlen(text));
}

static void refuse(struct hmf__control *c, struct client *cl, const char *why)
{
    /* Whoever asked is told; the job's own output is not the place for it. */
    hmf__log(HMF__LOG_INFO, "a control request was refused: %s", why);
    hmf__events_begin(c->a->events, "refused");
    hmf__events_int(c->a->events, "uid", (int64_t)cl->uid);
    hmf__events_text(c->a->events, "reason", why);
    hmf__events_end(c->a->events);
    reply(cl, "error ", why, strlen(why));
}

/* ---- requests: what stands behind the word is `rest`, with its leading space -------------------- */

static void wish(struct hmf__control *c, struct client *cl, struct hmf__ask *ask)
{
    struct hmf__buf in, out = HMF__BUF_INIT;

    cl->token = ask->token = ++c->next_token;
    if (hmf__ask_put(&out, ask)) {
        reply(cl, "error ", "out of memory", 13);
    } else {
        hmf__buf_borrow(&in, out.data, out.len);
        hmf__coord_ask(c->a->coord, &in);
    }
    hmf__buf_fini(&out);
}

/* Lines that were made, or why they could not be. */
static void lines(struct hmf__control *c, struct client *cl, hmf_status_t st, struct hmf__buf *out)
{
    if (st || out->status)
        refuse(c, cl, st ? hmf_error_text() : "out of memory");
    else
        reply(cl, "", (const char *)out->data, out->len ? out->len - 1 : 0);
    hmf__buf_fini(out);
}

/* The rank behind the word: -1 none, -2 no rank of this job. */
static int rank_in(struct hmf__control *c, const char *rest, char node[64])
{
    char rank[16] = "", more[8] = "", *end;
    int got = sscanf(rest, " %15s %63s %7s", rank, node, more);
    long v = strtol(rank, &end, 10);

    if (got < 1)
        return -1;
    return got > 2 || *end || v < 0 || v >= c->a->nranks ? -2 : (int)v;
}

/* One word behind the word; false: none or several. */
static bool one_word(const char *rest, char *word)
{
    char more[8];

    return sscanf(rest, " %199s %7s", word, more) == 1;
}

static void do_status(struct hmf__control *c, struct client *cl, const char *rest)
{
    struct hmf__buf out = HMF__BUF_INIT;

    (void)rest;
    hmf__coord_status(c->a->coord, &out);
    lines(c, cl, HMF_OK, &out);
}

static void do_checkpoint(struct hmf__control *c, struct client *cl, const char *rest)
{
    struct hmf__ask ask = {.kind = HMF__OP_CHECKPOINT, .source = HMF__ASK_CONTROL, .rank = -1};

    (void)rest;
    ask.stop = cl->line[0] == 's';
    wish(c, cl, &ask);
}

static void do_migrate(struct hmf__control *c, struct client *cl, const char *rest)
{
    struct hmf__ask ask = {.kind = HMF__OP_MOVE, .source = HMF__ASK_CONTROL};

    ask.rank = rank_in(c, rest, ask.node);
    if (ask.rank < 0)
        refuse(c, cl, "migrate RANK [NODE]: RANK is not a rank of this job");
    else
        wish(c, cl, &ask);
}

static void do_node(struct hmf__control *c, struct client *cl, const char *rest)
{
    char node[200];

    if (!one_word(rest, node) || strlen(node) >= HMF__NET_NAME) {
        refuse(c, cl, "drain NODE and resume NODE need the name of one node");
        return;
    }
    cl->token = ++c->next_token;
    if (cl->line[0] == 'd')
        hmf__coord_drain(c->a->coord, node, cl->token);
    else
        hmf__coord_resume(c->a->coord, node, cl->token);
}

static void do_events(struct hmf__control *c, struct client *cl, const char *rest)
{
    struct hmf__buf out = HMF__BUF_INIT;
    char number[200] = "20", *end;
    long n;

    if (rest[strspn(rest, " ")] && !one_word(rest, number))
        number[0] = 0;
    n = strtol(number, &end, 10);
    if (*end || n < 1 || n > 1000000) {
        refuse(c, cl, "events [N]: N is not a number of lines");
        return;
    }
    hmf__events_recent(c->a->events, (int)n, &out);
    lines(c, cl, HMF_OK, &out);
}

static void do_graph(struct hmf__control *c, struct client *cl, const char *rest)
{
    struct hmf__buf out = HMF__BUF_INIT;
    char node[64] = "";
    int rank = rank_in(c, rest, node);

    if (rank == -2 || node[0])
        refuse(c, cl, "graph [RANK]: RANK is not a rank of this job");
    else
        lines(c, cl, hmf__coord_graph(c->a->coord, rank, &out), &out);
}

static void do_policy(struct hmf__control *c, struct client *cl, const char *rest)
{
    struct hmf__buf out = HMF__BUF_INIT;
    char names[200] = "";

    if (rest[strspn(rest, " ")] && !one_word(rest, names))
        refuse(c, cl, "policy [NAMES]: names are separated by commas, without spaces");
    else
        lines(c, cl, hmf__coord_policy(c->a->coord, names, &out), &out);
}

static void request(struct hmf__control *c, struct client *cl)
{
    static const struct {
        const char *word;
        bool more;              /* other words may follow */
        void (*serve)(struct hmf__control *, struct client *, const char *rest);
    } known[] = {
        {"status", false, do_status}, {"checkpoint", false, do_checkpoint}, {"stop", false, do_checkpoint},
        {"migrate", true, do_migrate}, {"drain", true, do_node}, {"resume", true, do_node},
        {"events", true, do_events}, {"graph", true, do_graph}, {"policy", true, do_policy},
    };
    size_t n = strcspn(cl->line, " ");

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].word) == n && !strncmp(cl->line, known[i].word, n) && (known[i].more || !cl->line[n])) {
            known[i].serve(c, cl, cl->line + n);
            return;
        }
    refuse(c, cl, "known requests: status, migrate RANK [NODE], drain NODE, resume NODE, checkpoint, stop, "
           "events [N], graph [RANK], policy [NAMES]");
}

static void accept_client(struct hmf__control *c)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    for (int i = 0; i < NCLIENTS; i++) {
        struct client *cl = &c->client[i];
        if (cl->fd >= 0)
            continue;
        memset(cl, 0, sizeof *cl);
        cl->fd = fd;
        cl->since_ns = hmf__now_ns();
        cl->uid = (uid_t)-1;
        if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
            cl->uid = cred.uid;
        if (cl->uid != getuid() && cl->uid != 0)
            refuse(c, cl, "only the job's owner may steer it");
        return;
    }
    close(fd);                            /* too many at once */
}

static void read_client(struct hmf__control *c, struct client *cl)
{
    ssize_t n = recv(cl->fd, cl->line + cl->len, sizeof cl->line - 1 - cl->len, 0);
    char *nl;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        hang_up(cl);
        return;
    }
    cl->len += (size_t)n;
    cl->line[cl->len] = 0;
    nl = memchr(cl->line, '\n', cl->len);
    if (nl) {
        *nl = 0;
        request(c, cl);
    } else if (cl->len == sizeof cl->line - 1) {
        refuse(c, cl, "the request is too long");
    }
}

void hmf__control_handle(struct hmf__control *c, const struct pollfd *fds, int n)
{
    uint64_t now = hmf__now_ns();

    if (!c || n < 1)
        return;
    for (int k = 1; k < n; k++)
        for (int i = 0; i < NCLIENTS; i++) {
            struct client *cl = &c->client[i];
            if (cl->fd < 0 || cl->fd != fds[k].fd)
                continue;
            if (cl->out) {
                flush(cl);
            } else if (cl->token && (fds[k].revents & (POLLHUP | POLLERR))) {
                hang_up(cl);
            } else if (!cl->token && fds[k].revents) {
                read_client(c, cl);
            } else if (!cl->token && now - cl->since_ns > IDLE_NS) {
                refuse(c, cl, "nothing was asked");
            }
        }
    if (fds[0].revents)
        accept_client(c);
}
