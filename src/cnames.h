/* C names that have a meaning of their own, as lists for those who read C's types: hmf-checktype
 * from the source, globals_type.c from debug information.  X(name, token or what it is). */
#ifndef HMF__CNAMES_H
#define HMF__CNAMES_H

/* Typedefs of the standard headers, as long as an integer is behind them. */
#define HMF__C_TYPEDEFS(X)                                                                        \
    X("int8_t", typeINT8)                                                                         \
    X("uint8_t", typeUINT8)                                                                       \
    X("int16_t", typeINT16)                                                                       \
    X("uint16_t", typeUINT16)                                                                     \
    X("int32_t", typeINT32)                                                                       \
    X("uint32_t", typeUINT32)                                                                     \
    X("int64_t", typeINT64)                                                                       \
    X("uint64_t", typeUINT64)                                                                     \
    X("size_t", typeSIZE)                                                                         \
    X("ssize_t", typeSSIZE)                                                                       \
    X("ptrdiff_t", typePTRDIFF)                                                                   \
    X("intptr_t", typeINTPTR)                                                                     \
    X("uintptr_t", typeUINTPTR)                                                                   \
    X("wchar_t", typeWCHAR)                                                                       \
    X("time_t", typeTIME)                                                                         \
    X("off_t", typeOFF)                                                                           \
    X("ulong", typeULONG)                                                                         \
    X("u_long", typeULONG)                                                                        \
    X("__int8_t", typeINT8)                                                                       \
    X("__uint8_t", typeUINT8)                                                                     \
    X("__int16_t", typeINT16)                                                                     \
    X("__uint16_t", typeUINT16)                                                                   \
    X("__int32_t", typeINT32)                                                                     \
    X("__uint32_t", typeUINT32)                                                                   \
    X("__int64_t", typeINT64)                                                                     \
    X("__uint64_t", typeUINT64)                                                                   \
    X("__time_t", typeTIME)                                                                       \
    X("__off_t", typeOFF)

/* Basic types as they are written. */
#define HMF__C_BASICS(X)                                                                          \
    X("char", typeCHAR)                                                                           \
    X("signed char", typeSCHAR)                                                                   \
    X("unsigned char", typeUCHAR)                                                                 \
    X("short", typeSHORT)                                                                         \
    X("unsigned short", typeUSHORT)                                                               \
    X("int", typeINT)                                                                             \
    X("unsigned", typeUINT)                                                                       \
    X("unsigned int", typeUINT)                                                                   \
    X("long", typeLONG)                                                                           \
    X("unsigned long", typeULONG)                                                                 \
    X("long long", typeLLONG)                                                                     \
    X("unsigned long long", typeULLONG)                                                           \
    X("float", typeFLOAT)                                                                         \
    X("double", typeDOUBLE)                                                                       \
    X("long double", typeLDOUBLE)                                                                 \
    X("bool", typeBOOL)                                                                           \
    X("_Bool", typeBOOL)                                                                          \
    X("double complex", typeDCOMPLEX)                                                             \
    X("float complex", typeFCOMPLEX)                                                              \
    X("size_t", typeSIZE)

/* Handles of MPI. */
#define HMF__C_MPI_HANDLES(X)                                                                     \
    X("MPI_Comm", typeMPI_COMM)                                                                   \
    X("MPI_Group", typeMPI_GROUP)                                                                 \
    X("MPI_Datatype", typeMPI_DATATYPE)                                                           \
    X("MPI_Op", typeMPI_OP)                                                                       \
    X("MPI_Request", typeMPI_REQUEST)                                                             \
    X("MPI_Win", typeMPI_WIN)                                                                     \
    X("MPI_File", typeMPI_FILE)                                                                   \
    X("MPI_Info", typeMPI_INFO)                                                                   \
    X("MPI_Errhandler", typeMPI_ERRHANDLER)                                                       \
    X("MPI_Message", typeMPI_MESSAGE)

/* Objects that belong to the process that made them, by typedef ... */
#define HMF__C_HANDLE_TYPEDEFS(X)                                                                 \
    X("jmp_buf", "a place in the stack (jmp_buf)")                                                \
    X("sigjmp_buf", "a place in the stack (sigjmp_buf)")                                          \
    X("va_list", "a list of arguments (va_list)")                                                 \
    X("__builtin_va_list", "a list of arguments (va_list)")                                       \
    X("__gnuc_va_list", "a list of arguments (va_list)")                                          \
    X("FILE", "an open file (FILE)")                                                              \
    X("DIR", "an open directory (DIR)")                                                           \
    X("fpos_t", "a place in an open file (fpos_t)")                                               \
    X("hid_t", "an HDF5 identifier (hid_t)")                                                      \
    X("pthread_t", "a thread (pthread_t)")                                                        \
    X("pthread_mutex_t", "a lock (pthread_mutex_t)")                                              \
    X("pthread_cond_t", "a condition variable (pthread_cond_t)")                                  \
    X("pthread_rwlock_t", "a lock (pthread_rwlock_t)")                                            \
    X("pthread_spinlock_t", "a lock (pthread_spinlock_t)")                                        \
    X("pthread_barrier_t", "a barrier (pthread_barrier_t)")                                       \
    X("pthread_attr_t", "attributes of a thread (pthread_attr_t)")                                \
    X("pthread_key_t", "a key of thread-specific data (pthread_key_t)")                           \
    X("pthread_once_t", "a thread library's object (pthread_once_t)")                             \
    X("mtx_t", "a lock (mtx_t)")                                                                  \
    X("cnd_t", "a condition variable (cnd_t)")                                                    \
    X("thrd_t", "a thread (thrd_t)")                                                              \
    X("omp_lock_t", "a lock (omp_lock_t)")                                                        \
    X("sem_t", "a semaphore (sem_t)")                                                             \
    X("timer_t", "a timer (timer_t)")                                                             \
    X("regex_t", "a compiled regular expression (regex_t)")                                       \
    X("locale_t", "a locale (locale_t)")                                                          \
    X("iconv_t", "a converter (iconv_t)")

/* ... and by struct. */
#define HMF__C_HANDLE_RECORDS(X)                                                                  \
    X("struct _IO_FILE", "an open file (FILE)")                                                   \
    X("struct __dirstream", "an open directory (DIR)")                                            \
    X("struct __jmp_buf_tag", "a place in the stack (jmp_buf)")                                   \
    X("struct __va_list_tag", "a list of arguments (va_list)")                                    \
    X("__va_list_tag", "a list of arguments (va_list)")                                           \
    X("struct __locale_struct", "a locale (locale_t)")                                            \
    X("struct re_pattern_buffer", "a compiled regular expression (regex_t)")

#endif
