/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Reads the marks of tests from /dev/kmsg, from now on. */
#ifndef E4D_KMSG_H
#define E4D_KMSG_H

#include "wrap/marks.h"

struct e4d_kmsg {
	int fd; /* to be polled; -1: not there, and why says so */
	/* CLOCK_BOOTTIME ns; a line is readable at its end, or when the next one begins */
	uint64_t empty_ns; /* nothing was readable */
	uint64_t since_ns; /* the line that comes next was written later */
	uint64_t gaps;     /* the log was overwritten before it was read */
	struct e4d_logclock clock;
	unsigned int lines;       /* that wrap wrote itself */
	char own[64];             /* the last of them */
	struct e4d_span own_seen; /* when */
	char why[160];
};

/*
 * Opens the log at its end, and, where that is allowed, writes a line of its own to it,
 * which sets the clock within microseconds. Without the log k->fd is -1.
 */
void e4d_kmsg_open(struct e4d_kmsg *k);

/*
 * Reads all that is there, and adds the marks. Where a mark's begin is not known well, a
 * line of its own tells. 0 or -ENOMEM.
 */
int e4d_kmsg_read(struct e4d_kmsg *k, struct e4d_marks *m);

/* The same, always with a line, which ends one that was left without a newline. */
int e4d_kmsg_sync(struct e4d_kmsg *k, struct e4d_marks *m);

void e4d_kmsg_close(struct e4d_kmsg *k);

#endif
