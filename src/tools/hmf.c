/* hmf - see and steer a running job from the command line, through its control socket
 * (src/control.h). What looks into checkpoints is in hmf_check.c. Links nothing of MPI. */
#include "config.h"

#include "hmf_check.h"
#include "hmf_graph.h"
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_LIMIT_S 900

static const char usage[] =
    "usage: hmf [--job NAME] COMMAND\n"
    "\n"
    "  status                which rank runs where, and which spares are free\n"
    "  migrate RANK [NODE]   move a rank to a spare (on host NODE); waits until it has moved\n"
    "  drain NODE            all ranks leave a node, and none goes there; waits until it is empty\n"
    "  resume NODE           ranks may go there again\n"
    "  events [N]            the last N (20) things that happened, as lines of JSON\n"
    "  checkpoint            write a checkpoint of the job; waits until it is on disk\n"
    "  stop                  write a checkpoint, then the job ends in order\n"
    "  jobs                  the sockets of your running jobs\n"
    "\n";

static const char usage_end[] =
    "\n"
    "  -j, --job NAME        the job whose socket's name contains NAME; needed when there are several\n"
    "  -h, --help            this text\n"
    "\n"
    "Run it on the node where logical rank 0 of the job is. Sockets are looked for in $HMF_RUN_DIR, else\n"
    "$XDG_RUNTIME_DIR/hmf, else /tmp/hmf-UID. Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n";

static void print_usage(FILE *to)
{
    fprintf(to, "%s%s%s%s%s", usage, hmf_check_usage, hmf_graph_usage, hmf_sim_usage, usage_end);
}

/* Says what is wrong with the command line; the whole usage is a call away. */
static int misused(const char *fmt, const char *word)
{
    fputs("hmf: ", stderr);
    fprintf(stderr, fmt, word);
    fputs("; 'hmf --help' shows what there is\n", stderr);
    return 2;
}

static int is_socket_name(const char *name, const char *job)
{
    size_t n = strlen(name);

    return n > 5 && !strcmp(name + n - 5, ".sock") && (!job || strstr(name, job));
}

/* Connects to the socket; -1 with errno when nobody listens. */
static int reach(int dir, const char *name)
{
    struct sockaddr_un sun;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (hmf__rundir_address(&sun, dir, name) ||
        connect(fd, (struct sockaddr *)&sun, sizeof sun)) {
        close(fd);
        return -1;
    }
    return fd;
}

enum { MAX_JOBS = 64 };

/* The names of the sockets that somebody listens at, without ".sock"; returns how many. */
static int running_jobs(int dir, const char *job, char name[MAX_JOBS][NAME_MAX + 1])
{
    int list = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = list < 0 ? NULL : fdopendir(list);
    struct dirent *e;
    int n = 0, fd;

    while (d && n < MAX_JOBS && (e = readdir(d))) {
        if (!is_socket_name(e->d_name, job) || (fd = reach(dir, e->d_name)) < 0)
            continue;                     /* left behind by a job that was killed */
        close(fd);
        snprintf(name[n++], NAME_MAX + 1, "%.*s", (int)(strlen(e->d_name) - 5), e->d_name);
    }
    if (d)
        closedir(d);
    return n;
}

static int list_jobs(const char *job)
{
    char path[PATH_MAX], name[MAX_JOBS][NAME_MAX + 1];
    int dir = hmf__rundir_open(path, 0), n = running_jobs(dir, job, name);

    for (int i = 0; i < n; i++)
        puts(name[i]);
    if (dir >= 0)
        close(dir);
    return n == 0;
}

/* A connection to the only job, or to the one whose name contains `job`; -1 if that is none or
 * several. */
static int find_job(const char *job)
{
    char path[PATH_MAX], name[MAX_JOBS][NAME_MAX + 1], file[NAME_MAX + 8];
    int dir = hmf__rundir_open(path, 0), why = errno, n = running_jobs(dir, job, name), fd = -1;

    if (dir < 0 && why != ENOENT)
        fprintf(stderr, "hmf: %s cannot be used (%s): it must be a directory of yours, mode 0700\n",
                path, strerror(why));
    else if (n == 0)
        fprintf(stderr, "hmf: no running job%s%s in %s: run hmf on the node of rank 0, as the job's owner\n",
                job ? " named " : "", job ? job : "", path);
    if (n > 1) {
        fprintf(stderr, "hmf: %d jobs run; choose one with --job:\n", n);
        for (int i = 0; i < n; i++)
            fprintf(stderr, "  %s\n", name[i]);
    }
    if (n == 1) {
        snprintf(file, sizeof file, "%s.sock", name[0]);
        fd = reach(dir, file);
    }
    if (dir >= 0)
        close(dir);
    return fd;
}

/* Sends the line, prints the answer; the exit status. */
static int talk(int fd, const char *line)
{
    struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    char got[65536];
    size_t len = 0, n = strlen(line);
    ssize_t k;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, line, n, MSG_NOSIGNAL) != (ssize_t)n) {
        perror("hmf: the job does not take the request");
        return 1;
    }
    while (len < sizeof got - 1 && (k = recv(fd, got + len, sizeof got - 1 - len, 0)) > 0)
        len += (size_t)k;
    got[len] = 0;
    if (!len) {
        fprintf(stderr, "hmf: the job gave no answer (it may have ended)\n");
        return 1;
    }
    if (!strncmp(got, "error ", 6)) {
        fprintf(stderr, "hmf: %s", got + 6);
        return 1;
    }
    fputs(!strncmp(got, "ok ", 3) ? got + 3 : got, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"job", required_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'}, {0}};
    const char *job = NULL, *command;
    char line[1024];
    int opt, fd, len = 0, status;

    while ((opt = getopt_long(argc, argv, "+j:h", options, NULL)) != -1) {
        if (opt == 'h') {
            print_usage(stdout);
            return 0;
        }
        if (opt != 'j')
            return misused("wrong option%s", "");
        job = optarg;
    }
    command = argv[optind];
    if (command && hmf_check_is_command(command))
        return hmf_check_command(argc - optind, argv + optind);
    if (command && !strcmp(command, "graph"))
        return hmf_graph_command(argc - optind, argv + optind);
    if (command && !strcmp(command, "sim"))
        return hmf_sim_command(argc - optind, argv + optind);
    if (command && !strcmp(command, "policies"))
        return hmf_policies_command();
    if (!command) {
        print_usage(stderr);
        return 2;
    }
    if (!strcmp(command, "migrate")) {
        if (argc - optind < 2 || argc - optind > 3)
            return misused("%s needs a rank, and may have a node behind it", command);
    } else if (!strcmp(command, "drain") || !strcmp(command, "resume")) {
        if (argc - optind != 2)
            return misused("%s needs the name of one node", command);
    } else if (!strcmp(command, "events")) {
        if (argc - optind > 2)
            return misused("%s takes a number of lines, and no further words", command);
    } else if (strcmp(command, "status") && strcmp(command, "checkpoint") &&
               strcmp(command, "stop") && strcmp(command, "jobs")) {
        return misused("there is no command '%s'", command);
    } else if (argc - optind != 1) {
        return misused("%s takes no further words", command);
    }
    if (!strcmp(command, "jobs"))
        return list_jobs(job);
    for (int i = optind; i < argc; i++) {
        int n = snprintf(line + len, sizeof line - (size_t)len, "%s%s", i > optind ? " " : "", argv[i]);
        if (n < 0 || len + n >= (int)sizeof line - 2 || strpbrk(argv[i], " \n")) {
            fprintf(stderr, "hmf: '%s' is not a rank or host name\n", argv[i]);
            return 2;
        }
        len += n;
    }
    strcpy(line + len, "\n");
    fd = find_job(job);
    if (fd < 0)
        return 1;
    status = talk(fd, line);
    close(fd);
    return status;
}
