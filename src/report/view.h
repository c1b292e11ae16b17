/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What of which dumps a report is about: the dumps, opened and merged; the span, the
 * filter and the limit; and what is missing, so that every output can say it.
 */
#ifndef E4D_REPORT_VIEW_H
#define E4D_REPORT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "filter/filter.h"
#include "trace/reader.h"
#include "util/clock.h"
#include "util/progress.h"

struct e4d_rhost {
	const struct e4d_trace_host *dump;
	const char *name;       /* of the host; the directory where that is not known */
	unsigned int id;        /* the first dump of the same host */
	struct e4d_clock clock; /* local time */
};

struct e4d_rloss {
	unsigned int host;
	char name[48];
	uint64_t count;
};

struct e4d_rview {
	struct e4d_trace_reader *reader;
	unsigned int n_hosts;
	struct e4d_rhost *hosts;
	struct e4d_rloss *losses; /* the recorder's; after e4d_rview_gaps() the dumps' too */
	size_t n_losses;
	bool bad; /* a part of a dump was not readable */
	int err;  /* of what was gathered at the open */
	/* set by the caller */
	const struct e4d_filter *filter;
	uint64_t since, until; /* CLOCK_REALTIME ns of a write's end, inclusive; until 0: no end */
	uint64_t limit;        /* writes; 0: all */
	bool quiet;
	int signals; /* a signalfd that stops a walk; -1: none */
	/* of the last walk */
	bool stopped; /* by a signal */
	struct e4d_progress progress;
};

/*
 * Opens n dumps. 0, or negative errno as e4d_trace_open(), with the reason in why. All
 * else of v is as the caller set it.
 */
int e4d_rview_open(struct e4d_rview *v, const char *const *dirs, unsigned int n, char *why,
                   size_t why_len);
void e4d_rview_close(struct e4d_rview *v);

/*
 * Calls fn for each write of the view, by the time of its end, until it returns other
 * than 0; that value, or 0, or the reader's negative errno.
 */
typedef int (*e4d_rwalk_fn)(void *ctx, const struct e4d_trace_write *w);
int e4d_rview_walk(struct e4d_rview *v, e4d_rwalk_fn fn, void *ctx);

/*
 * Adds to the losses what the walk has found missing or damaged: once, after the walk
 * and before another one. 0 or -ENOMEM.
 */
int e4d_rview_gaps(struct e4d_rview *v);

/* CLOCK_REALTIME ns of a moment (CLOCK_BOOTTIME) of a host. */
static inline uint64_t e4d_rview_real(const struct e4d_rview *v, unsigned int host, uint64_t boot)
{
	return boot + (uint64_t)v->hosts[host].dump->real_minus_boot_ns;
}

#endif
