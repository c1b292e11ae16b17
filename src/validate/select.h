/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Which cases: --run GLOB and --exclude FILE. */
#ifndef E4D_VALIDATE_SELECT_H
#define E4D_VALIDATE_SELECT_H

#include <stdio.h>

#include "validate/validate.h"

#define E4D_V_GLOBS 32

struct e4d_vselect {
	const char *globs[E4D_V_GLOBS]; /* not owned; none: all */
	bool matched[E4D_V_GLOBS];
	size_t glob_count;
	char **excluded; /* owned */
	size_t excluded_count;
};

/* -E2BIG: too many. */
int e4d_vselect_run(struct e4d_vselect *s, const char *glob);

/*
 * Reads fstests' expunge syntax: one case a line, from a # on it is a comment.
 * Names that are no case's are kept: a list may serve several versions. 0 or
 * -errno.
 */
int e4d_vselect_exclude(struct e4d_vselect *s, FILE *f);

/* By the case's own name, or by the result's, which the lab begins with the image. */
bool e4d_vselect_wanted(struct e4d_vselect *s, const char *name, const char *full);
bool e4d_vselect_excluded(const struct e4d_vselect *s, const char *name, const char *full);

/* A glob that nothing was wanted for so far; NULL: none. */
const char *e4d_vselect_unmatched(const struct e4d_vselect *s);
void e4d_vselect_free(struct e4d_vselect *s);

#endif
