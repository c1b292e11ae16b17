/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* CRC32C (Castagnoli), RFC 3720 B.4: by the CPU's instruction where it has one. */
#ifndef E4D_CRC32C_H
#define E4D_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of n bytes that follow those of crc; 0 to begin. */
uint32_t e4d_crc32c(uint32_t crc, const void *p, size_t n);

/* The same without the instruction: for tests, and for CPUs that lack it. */
uint32_t e4d_crc32c_table(uint32_t crc, const void *p, size_t n);

#endif
