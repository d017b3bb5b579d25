/* hmf-checktype: memory, texts and findings. */
#include "config.h"

#include "model.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void **blocks; /* keeps all memory reachable, so that leak checkers know it is meant */
static size_t nblocks, blocks_cap;

static void no_memory(void)
{
    fprintf(stderr, "hmf-checktype: no memory\n");
    exit(1);
}

void *ct_alloc(size_t bytes)
{
    if (nblocks == blocks_cap) {
        blocks_cap = blocks_cap ? 2 * blocks_cap : 256;
        blocks = realloc(blocks, blocks_cap * sizeof *blocks);
        if (!blocks)
            no_memory();
    }
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        no_memory();
    return blocks[nblocks++] = p;
}

void *ct_grow(void *v, size_t n, size_t *cap, size_t each)
{
    if (n < *cap)
        return v;
    size_t more = *cap ? 2 * *cap : 16;
    void *w = ct_alloc(more * each);
    if (n)
        memcpy(w, v, n * each);
    *cap = more;
    return w;
}

static char *format(const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        no_memory();
    char *p = ct_alloc((size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return p;
}

char *ct_format(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *p = format(fmt, ap);
    va_end(ap);
    return p;
}

char *ct_identifier(const char *text)
{
    static const char *const tags[] = {"struct ", "union ", "enum "};

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (!strncmp(text, tags[i], strlen(tags[i])))
            text += strlen(tags[i]);
    char *out = ct_format("%s", text);
    for (char *p = out; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return out;
}

void ct_find(struct ct_source *s, struct ct_place place, bool warning, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *text = format(fmt, ap);
    va_end(ap);
    s->findings = ct_grow(s->findings, s->nfindings, &s->findings_cap, sizeof *s->findings);
    s->findings[s->nfindings++] = (struct ct_finding){place, warning, text};
    s->nerrors += !warning;
}

static int compare(const void *a, const void *b)
{
    const struct ct_finding *x = a, *y = b;
    int c = strcmp(x->place.file, y->place.file);

    if (c)
        return c;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    return strcmp(x->text, y->text);
}

size_t ct_print_findings(struct ct_source *s)
{
    size_t errors = 0;

    if (s->nfindings)
        qsort(s->findings, s->nfindings, sizeof *s->findings, compare);
    for (size_t i = 0; i < s->nfindings; i++) {
        const struct ct_finding *f = &s->findings[i];
        if (i && !compare(f, f - 1))
            continue;
        fprintf(stderr, "%s:%u: %s: %s\n", f->place.file, f->place.line,
                f->warning ? "warning" : "error", f->text);
        errors += !f->warning;
    }
    return errors;
}
