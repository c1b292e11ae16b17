/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Shared by the files of the filter; nobody else includes it. */
#ifndef E4D_FILTER_INTERNAL_H
#define E4D_FILTER_INTERNAL_H

#include "filter/filter.h"
#include "record/fields.h"

enum e4d_op { E4D_OP_EQ, E4D_OP_NE, E4D_OP_LT, E4D_OP_LE, E4D_OP_GT, E4D_OP_GE, E4D_OP_GLOB };

struct e4d_operand {
	bool null;
	char *str; /* STR: owned */
	union {
		__u64 u; /* U64, BOOL, DEV; LIST: the bit number */
		__s64 s;
	};
};

struct e4d_term {
	const struct e4d_field *field;
	enum e4d_op op;
	unsigned int count;
	struct e4d_operand *val; /* owned, count entries: alternatives */
	char *text;              /* as it was given, owned */
	bool pushed;             /* e4d_filter_pushdown() takes it */
};

struct e4d_filter {
	unsigned int count;
	struct e4d_term *term;
	char *text; /* as it was given, owned */
};

/* Where the parser is, and where its message goes. */
struct e4d_parse {
	const char *text;
	const char *at;   /* next byte */
	const char *mark; /* start of what a message points at */
	char *err;
	size_t errlen;
};

/* Writes "filter, column N: MESSAGE" and returns -EINVAL. */
int e4d_filter_fail(struct e4d_parse *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Converts one alternative (word: its bytes with quotes removed, quoted: it had
 * any) for a field. Returns 0, -ENOMEM or -EINVAL with a message.
 */
int e4d_filter_operand(struct e4d_parse *p, const struct e4d_term *term, const char *word,
                       bool quoted, struct e4d_operand *out);

/* Sets `pushed` of all terms. */
void e4d_filter_mark(struct e4d_filter *f);

/* Device by "major:minor", name or mount point. 0 or -errno; EXDEV: nothing is mounted there. */
int e4d_filter_dev(const char *word, __u32 *dev);

#endif
