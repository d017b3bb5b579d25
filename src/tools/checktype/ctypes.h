/* hmf-checktype: C names that have a meaning of their own: typedefs of the standard headers, and
 * objects that cannot be carried as data. */
#ifndef CHECKTYPE_CTYPES_H
#define CHECKTYPE_CTYPES_H

/* "size_t" -> "typeSIZE"; NULL: nothing special. */
const char *ct_token_typedef(const char *name);

/* "MPI_Comm" -> "typeMPI_COMM"; NULL: not a handle of MPI. */
const char *ct_token_mpi(const char *name);

/* "unsigned int" -> "typeUINT": a basic type as it is written in HMF_POINTS_TO; or NULL. */
const char *ct_token_spelled(const char *name);

/* What an object of this typedef, struct or union is, if it belongs to the process that made it
 * ("an open file"); NULL: it is data. */
const char *ct_handle_typedef(const char *name);
const char *ct_handle_record(const char *name);

#endif
