/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the live view knows: filled from a feed, drawn by anything. Bounded in all it
 * keeps: rows, findings, writes.
 */
#ifndef E4D_VIEW_MODEL_H
#define E4D_VIEW_MODEL_H

#include "filter/filter.h"
#include "view/feed.h"
#include "view/findings.h"
#include "view/items.h"

#define E4D_VIEW_FILES   10240 /* more than the kernel side has places for */
#define E4D_VIEW_PROCS   10240
#define E4D_VIEW_FS      256
#define E4D_VIEW_FLIGHTS 20480
#define E4D_VIEW_WRITES  8192 /* the last that left a record */
#define E4D_VIEW_HISTORY 60
#define E4D_VIEW_MARKS   64
#define E4D_VIEW_LOSSES  16

struct e4d_mark {
	uint64_t ts_ns; /* CLOCK_BOOTTIME */
	char text[80];
};

struct e4d_view_loss {
	char name[64];
	uint64_t n;
};

/* Of all rows of a table and `other`: now, at the refresh before, at the setting to zero. */
struct e4d_all {
	struct e4d_figures now, before, base;
};

/* The same for a time, ns. */
struct e4d_elapsed {
	uint64_t now, before, base;
};

struct e4d_model {
	struct e4d_feed *feed;
	const struct e4d_filter *filter; /* of the command line; NULL: all */
	bool unfiltered; /* sums are of more than it lets through: e4d_filter_rest() */
	bool matched;    /* then: something was shown or recorded that it lets through */
	bool strict;
	bool paused; /* what is shown does not change, but for findings */
	struct e4d_items files, procs, fs;
	struct e4d_flight *flights;
	uint32_t flight_n;
	struct e4d_findings findings;
	struct e4d_record *writes; /* a ring: write i of all is at i % E4D_VIEW_WRITES */
	uint64_t writes_n;
	uint64_t unknown;              /* writes whose verdict is that */
	struct e4d_all all, procs_all; /* of files; of processes */
	struct e4d_elapsed procs_ns;   /* that processes were counted */
	uint64_t procs_past_ns;        /* of it: up to when they were last wanted */
	uint64_t procs_since_ns;       /* wanted since, CLOCK_BOOTTIME ns; 0: they are not */
	uint32_t wants;                /* enum e4d_wanted */
	struct e4d_counters counters;
	struct e4d_view_loss loss[E4D_VIEW_LOSSES];
	size_t loss_n;
	uint64_t lost;
	/* CLOCK_BOOTTIME ns: this refresh, the one before, the first, the last setting to zero */
	uint64_t now_ns, before_ns, start_ns, zero_ns;
	uint32_t refresh;
	double history[E4D_VIEW_HISTORY]; /* writes/s, the newest last */
	struct e4d_mark mark[E4D_VIEW_MARKS];
	size_t mark_n;
	/* the detail's; called for each write of any file that is shown to it */
	void (*on_write)(void *ctx, const struct e4d_fed *w);
	void *on_write_ctx;
};

/* 0 or -ENOMEM. feed and filter stay the caller's. Takes the feed's writes over. */
int e4d_model_init(struct e4d_model *m, struct e4d_feed *feed, const struct e4d_filter *filter,
                   bool strict);
void e4d_model_free(struct e4d_model *m);

/* Reads all totals anew, unless paused. 0 or negative errno. */
int e4d_model_refresh(struct e4d_model *m);

/* Totals and averages begin here. */
void e4d_model_zero(struct e4d_model *m);

/* The replay goes somewhere else: nothing of before holds. */
void e4d_model_forget(struct e4d_model *m);

void e4d_model_mark(struct e4d_model *m, const char *text);

/* What costs a little more is counted from now on (enum e4d_wanted). */
void e4d_model_want(struct e4d_model *m, uint32_t what);

/* How long processes were counted up to now (CLOCK_BOOTTIME ns), ns. */
uint64_t e4d_model_counted(const struct e4d_model *m, uint64_t now);

/* Seconds of the last interval, at least a little. */
double e4d_model_interval(const struct e4d_model *m);

/* Fills path, pid and comm of a row, if a while has passed since the last try; true: it was tried.
 */
bool e4d_model_name_file(struct e4d_model *m, struct e4d_item *row);
void e4d_model_name_proc(struct e4d_model *m, struct e4d_item *row);
void e4d_model_name_fs(struct e4d_model *m, struct e4d_item *row);

/* How much a verdict wants to be seen; a finding's most. */
int e4d_verdict_weight(uint8_t verdict);

/* Exit code of the design, by what was seen. */
int e4d_model_exit(const struct e4d_model *m);

#endif
