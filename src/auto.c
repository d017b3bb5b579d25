/* auto.c - the report's interface (see auto.h). */
#include "config.h"

#include "auto.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "check.h"
#include "hmf/job.h"
#include "job.h"
#include "move.h"
#include "progress.h"
#include "startup.h"
#include "vlocal.h"
#include "world.h"

/* Tells the agent how large the state is, as far as the registered variables say so. */
static void resize(struct hmf__job *j)
{
    struct hmf__size size = j->agent.size;

    size.flat = hmf__state_bytes(j->state, &size.open);
    hmf__agent_resize(&j->agent, &size);
}

/* What auto_remove needs to find a variable by its structure. */
struct elem { struct elem *next; const var_elem_t *given; void *data; };

static struct elem *elems;

static int failed(hmf_status_t st)
{
    if (st)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    return (int)st;
}

static int out_of_order(const char *what)
{
    return failed(hmf__fail(HMF_ERR_STATE, "%s", what));
}

/* ---- beginning -------------------- */

static hmf_status_t choose_dir(struct hmf__job *j, const char *program)
{
    const char *dir = NULL, *mode = NULL, *name = strrchr(program, '/');
    size_t len;

    name = name ? name + 1 : program;
    hmf__param_string("HMF_DIR", NULL, &dir);
    len = strlen(dir ? dir : name) + 5;
    hmf__free(j->dir);
    j->dir = hmf__malloc(len);
    if (!j->dir)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the name of the checkpoint directory");
    snprintf(j->dir, len, "%s%s", dir ? dir : name, dir ? "" : ".hmf");
    if (hmf__param_int("HMF_KEEP", 1, 1000000, 2, &j->keep)) {
        hmf__log(HMF__LOG_ERROR, "%s: keeping 2 checkpoints", hmf_error_text());
        j->keep = 2;
    }
    hmf__levels_fini(&j->levels);
    if (hmf__levels_read(&j->levels) && hmf__world_rank() == 0)
        hmf__log(HMF__LOG_ERROR, "%s", hmf_error_text());
    hmf__param_string("HMF_CHECKPOINT", "sync", &mode);
    j->behind = !strcmp(mode, "async");
    if (!j->behind && strcmp(mode, "sync") && hmf__world_rank() == 0)
        hmf__log(HMF__LOG_ERROR, "HMF_CHECKPOINT=%s is neither sync nor async: taking sync", mode);
    return HMF_OK;
}

int auto_init(const char *program)
{
    struct hmf__job *j = &hmf__job;
    int inited = 0;
    hmf_status_t st;

    if (j->state)
        return out_of_order("auto_init was called twice: once is enough until auto_done");
    if (!program || !program[0])
        return failed(hmf__fail(HMF_ERR_ARG, "auto_init needs the program's name: pass argv[0]"));
    PMPI_Initialized(&inited);
    if (!inited) {
        if (MPI_Init(NULL, NULL))
            return failed(hmf__fail(HMF_ERR_MPI, "auto_init could not start MPI"));
        j->owns_mpi = true;
    }
    if (!j->up)
        return failed(hmf__fail(HMF_ERR_STATE, "auto_init: libhmf-mpi did not see MPI_Init; link the "
                                "program with -lhmf-mpi before the MPI library"));
    if ((st = choose_dir(j, program)) || (st = hmf_state_new(&j->state)))
        return failed(st);
    j->read_done = j->left = j->on_disk = false;
    hmf__job_signal(SIGTERM, 1);
    return 0;
}

/* ---- variables -------------------- */

static hmf_status_t add(const var_elem_t *given, const char *name, void *data, size_t len,
                        const int *type, int type_len)
{
    struct elem *e;
    hmf_status_t st;

    if (!hmf__job.state)
        return hmf__fail(HMF_ERR_STATE, "variable '%s' was registered before auto_init",
                         name ? name : "?");
    if (!type || type_len <= 0)
        return hmf__fail(HMF_ERR_ARG, "variable '%s' has no type description", name ? name : "?");
    e = hmf__malloc(sizeof *e);
    if (!e)
        return hmf__fail(HMF_ERR_NOMEM, "no memory to register '%s'", name ? name : "?");
    st = hmf_state_add(hmf__job.state, name, data, len, type, (size_t)type_len, NULL);
    if (st) {
        hmf__free(e);
        return st;
    }
    *e = (struct elem){elems, given, data};
    elems = e;
    if (hmf__job.read_done)
        resize(&hmf__job);
    return HMF_OK;
}

int auto_register(var_elem_t *elem)
{
    if (!elem)
        return failed(hmf__fail(HMF_ERR_ARG, "auto_register needs a var_elem_t"));
    return failed(add(elem, elem->v_name, elem->v_data, elem->v_data_len, elem->v_type_list,
                      elem->v_list_len));
}

int auto_track(const char *name, void *data, size_t data_len, int *type_list, int list_len)
{
    return failed(add(NULL, name, data, data_len, type_list, list_len));
}

static hmf_status_t drop(struct elem **at)
{
    struct elem *e = *at;
    hmf_status_t st = hmf_state_remove_addr(hmf__job.state, e->data);

    *at = e->next;
    hmf__free(e);
    if (hmf__job.read_done)
        resize(&hmf__job);
    return st;
}

int auto_remove(var_elem_t *elem, void *data)
{
    if (!hmf__job.state)
        return out_of_order("auto_remove was called outside auto_init .. auto_done");
    for (struct elem **p = &elems; *p; p = &(*p)->next)
        if (elem ? (*p)->given == elem : (*p)->data == data)
            return failed(drop(p));
    return failed(hmf__fail(HMF_ERR_NOTFOUND, "auto_remove: no variable was registered with this %s",
                            elem ? "var_elem_t" : "address"));
}

int auto_untrack(void *data)
{
    return auto_remove(NULL, data);
}

int auto_remove_name(const char *name)
{
    const struct hmf__var *v;

    if (!hmf__job.state)
        return out_of_order("auto_remove_name was called outside auto_init .. auto_done");
    v = name ? hmf__state_find(hmf__job.state, name) : NULL;
    if (!v)
        return failed(hmf__fail(HMF_ERR_NOTFOUND, "auto_remove_name: no variable '%s' is registered",
                                name ? name : "(null)"));
    return auto_remove(NULL, v->addr);
}

/* ---- earlier state -------------------- */

/* Reads HMF_RESTART: -2 never, -1 the newest, else a generation. */
static long which_generation(void)
{
    const char *text = NULL;
    char *end;
    long g;

    hmf__param_string("HMF_RESTART", "auto", &text);
    if (!strcmp(text, "auto"))
        return -1;
    if (!strcmp(text, "never"))
        return -2;
    g = strtol(text, &end, 10);
    if (*end || end == text || g < 0) {
        if (hmf__world_rank() == 0)
            hmf__log(HMF__LOG_ERROR, "HMF_RESTART=%s is neither auto, never nor a generation's "
                     "number: taking auto", text);
        return -1;
    }
    return g;
}

/* Collective: the newest generation that is intact, or the one that HMF_RESTART names. */
static int read_disk(struct hmf__job *j)
{
    long wanted = which_generation();
    uint64_t generation;
    hmf_status_t st;
    int there = !access(j->dir, F_OK);

    j->protect = j->wrote = false;
    PMPI_Bcast(&there, 1, MPI_INT, 0, hmf__world_inner());
    if (wanted == -2) {
        /* An older state that this run leaves aside is out of date when the run has ended. */
        j->wrote = there;
        return 0;
    }
    st = hmf__check_load(hmf__job_check(j), wanted, j->state, &generation);
    j->wrote = !st;
    if (!st && j->agent.rank == 0)
        hmf__log(HMF__LOG_INFO, "continuing from generation %llu of %s",
                 (unsigned long long)generation, j->dir);
    if (!st || (st == HMF_ERR_NOTFOUND && wanted < 0))
        return !st;
    j->protect = there;
    if (j->agent.rank == 0 && there)
        hmf__log(HMF__LOG_ERROR, "%s; the program begins afresh; %s is kept as it is, and no checkpoints "
                 "are taken until HMF_RESTART=never says that it may go, or HMF_DIR names another",
                 hmf_error_text(), j->dir);
    else if (j->agent.rank == 0)
        hmf__log(HMF__LOG_ERROR, "%s; the program begins afresh", hmf_error_text());
    return 0;
}

int auto_read(int mask)
{
    struct hmf__job *j = &hmf__job;

    if (!j->state || j->read_done) {
        out_of_order(j->state ? "auto_read was called twice"
                              : "auto_read was called outside auto_init .. auto_done");
        return 0;
    }
    if (j->can_stop && j->agent.role == HMF__ROLE_INCOMING) {
        if (!(mask & AUTO_MIGR))
            hmf__move_refuse(j, "called auto_read without AUTO_MIGR");
        hmf__move_restore(j);
        j->read_done = true;
        resize(j);
        return 1;
    }
    j->read_done = true;
    j->agent.size.start_us = hmf__job_cpu_us() - j->start_us;
    resize(j);
    hmf__vlocal_started();
    hmf__startup_end();
    return (mask & AUTO_CHKP) && j->can_stop ? read_disk(j) : 0;
}

/* ---- the poll -------------------- */

static int misplaced_poll(struct hmf__job *j)
{
    static bool said;

    if (j->can_stop && j->agent.role == HMF__ROLE_INCOMING)
        hmf__move_refuse(j, "came to auto_poll without calling auto_read");
    if (!said && !j->left)
        out_of_order(j->state ? "auto_poll was called before auto_read"
                              : "auto_poll was called outside auto_init .. auto_done");
    said = true;
    return j->left ? AUTO_MIGR : 0;
}

int auto_poll(int mask)
{
    struct hmf__job *j = &hmf__job;

    if (__builtin_expect(!j->read_done || j->left, 0))
        return misplaced_poll(j);
    uint64_t n = hmf__agent_count(&j->agent);
    if (__builtin_expect(hmf__watched != NULL, 0))
        hmf__watch_poll(atomic_load_explicit(&j->agent.polls, memory_order_relaxed));
    if (__builtin_expect(!n, 1))
        return 0;
    /* What is done for the others is none of the rank's own work. */
    return HMF__TIMED(hmf__move_poll(j, n, mask));
}

/* ---- the end -------------------- */

int auto_done(void)
{
    struct hmf__job *j = &hmf__job;

    if (!j->state)
        return out_of_order("auto_done was called without auto_init");
    if (j->can_stop && j->agent.role == HMF__ROLE_INCOMING)
        hmf__move_refuse(j, "came to auto_done without calling auto_read");
    while (elems) {
        struct elem *e = elems;
        elems = e->next;
        hmf__free(e);
    }
    hmf_state_free(j->state);
    j->state = NULL;
    j->read_done = false;
    if (j->owns_mpi) {
        j->owns_mpi = false;
        MPI_Finalize();
    }
    return 0;
}

/* ---- requests (hmf/job.h) -------------------- */

static hmf_status_t ask(struct hmf__ask *a)
{
    struct hmf__job *j = &hmf__job;

    if (!j->state || !j->can_stop)
        return hmf__fail(HMF_ERR_STATE, "a request needs auto_init first");
    a->source = HMF__ASK_PROGRAM;
    return hmf__agent_ask(&j->agent, a);
}

hmf_status_t hmf_request_move(int rank, const char *node)
{
    struct hmf__ask a = {.kind = HMF__OP_MOVE, .rank = rank};

    if (rank < 0 || rank >= hmf__world_size())
        return hmf__fail(HMF_ERR_ARG, "there is no rank %d: ranks are 0 to %d", rank,
                         hmf__world_size() - 1);
    if (node && strlen(node) >= sizeof a.node)
        return hmf__fail(HMF_ERR_ARG, "the host name '%.40s...' is too long", node);
    if (node)
        strcpy(a.node, node);
    return ask(&a);
}

hmf_status_t hmf_request_checkpoint(int stop)
{
    struct hmf__ask a = {.kind = HMF__OP_CHECKPOINT, .rank = -1, .stop = stop != 0};

    return ask(&a);
}

int hmf_newcomer(void)
{
    return hmf__job.newcomer;
}

const char *hmf_node(void)
{
    static char node[64];

    if (!node[0] && gethostname(node, sizeof node - 1))
        strcpy(node, "unknown");
    return node;
}
