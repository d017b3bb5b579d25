/* monitor_host.c - how a host is, from the files of the kernel (see monitor_host.h). */
#include "config.h"

#include "monitor_host.h"

#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#define IDLE_S 300              /* an owner who has not typed for so long is not there */
#define TRIP_C 3                /* so near to the critical temperature it is hot */

/* ---- reading -------------------- */

/* Up to len - 1 bytes of a file below the root; false: there is none. */
static bool slurp(const struct hmf__host *h, const char *path, char *text, size_t len)
{
    char full[700];
    ssize_t n;
    int fd;

    if ((size_t)snprintf(full, sizeof full, "%s%s", h->root, path) >= sizeof full)
        return false;
    fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    n = read(fd, text, len - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static double number(const struct hmf__host *h, const char *path)
{
    char text[64], *end;
    double v;

    if (!slurp(h, path, text, sizeof text))
        return NAN;
    v = strtod(text, &end);
    return end > text ? v : NAN;
}

/* The number behind `key` in a text of lines "key number". */
static double field(const char *text, const char *key)
{
    size_t n = strlen(key);
    const char *p = text;

    while (p) {
        if (!strncmp(p, key, n) && !isalnum((unsigned char)p[n]) && p[n] != '_')
            return strtod(p + n + strspn(p + n, " :\t"), NULL);
        p = strchr(p, '\n');
        p = p ? p + 1 : NULL;
    }
    return NAN;
}

/* Calls add for each file that the pattern names, with what is read from it. */
static double sum_files(const struct hmf__host *h, const char *pattern)
{
    char full[700];
    double sum = NAN;
    glob_t found;

    if ((size_t)snprintf(full, sizeof full, "%s%s", h->root, pattern) >= sizeof full ||
        glob(full, 0, NULL, &found))
        return NAN;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        double v = number(h, found.gl_pathv[i] + strlen(h->root));
        if (isfinite(v))
            sum = isnan(sum) ? v : sum + v;
    }
    globfree(&found);
    return sum;
}

/* ---- load and pressure -------------------- */

static double pressure(const struct hmf__host *h, const char *path, const char *line)
{
    char text[400], *p;
    double avg;

    if (!slurp(h, path, text, sizeof text) || !(p = strstr(text, line)) ||
        sscanf(p + strlen(line), " avg10=%lf", &avg) != 1)
        return NAN;
    return avg / 100;
}

/* What the host is made of does not change. */
static void look(struct hmf__host *h)
{
    if (h->root[0])
        h->topology = (struct hmf__topology){.threads = 1, .worth = 1};
    else
        hmf__topology_read(&h->topology);
}

static double cores(const struct hmf__host *h)
{
    char text[64];
    double n = NAN;
    cpu_set_t set;

    if (!h->root[0] && !sched_getaffinity(0, sizeof set, &set))
        n = CPU_COUNT(&set);
    else if (slurp(h, "/sys/devices/system/cpu/present", text, sizeof text)) {
        int lo = 0, hi = 0;
        n = sscanf(text, "%d-%d", &lo, &hi) == 2 ? hi - lo + 1 : 1;
    }
    return n;
}

static double quota(const struct hmf__host *h)
{
    char path[400], text[64];
    double most, period;

    if (!h->cgroup[0])
        return INFINITY;
    snprintf(path, sizeof path, "%s/cpu.max", h->cgroup);
    if (slurp(h, path, text, sizeof text) && sscanf(text, "%lf %lf", &most, &period) == 2 &&
        period > 0)
        return most / period;
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", h->cgroup);
    most = number(h, path);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", h->cgroup);
    period = number(h, path);
    return most > 0 && period > 0 ? most / period : INFINITY;
}

static void load(const struct hmf__host *h, struct hmf__host_sample *out)
{
    char text[4000];
    double running, total;

    if (slurp(h, "/proc/loadavg", text, sizeof text) &&
        sscanf(text, "%lf %*f %*f %lf/%lf", &out->load, &running, &total) == 3)
        out->running = fmax(0, running - 1);            /* who reads it runs as well */
    out->psi_cpu = pressure(h, "/proc/pressure/cpu", "some");
    out->psi_memory = pressure(h, "/proc/pressure/memory", "full");
    if (slurp(h, "/proc/meminfo", text, sizeof text)) {
        out->memory_free = field(text, "MemAvailable") / field(text, "MemTotal");
        out->memory = field(text, "MemTotal") * 1024;
    }
}

/* Where the control group of this process is: version 2, or the cpu controller of version 1. */
static void find_cgroup(struct hmf__host *h)
{
    char text[4000];

    h->cgroup[0] = '\0';
    if (!slurp(h, "/proc/self/cgroup", text, sizeof text))
        return;
    for (char *line = text, *next; line; line = next) {
        char path[200], controllers[64] = "";
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (sscanf(line, "0::%199s", path) == 1)
            snprintf(h->cgroup, sizeof h->cgroup, "/sys/fs/cgroup%s", path);
        else if (sscanf(line, "%*d:%63[^:]:%199s", controllers, path) != 2)
            continue;
        else if (!strcmp(controllers, "cpu") || strstr(controllers, "cpu,"))
            snprintf(h->cgroup, sizeof h->cgroup, "/sys/fs/cgroup/cpu%s", path);
        else
            continue;
        if (controllers[0])
            return;                        /* of both, the one that has the controller */
    }
}

double hmf__host_throttled(struct hmf__host *h)
{
    char path[400], text[600];
    double v;

    find_cgroup(h);                        /* it may be put into another one at any time */
    if (!h->cgroup[0])
        return 0;
    snprintf(path, sizeof path, "%s/cpu.stat", h->cgroup);
    if (!slurp(h, path, text, sizeof text))
        return 0;
    v = field(text, "throttled_usec") * 1e-6;
    if (isnan(v))
        v = field(text, "throttled_time") * 1e-9;
    return isfinite(v) ? v : 0;
}

/* ---- health -------------------- */

static void set(struct hmf__host_sample *out, uint32_t flag, const char *reason)
{
    if (!out->reason[0])
        snprintf(out->reason, sizeof out->reason, "%s", reason);
    out->flags |= flag;
}

/* Degrees below the trip point of the first zone that has one; NAN: none. */
static double headroom(const struct hmf__host *h)
{
    char path[128], kind[32];
    double least = NAN;

    for (int zone = 0; zone < 32; zone++) {
        snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", zone);
        double temp = number(h, path);
        if (isnan(temp))
            break;
        for (int trip = 0; trip < 12; trip++) {
            snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/trip_point_%d_type", zone,
                     trip);
            if (!slurp(h, path, kind, sizeof kind))
                break;
            if (strncmp(kind, "critical", 8) && strncmp(kind, "hot", 3))
                continue;
            snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/trip_point_%d_temp", zone,
                     trip);
            least = fmin(least, (number(h, path) - temp) / 1000);
        }
    }
    return least;
}

static void heat(struct hmf__host *h, struct hmf__host_sample *out)
{
    double events = sum_files(h, "/sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count");
    double ce = sum_files(h, "/sys/devices/system/edac/mc/mc*/ce_count");
    double ue = sum_files(h, "/sys/devices/system/edac/mc/mc*/ue_count");
    double errors = (isfinite(ce) ? ce : 0) + (isfinite(ue) ? 1000 * ue : 0);

    if (headroom(h) < TRIP_C)
        set(out, HMF__HOST_HOT, "it is near its critical temperature");
    events = isfinite(events) ? events : 0;
    if (h->counted && events > h->heat)
        set(out, HMF__HOST_HOT, "its cores are slowed down because of heat");
    if (h->counted && errors > h->ecc)
        set(out, HMF__HOST_ECC, errors - h->ecc >= 1000 ? "memory errors that could not be corrected"
                                                        : "memory errors were corrected");
    h->heat = events;
    h->ecc = errors;
    h->counted = true;
    out->clock = number(h, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq") /
                 number(h, "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
}

/* The owner is logged in and has touched the terminal not long ago. */
static bool owner_is_there(const struct hmf__host *h, double wall_s)
{
    char path[400];
    struct utmpx *entries;
    char *text;
    bool there = false;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/var/run/utmp", h->root);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    text = hmf__malloc(256 * sizeof *entries);
    n = text ? read(fd, text, 256 * sizeof *entries) : 0;
    close(fd);
    entries = (struct utmpx *)(void *)text;
    for (ssize_t i = 0; n > 0 && i < n / (ssize_t)sizeof *entries && !there; i++) {
        struct utmpx *u = &entries[i];
        struct stat tty;
        if (u->ut_type != USER_PROCESS ||
            strncmp(u->ut_user, h->owner, sizeof u->ut_user))
            continue;
        snprintf(path, sizeof path, "%s/dev/%.*s", h->root, (int)sizeof u->ut_line, u->ut_line);
        there = stat(path, &tty) || wall_s - (double)tty.st_atime < IDLE_S;
    }
    hmf__free(text);
    return there;
}

/* "SECONDS [reason]" or "+SECONDS [reason]". */
static double announced(const char *text, double from_s, char *reason, size_t len)
{
    char *end;
    bool relative = text[0] == '+';
    double at = strtod(text + relative, &end);

    if (end == text + relative || !isfinite(at))
        return INFINITY;
    end += strspn(end, " \t");
    snprintf(reason, len, "%.*s", (int)strcspn(end, "\r\n"), end);
    return relative ? from_s + at : at;
}

static void notice(const struct hmf__host *h, struct hmf__host_sample *out)
{
    char text[200], path[700], why[80] = "";
    struct stat st;
    double at;

    if (!h->notice[0] || !slurp(h, h->notice, text, sizeof text))
        return;
    snprintf(path, sizeof path, "%s%s", h->root, h->notice);
    at = announced(text, stat(path, &st) ? 0 : (double)st.st_mtime, why, sizeof why);
    if (at < out->ends_at_s) {
        out->ends_at_s = at;
        snprintf(out->reason, sizeof out->reason, "%s", why[0] ? why : "its end was announced");
    }
}

void hmf__host_health(struct hmf__host *h, int exit_status, const char *output, double wall_s)
{
    h->flags &= ~(uint32_t)HMF__HOST_ILL;
    h->ends_at_s = INFINITY;
    h->reason[0] = '\0';
    for (const char *line = output; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, "ends ", 5))
            h->ends_at_s = announced(line + 5, wall_s, h->reason, sizeof h->reason);
        if (!*line)
            break;
    }
    if (exit_status == 1) {
        h->flags |= HMF__HOST_ILL;
        snprintf(h->reason, sizeof h->reason, "%.*s", (int)strcspn(output, "\r\n"), output);
    }
    if ((exit_status == 1 || isfinite(h->ends_at_s)) && !h->reason[0])
        snprintf(h->reason, sizeof h->reason, "the health command says so");
}

int hmf__host_drained(const char *output, const char *host)
{
    char key[100];
    const char *line = output, *state;
    size_t n = (size_t)snprintf(key, sizeof key, "NodeName=%.70s ", host);

    while (line && strncmp(line, key, n)) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line || !(state = strstr(line, " State=")) ||
        (strchr(line, '\n') && state > strchr(line, '\n')))
        return -1;
    state += 7;
    n = strcspn(state, " \n");
    for (size_t i = 0; i < n; i++)
        if (!strncmp(state + i, "DRAIN", 5) || !strncmp(state + i, "DOWN", 4) ||
            !strncmp(state + i, "FAIL", 4))
            return 1;
    return 0;
}

void hmf__host_batch(struct hmf__host *h, int exit_status, const char *output)
{
    const char *given;
    char name[65] = "";
    int is;

    gethostname(name, sizeof name - 1);
    hmf__param_string("SLURMD_NODENAME", name, &given);
    is = hmf__host_drained(output, given);
    name[strcspn(name, ".")] = '\0';
    if (is < 0)
        is = hmf__host_drained(output, name);
    if (!exit_status && is >= 0)
        h->drained = is;
}

/* ---- all of it -------------------- */

/* Copies text, %h becoming the host's name; false: it does not fit. */
static bool name_host(const char *text, char *out, size_t len)
{
    char host[65] = "";
    size_t n = 0;

    gethostname(host, sizeof host - 1);
    for (; *text && n < len; text++) {
        if (text[0] == '%' && text[1] == 'h') {
            n += (size_t)snprintf(out + n, len - n, "%s", host);
            text++;
        } else {
            out[n++] = *text;
        }
    }
    if (n >= len)
        return false;
    out[n] = '\0';
    return true;
}

void hmf__host_open(struct hmf__host *h)
{
    const char *root, *owner, *file;

    memset(h, 0, sizeof *h);
    hmf__param_string("HMF_MONITOR_ROOT", "", &root);
    hmf__param_string("HMF_OWNER", "", &owner);
    hmf__param_string("HMF_NOTICE", "", &file);
    if ((size_t)snprintf(h->root, sizeof h->root, "%s", root) >= sizeof h->root) {
        hmf__log(HMF__LOG_ERROR, "HMF_MONITOR_ROOT is longer than %zu characters: it is not used",
                 sizeof h->root - 1);
        h->root[0] = '\0';
    }
    snprintf(h->owner, sizeof h->owner, "%s", owner);
    if (!name_host(file, h->notice, sizeof h->notice)) {
        hmf__log(HMF__LOG_ERROR, "HMF_NOTICE is longer than %zu characters: it is not used",
                 sizeof h->notice - 1);
        h->notice[0] = '\0';
    }
    h->ends_at_s = INFINITY;
}

void hmf__host_read(struct hmf__host *h, double wall_s, struct hmf__host_sample *out)
{
    *out = (struct hmf__host_sample){.cores = NAN, .running = NAN, .load = NAN, .psi_cpu = NAN,
                                     .psi_memory = NAN, .memory_free = NAN, .memory = NAN, .clock = NAN,
                                     .ends_at_s = h->ends_at_s, .flags = h->flags};
    memcpy(out->reason, h->reason, sizeof out->reason);
    find_cgroup(h);
    if (!h->topology.threads)
        look(h);
    out->cores = cores(h) * h->topology.worth;
    out->quota = quota(h);
    load(h, out);
    heat(h, out);
    if (h->drained)
        set(out, HMF__HOST_DRAINED, "the batch system takes it out of service");
    if (h->owner[0] && owner_is_there(h, wall_s))
        set(out, HMF__HOST_OWNER, "its owner is back");
    notice(h, out);
}

/* ---- on the wire -------------------- */

void hmf__put_double(struct hmf__buf *out, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    hmf__buf_put_u64(out, bits);
}

double hmf__get_double(struct hmf__buf *in)
{
    uint64_t bits = hmf__buf_get_u64(in);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

void hmf__host_put(struct hmf__buf *out, const struct hmf__host_sample *s)
{
    hmf__put_double(out, s->cores);
    hmf__put_double(out, s->quota);
    hmf__put_double(out, s->running);
    hmf__put_double(out, s->load);
    hmf__put_double(out, s->psi_cpu);
    hmf__put_double(out, s->psi_memory);
    hmf__put_double(out, s->memory_free);
    hmf__put_double(out, s->memory);
    hmf__put_double(out, s->clock);
    hmf__put_double(out, s->ends_at_s);
    hmf__buf_put_u32(out, s->flags);
    hmf__buf_put_string(out, s->reason);
}

void hmf__host_get(struct hmf__buf *in, struct hmf__host_sample *s)
{
    char *reason;

    s->cores = hmf__get_double(in);
    s->quota = hmf__get_double(in);
    s->running = hmf__get_double(in);
    s->load = hmf__get_double(in);
    s->psi_cpu = hmf__get_double(in);
    s->psi_memory = hmf__get_double(in);
    s->memory_free = hmf__get_double(in);
    s->memory = hmf__get_double(in);
    s->clock = hmf__get_double(in);
    s->ends_at_s = hmf__get_double(in);
    s->flags = hmf__buf_get_u32(in);
    reason = hmf__buf_get_string(in, sizeof s->reason - 1);
    snprintf(s->reason, sizeof s->reason, "%s", reason ? reason : "");
    hmf__free(reason);
}
