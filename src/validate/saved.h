/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The result of an earlier run, read back from its JSON (report_data.c). */
#ifndef E4D_VALIDATE_SAVED_H
#define E4D_VALIDATE_SAVED_H

#include <jansson.h>

#include "validate/validate.h"

#define E4D_V_SAVED_BYTES (16 * WL_MIB) /* a longer file is not one of ours */

struct e4d_vsaved_case {
	const char *name;
	const char *why; /* of a failure or a skip; "" otherwise */
	enum e4d_vkernel kernel;
	bool not_run; /* see e4d_vresult */
	size_t at;    /* place in the file */
};

/* All strings live as long as `root`. */
struct e4d_vsaved {
	json_t *root;
	const char *program, *kernel, *dir, *device;
	uint64_t blksize, unit; /* bytes; 0: not said */
	enum e4d_vtool tool;
	const char *tool_why;
	struct e4d_vsaved_case *cases; /* owned, sorted by name */
	size_t count;
	unsigned int passed, failed, skipped, not_run; /* counted, not taken from the file */
};

/*
 * Reads len bytes of JSON. 0; -EBADMSG with the reason in why: it is no JSON, or not a
 * result of validate; or -ENOMEM. Nothing is owned after an error.
 */
int e4d_vsaved_parse(struct e4d_vsaved *s, const char *text, size_t len, char *why, size_t why_len);

/* The same from a file; -EFBIG counts as -EBADMSG; or -errno of what cannot be read. */
int e4d_vsaved_read(struct e4d_vsaved *s, const char *path, char *why, size_t why_len);

/* The case of that whole name, or NULL. */
const struct e4d_vsaved_case *e4d_vsaved_find(const struct e4d_vsaved *s, const char *name);

void e4d_vsaved_free(struct e4d_vsaved *s);

#endif
