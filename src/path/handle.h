/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* An inode by its number, for a writer that has gone: a file handle. */
#ifndef E4D_HANDLE_H
#define E4D_HANDLE_H

#include "record.h"

/*
 * Opens the record's inode with flags (O_PATH or O_RDONLY) through a file
 * handle on a mount of its device; the generation is checked by ext4. Returns
 * an fd, to be closed by the caller, or negative errno (-EPERM without
 * CAP_DAC_READ_SEARCH, -ESTALE when the inode is gone, -ENOENT without mount).
 */
int e4d_handle_open(const struct e4d_record *rec, int flags);

/* Where a file system of dev is mounted: PATH_MAX bytes. 0, -ENOENT, or negative errno. */
int e4d_mount_point(__u32 dev, char *point);

#endif
