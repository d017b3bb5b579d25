/* Registering without marks: the globals and statics of the program, found by its debug
 * information.
 *
 *     auto_init(argv[0]);
 *     hmf_globals_track("sim*,step,solver.c:*", "sim_log");
 *     if (!auto_read(AUTO_ALL))
 *         ...
 *
 * The program is compiled with -g (optimised or not); the debug information may also lie where
 * Debian's -dbgsym packages put it.  Looked at are the variables of the executable itself, not
 * those of shared libraries; not constants, nor the variables of each thread, nor names that begin
 * with two underscores, which are the compiler's.
 *
 * A global is called by its name, a static one `file.c:name`, one inside a function
 * `file.c:function:name`.  Lists hold such names, with the wildcards * ? [] of the shell, separated
 * by commas; one without a colon is compared with the variable's own name only.
 *
 * What can be described this way: numbers, enums, arrays, structs of such and of pointers to
 * functions, handles of MPI; and every type that a generated file describes (hmf/checktype.h), also
 * behind a pointer.  Variables that generated files know by HMF_TRACK_ALL are described as there.
 * A union, a pointer without a length, a bit-field in a struct that is not marked, an open file:
 * these want a mark, or are excluded.
 *
 * Built without libdw (elfutils) these functions return HMF_ERR_UNSUPPORTED.
 */
#ifndef HMF_GLOBALS_H
#define HMF_GLOBALS_H

#include "hmf/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One variable; everything is borrowed for the time of the call. */
struct hmf_globals_variable {
    const char *name;
    void *address;
    size_t size;            /* bytes */
    const int *desc;        /* its description (typemap.h); NULL: there is none */
    size_t desc_len;
    const char *why;        /* without a description: why, and what to do */
    const char *file;       /* where it is defined; "?" if that is not known */
    int line;
};

typedef hmf_status_t (*hmf_globals_cb)(void *ctx, const struct hmf_globals_variable *v);

/* Calls each() for every variable that `include` names (NULL: all) and `exclude` does not (NULL:
 * none), in the order of names, until it returns anything but HMF_OK, which is then returned.
 * Types without a mark that variables have are defined as user types (hmf/type.h) on the way; their
 * numbers follow from their definition, so that they are the same on all machines.
 * Not collective.  Threads: any, one at a time.
 * HMF_ERR_NOTFOUND: the executable has no debug information, or a pattern of `include` names no
 * variable.  HMF_ERR_UNSUPPORTED, HMF_ERR_NOMEM, HMF_ERR_IO (it cannot be read); as
 * hmf_checktype_define. */
hmf_status_t hmf_globals_each(const char *include, const char *exclude, hmf_globals_cb each,
                              void *ctx);

/* Registers those variables under their names (auto.h), but for those that are registered by then.
 * To be called between auto_init and auto_read, by every rank with the same lists.
 * Value and messages as auto_track's; HMF_ERR_TYPE: some cannot be described: each is named with
 * the reason, and nothing is registered.  HMF_ERR_STATE: before auto_init.  As
 * hmf_globals_each. */
int hmf_globals_track(const char *include, const char *exclude);

#ifdef __cplusplus
}
#endif
#endif
