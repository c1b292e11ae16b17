/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The paths and the other texts of a dump, in bounded memory. */
#ifndef E4D_TRACE_TEXTS_H
#define E4D_TRACE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of text; what comes after is dropped and counted. */
#define E4D_TEXTS_MAX (512u << 20)

struct e4d_file_path {
	uint64_t ino;
	uint32_t dev, gen;
	uint32_t text; /* offset in texts; 0: a free place */
};

struct e4d_texts {
	char *text; /* the first byte is not used */
	size_t used, cap;
	struct e4d_file_path *table; /* a power of two, at most 3/4 full */
	size_t size, count;
	uint64_t dropped;
};

/* Keeps a copy: its offset in texts, or 0 when there is no room. */
uint32_t e4d_texts_add(struct e4d_texts *p, const char *s);

/* The path of a file; the last one stays. 0 or -ENOMEM. */
int e4d_texts_put(struct e4d_texts *p, uint32_t dev, uint64_t ino, uint32_t gen, const char *path);

/* NULL: not known. Valid until the next put. */
const char *e4d_texts_get(const struct e4d_texts *p, uint32_t dev, uint64_t ino, uint32_t gen);

void e4d_texts_free(struct e4d_texts *p);

#endif
