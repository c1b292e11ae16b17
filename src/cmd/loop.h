/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The one loop of every command that traces: the session's ticks, signals, a
 * deadline, a reader of the output that goes, and descriptors of the command's own.
 */
#ifndef E4D_LOOP_H
#define E4D_LOOP_H

#include <stddef.h>
#include <sys/signalfd.h>

struct e4d_session;

/* A descriptor of the command's, polled beside the loop's own. */
struct e4d_source {
	int fd;       /* -1: not there; may be set to it while the loop runs */
	short events; /* poll's */
	/* called when it is ready; a value that is not zero ends the loop with it */
	int (*ready)(void *ctx, short revents);
};

#define E4D_LOOP_SOURCES 8 /* at most */

struct e4d_loop {
	struct e4d_session *session; /* NULL: none; sources alone move it on */
	int signals;                 /* of e4d_loop_signals() */
	int out;        /* where the reader may go: that ends it with -EPIPE; -1: nowhere */
	double seconds; /* until it ends; 0: no deadline */
	/* NULL: every signal ends the loop; else a value that is not zero does */
	int (*on_signal)(void *ctx, const struct signalfd_siginfo *si);
	/* after each tick, NULL: nothing; a value that is not zero ends the loop with it */
	int (*ticked)(void *ctx);
	struct e4d_source *sources;
	size_t source_count;
	void *ctx; /* given to all of them */
};

/*
 * Blocks SIGINT, SIGTERM, SIGHUP and the n in `more`, ignores SIGPIPE, and returns a
 * signalfd for them, or -errno. To be called before anything that has to be undone.
 */
int e4d_loop_signals(const int *more, size_t n);

/*
 * Ticks until something ends it: 0 by a signal (without on_signal) or the deadline, else
 * the value of the tick or of a callback, or -errno.
 */
int e4d_loop_run(const struct e4d_loop *loop);

#endif
