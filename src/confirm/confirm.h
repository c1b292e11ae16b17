/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* --confirm: asks the disk (FIEMAP) what a finished write has left. */
#ifndef E4D_CONFIRM_H
#define E4D_CONFIRM_H

#include "record.h"

/* What FIEMAP shows past the block that holds EOF, bytes. */
struct e4d_past_eof {
	__u64 written;   /* of initialized blocks in the whole file */
	__u64 unwritten; /* of preallocated blocks in the whole file */
	__u64 own;       /* of these, what the write may have left: see e4d_confirm() */
};

/*
 * Asks about the open file fd, past i_size rounded up to 1 << blkbits (0: from
 * st_blksize); `own` counts within [own_from, own_to), unwritten blocks only
 * if own_unwritten. Writes dirty pages back first. Returns 0 or -errno.
 */
int e4d_confirm_fd(int fd, unsigned int blkbits, __u64 own_from, __u64 own_to, int own_unwritten,
                   struct e4d_past_eof *out);

/*
 * Opens the record's inode for reading, by the writer's own descriptor, by path (may be
 * NULL) or by a handle; nothing else is ever opened. An fd for the caller to close, or
 * -ENOENT when it cannot be reached, -ESTALE when it is another file by now.
 */
int e4d_confirm_open(const struct e4d_record *rec, const char *path);

/*
 * Opens the record's inode, by the writer's own descriptor or by path (may be
 * NULL), and sets rec->evidence: leak and trim-failed are CONFIRMED when blocks
 * lie in [up(isize_after), alloc_end), else REFUTED; all other verdicts but
 * unknown the other way round. Unwritten blocks do not count where the write
 * met a preallocation, which they may be. *past_eof is the bytes of written
 * blocks past EOF in the whole file.
 *
 * Returns 0; -ENOENT when the file cannot be reached, -ESTALE when it is
 * another file by now or i_size has moved on, or another negative errno: then
 * rec and *past_eof are unchanged.
 */
int e4d_confirm(struct e4d_record *rec, const char *path, __u64 *past_eof);

#endif
