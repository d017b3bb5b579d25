/* Functions between MPI's errors and the program's handlers; see verror.h.  Open MPI gives no more
 * than the object and the code; what else the standard allows it to give is for humans. */
#include "config.h"

#include "verror.h"

#include <pthread.h>

#include "base.h"
#include "vcomm.h"
#include "vfile.h"
#include "vwin.h"

enum { MOST = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void (*function)(void);
    enum hmf__verror_kind kind;
} table[MOST];

static void on_comm(int slot, MPI_Comm *comm, int *code)
{
    MPI_Comm theirs = *comm;

    for (const struct hmf__vcomm *v = hmf__vcomm_first(); v != NULL; v = v->next)
        if (v->real == *comm)
            theirs = hmf__vcomm_handle(v);
    ((MPI_Comm_errhandler_function *) table[slot].function)(&theirs, code);
}

static void on_win(int slot, MPI_Win *win, int *code)
{
    MPI_Win theirs = *win;

    for (struct hmf__varena_slot *s = hmf__vwins.first; s != NULL; s = s->next)
        if (s->real == (void *) *win)
            theirs = (MPI_Win) (void *) s;
    ((MPI_Win_errhandler_function *) table[slot].function)(&theirs, code);
}

static void on_file(int slot, MPI_File *file, int *code)
{
    MPI_File theirs = *file;

    for (struct hmf__varena_slot *s = hmf__vfiles.first; s != NULL; s = s->next)
        if (s->real == (void *) *file)
            theirs = (MPI_File) (void *) s;
    ((MPI_File_errhandler_function *) table[slot].function)(&theirs, code);
}

/* For each slot one function of each kind. */
#define FOUR(each, n) each(n##0) each(n##1) each(n##2) each(n##3)
#define SIXTEEN(each, n) FOUR(each, n##0) FOUR(each, n##1) FOUR(each, n##2) FOUR(each, n##3)
#define ALL(each) SIXTEEN(each, 0) SIXTEEN(each, 1) SIXTEEN(each, 2) SIXTEEN(each, 3)
/* The digits of a slot are to the base of 4. */
#define SLOT(n) ((1##n / 100 % 10) * 16 + (1##n / 10 % 10) * 4 + 1##n % 10)

#define FUNCTIONS(n)                                                                \
    static void comm_##n(MPI_Comm *c, int *code, ...) { on_comm(SLOT(n), c, code); } \
    static void win_##n(MPI_Win *w, int *code, ...) { on_win(SLOT(n), w, code); }    \
    static void file_##n(MPI_File *f, int *code, ...) { on_file(SLOT(n), f, code); }
ALL(FUNCTIONS)

#define COMM(n) comm_##n,
#define WIN(n) win_##n,
#define FILE_(n) file_##n,
static MPI_Comm_errhandler_function *const comms[MOST] = { ALL(COMM) };
static MPI_Win_errhandler_function *const wins[MOST] = { ALL(WIN) };
static MPI_File_errhandler_function *const files[MOST] = { ALL(FILE_) };

/* -1: all are taken. */
static int slot_of(enum hmf__verror_kind kind, void (*function)(void))
{
    int slot = -1;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST && slot < 0; i++) {
        if (table[i].function == NULL) {
            table[i].function = function;
            table[i].kind = kind;
        }
        if (table[i].function == function && table[i].kind == kind)
            slot = i;
    }
    pthread_mutex_unlock(&lock);
    return slot;
}

int hmf__verror_create(enum hmf__verror_kind kind, void (*function)(void), MPI_Errhandler *out)
{
    int slot = slot_of(kind, function);

    if (slot < 0)
        hmf__log(HMF__LOG_WARN, "more than %d error handlers: one more is called with MPI's handles "
                 "instead of the program's", MOST);
    if (kind == HMF__VERROR_WIN)
        return PMPI_Win_create_errhandler(slot < 0 ? (MPI_Win_errhandler_function *) function
                                                   : wins[slot], out);
    if (kind == HMF__VERROR_FILE)
        return PMPI_File_create_errhandler(slot < 0 ? (MPI_File_errhandler_function *) function
                                                    : files[slot], out);
    return PMPI_Comm_create_errhandler(slot < 0 ? (MPI_Comm_errhandler_function *) function
                                                : comms[slot], out);
}
