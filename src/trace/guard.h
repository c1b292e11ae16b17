/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Whole packets after SIGKILL too: a pwrite(2) that is killed may have written a part.
 * A process of its own outlives the one that records, cuts each file after its last
 * whole packet, and removes what was half compressed.
 */
#ifndef E4D_TRACE_GUARD_H
#define E4D_TRACE_GUARD_H

struct e4d_guard {
	int pid;  /* 0: none */
	int pipe; /* it ends where the other end is closed */
};

/*
 * Starts it for the dump in dir, which is open. Before threads are. 0 or negative errno.
 * All signals that it can ignore it does: it ends with who records.
 */
int e4d_guard_start(struct e4d_guard *g, int dir);

/* The dump was written in order: nothing is left to do. */
void e4d_guard_stop(struct e4d_guard *g);

/* What it does: cuts and removes in dir. */
void e4d_guard_mend(int dir);

#endif
