/* Bit-fields: values out of bits and back, in either machine's order.
 *
 * Bits are counted in the order in which compilers give them out: from the least significant bit
 * of a byte where the machine is little-endian, from the most significant one where it is not.
 */
#ifndef HMF__BITS_H
#define HMF__BITS_H

#include <stdbool.h>
#include <stdint.h>

/* The value of `width` bits (1 to 64) that begin `bit` bits (0 to 7) into the byte at `from`;
 * sign- or zero-extended. */
uint64_t hmf__bits_load(bool big_endian, const void *from, unsigned bit, unsigned width,
                        bool is_signed);

/* Put the low `width` bits of v there; the bits around them stay. */
void hmf__bits_store(bool big_endian, void *to, unsigned bit, unsigned width, uint64_t v);

/* Does a value, as hmf__bits_load gave it (from_signed), fit into such a field? */
bool hmf__bits_fit(uint64_t v, bool from_signed, unsigned width, bool is_signed);

#endif
