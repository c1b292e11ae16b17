/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Which cases: --run GLOB and --exclude FILE. */
#ifndef E4D_VALIDATE_SELECT_H
#define E4D_VALIDATE_SELECT_H

#include <stdio.h>

#include "validate/validate.h"

#define E4D_V_GLOBS 32

struct e4d_vselect {
	const char *globs[E4D_V_GLOBS]; /* not owned; none: all */
	size_t glob_count;
	char **excluded; /* owned */
	size_t excluded_count;
};

/* -E2BIG: too many; -ENOENT: it matches no case. */
int e4d_vselect_run(struct e4d_vselect *s, const char *glob);

/*
 * Reads fstests' expunge syntax: one case a line, from a # on it is a comment.
 * Names that are no case's are kept: a list may serve several versions. 0 or
 * -errno.
 */
int e4d_vselect_exclude(struct e4d_vselect *s, FILE *f);

bool e4d_vselect_wanted(const struct e4d_vselect *s, const char *name);
bool e4d_vselect_excluded(const struct e4d_vselect *s, const char *name);
void e4d_vselect_free(struct e4d_vselect *s);

#endif
