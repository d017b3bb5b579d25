/* Objects: named, typed pieces of state with attributes, written to and read from files,
 * descriptors and memory.
 *
 * An object has a name, a type (typemap.h), data and a format, and any number of attributes of the
 * program's: keys with texts.  Its format is one of two:
 *   HMF_FORMAT_HOST   the data are variables of this process, with all that their pointers lead to
 *   HMF_FORMAT_IMAGE  the data are a self-contained sequence of bytes, in the layout of the machine
 *                     that wrote them, with that layout described: any machine can read it
 * Writing an object makes an image of it; reading gives an object in that format.  hmf/translate.h
 * turns one into the other.
 *
 *     hmf_object_new("u", u, n * sizeof *u, (int[]){typeDOUBLE}, 1, NULL, &o);
 *     hmf_object_set(o, "units", "K");
 *     hmf_object_write_file(o, f);
 *
 *     hmf_object_read_file(f, &o);             // elsewhere
 *     hmf_translate_into(o, u, n * sizeof *u, (int[]){typeDOUBLE}, 1);
 *
 * Several objects may follow each other in one file or stream; reading takes exactly one.  The
 * bytes are those of doc/image-format.md ("Streams"): the object is a variable of its name, each
 * attribute a text NAME@KEY beside it.  Nothing that is read is trusted: each byte stands under a
 * checksum, and memory grows only as bytes arrive.
 *
 * Statuses beside those named: HMF_ERR_ARG, HMF_ERR_NOMEM.  hmf_error_text() says more.
 * Not collective.  One object, one thread at a time.
 */
#ifndef HMF_OBJECT_H
#define HMF_OBJECT_H

#include "hmf/status.h"

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hmf_object hmf_object_t;

enum hmf_format { HMF_FORMAT_HOST, HMF_FORMAT_IMAGE };

/* An object whose data are this process's memory.
 *   name         1 to 255 bytes, without '@'; copied
 *   data, size   the memory, in bytes: of the described type, or of an array of it; borrowed
 *                until hmf_object_free
 *   desc         desc_len ints (typemap.h); copied
 *   field_names  as for hmf_type_define, or NULL; copied
 * HMF_ERR_ARG, HMF_ERR_TYPE (the text names the position), HMF_ERR_LIMIT. */
hmf_status_t hmf_object_new(const char *name, void *data, size_t size_bytes, const int *desc,
                            size_t desc_len, const char *const *field_names, hmf_object_t **out);

/* An object that is an open file, of hmf/openfile.h: carried are its path, mode and position. */
hmf_status_t hmf_object_new_openfile(const char *name, FILE **file, hmf_object_t **out);
hmf_status_t hmf_object_new_openfile_fd(const char *name, int *fd, hmf_object_t **out);

/* NULL is fine.  Memory of the process stays. */
void hmf_object_free(hmf_object_t *object);

/* ---- the four attributes that each has; what they return is borrowed from the object ---- */

const char *hmf_object_name(const hmf_object_t *object);

/* The description of one element, *len ints; *count (may be NULL): elements of it.  Of an image the
 * user types are written out; types that are too large to be, end early. */
const int *hmf_object_type(const hmf_object_t *object, size_t *len, size_t *count);

/* The data of a host object; NULL for an image.  *size (may be NULL): bytes, for an image all of
 * its representation. */
void *hmf_object_data(const hmf_object_t *object, size_t *size);

enum hmf_format hmf_object_format(const hmf_object_t *object);

/* What machine has laid out the data, as text: "little-endian, 64-bit, long double x87".  Of a host
 * object this one. */
const char *hmf_object_machine(const hmf_object_t *object);

/* ---- attributes of the program's ----
 * Keys: 1 to 255 bytes, without '@'.  Texts: below 2^31 bytes. */

/* Set, or with text NULL remove.  HMF_ERR_ARG: also for an image, whose attributes stay as read. */
hmf_status_t hmf_object_set(hmf_object_t *object, const char *key, const char *text);

/* NULL: there is none.  Valid until it is set again. */
const char *hmf_object_get(const hmf_object_t *object, const char *key);

/* The i-th key in the order in which they were set; NULL: there are fewer. */
const char *hmf_object_key(const hmf_object_t *object, size_t i);

/* ---- writing ----
 * Of a host object, what hmf/openfile.h says of open files, and
 *   HMF_ERR_POINTER   a pointer leads to what is not there or not described; the text has its path
 *   HMF_ERR_LIMIT     too large for an image
 *   HMF_ERR_IO        the file or descriptor failed
 *   HMF_ERR_TIMEOUT   nothing was taken within limit_s */

hmf_status_t hmf_object_write_file(const hmf_object_t *object, FILE *file);

/* limit_s: longest wait for the next bytes to be taken, in seconds; < 0: for ever. */
hmf_status_t hmf_object_write_fd(const hmf_object_t *object, int fd, double limit_s);

/* *bytes: from malloc, the caller's to free. */
hmf_status_t hmf_object_write_memory(const hmf_object_t *object, void **bytes, size_t *len);

/* ---- reading: a new object, in the format HMF_FORMAT_IMAGE ----
 *   HMF_ERR_NOTFOUND  no more objects: the file or data end here
 *   HMF_ERR_FORMAT, HMF_ERR_VERSION, HMF_ERR_CHECKSUM, HMF_ERR_LIMIT   not, or no longer, an object
 *   HMF_ERR_IO, HMF_ERR_TIMEOUT */

hmf_status_t hmf_object_read_file(FILE *file, hmf_object_t **out);
hmf_status_t hmf_object_read_fd(int fd, double limit_s, hmf_object_t **out);

/* *used (may be NULL): where the object ends and the next one begins. */
hmf_status_t hmf_object_read_memory(const void *bytes, size_t len, size_t *used,
                                    hmf_object_t **out);

#ifdef __cplusplus
}
#endif
#endif
