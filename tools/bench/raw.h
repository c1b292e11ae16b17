/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The least that a sink does: records to a file, as they are, in batches. */
#ifndef E4D_RAW_H
#define E4D_RAW_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include "record.h"

#define RAW_BATCH 1024

struct raw {
	int fd; /* not owned */
	size_t n;
	struct e4d_record batch[RAW_BATCH];
};

/* 0 or -EIO. */
static inline int raw_flush(struct raw *r)
{
	size_t len = r->n * sizeof(r->batch[0]);

	r->n = 0;
	return len && write(r->fd, r->batch, len) != (ssize_t)len ? -EIO : 0;
}

static inline int raw_add(struct raw *r, const struct e4d_record *rec)
{
	r->batch[r->n++] = *rec;
	return r->n == RAW_BATCH ? raw_flush(r) : 0;
}

#endif
