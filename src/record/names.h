/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The words for the record's enums and bit sets, both ways. */
#ifndef E4D_NAMES_H
#define E4D_NAMES_H

#include <stddef.h>

#include "record.h"

struct e4d_names {
	const char *what;        /* "verdict" */
	const char *const *word; /* by value, or by bit number; NULL: a hole */
	unsigned int count;
};

extern const struct e4d_names e4d_verdicts;
extern const struct e4d_names e4d_evidences;
extern const struct e4d_names e4d_tiers;
extern const struct e4d_names e4d_flags;  /* by bit; orphan is its own field */
extern const struct e4d_names e4d_doubts; /* by bit */

/* The word for a value (or bit number), "invalid" when there is none. */
const char *e4d_name(const struct e4d_names *names, unsigned int value);

/* The value (or bit number) of a word of len bytes, -EINVAL when unknown. */
int e4d_name_value(const struct e4d_names *names, const char *word, size_t len);

/* Writes all words to buf, separated by ", "; truncated to size. */
void e4d_name_list(const struct e4d_names *names, char *buf, size_t size);

static inline const char *e4d_verdict_name(unsigned int verdict)
{
	return e4d_name(&e4d_verdicts, verdict);
}

static inline const char *e4d_evidence_name(unsigned int evidence)
{
	return e4d_name(&e4d_evidences, evidence);
}

static inline const char *e4d_tier_name(unsigned int tier)
{
	return e4d_name(&e4d_tiers, tier);
}

#endif
