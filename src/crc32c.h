/* CRC32C (Castagnoli), as used for every part of an image. */
#ifndef HMF__CRC32C_H
#define HMF__CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue a checksum over more bytes; begin with crc = 0.  By the processor's instruction where
 * a run-time test finds one (SSE4.2, ARMv8), else by table. */
uint32_t hmf__crc32c(uint32_t crc, const void *data, size_t len);

/* The checksum of a then b from those of each: shift is hmf__crc32c_shift of b's length. */
uint32_t hmf__crc32c_shift(uint64_t len);
uint32_t hmf__crc32c_join(uint32_t a, uint32_t b, uint32_t shift);

/* The table version, for tests. */
uint32_t hmf__crc32c_soft(uint32_t crc, const void *data, size_t len);

#endif
