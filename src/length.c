/* Expressions over fields; see length.h. */
#include "config.h"

#include "length.h"

#include "base.h"

#include "typemap.h"

bool hmf__length_begins(int word)
{
    return word <= typeNUMBER && word >= typeDIV;
}

struct reader {
    const struct hmf__types *t;
    const struct hmf__around *around;
    int naround;
    const int32_t *words;
    uint32_t n, pos;
    struct hmf__term *out;
    uint32_t nout;
};

/* A field, by the npath steps that lead to it. */
static bool put_place(struct reader *r, const int32_t *path, uint32_t npath)
{
    struct hmf__term *term = &r->out[r->nout++];
    uint32_t up = (uint32_t)path[0] / 65536, field = (uint32_t)path[0] % 65536;

    *term = (struct hmf__term){.code = HMF__TERM_FIELD, .up = up};
    return hmf__depend_path(r->t, r->around, r->naround, up, field, path + 1, npath - 1,
                            &term->place);
}

/* Words are in prefix order; terms come out in postfix order. */
static bool read(struct reader *r)
{
    if (r->pos == r->n || r->nout == HMF__MAX_EXPR)
        return false;
    int word = r->words[r->pos++];
    if (word >= 0)
        return put_place(r, &r->words[r->pos - 1], 1);
    if (r->pos == r->n || !hmf__length_begins(word))
        return false;
    if (word == typeNUMBER) {
        r->out[r->nout++] = (struct hmf__term){.code = HMF__TERM_NUMBER,
                                               .number = r->words[r->pos++]};
        return true;
    }
    if (word == typePATH) {
        uint32_t steps = (uint32_t)r->words[r->pos++], from = r->pos;
        if (!steps || steps > r->n - r->pos || r->words[from] < 0)
            return false;
        r->pos += steps;
        return put_place(r, &r->words[from], steps);
    }
    if (!read(r) || !read(r) || r->nout == HMF__MAX_EXPR)
        return false;
    r->out[r->nout++] = (struct hmf__term){.code = word == typeADD   ? HMF__TERM_ADD
                                                   : word == typeSUB ? HMF__TERM_SUB
                                                   : word == typeMUL ? HMF__TERM_MUL
                                                                     : HMF__TERM_DIV};
    return true;
}

uint32_t hmf__length_terms(const struct hmf__types *t, const struct hmf__around *around, int n,
                           const struct hmf__type *y, struct hmf__term *out)
{
    struct reader r = {t, around, n, y->expr, y->nexpr, 0, out, 0};

    if (y->nexpr)
        return read(&r) && r.pos == r.n ? r.nout : 0;
    *out = (struct hmf__term){.code = HMF__TERM_FIELD, .up = y->len_up};
    return hmf__depend_field(t, around, n, y->len_up, y->len_field, &out->place);
}

uint64_t hmf__length_number(const struct hmf__term *terms, uint32_t n, bool big_endian,
                            const void *const *bases)
{
    int64_t stack[HMF__MAX_EXPR];
    uint32_t top = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct hmf__term *term = &terms[i];
        int64_t *a = top >= 2 ? &stack[top - 2] : NULL, b = top ? stack[top - 1] : 0;
        switch (term->code) {
        case HMF__TERM_FIELD: {
            uint64_t value = hmf__depend_load(&term->place, big_endian, bases[i]);
            if (!term->place.is_signed && value > INT64_MAX)
                return UINT64_MAX;
            stack[top++] = (int64_t)value;
            continue;
        }
        case HMF__TERM_NUMBER:
            stack[top++] = term->number;
            continue;
        case HMF__TERM_ADD:
            if (__builtin_add_overflow(*a, b, a))
                return UINT64_MAX;
            break;
        case HMF__TERM_SUB:
            if (__builtin_sub_overflow(*a, b, a))
                return UINT64_MAX;
            break;
        case HMF__TERM_MUL:
            if (__builtin_mul_overflow(*a, b, a))
                return UINT64_MAX;
            break;
        case HMF__TERM_DIV:
            if (!b || (b == -1 && *a == INT64_MIN))
                return UINT64_MAX;
            *a /= b;
            break;
        }
        top--;
    }
    return stack[0] < 0 ? UINT64_MAX : (uint64_t)stack[0];
}

bool hmf__length_of(const struct hmf__types *t, uint32_t type, const struct hmf__type *y,
                    const void *element, uint64_t *out)
{
    struct hmf__around around = {type, 0};
    struct hmf__term terms[HMF__MAX_EXPR];
    const void *bases[HMF__MAX_EXPR];
    uint32_t n = hmf__length_terms(t, &around, 1, y, terms);

    for (uint32_t i = 0; i < n; i++)
        bases[i] = element;
    if (n)
        *out = hmf__length_number(terms, n, t->abi.big_endian, bases);
    return n;
}
