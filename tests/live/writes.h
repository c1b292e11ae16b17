/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What live tests share: the session that they open, and writes made in their children. */
#ifndef E4D_TESTS_WRITES_H
#define E4D_TESTS_WRITES_H

#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "record/names.h"
#include "session/session.h"

#define BLOCK 4096
#define QUEUE 32

/* A session on dir's device (NULL: on every ext4) in the tier of E4D_TIER; the test fails without
 * one. */
static inline struct e4d_session *open_session(struct e4d_session_opts *so, const char *dir)
{
	const char *tier = getenv("E4D_TIER");
	struct e4d_session *s = NULL;
	char why[1024] = "";
	struct stat st;

	if (dir) {
		assert_int_equal(stat(dir, &st), 0);
		so->cfg.dev = major(st.st_dev) << 20 | minor(st.st_dev);
	}
	if (tier)
		so->tier = e4d_name_value(&e4d_tiers, tier, strlen(tier));
	if (e4d_session_open(so, &s, why, sizeof(why)))
		fail_msg("session: %s", why);
	return s;
}

static inline int ignore_record(void *ctx, struct e4d_record *rec)
{
	(void)ctx;
	(void)rec;
	return 0;
}

static inline void ignore_loss(void *ctx, const char *name, uint64_t n)
{
	(void)ctx;
	(void)name;
	(void)n;
}

/* What the session says that it did not see: writes may be missing, never too many. */
static inline uint64_t lost(struct e4d_session *s)
{
	return e4d_session_losses(s, ignore_loss, NULL);
}

/* An aligned block of ones; the caller frees it. */
static inline void *block(void)
{
	void *p = NULL;

	if (posix_memalign(&p, BLOCK, BLOCK))
		_exit(1);
	memset(p, 1, BLOCK);
	return p;
}

/* In a child, does not return: keeps QUEUE writes in flight through libaio. */
static inline void aio_child(int fd, long n)
{
	struct iocb cb[QUEUE], *list[QUEUE];
	struct io_event ev[QUEUE];
	aio_context_t ctx = 0;
	void *buf = block();

	if (syscall(SYS_io_setup, QUEUE, &ctx))
		_exit(1);
	for (long done = 0; done < n; done += QUEUE) {
		for (int i = 0; i < QUEUE; i++) {
			memset(&cb[i], 0, sizeof(cb[i]));
			cb[i].aio_fildes = fd;
			cb[i].aio_lio_opcode = IOCB_CMD_PWRITE;
			cb[i].aio_buf = (uintptr_t)buf;
			cb[i].aio_nbytes = BLOCK;
			cb[i].aio_offset = i * BLOCK;
			list[i] = &cb[i];
		}
		if (syscall(SYS_io_submit, ctx, QUEUE, list) != QUEUE ||
		    syscall(SYS_io_getevents, ctx, QUEUE, QUEUE, ev, NULL) != QUEUE)
			_exit(1);
	}
	_exit(0);
}

#endif
