/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A session's trace dump while it goes on: what record and wrap write. */
#ifndef E4D_DUMPING_H
#define E4D_DUMPING_H

#include "path/path.h"
#include "session/session.h"
#include "trace/writer.h"

struct e4d_dumping {
	struct e4d_session *session; /* the caller's, as paths */
	struct e4d_paths *paths;
	struct e4d_trace_writer *writer; /* owned */
	uint64_t counted_ns;             /* when the counters were looked at last, */
	struct e4d_ev_counters counted;  /* and what they were */
	uint64_t lost;                   /* so many were written, */
	unsigned int lost_rot;           /* in that rotation */
};

/* The command line, for who reads the dump; what is longer is cut. */
void e4d_dumping_options(char *buf, size_t len, int argc, char **argv);

/*
 * From here on a file that may grow no more is an error and not the end (SIGXFSZ), and
 * a file for each CPU may be open (RLIMIT_NOFILE). Processes that are started later
 * inherit both.
 */
void e4d_dumping_limits(void);

/* Makes dir; session and paths are set and open. 0, or -errno after an error message. */
int e4d_dumping_open(struct e4d_dumping *d, const char *dir, const char *options,
                     const struct e4d_trace_limits *limits);

/* A write, and the path of its file where this rotation has it not yet. As e4d_trace_put(). */
int e4d_dumping_put(struct e4d_dumping *d, const struct e4d_record *rec);
/* The first of n, and those of the same file that follow it; *put: how many were. */
int e4d_dumping_put_inside(struct e4d_dumping *d, const struct e4d_ev_inside *e, size_t n,
                           size_t *put);

/* After each tick of the session: losses and totals that have changed. As e4d_trace_tick(). */
int e4d_dumping_tick(struct e4d_dumping *d);

/* The session has stopped: the last totals, and the end. The first error of all, or 0. */
int e4d_dumping_finish(struct e4d_dumping *d);

/* Frees; writes nothing. */
void e4d_dumping_close(struct e4d_dumping *d);

#endif
