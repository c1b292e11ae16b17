/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the writes of a view come to: totals, histograms, and the findings with the
 * files and the commands that they belong to. Bounded: what is left out is counted.
 */
#ifndef E4D_REPORT_SUM_H
#define E4D_REPORT_SUM_H

#include "report/view.h"

#define E4D_R_FINDINGS 2000  /* kept, the first ones */
#define E4D_R_GROUPS   65536 /* files, and commands */

/* By powers of two: [0] counts 0, [b] what is from 2^(b-1) to 2^b - 1. */
#define E4D_R_BUCKETS 65
struct e4d_rhist {
	uint64_t n[E4D_R_BUCKETS];
};

static inline unsigned int e4d_rbucket(uint64_t v)
{
	return v ? 64 - (unsigned int)__builtin_clzll(v) : 0;
}

/* Writes of one size, against what was mapped for them. */
struct e4d_rsize {
	uint64_t writes, submitted, mapped; /* bytes */
	uint64_t less, more; /* writes with other than the blocks that they touch mapped */
};

struct e4d_rfinding {
	struct e4d_record rec;
	char *path; /* owned; NULL: not known */
	unsigned int host;
	uint64_t end_ns; /* CLOCK_BOOTTIME */
};

/* Findings of one file, or of one command. */
struct e4d_rgroup {
	unsigned int host;           /* id of the host */
	uint64_t ino;                /* a file's */
	uint32_t dev, gen;           /* a file's */
	char *path;                  /* a file's; owned; NULL: not known */
	char comm[E4D_COMM_LEN];     /* a command's */
	uint64_t findings, past_eof; /* bytes, summed */
	uint64_t first, last;        /* CLOCK_REALTIME ns, ends */
};

struct e4d_rgroups {
	struct e4d_rgroup *v;
	size_t n;
	uint32_t *index; /* hash table of 1 + place in v; 0: free */
	size_t index_size;
	uint64_t rest; /* findings of what found no room */
};

struct e4d_rsum {
	const struct e4d_rview *view;
	bool strict;
	uint64_t writes, extending, failed, unknown;
	uint64_t submitted, mapped, done; /* bytes; done: what the writes returned */
	uint64_t verdict[E4D_VERDICT_COUNT];
	uint64_t doubt[E4D_DOUBT_COUNT];
	uint64_t evidence[E4D_EVIDENCE_COUNT];
	uint64_t first, last; /* CLOCK_REALTIME ns of ends */
	struct e4d_rhist latency, by_submitted, by_mapped;
	struct e4d_rsize size[E4D_R_BUCKETS];
	uint64_t n_findings, past_eof; /* of findings: number, bytes */
	struct e4d_rfinding *findings; /* the first E4D_R_FINDINGS */
	size_t n_kept;
	struct e4d_rgroups files, comms;
};

/* view must live as long as the sum. */
void e4d_rsum_init(struct e4d_rsum *sum, const struct e4d_rview *view, bool strict);
void e4d_rsum_free(struct e4d_rsum *sum);

/* 0 or -ENOMEM. */
int e4d_rsum_add(struct e4d_rsum *sum, const struct e4d_trace_write *w);

/* Most findings first. */
void e4d_rsum_sort(struct e4d_rsum *sum);

/* The exit code that the view and its writes come to. */
int e4d_rsum_exit(const struct e4d_rsum *sum);

#endif
