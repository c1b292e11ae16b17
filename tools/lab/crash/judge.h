/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Joins what was written, what the tracer said and what the disk holds. */
#ifndef E4D_CRASH_JUDGE_H
#define E4D_CRASH_JUDGE_H

#include "../../judge/judge.h"
#include "hold.h"

enum claim {
	CLAIM_NONE = 0, /* nothing was said */
	CLAIM_NO,       /* no blocks past EOF after a crash */
	CLAIM_YES,
	CLAIM_UNCLEAR, /* held for a time that is neither */
	CLAIM_UNKNOWN, /* the tracer lost events, and says so */
};

/* One file of one kill. */
struct file {
	char disk[HOLD_NAME / 4];
	char dev[HOLD_NAME / 4];
	char run[HOLD_NAME / 8];
	char name[HOLD_NAME];
	uint64_t ino;
	bool held; /* the write waited when the machine was killed */
	bool ended;
	bool skipped;
	uint64_t held_ns;
	uint64_t end_ns;
	/* the tracer's records of it, summed up */
	unsigned int records;
	uint64_t exposed_ns;
	uint64_t left; /* bytes past EOF at exit */
	bool leak;
	bool unknown;
	/* its table at the end */
	bool live;
	bool live_exposed;
	uint64_t live_end; /* of the farthest own block */
	/* the disk after the crash */
	bool found;
	uint64_t past_eof;
	uint64_t end; /* of the farthest block that was not there before */
	uint64_t written;
	bool fsck;
};

struct kill {
	struct file *v;
	size_t count;
	uint64_t synced_ns; /* writes that ended before are on the disk */
	bool losses;        /* the tracer lost events */
	uint64_t last_ns;   /* the newest time that any line tells */
};

enum outcome {
	OUT_AGREE = 0,
	OUT_DISAGREE,
	OUT_UNKNOWN,
	OUT_OPEN, /* nobody can say: in flight at the kill, not on the disk yet */
	OUT_SKIPPED,
};

/* files.c: 0 or an enum hold_exit. */
int kill_load(const char *path, struct kill *k);
void kill_free(struct kill *k);
const struct file *kill_find(const struct kill *k, const char *disk, const char *run,
                             const char *name);

/* What the tracer said of this file, what it is worth, and why not agreed. */
struct opinion {
	enum claim record; /* by its own record, or for a held one by its twin's */
	enum claim live;
	enum outcome outcome;
	bool bytes_differ;
	const char *why;
};

void kill_judge(const struct kill *k, const struct file *f, struct opinion *o);

#endif
