/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Runs the chosen cases one after the other, within the safe tier's bounds. */
#ifndef E4D_VALIDATE_RUN_H
#define E4D_VALIDATE_RUN_H

#include "validate/mount.h"
#include "validate/select.h"
#include "validate/tracer.h"

/* What the lab does around a case; each may be NULL. */
struct e4d_vhooks {
	/* the file is prepared, nothing is written: 0, or -errno with why to skip it */
	int (*before)(void *ctx, struct e4d_vresult *res, int fd, char *why, size_t len);
	void (*ended)(void *ctx); /* the writer has ended, nothing is measured */
	/* measured, not judged: may measure again by another descriptor. 0 or -errno */
	int (*after)(void *ctx, struct e4d_vresult *res, int *fd, struct wl_outcome *out);
	void *ctx;
};

/* The whole of a run, for the reports. */
struct e4d_vrun {
	struct e4d_vmount mount;
	struct e4d_vtracer tracer;
	struct e4d_vhooks hooks;
	const char *where;           /* the lab's sentence about its images; NULL: r->mount */
	struct e4d_vresult *results; /* owned: the wanted cases, in order */
	size_t count;
	unsigned int passed, failed, skipped; /* the kernel's */
	unsigned int not_run;                 /* of the skipped: see e4d_vresult */
	unsigned int agree, blind, disagree;  /* the tool's */
	unsigned int writes;                  /* O_DIRECT, made so far */
	uint64_t bytes;                       /* bound of what was written so far */
	uint64_t held;                        /* bound of what open files have allocated */
	double started;                       /* CLOCK_MONOTONIC, seconds */
	double seconds;                       /* since the start, at each progress too */
	double longest;                       /* seconds that a case took */
	/* called before each case, where it is set */
	void (*progress)(const struct e4d_vrun *r, size_t at);
	bool safe; /* the safe tier's bounds hold */
};

/*
 * Adds the case to r->results if it is wanted; image is NULL, or a word that
 * begins its name. 0 or -ENOMEM. Results move: keep no pointer while adding.
 */
int e4d_vrun_add(struct e4d_vrun *r, struct e4d_vselect *sel, const struct e4d_vcase *c,
                 const char *image);

/* Fills r->results with the wanted cases of the safe tier. 0 or -ENOMEM. */
int e4d_vrun_plan(struct e4d_vrun *r, struct e4d_vselect *sel);

/*
 * Runs what is planned, after e4d_vrun_begin(); files lie unnamed in the mount until the
 * tracer is judged by them. 0, or -errno when nothing could be run.
 */
int e4d_vrun_go(struct e4d_vrun *r);

/*
 * Runs one of the results, unless it is skipped or no further one may run, in which
 * case the result says why. make is asked for the file, which it returns; the caller
 * closes it. -1: there is none.
 */
int e4d_vrun_case(struct e4d_vrun *r, size_t at, int (*make)(struct e4d_vrun *r, size_t at),
                  struct wl_result *shared);

/* Limits, priority and the clock, before the tracer attaches; and what came of it, at the end. */
void e4d_vrun_begin(struct e4d_vrun *r);
void e4d_vrun_end(struct e4d_vrun *r);

/* The result is a skip: this is not offered here, or not wanted. */
void e4d_vrun_skip(struct e4d_vresult *res, const char *why);

/* "62 cases: 30 interrupted, 32 ..." of r->not_run, by their reasons; cut to len. */
void e4d_vrun_reasons(const struct e4d_vrun *r, char *buf, size_t len);

/*
 * While held, SIGINT, SIGTERM and SIGHUP end the run after the case under way; they
 * take their effect when let go: the tracer is to be closed before. What was ignored
 * from the start (nohup) is not held.
 */
void e4d_vrun_hold_signals(bool hold);

/* E4D_EXIT_*: what the results come to. */
int e4d_vrun_exit(const struct e4d_vrun *r);

#endif
