/* statesize.c - how large the rank's state is, as far as can be told between polls (see agent.h). */
#include "config.h"

#include "agent.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t hmf__agent_resident_kib(void)
{
    char text[100];
    unsigned long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return sscanf(text, "%*u %lu", &pages) == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024 : 0;
}

void hmf__agent_resize(struct hmf__agent *a, const struct hmf__size *size)
{
    bool news;

    pthread_mutex_lock(&a->lock);
    news = memcmp(&a->size, size, sizeof *size) != 0;
    a->size = *size;
    pthread_mutex_unlock(&a->lock);
    if (news && a->running)
        hmf__agent_tell(a, HMF__F_L_STATE, NULL, 0);
}

uint64_t hmf__agent_state_bytes(struct hmf__agent *a)
{
    struct hmf__size s;
    uint64_t now, grown;

    pthread_mutex_lock(&a->lock);
    s = a->size;
    pthread_mutex_unlock(&a->lock);
    if (!s.open)
        return s.flat;
    now = hmf__agent_resident_kib();
    grown = now > s.resident_kib ? (now - s.resident_kib) * 1024 : 0;
    return s.captured + grown > s.flat ? s.captured + grown : s.flat;
}
