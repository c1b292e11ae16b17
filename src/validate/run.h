/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Runs the chosen cases one after the other, within the safe tier's bounds. */
#ifndef E4D_VALIDATE_RUN_H
#define E4D_VALIDATE_RUN_H

#include "validate/mount.h"
#include "validate/select.h"
#include "validate/tracer.h"

/* The whole of a run, for the reports. */
struct e4d_vrun {
	struct e4d_vmount mount;
	struct e4d_vtracer tracer;
	struct e4d_vresult *results; /* owned: the wanted cases in the table's order */
	size_t count;
	unsigned int passed, failed, skipped; /* the kernel's */
	unsigned int blind, disagree;         /* the tool's */
	unsigned int writes;                  /* O_DIRECT, made so far */
	uint64_t bytes;                       /* bound of what was written so far */
	double seconds;
};

/* Fills r->results with the wanted cases. 0 or -ENOMEM. */
int e4d_vrun_plan(struct e4d_vrun *r, const struct e4d_vselect *sel);

/*
 * Runs what is planned; files lie unnamed in the mount until all is judged. progress
 * is called before each case. 0, or -errno when nothing could be run.
 */
int e4d_vrun_go(struct e4d_vrun *r, void (*progress)(const struct e4d_vrun *r, size_t at));

/*
 * While held, SIGINT, SIGTERM and SIGHUP end the run after the case under way; they
 * take their effect when let go: the tracer is to be closed before.
 */
void e4d_vrun_hold_signals(bool hold);

/* E4D_EXIT_*: what the results come to. */
int e4d_vrun_exit(const struct e4d_vrun *r);

#endif
