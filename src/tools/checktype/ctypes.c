/* hmf-checktype: C names that have a meaning of their own. */
#include "config.h"

#include "ctypes.h"

#include <stddef.h>
#include <string.h>

struct pair {
    const char *name, *what;
};

static const char *find(const struct pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(pairs[i].name, name))
            return pairs[i].what;
    return NULL;
}

#define FIND(pairs, name) find(pairs, sizeof pairs / sizeof *pairs, name)

static const struct pair typedefs[] = {
    {"int8_t", "typeINT8"},       {"uint8_t", "typeUINT8"},     {"int16_t", "typeINT16"},
    {"uint16_t", "typeUINT16"},   {"int32_t", "typeINT32"},     {"uint32_t", "typeUINT32"},
    {"int64_t", "typeINT64"},     {"uint64_t", "typeUINT64"},   {"size_t", "typeSIZE"},
    {"ssize_t", "typeSSIZE"},     {"ptrdiff_t", "typePTRDIFF"}, {"intptr_t", "typeINTPTR"},
    {"uintptr_t", "typeUINTPTR"}, {"wchar_t", "typeWCHAR"},     {"time_t", "typeTIME"},
    {"off_t", "typeOFF"},         {"ulong", "typeULONG"},       {"u_long", "typeULONG"},
    {"__int8_t", "typeINT8"},     {"__uint8_t", "typeUINT8"},   {"__int16_t", "typeINT16"},
    {"__uint16_t", "typeUINT16"}, {"__int32_t", "typeINT32"},   {"__uint32_t", "typeUINT32"},
    {"__int64_t", "typeINT64"},   {"__uint64_t", "typeUINT64"}, {"__time_t", "typeTIME"},
    {"__off_t", "typeOFF"},
};

static const struct pair basics[] = {
    {"char", "typeCHAR"},
    {"signed char", "typeSCHAR"},
    {"unsigned char", "typeUCHAR"},
    {"short", "typeSHORT"},
    {"unsigned short", "typeUSHORT"},
    {"int", "typeINT"},
    {"unsigned", "typeUINT"},
    {"unsigned int", "typeUINT"},
    {"long", "typeLONG"},
    {"unsigned long", "typeULONG"},
    {"long long", "typeLLONG"},
    {"unsigned long long", "typeULLONG"},
    {"float", "typeFLOAT"},
    {"double", "typeDOUBLE"},
    {"long double", "typeLDOUBLE"},
    {"bool", "typeBOOL"},
    {"_Bool", "typeBOOL"},
    {"double complex", "typeDCOMPLEX"},
    {"float complex", "typeFCOMPLEX"},
    {"size_t", "typeSIZE"},
};

static const struct pair mpi_handles[] = {
    {"MPI_Comm", "typeMPI_COMM"},       {"MPI_Group", "typeMPI_GROUP"},
    {"MPI_Datatype", "typeMPI_DATATYPE"}, {"MPI_Op", "typeMPI_OP"},
    {"MPI_Request", "typeMPI_REQUEST"}, {"MPI_Win", "typeMPI_WIN"},
    {"MPI_File", "typeMPI_FILE"},       {"MPI_Info", "typeMPI_INFO"},
    {"MPI_Errhandler", "typeMPI_ERRHANDLER"}, {"MPI_Message", "typeMPI_MESSAGE"},
};

static const struct pair handle_typedefs[] = {
    {"jmp_buf", "a place in the stack (jmp_buf)"},
    {"sigjmp_buf", "a place in the stack (sigjmp_buf)"},
    {"va_list", "a list of arguments (va_list)"},
    {"__builtin_va_list", "a list of arguments (va_list)"},
    {"__gnuc_va_list", "a list of arguments (va_list)"},
    {"FILE", "an open file (FILE)"},
    {"DIR", "an open directory (DIR)"},
    {"fpos_t", "a place in an open file (fpos_t)"},
    {"hid_t", "an HDF5 identifier (hid_t)"},
    {"pthread_t", "a thread (pthread_t)"},
    {"pthread_mutex_t", "a lock (pthread_mutex_t)"},
    {"pthread_cond_t", "a condition variable (pthread_cond_t)"},
    {"pthread_rwlock_t", "a lock (pthread_rwlock_t)"},
    {"pthread_spinlock_t", "a lock (pthread_spinlock_t)"},
    {"pthread_barrier_t", "a barrier (pthread_barrier_t)"},
    {"pthread_attr_t", "attributes of a thread (pthread_attr_t)"},
    {"pthread_key_t", "a key of thread-specific data (pthread_key_t)"},
    {"pthread_once_t", "a thread library's object (pthread_once_t)"},
    {"mtx_t", "a lock (mtx_t)"},
    {"cnd_t", "a condition variable (cnd_t)"},
    {"thrd_t", "a thread (thrd_t)"},
    {"omp_lock_t", "a lock (omp_lock_t)"},
    {"sem_t", "a semaphore (sem_t)"},
    {"timer_t", "a timer (timer_t)"},
    {"regex_t", "a compiled regular expression (regex_t)"},
    {"locale_t", "a locale (locale_t)"},
    {"iconv_t", "a converter (iconv_t)"},
};

static const struct pair handle_records[] = {
    {"struct _IO_FILE", "an open file (FILE)"},
    {"struct __dirstream", "an open directory (DIR)"},
    {"struct __jmp_buf_tag", "a place in the stack (jmp_buf)"},
    {"struct __va_list_tag", "a list of arguments (va_list)"},
    {"__va_list_tag", "a list of arguments (va_list)"},
    {"struct __locale_struct", "a locale (locale_t)"},
    {"struct re_pattern_buffer", "a compiled regular expression (regex_t)"},
};

const char *ct_token_typedef(const char *name)
{
    return FIND(typedefs, name);
}

const char *ct_token_mpi(const char *name)
{
    return FIND(mpi_handles, name);
}

const char *ct_token_spelled(const char *name)
{
    return FIND(basics, name);
}

const char *ct_handle_typedef(const char *name)
{
    return FIND(handle_typedefs, name);
}

const char *ct_handle_record(const char *name)
{
    return FIND(handle_records, name);
}
