/* Kernels that convert runs of scalars; the plan says which, where and how many.
 * No alignment is assumed.  Source and destination do not overlap.
 */
#ifndef HMF__CONVERT_H
#define HMF__CONVERT_H

#include "type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMF__ALL_GOOD UINT64_MAX

/* Reverse the bytes of n scalars of size 2, 4, 8 or 16 that lie `fs` and `ts` bytes apart. */
void hmf__convert_swap(unsigned size, const char *from, size_t fs, char *to, size_t ts,
                       uint64_t n);

/* Integers to another size; swap: that side has the other byte order than this machine.
 * Returns the index of the first value that does not fit, or HMF__ALL_GOOD. */
uint64_t hmf__convert_int(bool is_signed, unsigned from_size, bool from_swap, const char *from,
                          size_t fs, unsigned to_size, bool to_swap, char *to, size_t ts,
                          uint64_t n);

/* long double from one machine's format to another's: exact where it can be, else rounded to
 * nearest even; infinities and NaNs stay what they are.  Returns the index of the first finite
 * value that is too large for the target, or HMF__ALL_GOOD. */
uint64_t hmf__convert_ldouble(const struct hmf__abi *from_abi, const char *from, size_t fs,
                              const struct hmf__abi *to_abi, char *to, size_t ts, uint64_t n);

/* The value of an integer of 1, 2, 4 or 8 bytes, sign- or zero-extended. */
uint64_t hmf__convert_load(unsigned size, bool is_signed, bool swap, const char *from);

#endif
