/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Findings stay until somebody has seen them, and then still; one row for a file and a verdict. */
#ifndef E4D_VIEW_FINDINGS_H
#define E4D_VIEW_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "record.h"

#define E4D_FINDINGS 1024 /* rows; what finds no room is only counted */

struct e4d_finding {
	struct e4d_record first, last;
	uint64_t count, unseen; /* all; since it was acknowledged */
	uint64_t past_eof;      /* bytes, summed */
	bool held;              /* acknowledged, and not yet put behind the others */
	char *path;             /* owned; NULL: not known */
};

struct e4d_findings {
	struct e4d_finding *row;
	size_t n;
	uint64_t count;  /* all, those without a row too */
	uint64_t unseen; /* not acknowledged */
	uint64_t roomless;
};

int e4d_findings_init(struct e4d_findings *f);
void e4d_findings_free(struct e4d_findings *f);
void e4d_findings_clear(struct e4d_findings *f);

/* True when its row is new: then path is worth being looked for. */
bool e4d_findings_is_new(const struct e4d_findings *f, const struct e4d_record *rec);
void e4d_findings_add(struct e4d_findings *f, const struct e4d_record *rec, const char *path);
void e4d_findings_acknowledge(struct e4d_findings *f, struct e4d_finding *row);

/* The newest that is not acknowledged, else the newest; NULL: none. */
const struct e4d_finding *e4d_findings_latest(const struct e4d_findings *f);

#endif
