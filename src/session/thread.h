/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What /proc tells of a thread that may still be inside a write. */
#ifndef E4D_THREAD_H
#define E4D_THREAD_H

#include <stdint.h>
#include "slot.h"

enum e4d_where {
	E4D_ELSEWHERE, /* gone, or in another system call: the write is over */
	E4D_INSIDE,    /* in the very call */
	E4D_RUNNING,   /* on a CPU: not known where */
	E4D_BLOCKED,   /* a kernel worker in an uninterruptible sleep */
	E4D_IDLE,      /* a kernel worker that waits for work, or /proc says nothing */
};

/* call is e4d_call_id() of the write's system call, 0 when it is not known. */
enum e4d_where e4d_thread_where(uint32_t pid, uint32_t tid, uint64_t call);

/* Clock ticks in user mode and in the kernel so far; negative when /proc does not tell. */
int e4d_thread_times(uint32_t pid, uint32_t tid, int64_t *utime, int64_t *stime);

/* Fills comm, terminated, where it is still empty and the thread is there. */
void e4d_thread_comm(uint32_t pid, uint32_t tid, char comm[E4D_COMM_LEN]);

#endif
