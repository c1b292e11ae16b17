/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * score: how often is the tracer right about random writes? Joins the truth of
 * randwrite with a trace, judges each episode, and counts. docs: rules.md.
 */
#ifndef E4D_SCORE_H
#define E4D_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "record.h"

enum sc_exit { SC_GOOD = 0, SC_BAD = 1, SC_USAGE = 2, SC_NOTHING = 4, SC_CORRUPT = 6 };

#define SC_SLACK_NS 1000 /* between a record's clock and the truth's */
#define SC_WHY      2048
#define SC_LABELS   16
#define SC_LIMITS   16

/* What is counted; also, as bits, what an episode was found to be. */
enum sc_count {
	SC_EPISODES, /* with at least one direct write */
	SC_WRITES,
	SC_RECORDS,
	SC_UNKNOWN_RECORDS,
	SC_DISK_LEAKS, /* episodes after which the disk holds new blocks past EOF */
	SC_AGREE,
	SC_HITS,
	SC_MISSES,
	SC_FALSE_ALARMS,
	SC_INEXACT,
	SC_UNKNOWN,
	SC_HEALED,  /* a leak was claimed, and something later can have undone it */
	SC_UNCLEAR, /* blocks past EOF that another step may have put there */
	SC_UNSEEN,  /* writes that never reached the tier's first hook */
	SC_MISSING, /* writes without a record, and without an excuse */
	SC_LOST,    /* writes without a record, which the loss counters account for */
	SC_LOST_EPISODES,
	SC_MISMATCH,
	SC_LOST_DATA_HITS,
	SC_LOST_DATA_MISSES,
	SC_OVERTRIM_FALSE,
	SC_OVERTRIM_UNCHECKED,
	SC_CORRUPT_DATA, /* wrong data, though all of it is mapped: not the tracer's to see */
	SC_STRAY,        /* records that belong to no episode */
	SC_COUNT,
};

struct sc_column {
	const char *key;   /* in JSON */
	const char *title; /* in text and Markdown */
	bool bad;          /* an episode like this is printed */
	bool fail;         /* and turns the exit to 1 */
	bool main;         /* has a column of its own, also when all are 0 */
};

extern const struct sc_column sc_columns[SC_COUNT];

/* One line of the trace, reduced to what is judged. */
struct sc_rec {
	uint64_t dev; /* major << 32 | minor */
	uint64_t ino;
	uint64_t ts;
	uint64_t end; /* of the write: ts and its latency */
	uint64_t seq;
	uint64_t offset;
	uint64_t submitted;
	uint64_t isize_before;
	uint64_t isize_after;
	uint64_t past_eof;
	uint64_t prealloc;
	uint64_t trim_from;
	int64_t ret;
	long pos; /* of the line */
	int32_t pid;
	int32_t tid;
	uint32_t flags; /* E4D_F_* */
	int32_t write;  /* index in the episode, -1: none fits */
	uint8_t verdict;
	uint8_t evidence;
	bool has_ret;
	bool has_trim;
	bool trim_failed;
	bool mapped;
	bool joined;
};

struct sc_loss {
	char name[64];
	uint64_t count;
};

struct sc_trace {
	struct sc_rec *rec; /* by dev, ino, ts, seq */
	size_t count, room;
	struct sc_loss *loss;
	size_t losses;
	int tier; /* of the records, 0: no record */
	FILE *file;
};

struct sc_write {
	int32_t pid;
	int32_t tid;
	uint64_t offset;
	uint64_t submitted;
	int64_t ret;
	bool has_ret;
	bool uring;
	bool async; /* io_uring and aio: a kiocb with a completion */
	bool nowait;
	bool append;
	/* set by sc_match: */
	uint32_t records; /* without the tries that came to nothing */
	int64_t got;      /* sum of what these returned */
	int64_t last;     /* what the last one returned */
	bool all_ret;     /* each of them says what it returned */
	size_t first;     /* the first of them */
};

/* What the steps of an episode can do to what other steps left. */
struct sc_steps {
	unsigned int count;
	bool falloc, punch, collapse, truncate, buffered, mmap, append;
	uint64_t collapsed;        /* bytes */
	uint64_t fsize[SC_LIMITS]; /* RLIMIT_FSIZE of writes */
	unsigned int limits;
};

struct sc_episode {
	const char *seed;
	const char *text; /* the steps */
	long long step;
	long long actors;
	uint64_t dev, ino, t0, t1;
	uint64_t isize_before, isize_after, blksize;
	uint64_t past_eof, past_eof_unwritten, prealloc, lost;
	uint64_t falloc;   /* unwritten blocks past EOF where a fallocate of the group went */
	uint64_t cut;      /* bytes below EOF that were in blocks, and are in a hole */
	uint64_t eof_hole; /* the hole that ends at EOF */
	bool killed, data_bad;
	uint64_t past_before; /* blocks past EOF before it, from the line before */
	struct sc_steps steps;
	struct sc_write *write;
	size_t writes;
	const json_t *obj;
	long pos;
	/* set by sc_match: */
	struct sc_rec *rec; /* the joined records, by time */
	size_t records;
	uint32_t unseen, missing, lost_writes;
};

struct sc_opts {
	int tier;   /* enum e4d_tier, 0: as the records say */
	bool blind; /* tracepoints before 6.6: neither begin nor completion */
	bool loss;
	bool extending; /* the tracer ran without --all */
	bool over;      /* the kernel allocates more than a write asks for */
	bool json;
	bool header;
	unsigned int max_bad;
	FILE *bad;
	const char *labels[SC_LABELS]; /* "k=v" */
	size_t label_count;
};

/* What an episode was found to be, and why, one sentence a line. */
struct sc_result {
	uint64_t set; /* bits of enum sc_count */
	char why[SC_WHY];
};

struct sc_run {
	struct sc_opts opts;
	struct sc_trace trace;
	uint64_t n[SC_COUNT];
	uint64_t excuses;  /* losses that can still account for a missing record */
	uint64_t from, to; /* the time that the truth covers */
	FILE *truth;
	unsigned int printed, bad;
	/* the episode before */
	char prev_seed[64];
	uint64_t prev_past;
};

static inline uint64_t sc_up(uint64_t x, uint64_t unit)
{
	return unit ? (x + unit - 1) / unit * unit : x;
}

static inline bool sc_is_leak(const struct sc_rec *r)
{
	return r->verdict == E4D_LEAK || r->verdict == E4D_TRIM_FAILED;
}

/* trace.c: 0 or a sc_exit */
int sc_trace_load(const char *path, struct sc_trace *t);
void sc_trace_free(struct sc_trace *t);
void sc_trace_slice(struct sc_trace *t, struct sc_episode *e);
int sc_dev(const char *text, uint64_t *dev);
uint64_t sc_excuses(const struct sc_trace *t);

/* truth.c: calls fn for each episode. 0 or a sc_exit */
int sc_truth_each(const char *path, struct sc_run *run,
                  int (*fn)(struct sc_run *run, struct sc_episode *e));

/* match.c */
bool sc_is_try(const struct sc_rec *r);
bool sc_counts(const struct sc_episode *e, const struct sc_rec *r);
void sc_match(struct sc_run *run, struct sc_episode *e, struct sc_result *res);

/* judge.c, explain.c, check.c */
void sc_judge(struct sc_run *run, struct sc_episode *e, struct sc_result *res);
uint64_t sc_firm(const struct sc_run *run, const struct sc_episode *e, const struct sc_rec *r);
void sc_check_fields(const struct sc_episode *e, struct sc_result *res);
void sc_check_data(const struct sc_episode *e, struct sc_result *res);

/* result.c */
__attribute__((format(printf, 3, 4))) void sc_say(struct sc_result *res, enum sc_count what,
                                                  const char *fmt, ...);
void sc_set(struct sc_result *res, enum sc_count what);
bool sc_has(const struct sc_result *res, enum sc_count what);

/* report.c */
void sc_print_bad(struct sc_run *run, const struct sc_episode *e, const struct sc_result *res);
void sc_print_summary(const struct sc_run *run);
json_t *sc_summary_json(const struct sc_run *run);

/* merge.c */
int sc_merge(char **files, int count, const char *json_path, const char *by);

#endif
