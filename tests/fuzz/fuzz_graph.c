/* Fuzzer over the reader of graphs: any text gives a graph or an error that says where.  A graph
 * that was read is asked for everything, written, and must be read back.  With -DFUZZ_MAIN a
 * program that runs files, or mutates them for a number of runs: fuzz_graph FILE... fuzz_graph -n
 * RUNS FILE... else an entry for libFuzzer (clang -fsanitize=fuzzer,address,undefined).
 */
#include "config.h"

#include "base.h"
#include "hmf/graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void wrong(const char *what)
{
    fprintf(stderr, "fuzz_graph: %s: %s\n", what, hmf_error_text());
    abort();
}

/* Costs are never NaN and never negative. */
static void ask(const hmf_graph_t *g)
{
    struct hmf_outlook o;
    size_t n = hmf_graph_count(g);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            if (!(hmf_graph_edge_weight(g, i, j) >= 0))
                wrong("an edge's weight");
        if (hmf_graph_outlook(g, i, 10, 1e6, &o) == HMF_OK && !(o.total_us >= 0))
            wrong("an outlook");
        if (!(hmf_weight_elapsed(&hmf_graph_vertex(g, i)->weight, 10, 1e6) >= 0))
            wrong("a time");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hmf_graph_t *g, *again;
    char *text;

    if (!size)
        return 0;
    char *copy = malloc(size); /* exact: a read too far is seen */
    memcpy(copy, data, size);
    hmf_status_t rc = hmf_graph_parse(copy, size, "fuzz", &g);
    free(copy);
    if (rc == HMF_ERR_UNSUPPORTED)
        exit(77);
    if (rc)
        return 0;
    ask(g);
    if (hmf_graph_dot(g, 0, &text))
        wrong("as a drawing");
    hmf_graph_text_free(text);
    if (hmf_graph_json(g, &text))
        wrong("as JSON");
    if (hmf_graph_parse(text, strlen(text), "written", &again))
        wrong("what was written is not read");
    hmf_graph_text_free(text);
    hmf_graph_free(again);
    hmf_graph_free(g);
    return 0;
}

#ifdef FUZZ_MAIN
static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Mostly changes that leave it JSON: digits, pieces doubled, words exchanged. */
static void mutate(char *p, size_t *len, size_t room)
{
    static const char *const words[] = {"\"inf\"", "-1", "1e999", "0", "null", "{}", "[]", "1e300",
                                        "\"\"", "true", ",", "}", "1e-320"};

    for (uint64_t n = 1 + rnd() % 3; n && *len > 16; n--) {
        size_t at = rnd() % *len, k;
        switch (rnd() % 4) {
        case 0:
            p[at] = (char)rnd();
            break;
        case 1: /* the next number becomes a word */
            while (at < *len &&
                   !(p[at] >= '0' && p[at] <= '9' && (p[at - 1] == ' ' || p[at - 1] == ':')))
                at++;
            for (k = at; k < *len && strchr("0123456789.e+", p[k]); k++)
                ;
            const char *word = words[rnd() % (sizeof words / sizeof words[0])];
            if (at < *len && *len + 8 < room) {
                memmove(p + at + strlen(word), p + k, *len - k);
                memcpy(p + at, word, strlen(word));
                *len = *len - (k - at) + strlen(word);
            }
            break;
        case 2: /* another digit or letter */
            for (k = at; k < *len && !(p[k] >= '0' && p[k] <= '9'); k++)
                ;
            if (k < *len)
                p[k] = (char)('0' + rnd() % 10);
            break;
        default:
            k = rnd() % 8;
            if (at + k < *len) {
                memmove(p + at, p + at + k, *len - at - k);
                *len -= k;
            }
        }
    }
}

int main(int argc, char **argv)
{
    enum { ROOM = 1 << 16 };
    static char original[ROOM], work[ROOM];
    long runs = 0;
    int first = 1;

    if (argc > 2 && !strcmp(argv[1], "-n")) {
        runs = strtol(argv[2], NULL, 10);
        first = 3;
    }
    if (getenv("HMF_SEED"))
        seed = strtoull(getenv("HMF_SEED"), NULL, 10) | 1;
    for (int i = first; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        size_t n = fread(original, 1, ROOM, f);
        fclose(f);
        LLVMFuzzerTestOneInput((uint8_t *)original, n);
        for (long k = 0; k < runs; k++) {
            size_t len = n;
            memcpy(work, original, n);
            mutate(work, &len, ROOM);
            LLVMFuzzerTestOneInput((uint8_t *)work, len);
        }
    }
    printf("%d files, %ld runs on each\n", argc - first, runs);
    return 0;
}
#endif
