/* costs.c - what a move costs: lines, and which of them make a prediction (see costs.h). */
#include "config.h"

#include "costs.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY 160
#define MOST 4096               /* lines; beyond, the oldest one goes */
#define FADE 0.7                /* an older measurement counts so much less than the next */
#define BANDS 7                 /* of sizes, each 8 times the one before; ... */
#define IN_BAND 4               /* ... the last measurements of each are kept */
#define SEEN (BANDS * IN_BAND)
#define CONTRADICTS 2.0         /* twice on end by more than this: things have changed */
#define OUTLIER 0.3             /* relative error from which a measurement counts less */
#define LATENCY_US 200.0
#define LEAST_US 5.0            /* errors below this say nothing */

const char *const hmf__phase_name[HMF__PHASES] = {"negotiate", "stop", "drain", "join", "create",
                                                  "capture", "transfer", "translate", "commit"};

struct line {
    int n, against;             /* measurements; how many of the last ones contradicted, by sign */
    struct { double x, y; } m[SEEN];    /* the oldest first */
};

struct entry {
    char key[KEY];
    struct line line;
    double at_s;
};

struct hmf__costs {
    struct entry *e;            /* by key */
    size_t n, cap;
};

struct fit { double a, b; };

/* ---- lines -------------------- */

static double at(struct fit f, double x)
{
    return f.a + f.b * x;
}

static int band(double x)
{
    int b = x < 4096 ? 0 : 1 + (int)(log2(x / 4096) / 3);

    return b < BANDS ? b : BANDS - 1;
}

/* How much each measurement counts: by how many newer ones there are of its size. */
static void weigh(const struct line *l, double w[SEEN])
{
    double next[BANDS];

    for (int i = 0; i < BANDS; i++)
        next[i] = 1;
    for (int i = l->n; i-- > 0; next[band(l->m[i].x)] *= FADE)
        w[i] = next[band(l->m[i].x)];
}

/* By least squares of the relative error, none of the parts below 0. */
static struct fit least_squares(const struct line *l, const double w[SEEN], struct fit prior)
{
    double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, det, mean, rest, part;
    struct fit f;

    for (int i = 0; i < l->n; i++) {
        double x = l->m[i].x, y = l->m[i].y, v = w[i] / ((y + LEAST_US) * (y + LEAST_US));
        sw += v;
        sx += v * x;
        sy += v * y;
        sxx += v * x * x;
        sxy += v * x * y;
    }
    det = sw * sxx - sx * sx;
    if (det > 0.01 * sw * sxx) {
        f.b = (sw * sxy - sx * sy) / det;
        f.a = (sy - f.b * sx) / sw;
        if (f.b < 0)
            return (struct fit){sy / sw, 0};
        return f.a < 0 ? (struct fit){0, sxy / sxx} : f;
    }
    /* All at one x: the prior's two parts take what it is wrong by, each by its size; of small ones it is latency. */
    mean = sx / sw;
    rest = sy / sw - at(prior, mean);
    part = fmax(prior.a, LATENCY_US) / (fmax(prior.a, LATENCY_US) + prior.b * mean);
    f.a = fmax(0, prior.a + rest * part);
    f.b = mean > 0 ? fmax(0, prior.b + rest * (1 - part) / mean) : prior.b;
    return f;
}

/* The line through the measurements, of which those that are far from it count less. */
static struct fit fit(const struct line *l, struct fit prior)
{
    double w[SEEN], v[SEEN];
    struct fit f;

    if (!l->n)
        return prior;
    weigh(l, w);
    f = least_squares(l, w, prior);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < l->n; i++) {
            double e = (at(f, l->m[i].x) - l->m[i].y) / (l->m[i].y + LEAST_US) / OUTLIER;
            v[i] = w[i] / (1 + e * e);
        }
        f = least_squares(l, v, prior);
    }
    return f;
}

struct ratio { double r, w; };

static int by_ratio(const void *a, const void *b)
{
    const struct ratio *x = a, *y = b;

    return (x->r > y->r) - (x->r < y->r);
}

/* What x costs: as the line says, by how much measurements of about that size are off it.  The median, in
 * which what was thought before has a voice: the first of a kind is often an exception. */
static double told(const struct line *l, struct fit f, double prior, double x)
{
    struct ratio near[SEEN + 1];
    double w[SEEN], all = 0, half = 0;
    int n = 0;

    weigh(l, w);
    for (int i = 0; i < l->n; i++)
        if (band(l->m[i].x) == band(x)) {
            near[n] = (struct ratio){(l->m[i].y + LEAST_US) / (at(f, l->m[i].x) + LEAST_US), w[i]};
            all += near[n++].w;
        }
    near[n] = (struct ratio){(prior + LEAST_US) / (at(f, x) + LEAST_US), FADE};
    all += near[n++].w;
    qsort(near, (size_t)n, sizeof *near, by_ratio);
    for (int i = 0; n > 1 && i < n; i++) {
        half += near[i].w;
        if (half >= all / 2)
            return fmax(0, (at(f, x) + LEAST_US) * near[i].r - LEAST_US);
    }
    return at(f, x);
}

static void drop(struct line *l, int i)
{
    memmove(&l->m[i], &l->m[i + 1], (size_t)(--l->n - i) * sizeof l->m[0]);
}

static void add(struct line *l, struct fit prior, double x, double y)
{
    double now = told(l, fit(l, prior), at(prior, x), x), ratio = (y + LEAST_US) / (now + LEAST_US);
    int there = 0, first = 0, sign = ratio > CONTRADICTS ? 1 : ratio < 1 / CONTRADICTS ? -1 : 0;

    if (l->n && sign && l->against == sign) {
        l->m[0] = l->m[l->n - 1];
        l->n = 1;
        sign = 0;
    }
    l->against = l->n ? sign : 0;
    for (int i = l->n; i-- > 0;)
        if (band(l->m[i].x) == band(x)) {
            there++;
            first = i;
        }
    if (there == IN_BAND)
        drop(l, first);
    l->m[l->n].x = x;
    l->m[l->n++].y = y;
}

/* ---- by name -------------------- */

struct hmf__costs *hmf__costs_new(void)
{
    return hmf__calloc(1, sizeof(struct hmf__costs));
}

void hmf__costs_free(struct hmf__costs *c)
{
    if (!c)
        return;
    hmf__free(c->e);
    hmf__free(c);
}

/* Where the key is, or would be. */
static size_t place(const struct hmf__costs *c, const char *key)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (strcmp(c->e[mid].key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const struct entry *find(const struct hmf__costs *c, const char *key)
{
    size_t i = c ? place(c, key) : 0;

    return c && i < c->n && !strcmp(c->e[i].key, key) ? &c->e[i] : NULL;
}

static void drop_oldest(struct hmf__costs *c)
{
    size_t old = 0;

    for (size_t i = 1; i < c->n; i++)
        if (c->e[i].at_s < c->e[old].at_s)
            old = i;
    memmove(&c->e[old], &c->e[old + 1], (--c->n - old) * sizeof *c->e);
}

/* The entry, made if there is none; NULL: out of memory. */
static struct entry *have(struct hmf__costs *c, const char *key)
{
    size_t i;

    if (find(c, key))
        return &c->e[place(c, key)];
    if (c->n == MOST)
        drop_oldest(c);
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 32;
        struct entry *e = hmf__realloc(c->e, cap * sizeof *e);
        if (!e)
            return NULL;
        c->e = e;
        c->cap = cap;
    }
    i = place(c, key);
    memmove(&c->e[i + 1], &c->e[i], (c->n++ - i) * sizeof *c->e);
    memset(&c->e[i], 0, sizeof c->e[i]);
    snprintf(c->e[i].key, KEY, "%s", key);
    return &c->e[i];
}

/* Names become words: no spaces within, and none is empty. */
static void name(char key[KEY], const char *what, int nwords, ...)
{
    size_t n = (size_t)snprintf(key, KEY, "%s", what);
    va_list words;

    va_start(words, nwords);
    for (int i = 0; i < nwords && n < KEY - 1; i++) {
        const char *w = va_arg(words, const char *);
        n += (size_t)snprintf(key + n, KEY - n, " %.60s", w && *w ? w : "?");
        n = n < KEY ? n : KEY - 1;
        for (char *p = key + n; p > key && p[-1] != ' '; p--)
            if ((unsigned char)p[-1] < '!' || p[-1] == 127)
                p[-1] = '_';
    }
    va_end(words);
}

/* ---- from the general to the particular -------------------- */

#define STEPS 4
struct chain { char key[STEPS][KEY]; int n; struct fit begin; };

/* The lines that say something of a phase, the most general one first. */
static void chain_of(const struct hmf__costs_move *m, enum hmf__phase phase, struct chain *c)
{
    char ranks[16];
    int same_data = !strcmp(m->from_data, m->to_data);

    snprintf(ranks, sizeof ranks, "%d", m->nranks);
    c->n = 0;
    switch (phase) {
    case HMF__PHASE_NEGOTIATE:
        c->begin = (struct fit){300, 0};
        name(c->key[c->n++], "negotiate", 0);
        name(c->key[c->n++], "negotiate", 1, m->to);
        break;
    case HMF__PHASE_STOP:
        c->begin = (struct fit){300, 1};
        name(c->key[c->n++], "stop", 2, m->program, ranks);
        break;
    case HMF__PHASE_CREATE:
        c->begin = (struct fit){m->start_us > 0 ? m->start_us + 1000 : 20000, 0};
        name(c->key[c->n++], "create", 1, m->program);
        name(c->key[c->n++], "create", 2, m->program, m->to_kind);
        name(c->key[c->n++], "create", 3, m->program, m->to_kind, m->to);
        break;
    case HMF__PHASE_CAPTURE:
        c->begin = (struct fit){30, 0};
        name(c->key[c->n++], "capture", 1, m->program);
        break;
    case HMF__PHASE_TRANSFER:
        c->begin = (struct fit){100, 0.001};
        name(c->key[c->n++], "kinds", 2, m->from_kind, m->to_kind);
        name(c->key[c->n++], "link", 2, m->to, m->from);
        name(c->key[c->n++], "link", 2, m->from, m->to);
        break;
    case HMF__PHASE_TRANSLATE:
        c->begin = (struct fit){30, same_data ? 0 : 0.0005};
        name(c->key[c->n++], "translate", 2, m->from_data, m->to_data);
        name(c->key[c->n++], "translate", 3, m->from_data, m->to_data, m->program);
        break;
    default:
        c->begin = (struct fit){phase == HMF__PHASE_COMMIT ? 500 : 2000, 0};
        name(c->key[c->n++], hmf__phase_name[phase], 1, ranks);
        name(c->key[c->n++], hmf__phase_name[phase], 2, m->program, ranks);
        break;
    }
}

/* The line of the most particular name that has one. */
static double cost_of(const struct hmf__costs *c, const struct chain *names, double x)
{
    struct fit f = names->begin;
    double told_us = at(f, x);

    for (int i = 0; i < names->n; i++) {
        const struct entry *e = find(c, names->key[i]);
        if (e && e->line.n) {
            f = fit(&e->line, f);
            told_us = told(&e->line, f, told_us, x);
        }
    }
    return told_us;
}

static void learn(struct hmf__costs *c, const struct chain *names, double x, double us, double wall_s)
{
    struct fit f = names->begin;

    if (!c || !isfinite(us) || us < 0 || !isfinite(x))
        return;
    for (int i = 0; i < names->n; i++) {
        struct entry *e = have(c, names->key[i]);
        if (!e)
            return;                        /* what is not learned is not missed */
        /* Of a link the two directions are separate, but one tells of the other while it knows nothing. */
        if (strncmp(names->key[i], "link ", 5) || i + 1 == names->n) {
            add(&e->line, f, x, us);
            e->at_s = wall_s;
        }
        f = fit(&e->line, f);
    }
}

static double x_of(const struct hmf__costs_move *m, enum hmf__phase phase)
{
    switch (phase) {
    case HMF__PHASE_STOP: return m->step_us;
    case HMF__PHASE_CAPTURE:
    case HMF__PHASE_TRANSFER:
    case HMF__PHASE_TRANSLATE: return m->bytes;
    default: return 0;
    }
}

double hmf__phases_total(const struct hmf__phases *p)
{
    double sum = 0;

    for (int i = 0; i < HMF__PHASES; i++)
        sum += isfinite(p->us[i]) ? p->us[i] : 0;
    return sum;
}

void hmf__costs_predict(const struct hmf__costs *c, const struct hmf__costs_move *m,
                        struct hmf__phases *out)
{
    struct chain names;

    for (enum hmf__phase p = 0; p < HMF__PHASES; p++) {
        chain_of(m, p, &names);
        out->us[p] = cost_of(c, &names, x_of(m, p));
    }
}

void hmf__costs_learn(struct hmf__costs *c, const struct hmf__costs_move *m,
                      const struct hmf__phases *measured, double wall_s)
{
    struct chain names;

    for (enum hmf__phase p = 0; p < HMF__PHASES; p++) {
        chain_of(m, p, &names);
        learn(c, &names, x_of(m, p), measured->us[p], wall_s);
    }
}

void hmf__costs_link(const struct hmf__costs *c, const struct hmf__costs_move *m, double *fixed_us,
                     double *us_per_byte)
{
    struct chain names;
    double bytes = m->bytes > 0 ? m->bytes : 1 << 20;

    chain_of(m, HMF__PHASE_TRANSFER, &names);
    *fixed_us = fmin(cost_of(c, &names, 0), cost_of(c, &names, bytes));
    *us_per_byte = (cost_of(c, &names, bytes) - *fixed_us) / bytes;
}

double hmf__costs_rate(const struct hmf__costs *c, const struct hmf__costs_move *m)
{
    struct chain names;

    chain_of(m, HMF__PHASE_TRANSLATE, &names);
    return m->bytes > 0 ? fmax(0, cost_of(c, &names, m->bytes) - cost_of(c, &names, 0)) / m->bytes
                        : (cost_of(c, &names, 1 << 20) - cost_of(c, &names, 0)) / (1 << 20);
}

static void bytes_chain(const char *program, struct chain *names)
{
    names->begin = (struct fit){0, 1};
    names->n = 1;
    name(names->key[0], "bytes", 1, program);
}

double hmf__costs_bytes(const struct hmf__costs *c, const char *program, double bytes)
{
    struct chain names;

    bytes_chain(program, &names);
    return cost_of(c, &names, bytes);
}

void hmf__costs_learn_bytes(struct hmf__costs *c, const char *program, double glance, double bytes,
                            double wall_s)
{
    struct chain names;

    bytes_chain(program, &names);
    learn(c, &names, glance, bytes, wall_s);
}

static void send_chain(const char *host, struct chain *names)
{
    names->begin = (struct fit){2, 0};
    names->n = 1;
    name(names->key[0], "send", 1, host);
}

double hmf__costs_send(const struct hmf__costs *c, const char *host)
{
    struct chain names;

    send_chain(host, &names);
    return cost_of(c, &names, 0);
}

void hmf__costs_learn_link(struct hmf__costs *c, const struct hmf__costs_move *m, double bytes,
                           double us, double wall_s)
{
    struct chain names;

    chain_of(m, HMF__PHASE_TRANSFER, &names);
    learn(c, &names, bytes, us, wall_s);
}

void hmf__costs_learn_send(struct hmf__costs *c, const char *host, double us, double wall_s)
{
    struct chain names;

    send_chain(host, &names);
    learn(c, &names, 0, us, wall_s);
}

void hmf__costs_learn_rate(struct hmf__costs *c, const char *from_data, const char *to_data,
                           double bytes, double us, double wall_s)
{
    struct hmf__costs_move m = {.program = "", .from_data = from_data, .to_data = to_data};
    struct chain names;

    chain_of(&m, HMF__PHASE_TRANSLATE, &names);
    names.n = 1;                           /* of no program */
    learn(c, &names, bytes, us, wall_s);
}

double hmf__costs_link_age(const struct hmf__costs *c, const char *from, const char *to)
{
    const struct entry *e;
    char key[KEY];

    name(key, "link", 2, from, to);
    e = find(c, key);
    return e ? e->at_s : 0;
}

/* ---- as text -------------------- */

/* Numbers are written and read as in C, whatever language the program has chosen. */
void hmf__costs_put(const struct hmf__costs *c, struct hmf__buf *out)
{
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), old = (locale_t)0;
    char text[KEY + 64];

    if (plain)
        old = uselocale(plain);
    for (size_t i = 0; c && i < c->n; i++) {
        const struct entry *e = &c->e[i];
        if (!e->line.n)
            continue;
        hmf__buf_put_bytes(out, text, (size_t)snprintf(text, sizeof text, "%s\t%.0f", e->key, e->at_s));
        for (int k = 0; k < e->line.n; k++)
            hmf__buf_put_bytes(out, text, (size_t)snprintf(text, sizeof text, " %.0f:%.6g", e->line.m[k].x,
                                                           e->line.m[k].y));
        hmf__buf_put_bytes(out, "\n", 1);
    }
    if (plain) {
        uselocale(old);
        freelocale(plain);
    }
}

/* "KEY<TAB>TIME X:Y X:Y ..." */
static hmf_status_t take_line(struct hmf__costs *c, const char *line, size_t len)
{
    struct entry e = {.at_s = 0}, *mine;
    const char *tab = memchr(line, '\t', len);
    size_t key = tab ? (size_t)(tab - line) : 0;
    char text[SEEN * 48], *p = text, *end;

    if (!tab || key == 0 || key >= KEY || len - key - 1 >= sizeof text)
        return HMF_ERR_FORMAT;
    memcpy(e.key, line, key);
    memcpy(text, tab + 1, len - key - 1);
    text[len - key - 1] = 0;
    e.at_s = strtod(p, &end);
    if (end == p || !(e.at_s >= 0) || !isfinite(e.at_s))
        return HMF_ERR_FORMAT;
    for (p = end; *p == ' ' && e.line.n < SEEN; p = end) {
        double x = strtod(p + 1, &end), y;
        if (end == p + 1 || *end != ':')
            return HMF_ERR_FORMAT;
        p = end + 1;
        y = strtod(p, &end);
        if (end == p || !(x >= 0) || !(y >= 0) || !isfinite(x) || !isfinite(y))
            return HMF_ERR_FORMAT;
        e.line.m[e.line.n].x = x;
        e.line.m[e.line.n++].y = y;
    }
    if (*p || !e.line.n)
        return HMF_ERR_FORMAT;
    for (size_t i = 0; i < key; i++)
        if ((unsigned char)e.key[i] < ' ' || e.key[i] == 127)
            return HMF_ERR_FORMAT;
    if (!c)
        return HMF_OK;
    if (!(mine = have(c, e.key)))
        return HMF_ERR_NOMEM;
    if (!mine->line.n || mine->at_s < e.at_s)
        *mine = e;
    return HMF_OK;
}

static hmf_status_t lines(struct hmf__costs *c, const char *text, size_t len)
{
    for (size_t i = 0, number = 1; i < len; number++) {
        const char *end = memchr(text + i, '\n', len - i);
        size_t n = end ? (size_t)(end - text) - i : len - i;
        hmf_status_t st = end ? take_line(c, text + i, n) : HMF_ERR_FORMAT;
        if (st == HMF_ERR_NOMEM)
            return hmf__fail(st, "no memory for what moves cost");
        if (st)
            return hmf__fail(st, "line %zu of what moves cost is damaged", number);
        i += n + 1;
    }
    return HMF_OK;
}

hmf_status_t hmf__costs_take(struct hmf__costs *c, const char *text, size_t len)
{
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), old = (locale_t)0;
    hmf_status_t st;

    if (plain)
        old = uselocale(plain);
    st = lines(NULL, text, len);           /* all of it, or nothing */
    if (!st)
        st = lines(c, text, len);
    if (plain) {
        uselocale(old);
        freelocale(plain);
    }
    return st;
}
