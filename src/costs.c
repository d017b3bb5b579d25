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
#define PROPORTIONAL 1048576    /* bytes from which what there is always is no matter */
#define LEAST_US 5.0            /* errors below this say nothing */

const char *const hmf__phase_name[HMF__PHASES] = {"negotiate", "stop", "drain", "join", "create",
                                                  "capture", "transfer", "translate", "commit"};

struct point { double x, y; };

struct line {
    int n, against;             /* measurements; how many of the last ones contradicted, by sign */
    struct point m[SEEN];       /* the oldest first */
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

/* ---- lines -------------------- */

static int band(double x)
{
    int b = x < 4096 ? 0 : 1 + (int)(log2(x / 4096) / 3);

    return b < BANDS ? b : BANDS - 1;
}

static int by_y(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    return (x->y > y->y) - (x->y < y->y);
}

/* The median of a band's measurements, older ones counting less; false: there are none. */
static bool middle(const struct line *l, int b, struct point *out)
{
    struct { struct point p; double w; } m[IN_BAND];
    double weight = 1, all = 0, half = 0;
    int n = 0;

    for (int i = l->n; i-- > 0;)
        if (band(l->m[i].x) == b && n < IN_BAND) {
            m[n].p = l->m[i];
            m[n++].w = weight;
            all += weight;
            weight *= FADE;
        }
    qsort(m, (size_t)n, sizeof *m, by_y);
    for (int i = 0; i < n; i++) {
        half += m[i].w;
        if (half >= all / 2) {
            *out = m[i].p;
            return true;
        }
    }
    return false;
}

/* A point of each band that has some, by size. */
static int points_of(const struct line *l, struct point p[BANDS])
{
    int n = 0;

    for (int b = 0; b < BANDS; b++)
        n += middle(l, b, &p[n]);
    return n;
}

static void drop(struct line *l, int i)
{
    memmove(&l->m[i], &l->m[i + 1], (size_t)(--l->n - i) * sizeof l->m[0]);
}

/* `told_us` is what it was thought to cost. */
static void add(struct line *l, double told_us, double x, double y)
{
    double ratio = (y + LEAST_US) / (told_us + LEAST_US);
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
    l->m[l->n++] = (struct point){x, y};
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
struct chain { char key[STEPS][KEY]; int n; struct { double a, b; } begin; };

/* The lines that say something of a phase, the most general one first. */
static void chain_of(const struct hmf__costs_move *m, enum hmf__phase phase, struct chain *c)
{
    char ranks[16];
    int same_data = !strcmp(m->from_data, m->to_data);

    snprintf(ranks, sizeof ranks, "%d", m->nranks);
    c->n = 0;
    c->begin.b = 0;
    switch (phase) {
    case HMF__PHASE_NEGOTIATE:
        c->begin.a = 300;
        name(c->key[c->n++], "negotiate", 0);
        name(c->key[c->n++], "negotiate", 1, m->to);
        break;
    case HMF__PHASE_STOP:
        c->begin.a = 300;
        c->begin.b = 1;
        name(c->key[c->n++], "stop", 2, m->program, ranks);
        break;
    case HMF__PHASE_CREATE:
        c->begin.a = m->start_us > 0 ? m->start_us + 1000 : 20000;
        name(c->key[c->n++], "create", 1, m->program);
        name(c->key[c->n++], "create", 2, m->program, m->to_kind);
        name(c->key[c->n++], "create", 3, m->program, m->to_kind, m->to);
        break;
    case HMF__PHASE_CAPTURE:
        c->begin.a = 30;
        name(c->key[c->n++], "capture", 1, m->program);
        break;
    case HMF__PHASE_TRANSFER:
        c->begin.a = 100;
        c->begin.b = 0.001;
        name(c->key[c->n++], strcmp(m->from, m->to) ? "kinds" : "within", 2, m->from_kind, m->to_kind);
        if (strcmp(m->from, m->to))
            name(c->key[c->n++], "link", 2, m->to, m->from);
        name(c->key[c->n++], "link", 2, m->from, m->to);
        break;
    case HMF__PHASE_TRANSLATE:
        c->begin.a = 30;
        c->begin.b = same_data ? 0 : 0.0005;
        name(c->key[c->n++], "translate", 2, m->from_data, m->to_data);
        name(c->key[c->n++], "translate", 3, m->from_data, m->to_data, m->program);
        break;
    default:
        c->begin.a = phase == HMF__PHASE_COMMIT ? 500 : 2000;
        name(c->key[c->n++], hmf__phase_name[phase], 1, ranks);
        name(c->key[c->n++], hmf__phase_name[phase], 2, m->program, ranks);
        break;
    }
}

/* What x costs by the first `n` names, and up to what size that has been seen.  Between sizes that were measured
 * it goes straight; beyond the largest a more general line that has seen more knows better. */
static double cost_by(const struct hmf__costs *c, const struct chain *names, int n, double x, double *seen)
{
    const struct entry *e;
    struct point p[BANDS], last;
    double general, none, y;
    int k, i = 0;

    if (n == 0) {
        *seen = 0;
        return names->begin.a + names->begin.b * x;
    }
    general = cost_by(c, names, n - 1, x, seen);
    e = find(c, names->key[n - 1]);
    if (!e || !(k = points_of(&e->line, p)))
        return general;
    last = p[k - 1];
    if (x > 4 * last.x && *seen > last.x)
        return general;
    *seen = fmax(*seen, last.x);
    if (x <= p[0].x)
        return band(x) == band(p[0].x) ? p[0].y : fmin(p[0].y, general);
    if (x > last.x) {
        if (k > 1)
            return last.y + fmax(0, (last.y - p[k - 2].y) / (last.x - p[k - 2].x)) * (x - last.x);
        y = last.y + general - cost_by(c, names, n - 1, last.x, &none);
        return last.x >= PROPORTIONAL ? last.y / last.x * x : fmax(last.y, y);
    }
    while (p[i + 1].x < x)
        i++;
    return p[i].y + (p[i + 1].y - p[i].y) * (x - p[i].x) / (p[i + 1].x - p[i].x);
}

static double cost_of(const struct hmf__costs *c, const struct chain *names, double x)
{
    double seen;

    return cost_by(c, names, names->n, x, &seen);
}

static void learn(struct hmf__costs *c, const struct chain *names, double x, double us, double wall_s)
{
    if (!c || !isfinite(us) || us < 0 || !isfinite(x))
        return;
    for (int i = 0; i < names->n; i++) {
        double seen, told_us = cost_by(c, names, i + 1, x, &seen);
        struct entry *e;
        /* The other direction of a link is only asked. */
        if (!strncmp(names->key[i], "link ", 5) && i + 1 < names->n)
            continue;
        if (!(e = have(c, names->key[i])))
            return;                        /* what is not learned is not missed */
        add(&e->line, told_us, x, us);
        e->at_s = wall_s;
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
    names->begin.a = 0;
    names->begin.b = 1;
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
    names->begin.a = 2;
    names->begin.b = 0;
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
