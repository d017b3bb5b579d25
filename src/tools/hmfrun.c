/* hmfrun - mpirun or srun for jobs whose ranks move: a node that its ranks have left may be switched off.
 *
 * Adds what the launcher needs for that, passes everything else through, and reports the job's own outcome, which
 * it learns from the job's events (src/events.h): a launcher that waits for processes of a dead node is ended when
 * the job has finished, and a job that has lost a rank is ended with a message that says how to continue.
 * Starts and watches; decides nothing about the job.  Links nothing of MPI. */
#include "config.h"

#include "hmf_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOST_STATUS 75          /* EX_TEMPFAIL: the same again may succeed, from the checkpoint */
#define GATHER_S 1              /* a dying node loses its ranks one after the other */
#define TERM_S 10               /* from SIGTERM to SIGKILL for the launcher */

extern char **environ;

static const char usage[] =
    "usage: hmfrun [OPTIONS] [--] LAUNCHER-OPTIONS... PROGRAM [ARGUMENTS...]\n"
    "\n"
    "  --spares N           N processes more than the launcher's options ask for; they wait as spares\n"
    "  --restart[=GEN]      continue from the newest checkpoint (or generation GEN): an error if there is none\n"
    "  --launcher COMMAND   mpirun (default) or srun\n"
    "  --events FILE        the job's events (default: $HMF_EVENTS, else hmf-events.jsonl)\n"
    "  --grace SECONDS      how long the launcher may take to end after the job has (15)\n"
    "  --show               print the command and what is added to the environment, run nothing\n"
    "  -h, --help           this text\n"
    "\n"
    "Everything else goes to the launcher as it is. Exit status: the launcher's; 1 when it says that all is well but\n"
    "the job does not; 75 when the job lost a rank and can be continued with --restart; 2 wrong usage. hmfrun(1)\n"
    "says more.\n";

struct options {
    const char *launcher, *events, *restart;
    long spares;
    double grace;
    bool show, must_restart;
};

enum { MAX_LOST = 64 };

/* What the events have told so far. */
struct job {
    char name[64];
    bool started, ended;
    struct { char node[64]; int rank; char why[200]; } lost[MAX_LOST];
    int nlost;
    double lost_s, ended_s;     /* when this was read here */
    double first_lost;          /* when it happened, by the clock of who saw it */
};

static volatile sig_atomic_t signalled[16];
static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

static void on_signal(int sig)
{
    if (sig < (int)(sizeof signalled / sizeof *signalled))
        signalled[sig] = 1;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int misused(const char *fmt, const char *word)
{
    fputs("hmfrun: ", stderr);
    fprintf(stderr, fmt, word);
    fputs("; 'hmfrun --help' shows what there is\n", stderr);
    return 2;
}

/* ---- the command line -------------------- */

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == 0;
}

/* Options of hmfrun stand first; returns the index of the first word that is not one, -1: wrong. */
static int parse(int argc, char **argv, struct options *o)
{
    int i;

    for (i = 1; i < argc; i++) {
        char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL, *end;
        if (!strcmp(word, "--"))
            return i + 1;
        if (!strcmp(word, "--show")) {
            o->show = true;
        } else if (!strcmp(word, "--restart") || !strncmp(word, "--restart=", 10)) {
            o->must_restart = true;
            o->restart = word[9] ? word + 10 : "auto";
            if (strcmp(o->restart, "auto") && !all_digits(o->restart))
                return misused("'%s' is not the number of a checkpoint's generation", o->restart), -1;
        } else if (!strcmp(word, "--spares") || !strcmp(word, "--launcher") || !strcmp(word, "--events") ||
                   !strcmp(word, "--grace")) {
            if (!value)
                return misused("%s needs a value", word), -1;
            i++;
            if (word[2] == 'l') {
                o->launcher = value;
            } else if (word[2] == 'e') {
                o->events = value;
            } else {
                double v = strtod(value, &end);
                if (end == value || *end || v < 0 || v > 1e6 || (word[2] == 's' && v != (long)v))
                    return misused("'%s' is not a number that can be used here", value), -1;
                if (word[2] == 's')
                    o->spares = (long)v;
                else
                    o->grace = v;
            }
        } else {
            break;
        }
    }
    return i;
}

static bool is_srun(const char *launcher)
{
    const char *name = strrchr(launcher, '/');

    return !strcmp(name ? name + 1 : launcher, "srun");
}

/* Where the number of processes is: the word itself, behind its '=' or, for srun, its letter. NULL: nowhere. */
static char **count_word(bool srun, char **words, char **number)
{
    static const char *const of_mpirun[] = {"-np", "-n", "-c", "--np", "--n", NULL};
    static const char *const of_srun[] = {"-n", "--ntasks", NULL};       /* -c: something else there */
    const char *const *options = srun ? of_srun : of_mpirun;

    for (char **w = words; *w; w++)
        for (const char *const *o = options; *o; o++) {
            size_t n = strlen(*o);
            if (strncmp(*w, *o, n))
                continue;
            if (!(*w)[n] && w[1] && all_digits(w[1]))
                return *number = w[1], w + 1;
            if ((*w)[n] == '=' && all_digits(*w + n + 1))
                return *number = *w + n + 1, w;
            if (srun && n == 2 && all_digits(*w + n))
                return *number = *w + n, w;
        }
    return NULL;
}

static bool can_run(const char *word, const char *path)
{
    char file[PATH_MAX];
    struct stat st;
    size_t len;

    if (strchr(word, '/'))
        return !access(word, X_OK) && !stat(word, &st) && S_ISREG(st.st_mode);
    for (; path; path = path[len] ? path + len + 1 : NULL) {
        len = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)len, path, word);
        if (!access(file, X_OK) && !stat(file, &st) && S_ISREG(st.st_mode))
            return true;
    }
    return false;
}

/* In recovery mode Open MPI 4's mpirun waits for ever for a program that is not there. Which of the words it is, only mpirun
 * knows; if it is to look elsewhere than here, nothing is said. */
static bool has_program(char **words)
{
    static const char *const elsewhere[] = {"-app", "--app", "-wdir", "--wdir", "-wd", "--wd", "-path", "--path"};

    for (; *words; words++) {
        for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
            if (!strcmp(*words, elsewhere[i]))
                return true;
        if (can_run(*words, getenv("PATH")))
            return true;
    }
    return false;
}

/* The launcher's words, with the spares counted in; free neither. NULL: wrong or out of memory, said. */
static char **command(const struct options *o, int argc, char **argv, int first)
{
    size_t nenv = 0, n = 0;
    char **words;

    for (char **e = environ; *e; e++)
        nenv += !strncmp(*e, "HMF_", 4);
    words = calloc((size_t)(argc - first) + 2 * nenv + 8, sizeof *words);
    if (!words)
        return NULL;
    words[n++] = (char *)o->launcher;
    if (is_srun(o->launcher)) {
        words[n++] = "--no-kill";
        words[n++] = "--kill-on-bad-exit=0";
    } else {
        for (char **e = environ; *e; e++)
            if (!strncmp(*e, "HMF_", 4)) {
                words[n++] = "-x";
                words[n++] = strndup(*e, strcspn(*e, "="));
            }
    }
    for (int i = first; i < argc; i++)
        words[n++] = argv[i];
    if (o->spares) {
        char *number, **at = count_word(is_srun(o->launcher), words + 1, &number), *text;
        if (!at) {
            fprintf(stderr, "hmfrun: --spares needs the number of ranks: give %s RANKS behind it\n",
                    is_srun(o->launcher) ? "-n" : "-np");
            return NULL;
        }
        if (asprintf(&text, "%.*s%ld", (int)(number - *at), *at, strtol(number, NULL, 10) + o->spares) < 0)
            return NULL;
        *at = text;
    }
    return words;
}

/* What makes Open MPI 4 go on when a node is lost (found by trying; doc/operations.md): it does not end
 * the job when a process ends early, and notices dead connections of its daemons in seconds. Others ignore it. */
static void set_environment(const struct options *o)
{
    static const char *const set[][2] = {
        {"HMF_RECOVERY", "1"},
        {"OMPI_MCA_orte_enable_recovery", "1"},
        {"OMPI_MCA_oob_tcp_keepalive_time", "2"},
        {"OMPI_MCA_oob_tcp_keepalive_intvl", "1"},
        {"OMPI_MCA_oob_tcp_keepalive_probes", "3"},
    };
    char number[24], path[PATH_MAX + 300];

    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        setenv(set[i][0], set[i][1], 0);
    if (getenv("SLURM_JOB_ID"))
        setenv("OMPI_MCA_plm_slurm_args", "--no-kill --kill-on-bad-exit=0", 0);
    snprintf(number, sizeof number, "%ld", o->spares);
    if (o->spares)
        setenv("HMF_SPARES", number, 1);
    if (o->restart)
        setenv("HMF_RESTART", o->restart, 1);
    if (o->events[0] == '/' || !getcwd(path, PATH_MAX)) {
        setenv("HMF_EVENTS", o->events, 1);
    } else {
        size_t len = strlen(path);
        snprintf(path + len, sizeof path - len, "/%.255s", o->events);
        setenv("HMF_EVENTS", path, 1);
    }
}

/* ---- checkpoints -------------------- */

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The newest generation in the directory, or the one of that number; -1: none. */
static long generation(const char *dir, long wanted)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    long best = -1;

    while (d && (e = readdir(d))) {
        char *end;
        long g = strncmp(e->d_name, "gen-", 4) ? -1 : strtol(e->d_name + 4, &end, 10);
        if (g > best && (!*end || !strcmp(end, ".local")) && (wanted < 0 || g == wanted))
            best = g;
    }
    if (d)
        closedir(d);
    return best;
}

static void checkpoint_dir(const char *program, char *dir, size_t len)
{
    const char *given = getenv("HMF_DIR");

    if (given && given[0])
        snprintf(dir, len, "%s", given);
    else
        snprintf(dir, len, "%s.hmf", base(program));
}

/* Any of the words may be the program: the first whose checkpoints are there will be. */
static bool has_checkpoint(char **words, long wanted)
{
    char dir[PATH_MAX];

    for (; *words; words++) {
        checkpoint_dir(*words, dir, sizeof dir);
        if (generation(dir, wanted) >= 0)
            return true;
    }
    return false;
}

/* ---- events -------------------- */

static void take_event(struct job *j, const char *line)
{
    char event[24], rank[16], node[64], why[200];

    hmf_line_field(line, "event", event, sizeof event);
    if (!strcmp(event, "start")) {
        j->started = true;
        hmf_line_field(line, "job", j->name, sizeof j->name);
    } else if (!strcmp(event, "end")) {
        j->ended = true;
        j->ended_s = now_s();
    } else if (!strcmp(event, "lost") && j->nlost < MAX_LOST) {
        int r = atoi(hmf_line_field(line, "rank", rank, sizeof rank));
        double at = hmf_line_number(line, "time");
        if (j->nlost && (at > j->first_lost + GATHER_S / 2. ||
                         (strcmp(hmf_line_field(line, "node", node, sizeof node), j->lost[0].node) &&
                          strncmp(hmf_line_field(line, "reason", why, sizeof why), j->lost[0].why, 10))))
            return;                        /* an effect of the first loss, or of ending the job */
        for (int i = 0; i < j->nlost; i++)
            if (j->lost[i].rank == r)
                return;
        hmf_line_field(line, "node", j->lost[j->nlost].node, sizeof j->lost->node);
        hmf_line_field(line, "reason", j->lost[j->nlost].why, sizeof j->lost->why);
        j->lost[j->nlost].rank = r;
        if (!j->nlost++) {
            j->lost_s = now_s();
            j->first_lost = at;
        }
    }
}

/* The file's new lines, from where the last call stopped.  It may have been renamed meanwhile: what is in the
 * old one is read first. */
struct reader { const char *path; FILE *f; ino_t inode; };

static void read_events(struct reader *r, struct job *j)
{
    static char line[70000];
    struct stat st;

    for (;;) {
        if (!r->f && (r->f = fopen(r->path, "re")) && !fstat(fileno(r->f), &st))
            r->inode = st.st_ino;
        if (!r->f)
            return;
        for (long at = ftell(r->f); fgets(line, sizeof line, r->f); at = ftell(r->f)) {
            if (!strchr(line, '\n')) {     /* not all of it is there yet */
                fseek(r->f, at, SEEK_SET);
                break;
            }
            take_event(j, line);
        }
        clearerr(r->f);
        if (stat(r->path, &st) || st.st_ino == r->inode)
            return;
        fclose(r->f);
        r->f = NULL;
    }
}

/* Lines of earlier runs are not this job's. false with errno: there is no such file and it cannot be made, or not written. */
static bool read_from_now(struct reader *r)
{
    struct stat st;

    r->f = fopen(r->path, "a+e");
    if (!r->f)
        return false;
    fseek(r->f, 0, SEEK_END);
    if (!fstat(fileno(r->f), &st))
        r->inode = st.st_ino;
    return true;
}

/* ---- the job -------------------- */

static pid_t start(char **words)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        signal(passed_on[i], SIG_DFL);
    execvp(words[0], words);
    fprintf(stderr, "hmfrun: %s cannot be started: %s\n", words[0], strerror(errno));
    _exit(127);
}

/* Waits until `until_s`; true: it has ended, with *status. */
static bool wait_until(pid_t pid, int *status, double until_s)
{
    struct timespec nap = {.tv_nsec = 50000000};

    for (;;) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        if (now_s() >= until_s)
            return false;
        nanosleep(&nap, NULL);
    }
}

static void end_launcher(pid_t pid, int *status)
{
    kill(pid, SIGTERM);
    if (wait_until(pid, status, now_s() + TERM_S))
        return;
    kill(pid, SIGKILL);
    waitpid(pid, status, 0);
}

/* "node2 is lost with ranks 1, 3: why" for each node, and how to go on. */
static void say_lost(const struct job *j, char **argv, int argc, const struct options *o)
{
    char dir[PATH_MAX];
    bool said[MAX_LOST] = {false};
    long g;

    for (int i = 0; i < j->nlost; i++) {
        if (said[i])
            continue;
        bool several = false;
        for (int k = i + 1; k < j->nlost; k++)
            several |= !strcmp(j->lost[k].node, j->lost[i].node);
        fprintf(stderr, "hmfrun: %s is lost with rank%s %d", j->lost[i].node, several ? "s" : "", j->lost[i].rank);
        for (int k = i + 1; k < j->nlost; k++)
            if (!strcmp(j->lost[k].node, j->lost[i].node)) {
                fprintf(stderr, ", %d", j->lost[k].rank);
                said[k] = true;
            }
        fprintf(stderr, ": %s\n", j->lost[i].why);
    }
    checkpoint_dir(j->name, dir, sizeof dir);
    g = generation(dir, -1);
    if (g < 0) {
        fprintf(stderr, "hmfrun: there is no checkpoint in %s: the job has to begin afresh\n", dir);
        return;
    }
    fprintf(stderr, "hmfrun: the newest checkpoint is generation %ld in %s; continue from it, without that node, with:\n"
            "  hmfrun --restart", g, dir);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--restart", 9) || !o->must_restart)
            fprintf(stderr, " %s", argv[i]);
    fputc('\n', stderr);
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int watch(pid_t pid, const struct options *o, int argc, char **argv, struct reader *events)
{
    struct job j = {.nlost = 0};
    int status = 0;

    for (;;) {
        bool over = wait_until(pid, &status, now_s() + 0.1);
        for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
            if (signalled[passed_on[i]]) {
                signalled[passed_on[i]] = 0;
                if (!over)
                    kill(pid, passed_on[i]);
            }
        read_events(events, &j);
        if (over)
            break;
        if (j.nlost && !j.ended && now_s() - j.lost_s > GATHER_S) {
            end_launcher(pid, &status);
            break;
        }
        if (j.ended && now_s() - j.ended_s > o->grace) {
            fprintf(stderr, "hmfrun: the job has finished; %s still waits for processes of nodes that are gone, and "
                    "is ended\n", o->launcher);
            end_launcher(pid, &status);
            return 0;
        }
    }
    if (j.nlost && !j.ended) {
        say_lost(&j, argv, argc, o);
        return LOST_STATUS;
    }
    if (exit_status(status) == 0 && !j.ended && (j.started || !is_srun(o->launcher))) {
        fprintf(stderr, j.started ? "hmfrun: %s says that all is well, but the job did not come to its end in order\n" :
                "hmfrun: %s says that all is well, but no event came from the job: whether it is, is known only of programs "
                "that use libhmf-mpi and get as far as auto_init\n", o->launcher);
        return 1;
    }
    return exit_status(status);
}

int main(int argc, char **argv)
{
    const char *events = getenv("HMF_EVENTS");
    struct options o = {.launcher = "mpirun", .events = events && events[0] ? events : "hmf-events.jsonl", .grace = 15};
    struct sigaction act = {.sa_handler = on_signal};
    struct reader reader;
    char **words;
    int first;
    pid_t pid;

    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(usage, stdout);
        return 0;
    }
    first = parse(argc, argv, &o);
    if (first < 0)
        return 2;
    if (first >= argc) {
        fputs(usage, stderr);
        return 2;
    }
    if (o.must_restart && !has_checkpoint(argv + first, strcmp(o.restart, "auto") ? strtol(o.restart, NULL, 10) : -1)) {
        fprintf(stderr, "hmfrun: there is no checkpoint%s%s to continue from, neither in HMF_DIR nor in <program>.hmf\n",
                strcmp(o.restart, "auto") ? " of generation " : "", strcmp(o.restart, "auto") ? o.restart : "");
        return 1;
    }
    set_environment(&o);
    words = command(&o, argc, argv, first);
    if (!words)
        return 2;
    if (o.show) {
        for (char **e = environ; *e; e++)
            if (!strncmp(*e, "HMF_", 4) || !strncmp(*e, "OMPI_MCA_o", 10) || !strncmp(*e, "OMPI_MCA_plm_slurm", 18))
                puts(*e);
        for (char **w = words; *w; w++)
            printf("%s%s", w == words ? "" : " ", *w);
        putchar('\n');
        return 0;
    }
    if (!is_srun(o.launcher) && !has_program(argv + first)) {
        fprintf(stderr, "hmfrun: none of the words for %s is a program that can be run\n", o.launcher);
        return 127;
    }
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaction(passed_on[i], &act, NULL);
    reader = (struct reader){.path = getenv("HMF_EVENTS")};
    if (!read_from_now(&reader)) {
        fprintf(stderr, "hmfrun: events cannot be written to %s: %s; choose another file with --events\n", reader.path, strerror(errno));
        return 2;
    }
    pid = start(words);
    if (pid < 0) {
        perror("hmfrun: fork");
        return 1;
    }
    return watch(pid, &o, argc, argv, &reader);
}
