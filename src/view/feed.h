/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the live view is fed from: a session, the replay of a dump, or a test. The
 * view knows nothing else of where its figures come from.
 */
#ifndef E4D_VIEW_FEED_H
#define E4D_VIEW_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config.h"
#include "session/flight.h"
#include "session/sums.h"

struct e4d_feed;

/* One write that ended. */
struct e4d_fed {
	const struct e4d_record *rec; /* valid during the call */
	const char *path;             /* NULL: not asked for, or not known */
	bool watched;                 /* by watch(): the main stream may have it as well */
};

/* Those that may be NULL say so. Errors are negative errno. */
struct e4d_feed_ops {
	/* Delivers what has ended until now through feed->on_write; its value ends it. */
	int (*tick)(struct e4d_feed *f);
	/* Totals so far: fn for each file or process, last for `other`. */
	int (*files)(struct e4d_feed *f, e4d_row_fn *fn, void *ctx);
	int (*processes)(struct e4d_feed *f, e4d_row_fn *fn, void *ctx);
	void (*flights)(struct e4d_feed *f, e4d_flight_fn *fn, void *ctx);
	void (*counters)(struct e4d_feed *f, struct e4d_counters *sum);
	/* fn for each loss that is not zero; returns the total. */
	uint64_t (*losses)(struct e4d_feed *f, void (*fn)(void *ctx, const char *name, uint64_t n),
	                   void *ctx);
	uint64_t (*now)(const struct e4d_feed *f); /* CLOCK_BOOTTIME ns, or the replay's place */
	/* The path of the record's inode; valid until the next call; NULL: not known. */
	const char *(*path)(struct e4d_feed *f, const struct e4d_record *rec);
	/* Fills comm where it is still empty; NULL: never known otherwise. */
	void (*comm)(struct e4d_feed *f, uint32_t pid, char comm[E4D_COMM_LEN]);
	/* What costs a little more, from now on (enum e4d_wanted); NULL: all is always there. */
	int (*want)(struct e4d_feed *f, uint32_t what);
	/* Deliver every write of this inode as well, until NULL is given; why: room for a reason.
	 */
	int (*watch)(struct e4d_feed *f, const struct e4d_record *id, char *why, size_t why_len);
	/* Losses of what watch() let be traced, as losses(); NULL in replays, which trace nothing.
	 */
	uint64_t (*watch_losses)(struct e4d_feed *f,
	                         void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx);
	/* Replays only, else NULL: go on for ns of the dump's time. */
	void (*advance)(struct e4d_feed *f, uint64_t ns);
	/* Replays only: to CLOCK_BOOTTIME ns; all totals begin anew. */
	int (*seek)(struct e4d_feed *f, uint64_t ns);
	/* The end: no new writes, what is under way is delivered. */
	int (*stop)(struct e4d_feed *f);
	void (*close)(struct e4d_feed *f);
};

struct e4d_feed {
	const struct e4d_feed_ops *ops;
	char host[64], kernel[64];
	enum e4d_tier tier;
	int64_t boot_to_real_ns;     /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	bool replay;                 /* advance and seek are there; the filter was applied to all */
	bool corrupt;                /* a part of a dump was not readable so far */
	bool ended;                  /* a replay is at its end */
	uint64_t first_ns, last_ns;  /* of a replay; CLOCK_BOOTTIME */
	struct e4d_session *session; /* of a live feed, to be ticked by the loop; else NULL */
	int (*on_write)(void *ctx, const struct e4d_fed *w);
	void *ctx;
};

#endif
