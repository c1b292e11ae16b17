/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A file of programs, separated by lines "== NAME". */
#ifndef RW_SOURCE_H
#define RW_SOURCE_H

#include "program.h"

struct rw_item {
	const char *name; /* "program" when there is no "== NAME" */
	struct rw_program program;
};

struct rw_source {
	char *text;
	struct rw_item *items;
	size_t count;
};

/* "-" is standard input. Returns 0 or -errno, and has said why. */
int rw_source_read(const char *path, struct rw_source *out);
void rw_source_free(struct rw_source *src);

#endif
