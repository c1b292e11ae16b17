/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What the file system says of a file. It is asked by a process of its own: a disk that
 * hangs must not hang the view.
 */
#ifndef E4D_VIEW_FACTS_H
#define E4D_VIEW_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include "record.h"

struct e4d_facts {
	bool there;         /* an answer has come */
	int err;            /* why the file could not be asked at last, -errno */
	uint64_t at_ns;     /* CLOCK_BOOTTIME, when it was asked with success; 0: never */
	uint64_t size;      /* i_size, bytes */
	uint64_t allocated; /* st_blocks, bytes */
	uint32_t blksize;
	uint32_t links;
	bool dax;
	/* as at first sight: */
	uint32_t flags;              /* FS_*_FL */
	int cluster_err;             /* of the superblock; -errno */
	uint32_t cluster;            /* bytes; more than a block: bigalloc */
	int past_err;                /* FIEMAP's; -errno */
	uint64_t written, unwritten; /* bytes of blocks past EOF */
};

/*
 * Asks; path may be NULL. Of what is known already only what changes by itself is asked anew: to
 * see blocks past EOF writes data to the disk. A descriptor that the answer comes through, or
 * -errno.
 */
int e4d_facts_ask(const struct e4d_facts *known, const struct e4d_record *id, const char *path);

/* Takes the answer where it has come, and closes fd then. True when it has. */
bool e4d_facts_take(int fd, struct e4d_facts *facts);

#endif
