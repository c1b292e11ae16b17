/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Workers: processes that execute the steps of one actor. They live as long as
 * the run, or until a step with signal= kills one; a fork for each group would
 * cost more than the group.
 */
#ifndef RW_GROUP_H
#define RW_GROUP_H

#include "proc.h"

struct rw_pool {
	struct rw_proc *parent;
	struct {
		pid_t pid; /* 0: none */
		int sock;
	} worker[RW_ACTORS];
};

void rw_pool_init(struct rw_pool *pool, struct rw_proc *parent);
/*
 * Gets workers ready for every actor whose slot of parent->shared has steps.
 * Returns 0 or -errno.
 */
int rw_pool_prepare(struct rw_pool *pool);
/* Lets them go all at once, and waits for each to end. Returns 0 or -errno. */
int rw_pool_run(struct rw_pool *pool);
void rw_pool_end(struct rw_pool *pool);

#endif
