/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Values of options: sizes, times and numbers. Each prints what is wrong and returns -EINVAL. */
#ifndef E4D_SIZE_H
#define E4D_SIZE_H

#include <stdint.h>

/* Bytes; K, M, G or T may follow (powers of 1024), upper or lower case. */
int e4d_parse_size(const char *option, const char *text, uint64_t *bytes);

/* Bytes with K, M, G or T; or a time with s, min or h. The other is set to 0. */
int e4d_parse_size_or_time(const char *option, const char *text, uint64_t *bytes, uint64_t *ns);

/* A time with ms, s, min or h, above 0. */
int e4d_parse_time(const char *option, const char *text, uint64_t *ns);

/* A number above 0. */
int e4d_parse_number(const char *option, const char *text, unsigned int *out);

#endif
