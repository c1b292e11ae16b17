/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Names for inodes, from the writer's own /proc/PID/fd; where it has gone or
 * has closed the file, from the kernel's name cache by a file handle. No file
 * is opened for more than its name, so nothing that the traced process chose
 * has a side effect here. What has no name leaves the path null.
 */
#ifndef E4D_PATH_H
#define E4D_PATH_H

#include "record.h"

/* Cached inodes; the least recently used one makes room. */
#define E4D_PATH_CACHE 1024
/* An inode that could not be resolved is asked for again after this, ns. */
#define E4D_PATH_RETRY_NS 1000000000ULL
/* More descriptors of one process than this are not looked at. */
#define E4D_PATH_MAX_FDS 16384

struct e4d_paths;

/* Returns 0 or -ENOMEM; e4d_paths_close() frees it. */
int e4d_paths_open(struct e4d_paths **out);
void e4d_paths_close(struct e4d_paths *paths);

/*
 * The path of the record's inode (" (deleted)" kept) as the writer sees it, or
 * NULL. Valid until the next call. Renames are not followed once cached.
 */
const char *e4d_path_resolve(struct e4d_paths *paths, const struct e4d_record *rec);

/*
 * Finds a descriptor of process pid that has the regular file dev:ino open
 * (dev in the kernel's encoding). Returns its number, -ENOENT when there is
 * none, or a negative errno (-ENOENT also when the process has gone).
 */
int e4d_path_find_fd(__u32 pid, __u32 dev, __u64 ino);

#endif
