/* Translation between the representation of objects and this machine's, and between the layouts of
 * any two machines.
 *
 * The first part is for objects (hmf/object.h): data with all that their pointers lead to.  The others
 * are for flat data: through XDR, or straight from one machine's layout into another's by a plan
 * that is compiled once.
 *
 * Values stay what they are, whatever the sizes and byte orders.  HMF_ERR_RANGE: one does not fit;
 * the text names element, field and value.  Other statuses are given with each call, beside
 * HMF_ERR_ARG and HMF_ERR_NOMEM.  Not collective.  One handle, one thread at a time; a plan may be
 * run by several threads at once.
 */
#ifndef HMF_TRANSLATE_H
#define HMF_TRANSLATE_H

#include "hmf/object.h"
#include "hmf/status.h"
#include "hmf/xdr.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objects ---- */

/* The image of a host object, with its attributes: a snapshot that no longer depends on the
 * memory.  Statuses: as for hmf_object_write_memory. */
hmf_status_t hmf_translate_pack(const hmf_object_t *object, hmf_object_t **image);

/* From an image into memory of this process, of a type that must be the image's but for layout and
 * names.  Blocks that pointers lead to come from malloc and are the program's.
 * HMF_ERR_MISMATCH (another type or number of elements; the text says where), HMF_ERR_TYPE,
 * HMF_ERR_RANGE, HMF_ERR_FORMAT, HMF_ERR_NOTFOUND (a function or file that is not here).  The
 * memory is unspecified after an error in the middle. */
hmf_status_t hmf_translate_into(const hmf_object_t *image, void *data, size_t size_bytes,
                                const int *desc, size_t desc_len);

/* The same into the memory of a host object, which may have another name, and which receives the
 * image's attributes instead of its own; also for open files. */
hmf_status_t hmf_translate_unpack(const hmf_object_t *image, hmf_object_t *object);

/* The same into fresh memory of natural layout, as the image's own description says.  The new
 * object's data (hmf_object_data) are from malloc and the program's: they stay when the object is
 * freed.  A flexible array member whose length is an expression cannot be had this way, for images
 * do not hold expressions: HMF_ERR_FORMAT.  HMF_ERR_LIMIT: the description is too large to be
 * written out. */
hmf_status_t hmf_translate_new(const hmf_object_t *image, hmf_object_t **object);

/* ---- through the external representation ---- */

/* `count` elements of a described type from memory into an XDR handle, or from it into memory, as its
 * direction says: structs as their fields, arrays as fixed arrays, text of fixed length and opaque
 * bytes as opaque data; transient fields are left out and come back as zero.
 * Errors stay with the handle, except HMF_ERR_TYPE and HMF_ERR_LIMIT for the description itself.
 * HMF_ERR_UNSUPPORTED: the type holds pointers, unions or other references.  Also what the calls
 * of hmf/xdr.h return; the text names the field. */
hmf_status_t hmf_translate_xdr(hmf_xdr_t *x, const int *desc, size_t desc_len, void *data,
                               size_t count);

/* ---- layouts ---- */

/* A type as a machine lays it out. */
typedef struct hmf_layout hmf_layout_t;

/* Names of the machines that are known: "x86-64", "i386", "arm64", "armhf", "s390x", "powerpc",
 * "ppc64el", "riscv64", "mips64el"; NULL behind the last one. */
const char *hmf_machine_name(size_t i);

/* Lay out a type by the rules of C on that machine; NULL: this one.  User types with a layout of
 * their own have it on this machine only.
 * HMF_ERR_TYPE (the text names the position), HMF_ERR_NOTFOUND (no such machine), HMF_ERR_LIMIT. */
hmf_status_t hmf_layout_new(const int *desc, size_t desc_len, const char *machine,
                            hmf_layout_t **out);
void hmf_layout_free(hmf_layout_t *layout); /* NULL is fine */

size_t hmf_layout_size(const hmf_layout_t *layout);   /* bytes: sizeof */
size_t hmf_layout_align(const hmf_layout_t *layout);  /* bytes: _Alignof */
size_t hmf_layout_leaves(const hmf_layout_t *layout); /* scalars all told */

/* Where the i-th leaf lies, in bytes; SIZE_MAX: there are fewer.  path (may be NULL): which one it is,
 * as "[2].place[0]" or ".f1", cut to path_size with its NUL. */
size_t hmf_layout_leaf(const hmf_layout_t *layout, size_t i, char *path, size_t path_size);

/* ---- plans ---- */

typedef struct hmf_plan hmf_plan_t;

/* How elements laid out as `from` become elements laid out as `to`, which must be the same type on
 * another machine.  Both layouts are borrowed until the plan is freed.
 * HMF_ERR_MISMATCH: they are different types; the text says where. */
hmf_status_t hmf_plan_new(const hmf_layout_t *from, const hmf_layout_t *to, hmf_plan_t **out);
void hmf_plan_free(hmf_plan_t *plan); /* NULL is fine */

/* 1: the layouts are the same, and the plan is a copy. */
int hmf_plan_is_copy(const hmf_plan_t *plan);

/* Turn n elements; from and to must not overlap, and hold n times the layouts' sizes.  Pointers and
 * other references become NULL: carrying those is what objects are for.  HMF_ERR_RANGE: `to` is
 * unspecified. */
hmf_status_t hmf_plan_run(const hmf_plan_t *plan, const void *from, void *to, uint64_t n);

#ifdef __cplusplus
}
#endif
#endif
