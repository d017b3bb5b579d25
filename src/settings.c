/* settings.c - what the environment says about a job (see settings.h). */
#include "config.h"

#include "settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "base.h"

extern char **environ;

#define MAX_ENV 65536

/* Process 0's HMF_* variables reach everybody. */
static hmf_status_t share_environment(int proc)
{
    char *text = hmf__calloc(1, MAX_ENV);
    int len = 0;

    if (!text)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for the settings");
    if (proc == 0)
        for (char **e = environ; *e; e++) {
            size_t n = strlen(*e) + 1;
            if (!strncmp(*e, "HMF_", 4) && (size_t)len + n < MAX_ENV) {
                memcpy(text + len, *e, n);
                len += (int)n;
            }
        }
    if (PMPI_Bcast(&len, 1, MPI_INT, 0, MPI_COMM_WORLD) ||
        PMPI_Bcast(text, len, MPI_CHAR, 0, MPI_COMM_WORLD)) {
        hmf__free(text);
        return hmf__fail(HMF_ERR_MPI, "the settings could not be told to all processes");
    }
    if (proc != 0)
        for (char *e = text; e < text + len; e += strlen(e) + 1) {
            char *eq = strchr(e, '=');
            if (!eq)
                continue;
            *eq = 0;
            setenv(e, eq + 1, 0);
            *eq = '=';
        }
    hmf__free(text);
    return HMF_OK;
}

static void complain(int proc, const char *instead)
{
    if (proc == 0)
        hmf__log(HMF__LOG_ERROR, "%s: %s", hmf_error_text(), instead);
}

/* Is `node` in the comma-separated list?  A full name and its first part count as the same. */
static bool listed(const char *list, const char *node)
{
    size_t full = strlen(node), part = strcspn(node, ".");

    for (const char *p = list; *p; p += strspn(p, ", ")) {
        size_t n = strcspn(p, ", "), word = n;
        const char *dot = memchr(p, '.', n);
        if (dot)
            word = (size_t)(dot - p);
        if ((n == full && !strncmp(p, node, n)) || (word == part && !strncmp(p, node, part)))
            return true;
        p += n;
    }
    return false;
}

/* Marks who is a spare; returns how many.  Process 0 decides, the others are told. */
static int choose(bool *spare, const char *nodes, int nprocs, int proc)
{
    const char *hosts = NULL;
    long want = -1;
    int n = 0;

    hmf__param_string("HMF_SPARE_HOSTS", NULL, &hosts);
    if (hmf__param_int("HMF_SPARES", 0, nprocs - 1, -1, &want)) {
        char text[120];
        snprintf(text, sizeof text, "no process is a spare, the program sees all %d ranks", nprocs);
        complain(proc, text);
        return 0;
    }
    if (want < 0)
        want = hosts ? nprocs : 0;
    for (int p = nprocs - 1; hosts && p >= 0 && n < want; p--)
        if (listed(hosts, nodes + (size_t)p * 64)) {
            spare[p] = true;
            n++;
        }
    if (hosts && n == nprocs) {
        hmf__fail(HMF_ERR_ARG, "HMF_SPARE_HOSTS=%s covers all %d processes", hosts, nprocs);
        complain(proc, "running without spares");
        memset(spare, 0, (size_t)nprocs * sizeof *spare);
        return 0;
    }
    if (want == nprocs)                    /* hosts alone decided */
        want = n;
    for (int p = nprocs - 1; p >= 0 && n < want; p--)
        if (!spare[p]) {
            spare[p] = true;
            n++;
        }
    return n;
}

static void seconds(const char *name, double dflt, double *out, int proc)
{
    char text[60];

    *out = dflt;
    if (hmf__param_double(name, 0.1, 1e6, dflt, out)) {
        snprintf(text, sizeof text, "taking %g seconds", dflt);
        complain(proc, text);
    }
}

/* mpirun --enable-recovery tells its processes; other launchers need HMF_RECOVERY. */
static bool recovers(int proc)
{
    const char *orte = NULL;
    long here = 0;

    hmf__param_string("OMPI_MCA_orte_enable_recovery", "", &orte);
    if (hmf__param_int("HMF_RECOVERY", 0, 1, !strcmp(orte, "1") || !strcmp(orte, "true"), &here))
        complain(proc, "taking 0");
    return here;
}

hmf_status_t hmf__settings_read(struct hmf__settings *out, int proc, int nprocs)
{
    char mine[64] = "", exe[256] = "";
    char *nodes = NULL;
    bool *spare = NULL;
    ssize_t len;
    hmf_status_t st = share_environment(proc);

    if (st)
        return st;
    memset(out, 0, sizeof *out);
    gethostname(mine, sizeof mine - 1);
    len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[len > 0 ? len : 0] = 0;
    snprintf(out->program, sizeof out->program, "%.60s",
             strrchr(exe, '/') ? strrchr(exe, '/') + 1 : "program");
    nodes = hmf__calloc((size_t)nprocs, sizeof mine);
    spare = hmf__calloc((size_t)nprocs, sizeof *spare);
    out->proc_of = hmf__calloc((size_t)nprocs, sizeof *out->proc_of);
    if (!nodes || !spare || !out->proc_of) {
        st = hmf__fail(HMF_ERR_NOMEM, "no memory for the list of %d processes", nprocs);
        goto free_lists;
    }
    if (PMPI_Gather(mine, sizeof mine, MPI_CHAR, nodes, sizeof mine, MPI_CHAR, 0,
                    MPI_COMM_WORLD)) {
        st = hmf__fail(HMF_ERR_MPI, "the names of the hosts could not be gathered");
        goto free_lists;
    }
    if (proc == 0)
        choose(spare, nodes, nprocs, proc);
    if (PMPI_Bcast(spare, nprocs, MPI_C_BOOL, 0, MPI_COMM_WORLD)) {
        st = hmf__fail(HMF_ERR_MPI, "the choice of spares could not be told to all processes");
        goto free_lists;
    }
    for (int p = 0; p < nprocs; p++)
        if (!spare[p])
            out->proc_of[out->nranks++] = p;
    out->recovers = recovers(proc);
    seconds("HMF_TIMEOUT", 60, &out->timeout_s, proc);
    seconds("HMF_STARTUP_TIMEOUT", 600, &out->startup_timeout_s, proc);

free_lists:
    if (st) {
        hmf__free(out->proc_of);
        out->proc_of = NULL;
    }
    hmf__free(spare);
    hmf__free(nodes);
    return st;
}
