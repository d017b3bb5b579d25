/* Models of the simulator from JSON; doc/policies.md shows one. */
#include "config.h"

#include "graph_json.h"
#include "sim.h"

#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *array_of(struct hmf__json *f, const char *name, size_t size, json_t **a, size_t *n)
{
    void *p = NULL;

    *a = hmf__json_array(f, name, n);
    if (*n && !f->all->status && !(p = hmf__calloc(*n, size)))
        f->all->status =
            hmf__fail(HMF_ERR_NOMEM, "%s: no memory for %zu %s", f->all->where, *n, name);
    if (!p)
        *n = 0;
    return p;
}

static void read_ranks(struct hmf__json *f, struct hmf__sim_model *m)
{
    json_t *a;
    size_t n;

    m->rank = array_of(f, "ranks", sizeof *m->rank, &a, &n);
    for (m->nranks = 0; m->nranks < n && !f->all->status; m->nranks++) {
        struct hmf__sim_rank *r = &m->rank[m->nranks];
        struct hmf__json item = hmf__json_item(f, a, "ranks", m->nranks);
        r->share = 1;
        r->at = hmf__graph_read_name(&item, "at", 1, m->graph);
        r->home = hmf__graph_read_name(&item, "home", 0, m->graph);
        hmf__json_number(&item, "work_us", 1, 0, &r->work_us);
        hmf__json_number(&item, "share", 0, 0, &r->share);
        hmf__json_text(&item, "needs", 0, r->needs, sizeof r->needs);
        hmf__json_flag(&item, "real_time", &r->real_time);
        hmf__json_end(&item);
    }
}

/* Asks for a field, and notes in the event that it was there. */
static int has(struct hmf__json *f, const char *name, struct hmf__sim_event *e, unsigned what)
{
    if (!hmf__json_get(f, name))
        return 0;
    e->what |= what;
    return 1;
}

static void read_event(struct hmf__json *f, struct hmf__sim_model *m, struct hmf__sim_event *e)
{
    double rank = -1;
    int flag = 1;

    e->weight = hmf_weight_constant(1);
    hmf__json_number(f, "at_us", 1, 0, &e->at_us);
    e->vertex = hmf__graph_read_name(f, "vertex", 0, m->graph);
    hmf__json_number(f, "rank", 0, 0, &rank);
    if (has(f, "load", e, HMF__SIM_LOAD))
        hmf__json_number(f, "load", 0, 0, &e->load);
    if (has(f, "weight", e, HMF__SIM_WEIGHT))
        hmf__graph_read_weight(f, "weight", &e->weight);
    if (has(f, "owner", e, HMF__SIM_OWNER))
        hmf__json_flag(f, "owner", &e->owner);
    if (has(f, "ends_at_us", e, HMF__SIM_ENDS))
        hmf__json_number(f, "ends_at_us", 0, 0, &e->ends_at_us);
    if (has(f, "fails", e, HMF__SIM_FAILS))
        hmf__json_flag(f, "fails", &flag);
    if (has(f, "suspected", e, HMF__SIM_SUSPECTED))
        hmf__json_flag(f, "suspected", &flag);
    if (has(f, "needs", e, HMF__SIM_NEEDS))
        hmf__json_text(f, "needs", 0, e->needs, sizeof e->needs);
    if (has(f, "real_time", e, HMF__SIM_REAL_TIME))
        hmf__json_flag(f, "real_time", &e->real_time);
    hmf__json_end(f);
    if (f->all->status)
        return;
    unsigned of_rank = HMF__SIM_NEEDS | HMF__SIM_REAL_TIME;
    if (!e->what)
        hmf__json_wrong(f, "", "says nothing that happens");
    else if (!flag)
        hmf__json_wrong(f, "", "has fails or suspected set to false: leave it out");
    else if (!(e->load >= 0 && e->load <= 1e9))
        hmf__json_wrong(f, "load", "is %g: give 0 to 1e9", e->load);
    else if (!(e->weight.base >= 0 && e->weight.rise_per_us >= 0))
        hmf__json_wrong(f, "weight", "is below 0");
    else if ((e->what & ~of_rank) && e->vertex == HMF_NO_VERTEX)
        hmf__json_wrong(f, "vertex", "is missing");
    else if ((e->what & of_rank) && !(rank >= 0 && rank < (double)m->nranks))
        hmf__json_wrong(f, "rank", "is missing, or there are not so many ranks");
    else if ((e->what & of_rank) && (e->what & ~of_rank))
        hmf__json_wrong(f, "", "is of a vertex and of a rank: make two of it");
    e->rank = rank >= 0 ? (size_t)rank : 0;
}

/* In the order of time; of one time in the order of the file. */
static void sort_events(struct hmf__sim_model *m)
{
    for (size_t i = 1; i < m->nevents; i++) {
        struct hmf__sim_event e = m->event[i];
        size_t k = i;
        for (; k && m->event[k - 1].at_us > e.at_us; k--)
            m->event[k] = m->event[k - 1];
        m->event[k] = e;
    }
}

static void read_events(struct hmf__json *f, struct hmf__sim_model *m)
{
    json_t *a;
    size_t n;

    m->event = array_of(f, "events", sizeof *m->event, &a, &n);
    for (; m->nevents < n && !f->all->status; m->nevents++) {
        struct hmf__json item = hmf__json_item(f, a, "events", m->nevents);
        read_event(&item, m, &m->event[m->nevents]);
    }
    sort_events(m);
}

static void read_policies(struct hmf__json *f, struct hmf__sim_model *m)
{
    json_t *a;
    size_t n;

    m->policy = array_of(f, "policies", sizeof *m->policy, &a, &n);
    for (; m->npolicies < n && !f->all->status; m->npolicies++) {
        const char *name = json_string_value(json_array_get(a, m->npolicies));
        if (name && strlen(name) < sizeof *m->policy)
            strcpy(m->policy[m->npolicies], name);
        else
            hmf__json_wrong(f, "policies", "has something else than short texts in it");
    }
    a = hmf__json_array(f, "mechanisms", &n);
    for (size_t i = 0; i < n && !f->all->status; i++) {
        const char *name = json_string_value(json_array_get(a, i));
        int k = 0;
        while (k <= HMF_MOVE_ON_REFERENCE && name &&
               strcmp(name, hmf_mechanism_name((enum hmf_mechanism)k)))
            k++;
        if (!name || k > HMF_MOVE_ON_REFERENCE || m->nmechanisms == 3)
            hmf__json_wrong(f, "mechanisms", "is not a list of whole, precopy, on-reference");
        else
            m->mechanism[m->nmechanisms++] = (enum hmf_mechanism)k;
    }
}

static void read_options(struct hmf__json *f, struct hmf_policy_options *o)
{
    struct hmf__json sub = hmf__json_object(f, "options");
    struct {
        const char *name;
        double *x;
    } each[] = {{"hysteresis", &o->hysteresis},
                {"min_gain_us", &o->min_gain_us},
                {"confirm", &o->confirm},
                {"settle_us", &o->settle_us},
                {"max_moves", &o->max_moves},
                {"window_us", &o->window_us},
                {"quarantine_us", &o->quarantine_us},
                {"threshold", &o->threshold},
                {"real_time", &o->real_time},
                {"margin_us", &o->margin_us},
                {"rise", &o->rise}};

    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        hmf__json_number(&sub, each[i].name, 0, 0, each[i].x);
        if (!(*each[i].x >= 0))
            hmf__json_wrong(&sub, each[i].name, "is below 0");
    }
    hmf__json_end(&sub);
}

static void read_numbers(struct hmf__json *f, struct hmf__sim_model *m)
{
    double seed = 1;
    struct {
        const char *name;
        double *x;
    } each[] = {{"step_us", &m->step_us}, {"decide_us", &m->decide_us}, {"limit_us", &m->limit_us},
                {"noise", &m->noise}, {"checkpoint_us", &m->checkpoint_us},
                {"checkpoint_cost_us", &m->checkpoint_cost_us}, {"restart_us", &m->restart_us},
                {"seed", &seed}};

    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++)
        hmf__json_number(f, each[i].name, 0, 0, each[i].x);
    if (!(seed >= 0 && seed <= 9e15))
        hmf__json_wrong(f, "seed", "is not from 0 to 9e15");
    else
        m->seed = (uint64_t)seed;
    hmf__json_flag(f, "independent", &m->independent);
}

static hmf_status_t read_model(json_t *root, const char *where, struct hmf__sim_model *m)
{
    static const char *const formats[] = {"hmf-sim 1", NULL};
    struct hmf__json_source all = {.where = where};
    int format = 0;

    hmf__sim_init(m);
    all.status = hmf_graph_new(&m->graph);
    if (!all.status) {
        struct hmf__json f = hmf__json_root(&all, root), sub;
        hmf__json_word(&f, "format", formats, &format);
        sub = hmf__json_object(&f, "graph");
        if (!sub.object)
            hmf__json_wrong(&f, "graph", "is missing");
        else
            hmf__graph_read(&sub, m->graph);
        read_ranks(&f, m);
        read_events(&f, m);
        read_policies(&f, m);
        read_options(&f, &m->options);
        read_numbers(&f, m);
        hmf__json_end(&f);
    }
    json_decref(root);
    if (all.status)
        hmf__sim_fini(m);
    return all.status;
}

hmf_status_t hmf__sim_parse(const char *json, size_t len, const char *where,
                            struct hmf__sim_model *m)
{
    json_t *root;
    hmf_status_t rc = hmf__json_parse(json, len, where, &root);

    return rc ? rc : read_model(root, where, m);
}

hmf_status_t hmf__sim_load(const char *path, struct hmf__sim_model *m)
{
    json_t *root;
    hmf_status_t rc = hmf__json_load(path, &root);

    return rc ? rc : read_model(root, path, m);
}
