/* Texts and handles; see vhandle.h.  One table for each direction; both forget when a capture or a
 * restore begins, except while a rank moves, when texts are also used outside of the image. */
#include "config.h"

#include "vhandle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "handle.h"
#include "procmap.h"
#include "shim/shim.h"
#include "typemap.h"
#include "vcomm.h"
#include "vgroup.h"
#include "vmade.h"
#include "vmsg.h"
#include "vreq.h"
#include "vtype.h"

enum { BUCKETS = 1024, ARENA_BYTES = 32 << 20 };

struct entry {
    struct entry *next;
    uint64_t hash;
    int number;
    const void *handle;
    char *text;
    bool image;     /* an image has it, or gave it */
};

struct table {
    struct entry *bucket[BUCKETS];
    unsigned made;  /* the "#n" given so far */
};

static struct table texts, handles;
static struct {
    char *base;
    size_t used;
} arena;
static bool moving;
static uint32_t startup_comms = UINT32_MAX;     /* the first that is not of the start-up phase */
static uint64_t startup_requests = UINT64_MAX;

/* The walk knows what memory there was when it began, so texts that it is to find lie in memory
 * that was there before.  Pages that no text is in cost nothing. */
static char *keep(const char *text, size_t len)
{
    char *to;

    if (arena.base == NULL || len > ARENA_BYTES - arena.used)
        return NULL;
    to = memcpy(arena.base + arena.used, text, len);
    arena.used += len;
    return to;
}

static void open_arena(void)
{
    void *base = arena.base != NULL ? arena.base
        : mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
               -1, 0);

    arena.base = base != MAP_FAILED ? base : NULL;
    arena.used = 0;
}

static void forget(struct table *t)
{
    for (int i = 0; i < BUCKETS; i++)
        while (t->bucket[i] != NULL) {
            struct entry *e = t->bucket[i];

            t->bucket[i] = e->next;
            if (t != &texts)
                hmf__free(e->text);
            hmf__free(e);
        }
    t->made = 0;
    if (t == &texts)
        open_arena();
}

static struct entry *add(struct table *t, uint64_t hash, int number, const void *handle, char *text)
{
    struct entry *e = hmf__malloc(sizeof(*e));

    if (e == NULL || text == NULL) {
        hmf__free(e);
        if (t != &texts)
            hmf__free(text);
        hmf__fail(HMF_ERR_NOMEM, "no memory to describe an %s",
                  hmf__handle_type((uint32_t) number));
        return NULL;
    }
    *e = (struct entry) { t->bucket[hash % BUCKETS], hash, number, handle, text, false };
    t->bucket[hash % BUCKETS] = e;
    return e;
}

static uint64_t hash_handle(int number, const void *handle)
{
    return hmf__vcomm_mix((uint64_t) number, (uint64_t) (uintptr_t) handle);
}

static uint64_t hash_text(int number, const char *text)
{
    uint64_t h = (uint64_t) number;

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char) *text) * UINT64_C(0x100000001b3);
    return hmf__vcomm_mix(h, 0);
}

/* ---- names ---- */

struct name {
    int number;
    const char *name;
    const void *handle;
};

#define NAME(number, h) { number, #h, (const void *) (h) }

/* Handles are addresses of MPI's own: known to the linker, not to the compiler. */
static const struct name *names(size_t *n)
{
    static struct name list[40];

    if (list[0].name == NULL) {
        const struct name all[] = {
            NAME(typeMPI_COMM, MPI_COMM_NULL), NAME(typeMPI_COMM, MPI_COMM_WORLD),
            NAME(typeMPI_COMM, MPI_COMM_SELF), NAME(typeMPI_GROUP, MPI_GROUP_NULL),
            NAME(typeMPI_GROUP, MPI_GROUP_EMPTY), NAME(typeMPI_OP, MPI_OP_NULL),
            NAME(typeMPI_OP, MPI_MAX), NAME(typeMPI_OP, MPI_MIN), NAME(typeMPI_OP, MPI_SUM),
            NAME(typeMPI_OP, MPI_PROD), NAME(typeMPI_OP, MPI_LAND), NAME(typeMPI_OP, MPI_BAND),
            NAME(typeMPI_OP, MPI_LOR), NAME(typeMPI_OP, MPI_BOR), NAME(typeMPI_OP, MPI_LXOR),
            NAME(typeMPI_OP, MPI_BXOR), NAME(typeMPI_OP, MPI_MAXLOC), NAME(typeMPI_OP, MPI_MINLOC),
            NAME(typeMPI_OP, MPI_REPLACE), NAME(typeMPI_OP, MPI_NO_OP),
            NAME(typeMPI_REQUEST, MPI_REQUEST_NULL), NAME(typeMPI_WIN, MPI_WIN_NULL),
            NAME(typeMPI_FILE, MPI_FILE_NULL), NAME(typeMPI_INFO, MPI_INFO_NULL),
            NAME(typeMPI_INFO, MPI_INFO_ENV), NAME(typeMPI_ERRHANDLER, MPI_ERRHANDLER_NULL),
            NAME(typeMPI_ERRHANDLER, MPI_ERRORS_ARE_FATAL),
            NAME(typeMPI_ERRHANDLER, MPI_ERRORS_RETURN), NAME(typeMPI_MESSAGE, MPI_MESSAGE_NULL),
            NAME(typeMPI_MESSAGE, MPI_MESSAGE_NO_PROC)
        };
        memcpy(list, all, sizeof(all));
    }
    for (*n = 0; list[*n].name != NULL; ++*n)
        ;
    return list;
}

static const char *name_of(int number, const void *handle)
{
    size_t n;
    const struct name *list = names(&n);

    if (number == typeMPI_DATATYPE)
        return hmf__vtype_name((MPI_Datatype) handle);
    for (size_t i = 0; i < n; i++)
        if (list[i].number == number && list[i].handle == handle)
            return list[i].name;
    return NULL;
}

/* ---- texts ---- */

static void put(struct hmf__buf *b, const char *text)
{
    hmf__buf_put_bytes(b, text, strlen(text));
}

static hmf_status_t comm_text(const void *handle, struct hmf__buf *b)
{
    struct hmf__vcomm *v = hmf__vcomm_of((MPI_Comm) handle);
    char text[160];

    if (v == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "a communicator that is none of the program's (made "
                         "by PMPI, or no handle at all) cannot be carried");
    if (v->real == MPI_COMM_NULL || v->flags & (HMF__COMM_FREED | HMF__COMM_GHOST))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the communicator has been freed: set the variable "
                         "to MPI_COMM_NULL");
    if (v->kind == HMF__COMM_FOREIGN || (!moving && v->id >= startup_comms))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s %s", hmf__vcomm_text(v, text, sizeof(text)),
                         v->kind == HMF__COMM_FOREIGN ? "has members outside the job"
                         : "was made after auto_read, and a program that starts from the disk does "
                           "not make it again");
    snprintf(text, sizeof(text), "comm %" PRIu32, v->id);
    put(b, text);
    return b->status;
}

static hmf_status_t group_text(const void *handle, struct hmf__buf *b)
{
    MPI_Group group = (MPI_Group) handle;
    hmf_status_t status = HMF_OK;
    int n = 0, *ranks, rc = PMPI_Group_size(group, &n);
    char text[20];

    ranks = hmf__calloc((size_t) n + 1, sizeof(*ranks));
    if (ranks == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a group of %d ranks", n);
    if (rc == MPI_SUCCESS)
        rc = hmf__procmap_procs(group, n, ranks);
    put(b, "group");
    for (int i = 0; i < n && rc == MPI_SUCCESS && status == HMF_OK; i++) {
        if (ranks[i] < 0 || ranks[i] >= hmf__procmap.nranks)
            status = hmf__fail(HMF_ERR_UNSUPPORTED, "a group with processes outside the job cannot "
                               "be carried");
        snprintf(text, sizeof(text), " %d", ranks[i]);
        put(b, text);
    }
    hmf__free(ranks);
    return rc != MPI_SUCCESS ? hmf__fail(HMF_ERR_MPI, "MPI does not tell the ranks of a group (%d)",
                                         rc) : status;
}

/* Keys and values with %xx for what separates them. */
static void put_escaped(struct hmf__buf *b, const char *text)
{
    char code[4];

    for (; *text != '\0'; text++)
        if (strchr(" %=#", *text) != NULL) {
            snprintf(code, sizeof(code), "%%%02x", (unsigned char) *text);
            put(b, code);
        } else {
            hmf__buf_put_bytes(b, text, 1);
        }
}

static hmf_status_t info_text(const void *handle, struct hmf__buf *b)
{
    MPI_Info info = (MPI_Info) handle;
    char key[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1];
    int n = 0, flag = 0, rc = PMPI_Info_get_nkeys(info, &n);

    put(b, "info");
    for (int i = 0; i < n && rc == MPI_SUCCESS; i++) {
        rc = PMPI_Info_get_nthkey(info, i, key);
        if (rc == MPI_SUCCESS)
            rc = PMPI_Info_get(info, key, MPI_MAX_INFO_VAL, value, &flag);
        if (rc != MPI_SUCCESS || !flag)
            continue;
        put(b, " ");
        put_escaped(b, key);
        put(b, "=");
        put_escaped(b, value);
    }
    return rc == MPI_SUCCESS ? HMF_OK : hmf__fail(HMF_ERR_MPI, "MPI does not tell an info's keys "
                                                  "(%d)", rc);
}

static hmf_status_t request_text(const void *handle, struct hmf__buf *b)
{
    const struct hmf__vreq *q = hmf__vreq_known(handle);
    char text[400];

    if (q == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the variable holds no request of the program: set it "
                         "to MPI_REQUEST_NULL");
    if (!moving && (q->serial >= startup_requests || !(q->flags & HMF__VREQ_PERSISTENT)
                    || q->flags & HMF__VREQ_ACTIVE))
        return hmf__fail(HMF_ERR_BUSY, "the request of %s cannot go to disk: complete it before "
                         "auto_poll, make persistent ones before auto_read",
                         hmf__vreq_text(q, text, sizeof(text)));
    snprintf(text, sizeof(text), "request %" PRIu64, q->serial);
    put(b, text);
    return b->status;
}

static hmf_status_t message_text(const void *handle, struct hmf__buf *b)
{
    uint32_t serial;
    char text[40];

    if (!hmf__vmsg_serial((MPI_Message) handle, &serial) || !moving)
        return hmf__fail(HMF_ERR_BUSY, "a matched message cannot go to disk: receive it before "
                         "auto_poll");
    snprintf(text, sizeof(text), "message %" PRIu32, serial);
    put(b, text);
    return b->status;
}

static hmf_status_t window_text(const void *handle, struct hmf__buf *b)
{
    const struct hmf__vwin *v = hmf__vwin_of((MPI_Win) handle);
    char text[300];

    if (v == NULL || v->members == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the variable holds no window of the program: set it "
                         "to MPI_WIN_NULL");
    if (!moving && !hmf__vwin_startup(v))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s was made after auto_read, and a program that "
                         "starts from the disk does not make it again",
                         hmf__vwin_text(v, text, sizeof(text)));
    snprintf(text, sizeof(text), "window %" PRIu32, v->serial);
    put(b, text);
    return b->status;
}

static hmf_status_t file_text(const void *handle, struct hmf__buf *b)
{
    const struct hmf__vfile *v = hmf__vfile_of((MPI_File) handle);
    char text[400];

    if (v == NULL || v->members == NULL)
        return hmf__fail(HMF_ERR_UNSUPPORTED, "the variable holds no file of the program: set it to "
                         "MPI_FILE_NULL");
    if (!moving && !hmf__vfile_startup(v))
        return hmf__fail(HMF_ERR_UNSUPPORTED, "%s was opened after auto_read, and a program that "
                         "starts from the disk does not open it again",
                         hmf__vfile_text(v, text, sizeof(text)));
    snprintf(text, sizeof(text), "file %" PRIu32, v->serial);
    put(b, text);
    return b->status;
}

static hmf_status_t put_text(int number, const void *handle, struct hmf__buf *b, bool *anew)
{
    *anew = true;
    switch (number) {
    case typeMPI_GROUP:
        return group_text(handle, b);
    case typeMPI_DATATYPE:
        return hmf__vtype_text((MPI_Datatype) handle, b);
    case typeMPI_OP:
    case typeMPI_ERRHANDLER:
        return hmf__made_text(number, handle, b);
    case typeMPI_INFO:
        return info_text(handle, b);
    default:
        *anew = false;
    }
    switch (number) {
    case typeMPI_COMM:
        return comm_text(handle, b);
    case typeMPI_REQUEST:
        return request_text(handle, b);
    case typeMPI_MESSAGE:
        return message_text(handle, b);
    case typeMPI_WIN:
        return window_text(handle, b);
    default:
        return file_text(handle, b);
    }
}

static hmf_status_t text_of(int number, const void *handle, struct entry **out)
{
    uint64_t hash = hash_handle(number, handle);
    const char *name = name_of(number, handle);
    struct hmf__buf b = HMF__BUF_INIT;
    hmf_status_t status = HMF_OK;
    char mark[20];
    bool anew = false;

    for (*out = texts.bucket[hash % BUCKETS]; *out != NULL; *out = (*out)->next)
        if ((*out)->number == number && (*out)->handle == handle)
            return HMF_OK;
    hmf__buf_init(&b);
    if (name != NULL)
        put(&b, name);
    else
        status = put_text(number, handle, &b, &anew);
    if (anew) {
        snprintf(mark, sizeof(mark), " #%u", ++texts.made);
        put(&b, mark);
    }
    hmf__buf_put_u8(&b, 0);
    if (status == HMF_OK) {
        status = b.status;
        *out = add(&texts, hash, number, handle,
                   status == HMF_OK ? keep((char *) b.data, b.len) : NULL);
        status = *out != NULL ? HMF_OK : HMF_ERR_NOMEM;
    }
    hmf__buf_fini(&b);
    return status;
}

hmf_status_t hmf__vhandle_text(int number, const void *handle, const char **out)
{
    struct entry *e;
    hmf_status_t status = text_of(number, handle, &e);

    if (status == HMF_OK)
        *out = e->text;
    return status;
}

static hmf_status_t image_text(int number, const void *handle, const char **out)
{
    struct entry *e;
    hmf_status_t status = text_of(number, handle, &e);

    if (status != HMF_OK)
        return status;
    e->image = true;
    *out = e->text;
    return HMF_OK;
}

bool hmf__vhandle_seen(int number, const void *handle)
{
    uint64_t hash = hash_handle(number, handle);

    for (struct entry *e = texts.bucket[hash % BUCKETS]; e != NULL; e = e->next)
        if (e->number == number && e->handle == handle)
            return e->image;
    return false;
}

/* ---- back ---- */

static hmf_status_t damaged(int number)
{
    return hmf__fail(HMF_ERR_FORMAT, "the description of an %s is damaged",
                     hmf__handle_type((uint32_t) number));
}

/* "word N" gives N. */
static bool numbered(const char *text, const char *word, uint64_t *out)
{
    size_t n = strlen(word);
    char *end;

    if (strncmp(text, word, n) != 0 || text[n] != ' ' || text[n + 1] < '0' || text[n + 1] > '9')
        return false;
    *out = strtoull(text + n + 1, &end, 10);
    return *end == '\0';
}

static hmf_status_t find_group(const char *text, size_t len, void **out)
{
    int *ranks = hmf__calloc(len, sizeof(*ranks)), n = 0, rc = MPI_SUCCESS;
    const char *at = text + 5, *end = text + len;
    hmf_status_t status = HMF_OK;
    MPI_Group group = MPI_GROUP_NULL;

    if (ranks == NULL)
        return hmf__fail(HMF_ERR_NOMEM, "no memory for a group");
    if (len < 5 || memcmp(text, "group", 5) != 0)
        status = damaged(typeMPI_GROUP);
    while (status == HMF_OK && at < end) {
        char *tail;
        long r = *at == ' ' ? strtol(at + 1, &tail, 10) : -1;

        if (r < 0 || r >= hmf__procmap.nranks || tail == at + 1)
            status = damaged(typeMPI_GROUP);
        for (int i = 0; i < n && status == HMF_OK; i++)
            if (ranks[i] == r)
                status = damaged(typeMPI_GROUP);
        if (status == HMF_OK) {
            ranks[n++] = (int) r;
            at = tail;
        }
    }
    if (status == HMF_OK)
        rc = PMPI_Group_incl(hmf__procmap.group, n, ranks, &group);
    hmf__free(ranks);
    *out = (void *) group;
    return rc == MPI_SUCCESS ? status : hmf__fail(HMF_ERR_MPI, "MPI does not make a group (%d)", rc);
}

/* From *at to the next of the two ends, with %xx made good. */
static bool get_escaped(const char **at, const char *end, const char *stop, char *out, size_t size)
{
    size_t n = 0;

    while (*at < end && strchr(stop, **at) == NULL) {
        unsigned c = (unsigned char) **at;

        if (n + 1 >= size)
            return false;
        if (c == '%') {
            char code[3] = { end - *at > 1 ? (*at)[1] : 'x', end - *at > 2 ? (*at)[2] : 'x', '\0' };
            char *tail;

            c = (unsigned) strtoul(code, &tail, 16);
            if (tail != code + 2 || c == 0)
                return false;
            *at += 2;
        }
        out[n++] = (char) c;
        ++*at;
    }
    out[n] = '\0';
    return true;
}

static hmf_status_t find_info(const char *text, size_t len, void **out)
{
    const char *at = text + 4, *end = text + len;
    char key[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1];
    MPI_Info info;
    int rc;

    if (len < 4 || memcmp(text, "info", 4) != 0)
        return damaged(typeMPI_INFO);
    rc = PMPI_Info_create(&info);
    if (rc != MPI_SUCCESS)
        return hmf__fail(HMF_ERR_MPI, "MPI does not make an info (%d)", rc);
    while (at < end) {
        bool good = *at++ == ' ' && get_escaped(&at, end, "=", key, sizeof(key)) && at < end
                    && *at++ == '=' && get_escaped(&at, end, " ", value, sizeof(value))
                    && key[0] != '\0';

        if (!good || PMPI_Info_set(info, key, value) != MPI_SUCCESS) {
            PMPI_Info_free(&info);
            return damaged(typeMPI_INFO);
        }
    }
    *out = (void *) info;
    return HMF_OK;
}

static hmf_status_t find_numbered(int number, const char *text, void **out)
{
    const char *kind = hmf__handle_type((uint32_t) number);
    uint64_t n;

    if (number == typeMPI_COMM && numbered(text, "comm", &n) && n <= UINT32_MAX) {
        struct hmf__vcomm *v = hmf__vcomm_by_id((uint32_t) n);

        *out = v != NULL && v->real != MPI_COMM_NULL ? (void *) hmf__vcomm_handle(v) : NULL;
    } else if (number == typeMPI_REQUEST && numbered(text, "request", &n)) {
        *out = hmf__vreq_by_serial(n);
    } else if (number == typeMPI_MESSAGE && numbered(text, "message", &n) && n <= UINT32_MAX) {
        *out = (void *) hmf__vmsg_by_serial((uint32_t) n);
    } else if (number == typeMPI_WIN && numbered(text, "window", &n) && n <= UINT32_MAX) {
        *out = hmf__vwin_by_serial((uint32_t) n);
    } else if (number == typeMPI_FILE && numbered(text, "file", &n) && n <= UINT32_MAX) {
        *out = hmf__vfile_by_serial((uint32_t) n);
    } else {
        return damaged(number);
    }
    return *out != NULL ? HMF_OK : hmf__fail(HMF_ERR_NOTFOUND, "the saved state has an %s \"%.60s\", "
                                             "and the start-up of this program made none: it must "
                                             "make the same, in the same order", kind, text);
}

static hmf_status_t make(int number, const char *text, void **out)
{
    const char *mark = strrchr(text, '#');
    size_t len = mark != NULL && mark > text && mark[-1] == ' ' ? (size_t) (mark - text) - 1
                                                                : strlen(text);

    switch (number) {
    case typeMPI_GROUP:
        return find_group(text, len, out);
    case typeMPI_DATATYPE: {
        MPI_Datatype type;
        hmf_status_t status = hmf__vtype_find(text, len, &type);

        if (status == HMF_OK)
            *out = (void *) type;
        return status;
    }
    case typeMPI_OP:
    case typeMPI_ERRHANDLER:
        return hmf__made_again(number, text, len, out);
    case typeMPI_INFO:
        return find_info(text, len, out);
    default:
        return find_numbered(number, text, out);
    }
}

static hmf_status_t entry_of(int number, const char *text, struct entry **out)
{
    uint64_t hash = hash_text(number, text);
    size_t n;
    const struct name *list = names(&n);
    hmf_status_t status = HMF_OK;
    void *handle = NULL;

    for (*out = handles.bucket[hash % BUCKETS]; *out != NULL; *out = (*out)->next)
        if ((*out)->number == number && strcmp((*out)->text, text) == 0)
            return HMF_OK;
    for (size_t i = 0; i < n; i++)
        if (list[i].number == number && strcmp(list[i].name, text) == 0)
            handle = (void *) (uintptr_t) list[i].handle;
    if (handle == NULL)
        status = make(number, text, &handle);
    if (status != HMF_OK)
        return status;
    *out = add(&handles, hash, number, handle, hmf__strdup(text));
    return *out != NULL ? HMF_OK : HMF_ERR_NOMEM;
}

static hmf_status_t image_find(int number, const char *text, void **out)
{
    struct entry *e;
    hmf_status_t status = entry_of(number, text, &e);

    if (status != HMF_OK)
        return status;
    e->image = true;
    *out = (void *) (uintptr_t) e->handle;
    return HMF_OK;
}

hmf_status_t hmf__vhandle_find(int number, const char *text, void **out, bool *given)
{
    struct entry *e;
    hmf_status_t status = entry_of(number, text, &e);

    if (status != HMF_OK)
        return status;
    *given = e->image;
    *out = (void *) (uintptr_t) e->handle;
    return HMF_OK;
}

/* ---- begin and end ---- */

static void text_begin(void)
{
    if (!moving)
        forget(&texts); /* also opens the arena, before the walk begins */
}

static void find_begin(void)
{
    forget(&handles);
}

void hmf__vhandle_moving(bool on)
{
    moving = on;
    forget(&texts);
}

void hmf__vhandle_started(void)
{
    startup_comms = hmf__vcomm_next_id();
    startup_requests = hmf__vreq_next_serial();
}

void hmf__vhandle_startup_ids(uint32_t *comms, uint64_t *requests)
{
    *comms = startup_comms;
    *requests = startup_requests;
}

void hmf__vhandle_set_startup_ids(uint32_t comms, uint64_t requests)
{
    startup_comms = comms;
    startup_requests = requests;
}

void hmf__vhandle_init(void)
{
    static const struct hmf__handle_hooks hooks = { text_begin, find_begin, image_text,
                                                    image_find };

    hmf__handle_hooks(&hooks);
}

void hmf__vhandle_fini(void)
{
    hmf__handle_hooks(NULL);
    forget(&texts);
    forget(&handles);
    if (arena.base != NULL)
        munmap(arena.base, ARENA_BYTES);
    arena.base = NULL;
    moving = false;
    startup_comms = UINT32_MAX;
    startup_requests = UINT64_MAX;
    hmf__made_fini();
}
