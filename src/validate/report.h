/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What came of a run, in each format. Two test points never mix: a case, and the tracer. */
#ifndef E4D_VALIDATE_REPORT_H
#define E4D_VALIDATE_REPORT_H

#include <stdio.h>

#include "validate/run.h"

struct e4d_vformat {
	const char *name;
	void (*print)(const struct e4d_vrun *r, FILE *f);
};

extern const struct e4d_vformat e4d_vformats[];
extern const size_t e4d_vformat_count;

/* NULL: there is no such format. */
const struct e4d_vformat *e4d_vformat_find(const char *name);

/* "6.1.0-50-amd64 x86_64" */
void e4d_vkernel_name(char *buf, size_t len);

/* Columns for the longest of the run's names: the lab's have the image before them. */
int e4d_vname_width(const struct e4d_vrun *r);

/* What the tracer comes to, in a sentence. */
enum e4d_vtool e4d_vtool_sum(const struct e4d_vrun *r, char *why, size_t len);

const char *e4d_vkernel_word(enum e4d_vkernel k); /* "pass" */
const char *e4d_vtool_word(enum e4d_vtool t);     /* "agrees" */

/* report_data.c */
void e4d_vprint_json(const struct e4d_vrun *r, FILE *f);
void e4d_vprint_junit(const struct e4d_vrun *r, FILE *f);

#endif
