/* Byte shuffles; see shuffle.h.
 *
 * A step makes up to sixteen bytes of the target from sixteen bytes of the source.  Where what
 * follows in the target comes from elsewhere it makes fewer, and the next step's store covers the
 * rest: stores go upwards, also from record to record.
 */
#include "config.h"

#include "shuffle.h"

#include "base.h"

#include <string.h>

enum { WIDE = 16 };

struct step {
    uint32_t from, to; /* offsets in the records */
    uint8_t pick[WIDE]; /* 0x80: zero */
};

struct hmf__shuffle {
    struct step *steps;
    uint32_t nsteps;
    uint32_t from_size, to_size;
    uint32_t tail; /* records at the end that are left to the caller */
};

#if defined(__x86_64__) || defined(__i386__)
#include <tmmintrin.h>
#define CAN_SHUFFLE 1
#define WITH_SHUFFLE __attribute__((target("ssse3")))
static int have_shuffle(void)
{
    return __builtin_cpu_supports("ssse3");
}
WITH_SHUFFLE static inline void run_step(const uint8_t *pick, const char *from, char *to)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);

    v = _mm_shuffle_epi8(v, _mm_loadu_si128((const __m128i *)(const void *)pick));
    _mm_storeu_si128((__m128i *)(void *)to, v);
}
#elif defined(__aarch64__)
#include <arm_neon.h>
#define CAN_SHUFFLE 1
#define WITH_SHUFFLE
static int have_shuffle(void)
{
    return 1;
}
static inline void run_step(const uint8_t *pick, const char *from, char *to)
{
    vst1q_u8((uint8_t *)to, vqtbl1q_u8(vld1q_u8((const uint8_t *)from), vld1q_u8(pick)));
}
#else
#define CAN_SHUFFLE 0
#endif

#if CAN_SHUFFLE

/* As many bytes of the target from `at` on as one step can make. */
static uint32_t make_step(const int16_t *map, uint32_t at, uint32_t from_size, uint32_t to_size,
                          struct step *out)
{
    int32_t lo = INT32_MAX, hi = -1;
    uint32_t n = 0;

    for (; n < WIDE && at + n < to_size; n++) {
        int32_t byte = map[at + n];
        if (byte < 0)
            continue;
        if ((byte > hi ? byte : hi) - (byte < lo ? byte : lo) >= WIDE)
            break;
        lo = byte < lo ? byte : lo;
        hi = byte > hi ? byte : hi;
    }
    out->to = at;
    out->from = hi < 0 ? 0 : (uint32_t)lo;
    if (out->from + WIDE > from_size && from_size >= WIDE) /* rather within this record */
        out->from = from_size - WIDE;
    for (uint32_t i = 0; i < WIDE; i++)
        out->pick[i] = i < n && map[at + i] >= 0 ? (uint8_t)(map[at + i] - (int32_t)out->from)
                                                 : 0x80;
    return n;
}

hmf_status_t hmf__shuffle_make(const int16_t *map, uint32_t from_size, uint32_t to_size,
                               struct hmf__shuffle **out)
{
    struct step steps[HMF__SHUFFLE_MAX];
    uint32_t n = 0;

    *out = NULL;
    if (!have_shuffle() || !from_size || !to_size || from_size > HMF__SHUFFLE_MAX ||
        to_size > HMF__SHUFFLE_MAX)
        return HMF_OK;
    for (uint32_t at = 0; at < to_size; n++)
        at += make_step(map, at, from_size, to_size, &steps[n]);
    if (n * 8 > to_size + 8) /* so few bytes a step: the caller's loops are as good */
        return HMF_OK;
    struct hmf__shuffle *s = hmf__malloc(sizeof *s);
    struct step *copy = s ? hmf__malloc(n * sizeof *copy) : NULL;
    if (!copy) {
        hmf__free(s);
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a conversion plan");
    }
    memcpy(copy, steps, n * sizeof *copy);
    *s = (struct hmf__shuffle){copy, n, from_size, to_size, 0};
    uint32_t least = from_size < to_size ? from_size : to_size;
    s->tail = (WIDE + least - 1) / least;
    *out = s;
    return HMF_OK;
}

/* The number of steps as a constant lets the compiler keep the shuffles in registers. */
#define RUN(count)                                                                                \
    for (uint64_t i = 0; i < n; i++, from += s->from_size, to += s->to_size)                      \
        for (uint32_t k = 0; k < (count); k++)                                                    \
            run_step(steps[k].pick, from + steps[k].from, to + steps[k].to)

WITH_SHUFFLE uint64_t hmf__shuffle_run(const struct hmf__shuffle *s, const char *from, char *to,
                                       uint64_t n)
{
    const struct step *steps = s->steps;

    if (n <= s->tail)
        return 0;
    n -= s->tail;
    switch (s->nsteps) {
    case 1:
        RUN(1);
        break;
    case 2:
        RUN(2);
        break;
    case 3:
        RUN(3);
        break;
    case 4:
        RUN(4);
        break;
    default:
        RUN(s->nsteps);
    }
    return n;
}

void hmf__shuffle_free(struct hmf__shuffle *s)
{
    if (!s)
        return;
    hmf__free(s->steps);
    hmf__free(s);
}

#else

hmf_status_t hmf__shuffle_make(const int16_t *map, uint32_t from_size, uint32_t to_size,
                               struct hmf__shuffle **out)
{
    (void)map;
    (void)from_size;
    (void)to_size;
    *out = NULL;
    return HMF_OK;
}

uint64_t hmf__shuffle_run(const struct hmf__shuffle *s, const char *from, char *to, uint64_t n)
{
    (void)s;
    (void)from;
    (void)to;
    (void)n;
    return 0;
}

void hmf__shuffle_free(struct hmf__shuffle *s)
{
    (void)s;
}

#endif
