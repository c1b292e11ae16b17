/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The hook table: which kernel functions and tracepoints each tier needs. */
#ifndef E4D_HOOKS_H
#define E4D_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include "record.h"

#define E4D_HOOK_ROWS 72

enum e4d_hook_kind { E4D_FENTRY, E4D_FEXIT, E4D_KPROBE, E4D_KRETPROBE, E4D_TP, E4D_RAW_TP };

struct e4d_hook {
	enum e4d_tier tier;
	const char *role;
	int candidate;    /* rank within the role; equal ranks go together */
	const char *prog; /* program in the tier's object */
	enum e4d_hook_kind kind;
	const char *target; /* kernel function or tracepoint */
	bool needed;        /* without the role the tier cannot judge */
};

/* The table ends with a row whose prog is NULL. */
extern const struct e4d_hook e4d_hooks[];

const char *e4d_hook_kind_name(enum e4d_hook_kind kind);

/* Does the hook begin a write? Without it no new one is traced. */
bool e4d_hook_begins(const struct e4d_hook *hook);

/*
 * What an event that this hook missed may have done to the records of its time.
 * A begin leaves a write without a record, and touches no other; a completion
 * leaves its own write half seen, an exit a state that nobody uses. A mapping
 * makes `mapped` too small, which shows where the size written is known.
 */
enum e4d_miss { E4D_MISS_SHOWS, E4D_MISS_MAPPING, E4D_MISS_ANY };

enum e4d_miss e4d_hook_miss(const struct e4d_hook *hook);

#endif
