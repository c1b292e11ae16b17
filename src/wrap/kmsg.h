/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Reads the marks of tests from /dev/kmsg, from now on. */
#ifndef E4D_KMSG_H
#define E4D_KMSG_H

#include "wrap/marks.h"

struct e4d_kmsg {
	int fd;            /* to be polled; -1: not there, and why says so */
	uint64_t empty_ns; /* CLOCK_BOOTTIME: before it, no mark is unread */
	uint64_t gaps;     /* the log was overwritten before it was read */
	struct e4d_logclock clock;
	char own[64];             /* the line that wrap wrote itself, "" for none */
	struct e4d_span own_seen; /* when */
	char why[160];
};

/*
 * Opens the log at its end, and, where that is allowed, writes a line of its own to it:
 * that sets the clock within microseconds. Without the log k->fd is -1.
 */
void e4d_kmsg_open(struct e4d_kmsg *k);

/* Reads all that is there, and adds the marks. 0 or -ENOMEM. */
int e4d_kmsg_read(struct e4d_kmsg *k, struct e4d_marks *m);

void e4d_kmsg_close(struct e4d_kmsg *k);

#endif
