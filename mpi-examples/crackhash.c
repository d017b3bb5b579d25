/* crackhash.c: looks for the passwords behind crypt(3) hashes, by a word list and rules that mangle
 * its words.
 *
 *   HMF_SPARES=1 mpirun -np 3 ./crackhash crackhash-demo.txt crackhash-words.txt
 *
 * For demonstration and for testing one's own accounts.  One big loop over candidates, shared out
 * over the ranks in rounds; the registered state is only the round and what has been found, so a
 * rank moves in no time and a night of search survives the end of a batch job.  The hash file has
 * lines user:hash, as /etc/shadow has. */
#include "auto.h"
#include <hmf/checktype.h>

#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORD_MAX 32
#define PER_ROUND 8 /* candidates that a rank tries between two looks around */

/* What is known about an account; registered. */
struct account_state {
    int found;
    char password[WORD_MAX] HMF_STRING;
};

struct account {
    char *user, *hash; /* in the text of the file */
};

/* A text file cut into lines. */
struct lines {
    char *text;
    char **line;
    int count;
};

/* Rank 0 reads the file; everybody gets its non-empty lines. */
static int lines_share(const char *path, struct lines *lines)
{
    int rank, size = -1;
    FILE *in = NULL;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        in = fopen(path, "r");
        if (!in || fseek(in, 0, SEEK_END) || (size = (int)ftell(in)) < 0 || fseek(in, 0, SEEK_SET))
            fprintf(stderr, "crackhash: %s: %s\n", path, strerror(errno));
    }
    MPI_Bcast(&size, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (size < 0)
        return -1;
    lines->text = calloc((size_t)size + 1, 1);
    if (in) {
        if (fread(lines->text, 1, size, in) != (size_t)size)
            fprintf(stderr, "crackhash: %s: only partly read\n", path);
        fclose(in);
    }
    MPI_Bcast(lines->text, size, MPI_CHAR, 0, MPI_COMM_WORLD);
    lines->line = malloc(((size_t)size + 1) * sizeof(char *));
    lines->count = 0;
    for (char *line = strtok(lines->text, "\r\n"); line; line = strtok(NULL, "\r\n"))
        lines->line[lines->count++] = line;
    return 0;
}

static void lines_free(struct lines *lines)
{
    free(lines->line);
    free(lines->text);
}

/* The ways to mangle a word: NSHAPES shapes, each bare and with each of NTAILS endings. */
static const char *const tails[] = {"",   "0",   "1",    "2",    "3",   "4",  "5",  "6",
                                    "7",  "8",   "9",    "!",    "?",   "11", "12", "42",
                                    "99", "123", "2025", "2026", "007", "1!"};
enum { NTAILS = sizeof tails / sizeof *tails, NSHAPES = 5, NRULES = NTAILS * NSHAPES };

static void mangle(const char *word, int rule, char out[WORD_MAX])
{
    int shape = rule / NTAILS, len = (int)strnlen(word, WORD_MAX - 8);

    memcpy(out, word, len);
    for (int i = 0; i < len; i++) {
        switch (shape) {
        case 1:
            out[i] = i == 0 ? (char)toupper((unsigned char)word[i]) : word[i];
            break;
        case 2:
            out[i] = (char)toupper((unsigned char)word[i]);
            break;
        case 3:
            out[i] = word[len - 1 - i];
            break;
        case 4:
            out[i] = word[i] == 'a'   ? '4'
                     : word[i] == 'e' ? '3'
                     : word[i] == 'i' ? '1'
                     : word[i] == 'o' ? '0'
                                      : word[i];
            break;
        }
    }
    strcpy(out + len, tails[rule % NTAILS]);
}

/* Tries one candidate on every account whose password is not known yet. */
static void try_candidate(const char *candidate, const struct account *account,
                          struct account_state *state, int count, struct crypt_data *work)
{
    for (int i = 0; i < count; i++) {
        const char *hash;

        if (state[i].found)
            continue;
        hash = crypt_r(candidate, account[i].hash, work);
        if (hash && strcmp(hash, account[i].hash) == 0) {
            state[i].found = 1;
            memset(state[i].password, 0, WORD_MAX);
            strcpy(state[i].password, candidate);
        }
    }
}

/* Everybody learns what anybody found in this round. */
static void compare_notes(struct account_state *state, int count)
{
    int rank, *finder = malloc((count + 1) * sizeof *finder);

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < count; i++)
        finder[i] = state[i].found ? rank : -1;
    MPI_Allreduce(MPI_IN_PLACE, finder, count, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    for (int i = 0; i < count; i++) {
        if (finder[i] < 0)
            continue;
        state[i].found = 1;
        MPI_Bcast(state[i].password, WORD_MAX, MPI_CHAR, finder[i], MPI_COMM_WORLD);
    }
    free(finder);
}

static int unsolved(const struct account_state *state, int count)
{
    int n = 0;

    for (int i = 0; i < count; i++)
        n += !state[i].found;
    return n;
}

static void report(const struct account *account, const struct account_state *state, int count,
                   long tried)
{
    for (int i = 0; i < count; i++)
        printf("%-10s %s\n", account[i].user, state[i].found ? state[i].password : "(not found)");
    printf("%d of %d found, %ld candidates\n", count - unsolved(state, count), count, tried);
}

int main(int argc, char **argv)
{
    struct lines hashes, words;
    struct account *account;
    struct account_state *state;
    struct crypt_data *work;
    int rank, nranks, c, naccounts = 0, left = 0, progress = -1;
    long round = 0, candidates;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &nranks);
    while ((c = getopt(argc, argv, "p:")) == 'p')
        progress = open(optarg, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (c != -1 || optind != argc - 2) {
        fprintf(stderr, "usage: %s [-p progress file] hash-file word-file\n", argv[0]);
        MPI_Finalize();
        return 2;
    }
    if (lines_share(argv[optind], &hashes) || lines_share(argv[optind + 1], &words)) {
        MPI_Finalize();
        return 1;
    }
    account = calloc(hashes.count + 1, sizeof *account);
    state = calloc(hashes.count + 1, sizeof *state);
    work = calloc(1, sizeof *work);
    for (int i = 0; i < hashes.count; i++) {
        char *colon = strchr(hashes.line[i], ':');

        if (!colon || hashes.line[i][0] == '#')
            continue;
        *colon = '\0';
        account[naccounts].user = hashes.line[i];
        account[naccounts].hash = colon + 1;
        account[naccounts].hash[strcspn(colon + 1, ":")] = '\0';
        naccounts++;
    }
    candidates = (long)words.count * NRULES;

    auto_init(argv[0]);
    HMF_TRACK(round);
    HMF_TRACK_ARRAY(state, naccounts + 1);
    auto_read(AUTO_ALL); /* else everything is zero, as it should be in the beginning */

    while (round * PER_ROUND * nranks < candidates && unsolved(state, naccounts) > 0) {
        if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
            left = 1;
            break;
        }
        /* All ranks try as many candidates and poll as often; the rules vary fastest over the
         * words, so that simple passwords come first. */
        for (int i = 0; i < PER_ROUND; i++) {
            long index = (round * PER_ROUND + i) * nranks + rank;
            char candidate[WORD_MAX];

            if (index < candidates) {
                mangle(words.line[index % words.count], (int)(index / words.count), candidate);
                try_candidate(candidate, account, state, naccounts, work);
            }
        }
        compare_notes(state, naccounts);
        round++;
        if (progress >= 0)
            dprintf(progress, "step %ld rank %d pid %d\n", round, rank, (int)getpid());
    }

    if (!left && rank == 0)
        report(account, state, naccounts,
               round * PER_ROUND * nranks < candidates ? round * PER_ROUND * nranks : candidates);
    if (progress >= 0)
        close(progress);
    free(work);
    free(state);
    free(account);
    lines_free(&words);
    lines_free(&hashes);
    auto_done();
    MPI_Finalize();
    return 0;
}

#ifdef HMF_INCLUDE_DESCRIPTIONS
#include "crackhash.types.h"
#endif
