/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Two runs, case by case: what a patch mended, and what it broke. */
#ifndef E4D_VALIDATE_DIFF_H
#define E4D_VALIDATE_DIFF_H

#include <stdio.h>

#include "exitcode.h"
#include "validate/saved.h"

/* In the order of the report; the words are the JSON's. */
enum e4d_vchange {
	E4D_V_BROKEN,    /* passed, fails */
	E4D_V_MENDED,    /* failed, passes */
	E4D_V_OTHERWISE, /* fails on both sides, not in the same way */
	E4D_V_FAILS,     /* fails on both sides, in the same way */
	E4D_V_NEW,       /* on the new side only */
	E4D_V_TESTED,    /* was skipped, and ran now */
	E4D_V_UNTESTED,  /* ran, and is skipped now */
	E4D_V_VANISHED,  /* on the old side only */
	E4D_V_PASSES,    /* passes on both sides */
	E4D_V_SKIPPED,   /* skipped on both sides */
	E4D_V_CHANGES,
};

struct e4d_vpair {
	const char *name;
	const struct e4d_vsaved_case *old, *new; /* NULL: not there; never both */
	enum e4d_vchange change;
};

struct e4d_vdiff {
	const struct e4d_vsaved *old, *new; /* the caller's, to outlive this */
	struct e4d_vpair *pairs;            /* owned: by change, then in the files' order */
	size_t count;
	unsigned int n[E4D_V_CHANGES];
	unsigned int comparable; /* cases that ran on both sides */
};

const char *e4d_vchange_word(enum e4d_vchange c); /* "broken" */

/* What one case comes to; NULL: not there. Pure. */
enum e4d_vchange e4d_vchange_of(const struct e4d_vsaved_case *old,
                                const struct e4d_vsaved_case *new);

/* 0 or -ENOMEM. */
int e4d_vdiff_make(struct e4d_vdiff *d, const struct e4d_vsaved *old, const struct e4d_vsaved *new);
void e4d_vdiff_free(struct e4d_vdiff *d);

/* 1 something is broken, 4 nothing ran on both sides, 5 the new tracer was no witness, or some
 * new cases were not run, 0. */
enum e4d_exit e4d_vdiff_exit(const struct e4d_vdiff *d);

/* diff_print.c: a table for people, or one JSON document. */
void e4d_vdiff_table(const struct e4d_vdiff *d, FILE *f);
void e4d_vdiff_json(const struct e4d_vdiff *d, FILE *f);

#endif
