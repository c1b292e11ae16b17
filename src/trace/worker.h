/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What takes long and may not hold up the ring's consumer: a thread, with less
 * priority, that compresses complete files and removes old ones.
 */
#ifndef E4D_TRACE_WORKER_H
#define E4D_TRACE_WORKER_H

#include <stdbool.h>
#include "trace/internal.h"

struct e4d_worker;

/* d->bytes follows what it does. 0 or negative errno. */
int e4d_worker_open(struct e4d_worker **out, struct e4d_dump *d);

/* NAME becomes NAME.zst; what fails (a full disk) leaves NAME as it is. */
void e4d_worker_compress(struct e4d_worker *k, const char *name);

/* Files of rotations below that go, before anything else is done. */
void e4d_worker_remove(struct e4d_worker *k, unsigned int below);

/* Is there nothing left to remove, and nothing to compress? */
bool e4d_worker_removed(struct e4d_worker *k);
bool e4d_worker_idle(struct e4d_worker *k);

/* Until it is idle; or until old files are removed. */
void e4d_worker_wait(struct e4d_worker *k);
void e4d_worker_wait_removed(struct e4d_worker *k);

/* Ends the thread, after the file at hand; the number of files that could not be compressed. */
unsigned int e4d_worker_close(struct e4d_worker *k);

#endif
