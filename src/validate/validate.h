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

/*
 * The safe tier's bounds: for all that it does, setups included. Bytes are those that
 * are written in all, and those that are allocated at a time.
 */
#define E4D_V_BYTES         (64 * WL_MIB)
#define E4D_V_WRITES        200
#define E4D_V_SECONDS       30
#define E4D_V_CASE_SECONDS  5
#define E4D_V_GRACE_SECONDS 1 /* from SIGKILL to giving a writer up; the lab: as a case */
#define E4D_V_END_SECONDS   4 /* after the last case: the tracer's last records, detaching */

/* What a write may return. */
enum e4d_vwant {
	E4D_V_ALL,    /* all that RLIMIT_FSIZE leaves of it */
	E4D_V_ODD,    /* the same, or -EINVAL: not aligned to the device's blocks */
	E4D_V_AGAIN,  /* the same, or -EAGAIN */
	E4D_V_SHORT,  /* an error, or no more than the buffer holds */
	E4D_V_LESS,   /* an error, or not all of it */
	E4D_V_KILLED, /* nobody is told: the writer is killed */
	E4D_V_CRASH,  /* whatever: what a mount finds afterwards is judged */
};

/* Where a case can run. The lab runs all of them. */
enum e4d_vmedium {
	E4D_V_SAFE,  /* on a mount in use as well */
	E4D_V_DISK,  /* on an image, or a device that may be overwritten */
	E4D_V_TMPFS, /* on a small image, on a tmpfs that can be filled up */
	E4D_V_DM,    /* on a device-mapper device */
	E4D_V_FSCK,  /* nowhere: e2fsck's word about an image as a whole */
};

/* What the lab does to the medium around the write. */
enum e4d_vtrouble {
	E4D_V_NO_TROUBLE,
	E4D_V_NOSPC,      /* the tmpfs has room for half of it */
	E4D_V_EIO,        /* the device fails every write */
	E4D_V_EIO_MIDDLE, /* it fails those to the middle of the preallocation */
	E4D_V_REMOUNT,    /* the case shuts the file system down: mounted again, then measured */
};

struct e4d_vcase {
	struct wl_case w;
	enum e4d_vwant want;
	enum e4d_vmedium medium;
	enum e4d_vtrouble trouble;
};

extern const struct e4d_vcase e4d_vcases[];
extern const size_t e4d_vcase_count;

struct e4d_vfs;

/* Most bytes that the case writes or preallocates, and O_DIRECT writes it makes. */
uint64_t e4d_vcase_bytes(const struct e4d_vcase *c);
/* Most bytes that it takes from what is free, in allocation units. */
uint64_t e4d_vcase_room(const struct e4d_vcase *c, const struct e4d_vfs *fs);
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
	char name[56]; /* the case's; in the lab "IMAGE/" goes before it */
	enum e4d_vkernel kernel;
	/* a skip that does not tell what the kernel offers: the run was cut short, or
	 * the environment made trouble */
	bool not_run;
	enum e4d_vtool tool;
	char why[512]; /* of a failure, one sentence for each invariant; of a skip */
	char tool_why[200];
	uint64_t ino; /* 0: it has none any more */
	struct wl_result res;
	struct wl_truth truth; /* by which the kernel is judged */
	uint64_t isize_after;
	struct wl_truth live; /* by which the tracer is: the same, or what was before a new mount */
	uint64_t isize_live;
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

/* The kernel fails by invariant `name`, for this reason besides. */
void e4d_vcheck_fail(struct e4d_vresult *r, const char *name, const char *why);

/* Records of its file that the tracer is to deliver. */
unsigned int e4d_vcheck_due(const struct e4d_vresult *r, enum e4d_tier tier);

/* Judges the tracer, once all its records are in: sets r->tool and r->tool_why. */
void e4d_vcheck_tool(struct e4d_vresult *r, enum e4d_tier tier);

#endif
