/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* A loop device over a file without a name. */
#ifndef E4D_LAB_LOOP_H
#define E4D_LAB_LOOP_H

#include <stdint.h>

struct lab_loop {
	int file; /* the image: a sparse file that nobody else can open */
	int fd;   /* the device; the last close clears it */
	char path[32];
};

/*
 * Makes a file of `size` bytes in dir, and a loop device over it. 0 or -errno; nothing
 * is left on an error.
 */
int lab_loop_open(struct lab_loop *l, const char *dir, uint64_t size);

/*
 * No request is larger from now on. 0 or -errno. The loop driver takes a request that
 * was written in part for one that was written, and the rest is lost in silence.
 */
int lab_loop_requests(const struct lab_loop *l, uint64_t bytes);

/* Forgets what the image holds. 0 or -errno. */
int lab_loop_wipe(struct lab_loop *l, uint64_t size);
void lab_loop_close(struct lab_loop *l);

#endif
