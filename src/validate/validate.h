/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * validate: direct writes whose outcome is judged by the disk, and the tracer
 * by the disk too. What is wrong with the kernel and what with the tool are
 * kept apart everywhere.
 */
#ifndef E4D_VALIDATE_H
#define E4D_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "workload/workload.h"

/* The safe tier's bounds: for all that it does, setups included. */
#define E4D_V_BYTES        (64 * WL_MIB)
#define E4D_V_WRITES       200
#define E4D_V_SECONDS      30
#define E4D_V_CASE_SECONDS 5

/* What a write may return. */
enum e4d_vwant {
	E4D_V_ALL,   /* all that RLIMIT_FSIZE leaves of it */
	E4D_V_ODD,   /* the same, or -EINVAL: not aligned to the device's blocks */
	E4D_V_AGAIN, /* the same, or -EAGAIN */
	E4D_V_SHORT, /* an error, or no more than the buffer holds */
};

struct e4d_vcase {
	struct wl_case w;
	enum e4d_vwant want;
};

extern const struct e4d_vcase e4d_vcases[];
extern const size_t e4d_vcase_count;

/* Most bytes that the case allocates at once, and O_DIRECT writes it makes. */
uint64_t e4d_vcase_bytes(const struct e4d_vcase *c);
unsigned int e4d_vcase_writes(const struct e4d_vcase *c);

enum e4d_vkernel { E4D_V_PASS, E4D_V_FAIL, E4D_V_SKIP };

enum e4d_vtool {
	E4D_V_UNASKED,  /* no tracer, or nothing ran */
	E4D_V_AGREES,   /* it saw exactly these writes, and says what the disk says */
	E4D_V_BLIND,    /* it says that it does not know */
	E4D_V_DISAGREES /* it missed a write, or says what is not so */
};

struct e4d_vresult {
	const struct e4d_vcase *c;
	enum e4d_vkernel kernel;
	enum e4d_vtool tool;
	char why[512]; /* of a failure, one sentence for each invariant; of a skip */
	char tool_why[200];
	uint64_t ino;
	struct wl_result res;
	struct wl_truth truth;
	uint64_t isize_after;
	double seconds;
	unsigned int records; /* of this file, first tries with NOWAIT left out */
	bool traced;          /* rec holds the last of them */
	struct e4d_record rec;
};

/* What is known of a file's allocation before anything is written to it. */
struct e4d_vfs {
	uint64_t blksize;
	uint64_t unit; /* bytes of the smallest allocation: a cluster */
	uint64_t base; /* bytes of an empty file: attributes in a block of their own */
	bool extents;
};

/* check.c: both pure. */

struct e4d_vcheck {
	const char *name;
	const char *what;
	/* false: the invariant does not hold, and why says so */
	bool (*ok)(const struct e4d_vresult *r, const struct wl_outcome *o,
	           const struct e4d_vfs *fs, char *why, size_t len);
};

extern const struct e4d_vcheck e4d_vchecks[];
extern const size_t e4d_vcheck_count;

/* Judges the kernel: sets r->kernel and r->why. */
void e4d_vcheck_kernel(struct e4d_vresult *r, const struct wl_outcome *o, const struct e4d_vfs *fs);

/* Judges the tracer, once all its records are in: sets r->tool and r->tool_why. */
void e4d_vcheck_tool(struct e4d_vresult *r, enum e4d_tier tier);

#endif
