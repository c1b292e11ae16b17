/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* One line on a terminal that says how far long work has come; nothing elsewhere. */
#ifndef E4D_PROGRESS_H
#define E4D_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct e4d_progress {
	bool on;
	const char *what;
	uint64_t from_ns, shown_ns; /* CLOCK_MONOTONIC */
};

/* what ("reading") is the caller's. Shows nothing when quiet, or stderr is no terminal. */
void e4d_progress_begin(struct e4d_progress *p, const char *what, bool quiet);

/* done of all units (all 0: not known) and a count to show; draws at most ten times a second. */
void e4d_progress_show(struct e4d_progress *p, uint64_t done, uint64_t all, uint64_t count);

/* Takes the line away. */
void e4d_progress_end(struct e4d_progress *p);

#endif
