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
#define FADE 0.85               /* of what is old, by each new measurement */
#define CONTRADICTS 2.0
#define FORGET 0.05
#define LEAST_US 5.0            /* errors below this say nothing */
#define COLUMNS 5

const char *const hmf__phase_name[HMF__PHASES] = {"negotiate", "stop", "drain", "join", "create",
                                                  "capture", "transfer", "translate", "commit"};

/* Sums over measurements (x, y) with weight 1 / y^2. */
struct line { double w, x, y, xx, xy; };

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

/* The line that explains the measurements best, none of its parts below 0. */
static struct fit fit(const struct line *l, struct fit prior)
{
    double det = l->w * l->xx - l->x * l->x, mean, rest, part;
    struct fit f = prior;

    if (!(l->w > 0))
        return prior;
    if (det > 0.01 * l->w * l->xx) {
        f.b = (l->w * l->xy - l->x * l->y) / det;
        f.a = (l->y - f.b * l->x) / l->w;
        if (f.b < 0)
            f = (struct fit){l->y / l->w, 0};
        else if (f.a < 0)
            f = (struct fit){0, l->xy / l->xx};
        return f;
    }
    /* All at one x: the prior's two parts take what it is wrong by, each by its size. */
    mean = l->x / l->w;
    rest = l->y / l->w - at(prior, mean);
    part = at(prior, mean) > 0 ? prior.a / at(prior, mean) : 1;
    f.a = fmax(0, prior.a + rest * part);
    f.b = mean > 0 ? fmax(0, prior.b + rest * (1 - part) / mean) : prior.b;
    return f;
}

static void add(struct line *l, struct fit now, double x, double y)
{
    double w = 1 / ((y + LEAST_US) * (y + LEAST_US));
    double ratio = (y + LEAST_US) / (at(now, x) + LEAST_US);
    double keep = FADE;

    /* However much the old measurements weigh. */
    if (ratio > CONTRADICTS || ratio < 1 / CONTRADICTS)
        keep = FORGET * fmin(1, l->w > 0 ? w / l->w : 1);

    *l = (struct line){keep * l->w + w, keep * l->x + w * x, keep * l->y + w * y,
                       keep * l->xx + w * x * x, keep * l->xy + w * x * y};
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

static struct fit fit_of(const struct hmf__costs *c, const struct chain *names)
{
    struct fit f = names->begin;

    for (int i = 0; i < names->n; i++) {
        const struct entry *e = find(c, names->key[i]);
        if (e)
            f = fit(&e->line, f);
    }
    return f;
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
        if (!strncmp(names->key[i], "link ", 5) && i + 1 < names->n) {
            f = e->line.w > 0 ? fit(&e->line, f) : f;
            continue;
        }
        add(&e->line, e->line.w > 0 ? fit(&e->line, f) : (struct fit){us, 0}, x, us);
        e->at_s = wall_s;
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
        out->us[p] = at(fit_of(c, &names), x_of(m, p));
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
    struct fit f;

    chain_of(m, HMF__PHASE_TRANSFER, &names);
    f = fit_of(c, &names);
    *fixed_us = f.a;
    *us_per_byte = f.b;
}

double hmf__costs_rate(const struct hmf__costs *c, const struct hmf__costs_move *m)
{
    struct chain names;

    chain_of(m, HMF__PHASE_TRANSLATE, &names);
    return fit_of(c, &names).b;
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
    return at(fit_of(c, &names), bytes);
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
    return fit_of(c, &names).a;
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
    char text[KEY + 200];

    if (plain)
        old = uselocale(plain);
    for (size_t i = 0; c && i < c->n; i++) {
        const struct entry *e = &c->e[i];
        if (!(e->line.w > 0))
            continue;
        hmf__buf_put_bytes(out, text, (size_t)snprintf(text, sizeof text,
                           "%s\t%.10g %.10g %.10g %.10g %.10g %.0f\n", e->key, e->line.w, e->line.x,
                           e->line.y, e->line.xx, e->line.xy, e->at_s));
    }
    if (plain) {
        uselocale(old);
        freelocale(plain);
    }
}

static int usable(const struct entry *e)
{
    const double v[COLUMNS + 1] = {e->line.w, e->line.x, e->line.y, e->line.xx, e->line.xy, e->at_s};

    for (int i = 0; i < COLUMNS + 1; i++)
        if (!isfinite(v[i]) || v[i] < 0)
            return 0;
    return e->line.w > 0;
}

static hmf_status_t take_line(struct hmf__costs *c, const char *line, size_t len)
{
    struct entry e = {.at_s = 0}, *mine;
    const char *tab = memchr(line, '\t', len);
    size_t key = tab ? (size_t)(tab - line) : 0;
    char text[200];
    int end = 0;

    if (!tab || key == 0 || key >= KEY || len - key - 1 >= sizeof text)
        return HMF_ERR_FORMAT;
    memcpy(e.key, line, key);
    memcpy(text, tab + 1, len - key - 1);
    text[len - key - 1] = 0;
    if (sscanf(text, "%lf %lf %lf %lf %lf %lf%n", &e.line.w, &e.line.x, &e.line.y, &e.line.xx, &e.line.xy,
               &e.at_s, &end) != 6 || text[end] || !usable(&e))
        return HMF_ERR_FORMAT;
    for (size_t i = 0; i < key; i++)
        if ((unsigned char)e.key[i] < ' ' || e.key[i] == 127)
            return HMF_ERR_FORMAT;
    if (!c)
        return HMF_OK;
    if (!(mine = have(c, e.key)))
        return HMF_ERR_NOMEM;
    if (!(mine->line.w > 0) || mine->at_s < e.at_s)
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
