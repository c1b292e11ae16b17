/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Reads trace dumps: one directory or several, of one host or several, merged by
 * time. Trusts no length: a packet counts only when its magics, sizes, bounds and
 * CRC hold; what does not is skipped, counted and told. Needs neither the metadata
 * nor libbpf.
 */
#ifndef E4D_TRACE_READER_H
#define E4D_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "trace.h"

/* One dump of several; strings are the reader's. */
struct e4d_trace_host {
	const char *dir;
	const char *host, *kernel, *program, *options; /* "" where not known */
	uint8_t uuid[16];
	uint8_t tier;
	int64_t real_minus_boot_ns;
	/* of the session stream, and of what was read since open or the last seek: */
	uint64_t packets, bad_packets; /* whole; torn, CRC, bounds */
	uint64_t bad_bytes;            /* in what was skipped */
	uint64_t missing_packets;      /* gaps in packet_seq_num */
	uint64_t discarded;            /* events_discarded: lost while recording */
	bool no_end;                   /* no final counters: recording did not end well */
	struct e4d_ev_counters last;   /* the last totals; zero where there are none */
};

/* One write, in the order of its end. */
struct e4d_trace_write {
	const struct e4d_record *rec; /* valid until the next call */
	const char *path;             /* NULL: not known */
	unsigned int host;            /* index for e4d_trace_host() */
	uint64_t end_ns;              /* the event's timestamp, CLOCK_BOOTTIME of that host */
};

struct e4d_trace_reader;

/*
 * Opens n dumps. 0, or negative errno with a reason and its remedy in why (-EPROTO: a
 * newer major version; -ENODATA: no whole packet; -ENOENT: no dump there).
 */
int e4d_trace_open(struct e4d_trace_reader **out, const char *const *dirs, unsigned int n,
                   char *why, size_t why_len);

unsigned int e4d_trace_hosts(const struct e4d_trace_reader *r);
const struct e4d_trace_host *e4d_trace_host(const struct e4d_trace_reader *r, unsigned int i);

/*
 * The next write: 1, 0 at the end, or negative errno. What the tables of names have no
 * word for (a newer minor version, a forgery) was made unknown, and comm ends with NUL.
 */
int e4d_trace_next(struct e4d_trace_reader *r, struct e4d_trace_write *w);

/* Back to the first write whose end is at or after real_ns (CLOCK_REALTIME); 0: to the start. */
int e4d_trace_seek(struct e4d_trace_reader *r, uint64_t real_ns);

/* First and last end of a write, CLOCK_REALTIME ns; equal and 0 when there is none. */
void e4d_trace_span(const struct e4d_trace_reader *r, uint64_t *first, uint64_t *last);

/* Each loss by its last count; each mark by its time; NULL fn is no error. */
void e4d_trace_losses(const struct e4d_trace_reader *r,
                      void (*fn)(void *ctx, unsigned int host, const char *name, uint64_t n),
                      void *ctx);
void e4d_trace_marks(const struct e4d_trace_reader *r,
                     void (*fn)(void *ctx, unsigned int host, uint64_t boot_ns, const char *text),
                     void *ctx);

void e4d_trace_close(struct e4d_trace_reader *r);

#endif
