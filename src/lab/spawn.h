/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Programs that the lab needs: mkfs.ext4, e2fsck, blkid. */
#ifndef E4D_LAB_SPAWN_H
#define E4D_LAB_SPAWN_H

#include <stddef.h>

/*
 * Runs argv[0], found in PATH or in the sbin directories, and waits for it. Its output,
 * both streams and at most len - 1 bytes, goes to `out`. It is killed when this
 * process dies. Returns its exit code, or -errno: -ENOENT when there is no such program.
 */
int lab_spawn(char *const argv[], char *out, size_t len);

#endif
