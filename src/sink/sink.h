/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Where write records go. A sink owns one format and writes it to a file
 * descriptor, not for each record: when E4D_SINK_BYTES have gathered, and when
 * it is told to flush. Any call may return a negative errno, of what an earlier
 * one left; -EPIPE means the reader has gone (the program must ignore SIGPIPE).
 * After an error a sink writes nothing more, so that no torn line is followed
 * by another, and every call returns that error again.
 */
#ifndef E4D_SINK_H
#define E4D_SINK_H

#include <stdbool.h>

#include "record.h"
#include "util/clock.h"
#include "util/outbuf.h"

#define E4D_SINK_BYTES (64u << 10)

struct e4d_sink;

struct e4d_sink_ops {
	const char *name;
	size_t own_size; /* of what sink->own points to, zeroed */
	/* Each appends to sink->out; the caller below flushes. */
	void (*begin)(struct e4d_sink *sink);
	void (*write)(struct e4d_sink *sink, const struct e4d_record *rec, const char *path);
	void (*loss)(struct e4d_sink *sink, const char *name, __u64 count);
	void (*end)(struct e4d_sink *sink);
};

struct e4d_sink {
	const struct e4d_sink_ops *ops;
	int fd; /* not owned */
	int err;
	bool strict; /* text: exposure is a finding too */
	/* of the next write or loss; NULL: no output says a host. See e4d_sink_host(). */
	const char *host;
	struct e4d_clock *clock;
	struct e4d_clock own_clock;
	struct e4d_outbuf out;
	void *own;
};

extern const struct e4d_sink_ops e4d_sink_text;
extern const struct e4d_sink_ops e4d_sink_json;
extern const struct e4d_sink_ops e4d_sink_csv;

/*
 * Opens the sink named "text", "json" or "csv" over fd, which stays the
 * caller's. Returns 0, -ENOENT for an unknown name, or -ENOMEM.
 */
int e4d_sink_open(const char *name, int fd, const struct e4d_clock *clock, struct e4d_sink **out);

/*
 * Whose writes come next, where one output has those of several hosts: JSON and
 * CSV get a first field `host`, text a column in place of the pid. Called first
 * before e4d_sink_begin(). Both stay the caller's and live as long as the sink.
 */
static inline void e4d_sink_host(struct e4d_sink *sink, const char *host, struct e4d_clock *clock)
{
	sink->host = host;
	sink->clock = clock;
}

/* Header, if the format has one; written at once. */
int e4d_sink_begin(struct e4d_sink *sink);

/* One record, buffered; path is NULL where it was not resolved. */
int e4d_sink_write(struct e4d_sink *sink, const struct e4d_record *rec, const char *path);

/* Writes out what is buffered: once a tick, so that a reader sees it in time. */
int e4d_sink_flush(struct e4d_sink *sink);

/* A loss counter that is not zero, by its name; buffered. */
int e4d_sink_loss(struct e4d_sink *sink, const char *name, __u64 count);

/* Trailer, if the format has one; all is written out. */
int e4d_sink_end(struct e4d_sink *sink);

/* Frees the sink and what is still buffered; NULL is allowed. Writes nothing. */
void e4d_sink_close(struct e4d_sink *sink);

#endif
