/* monitor_host, monitor_command: a host laid out as files, and commands that answer, hang or fail. */
#include "config.h"

#include "monitor_command.h"
#include "monitor_host.h"

#include "unit.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utmpx.h>

#define NOW 1000000.0

static char root[64];

static void begin(void)
{
    strcpy(root, "/tmp/hmf-monitor-XXXXXX");
    CU_ASSERT_FATAL(mkdtemp(root) != NULL);
    setenv("HMF_MONITOR_ROOT", root, 1);
}

static void end(void)
{
    char command[100];

    snprintf(command, sizeof command, "rm -rf '%s'", root);
    CU_ASSERT(system(command) == 0);
    unsetenv("HMF_MONITOR_ROOT");
}

static void bytes(const char *path, const void *data, size_t len)
{
    char full[400];
    FILE *f;

    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        CU_ASSERT_FATAL(!mkdir(full, 0700) || errno == EEXIST);
    }
    CU_ASSERT_FATAL((f = fopen(full, "w")) != NULL);
    CU_ASSERT(fwrite(data, 1, len, f) == len);
    fclose(f);
}

static void text(const char *path, const char *content)
{
    bytes(path, content, strlen(content));
}

static struct hmf__host_sample look(struct hmf__host *h)
{
    struct hmf__host_sample s;

    hmf__host_read(h, NOW, &s);
    return s;
}

/* Nothing can be read: everything is unknown, nothing is wrong. */
static void test_nothing(void)
{
    struct hmf__host_sample s;
    struct hmf__host h;

    begin();
    hmf__host_open(&h);
    s = look(&h);
    CU_ASSERT(isnan(s.cores) && isnan(s.running) && isnan(s.load) && isnan(s.psi_cpu));
    CU_ASSERT(isnan(s.memory_free) && isnan(s.clock) && isinf(s.ends_at_s));
    CU_ASSERT(s.flags == 0 && !s.reason[0] && hmf__host_throttled(&h) == 0);
    end();
}

static void test_load(void)
{
    struct hmf__host_sample s;
    struct hmf__host h;

    begin();
    text("/proc/loadavg", "2.50 1.00 0.50 7/321 4711\n");
    text("/proc/pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.00 total=1\nfull avg10=0.00\n");
    text("/proc/pressure/memory", "some avg10=50.00 avg60=1.00 avg300=0.00 total=1\n"
         "full avg10=25.00 avg60=0.00 avg300=0.00 total=0\n");
    text("/proc/meminfo", "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    250 kB\n");
    text("/sys/devices/system/cpu/present", "0-7\n");
    text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1200000\n");
    text("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "2400000\n");
    hmf__host_open(&h);
    s = look(&h);
    CU_ASSERT(s.load == 2.5 && s.running == 6 && s.cores == 8 && s.clock == 0.5);
    CU_ASSERT(s.psi_cpu == 0.125 && s.psi_memory == 0.25 && s.memory_free == 0.25);
    /* Damage is the same as nothing. */
    text("/proc/loadavg", "much\n");
    text("/proc/pressure/cpu", "");
    text("/proc/meminfo", "MemTotal:\n");
    s = look(&h);
    CU_ASSERT(isnan(s.running) && isnan(s.psi_cpu) && !(s.memory_free > 0));
    end();
}

static void test_cgroup(void)
{
    struct hmf__host_sample s;
    struct hmf__host h;

    begin();
    text("/sys/devices/system/cpu/present", "0-3\n");
    text("/proc/self/cgroup", "0::/job\n");
    text("/sys/fs/cgroup/job/cpu.max", "20000 100000\n");
    text("/sys/fs/cgroup/job/cpu.stat", "usage_usec 5\nnr_throttled 3\nthrottled_usec 2500000\n");
    hmf__host_open(&h);
    s = look(&h);
    CU_ASSERT(s.cores == 4 && s.quota == 0.2);
    CU_ASSERT(hmf__host_throttled(&h) == 2.5);
    text("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
    s = look(&h);
    CU_ASSERT(s.cores == 4 && isinf(s.quota));
    /* Version 1, which is preferred where it has the controller. */
    text("/proc/self/cgroup", "2:cpu,cpuacct:/a\n1:name=systemd:/\n0::/job\n");
    text("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "150000\n");
    text("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    text("/sys/fs/cgroup/cpu/a/cpu.stat", "nr_periods 1\nthrottled_time 1500000000\n");
    s = look(&h);
    CU_ASSERT(s.quota == 1.5);
    CU_ASSERT(hmf__host_throttled(&h) == 1.5);
    end();
}

static void test_health(void)
{
    struct hmf__host_sample s;
    struct hmf__host h;

    begin();
    text("/sys/class/thermal/thermal_zone0/temp", "60000\n");
    text("/sys/class/thermal/thermal_zone0/trip_point_0_type", "passive\n");
    text("/sys/class/thermal/thermal_zone0/trip_point_0_temp", "61000\n");
    text("/sys/class/thermal/thermal_zone0/trip_point_1_type", "critical\n");
    text("/sys/class/thermal/thermal_zone0/trip_point_1_temp", "100000\n");
    text("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n");
    text("/sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "7\n");
    text("/sys/devices/system/edac/mc/mc0/ce_count", "3\n");
    text("/sys/devices/system/edac/mc/mc0/ue_count", "0\n");
    hmf__host_open(&h);
    s = look(&h);
    CU_ASSERT(s.flags == 0);               /* what was counted before is history */
    text("/sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "8\n");
    s = look(&h);
    CU_ASSERT(s.flags == HMF__HOST_HOT && strstr(s.reason, "heat"));
    CU_ASSERT(look(&h).flags == 0);
    text("/sys/class/thermal/thermal_zone0/temp", "98000\n");
    CU_ASSERT(look(&h).flags == HMF__HOST_HOT);
    text("/sys/class/thermal/thermal_zone0/temp", "50000\n");
    text("/sys/devices/system/edac/mc/mc0/ce_count", "4\n");
    s = look(&h);
    CU_ASSERT(s.flags == HMF__HOST_ECC && strstr(s.reason, "were corrected"));
    text("/sys/devices/system/edac/mc/mc0/ue_count", "1\n");
    s = look(&h);
    CU_ASSERT(s.flags == HMF__HOST_ECC && strstr(s.reason, "could not"));
    end();
}

static void test_notice(void)
{
    struct hmf__host_sample s;
    struct hmf__host h;
    struct stat st;
    char path[100];

    begin();
    setenv("HMF_NOTICE", "/run/%h/%%%h", 1);
    hmf__host_open(&h);
    CU_ASSERT_FATAL(!gethostname(path, 64));
    CU_ASSERT(!strncmp(h.notice + 5, path, strlen(path)) && strlen(h.notice) == 8 + 2 * strlen(path));
    setenv("HMF_NOTICE", "/run/notice", 1);
    hmf__host_open(&h);
    CU_ASSERT(isinf(look(&h).ends_at_s));
    text("/run/notice", "1000300 the room gets too warm\n");
    s = look(&h);
    CU_ASSERT(s.ends_at_s == 1000300 && !strcmp(s.reason, "the room gets too warm"));
    text("/run/notice", "+120\n");
    snprintf(path, sizeof path, "%s/run/notice", root);
    CU_ASSERT_FATAL(!stat(path, &st));
    s = look(&h);
    CU_ASSERT(s.ends_at_s == (double)st.st_mtime + 120 && s.reason[0]);
    text("/run/notice", "soon\n");
    CU_ASSERT(isinf(look(&h).ends_at_s));
    unsetenv("HMF_NOTICE");
    end();
}

static void test_owner(void)
{
    struct utmpx entry[2];
    struct timespec typed[2] = {{.tv_sec = (time_t)NOW - 10}, {.tv_sec = (time_t)NOW - 10}};
    struct hmf__host h;
    char path[100];

    begin();
    setenv("HMF_OWNER", "ada", 1);
    memset(entry, 0, sizeof entry);
    entry[0].ut_type = USER_PROCESS;
    strcpy(entry[0].ut_user, "charles");
    strcpy(entry[0].ut_line, "tty1");
    entry[1] = entry[0];
    hmf__host_open(&h);
    bytes("/var/run/utmp", entry, sizeof entry);
    CU_ASSERT(look(&h).flags == 0);
    strcpy(entry[1].ut_user, "ada");
    bytes("/var/run/utmp", entry, sizeof entry);
    text("/dev/tty1", "");
    snprintf(path, sizeof path, "%s/dev/tty1", root);
    CU_ASSERT_FATAL(!utimensat(0, path, typed, 0));
    CU_ASSERT(look(&h).flags == HMF__HOST_OWNER);
    typed[0].tv_sec -= 3600;               /* has not typed for an hour */
    CU_ASSERT_FATAL(!utimensat(0, path, typed, 0));
    CU_ASSERT(look(&h).flags == 0);
    bytes("/var/run/utmp", entry, sizeof entry / 2 + 7);
    CU_ASSERT(look(&h).flags == 0);
    unsetenv("HMF_OWNER");
    end();
}

static void test_said(void)
{
    struct hmf__host_sample s;
    struct hmf__host h;

    begin();
    hmf__host_open(&h);
    hmf__host_health(&h, 1, "the fan has stopped\nmore\n", NOW);
    s = look(&h);
    CU_ASSERT(s.flags == HMF__HOST_ILL && !strcmp(s.reason, "the fan has stopped"));
    hmf__host_health(&h, 0, "all is well\nends +60 on battery\n", NOW);
    s = look(&h);
    CU_ASSERT(s.flags == 0 && s.ends_at_s == NOW + 60 && !strcmp(s.reason, "on battery"));
    hmf__host_health(&h, 0, "", NOW);
    s = look(&h);
    CU_ASSERT(s.flags == 0 && isinf(s.ends_at_s) && !s.reason[0]);
    hmf__host_health(&h, 1, "", NOW);
    CU_ASSERT(look(&h).reason[0]);
    hmf__host_health(&h, -1, "ends never", NOW);
    s = look(&h);
    CU_ASSERT(s.flags == 0 && isinf(s.ends_at_s));
    end();
}

static void test_slurm(void)
{
    const char *said = "NodeName=n1 Arch=x86_64 CPUAlloc=1 State=MIXED ThreadsPerCore=1\n"
                       "NodeName=n12 Arch=x86_64 State=MIXED+DRAIN ThreadsPerCore=1\n"
                       "NodeName=n13 State=DOWN*\nNodeName=n14 Arch=x86_64\n";

    CU_ASSERT(hmf__host_drained(said, "n1") == 0);
    CU_ASSERT(hmf__host_drained(said, "n12") == 1);
    CU_ASSERT(hmf__host_drained(said, "n13") == 1);
    CU_ASSERT(hmf__host_drained(said, "n14") == -1);
    CU_ASSERT(hmf__host_drained(said, "n2") == -1);
    CU_ASSERT(hmf__host_drained("", "n2") == -1);

    /* Of this host; a command that fails changes nothing. */
    struct hmf__host_sample s;
    struct hmf__host h;
    setenv("SLURMD_NODENAME", "n12", 1);
    hmf__host_open(&h);
    hmf__host_batch(&h, 1, said);
    hmf__host_read(&h, 0, &s);
    CU_ASSERT(!(s.flags & HMF__HOST_DRAINED));
    hmf__host_batch(&h, 0, said);
    hmf__host_read(&h, 0, &s);
    CU_ASSERT(s.flags & HMF__HOST_DRAINED && !strcmp(s.reason, "the batch system takes it out of service"));
    hmf__host_batch(&h, -1, "");
    hmf__host_read(&h, 0, &s);
    CU_ASSERT(s.flags & HMF__HOST_DRAINED);
    hmf__host_batch(&h, 0, "NodeName=n12 State=IDLE\n");
    hmf__host_read(&h, 0, &s);
    CU_ASSERT(!(s.flags & HMF__HOST_DRAINED));
    unsetenv("SLURMD_NODENAME");
}

/* Runs until it has ended, or the clock that it is given says that it takes too long. */
static bool finish(struct hmf__command *c, uint64_t now_ns, int *status, char *said, size_t len)
{
    for (int k = 0; k < 3000; k++) {
        if (hmf__command_run(c, now_ns, status, said, len))
            return true;
        poll(NULL, 0, 10);
    }
    return false;
}

static void test_command(void)
{
    struct hmf__command c;
    char said[100];
    int status = 7;

    setenv("HMF_HEALTH", "echo the fan; exit 1", 1);
    hmf__command_init(&c, "HMF_HEALTH", "", 30);
    CU_ASSERT(finish(&c, 1000, &status, said, sizeof said));
    CU_ASSERT(status == 1 && !strcmp(said, "the fan\n"));
    CU_ASSERT(!hmf__command_run(&c, 2000, &status, said, sizeof said) && c.pid == 0);  /* not yet again */
    hmf__command_fini(&c);
    /* One that hangs is killed and says nothing; one that writes for ever, too. */
    setenv("HMF_HEALTH", "echo no; exec sleep 1000", 1);
    hmf__command_init(&c, "HMF_HEALTH", "", 30);
    CU_ASSERT(!hmf__command_run(&c, 1000, &status, said, sizeof said));
    CU_ASSERT(finish(&c, 20000000000, &status, said, sizeof said) && status == -1);
    setenv("HMF_HEALTH", "exec yes", 1);
    hmf__command_init(&c, "HMF_HEALTH", "", 30);
    CU_ASSERT(!hmf__command_run(&c, 1000, &status, said, sizeof said));
    CU_ASSERT(!hmf__command_run(&c, 1001, &status, said, sizeof said));
    CU_ASSERT(c.pid > 0);
    hmf__command_fini(&c);                 /* does not wait for it */
    unsetenv("HMF_HEALTH");
    hmf__command_init(&c, "HMF_HEALTH", "", 30);
    CU_ASSERT(!hmf__command_run(&c, 1000, &status, said, sizeof said) && c.pid == 0);
    hmf__command_fini(&c);
}

static const struct unit_test tests[] = {
    {"nothing is known", test_nothing},
    {"load, pressure, memory", test_load},
    {"control groups", test_cgroup},
    {"heat and memory errors", test_health},
    {"an announced end", test_notice},
    {"the owner", test_owner},
    {"what the health command said", test_said},
    {"what Slurm said", test_slurm},
    {"running a command", test_command},
};

UNIT_MAIN("monitor", tests)
