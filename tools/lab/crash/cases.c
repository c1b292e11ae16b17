/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The writes: data. What a kernel does with each is for the tracer to say and
 * for the disk to confirm; nothing here tells what to expect.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/aio_abi.h>

#include "hold.h"

#define LEN   (256 * WL_KIB)
#define HALF  (LEN / 2)
#define SHORT 7680ULL /* 512-aligned, and no multiple of any block size here */
#define KEEP  (1 * WL_MIB)

/* Waits while its pages are pinned: blocks are allocated, the orphan entry is there. */
#define DIRECT                                                                                     \
	{                                                                                          \
		{                                                                                  \
			HOLD_WAIT, LEN, HALF, 0                                                    \
		}                                                                                  \
	}
/* Short before the [vvar] page; what follows is copied by the buffered fallback, and waits there.
 */
#define FALLBACK                                                                                   \
	{                                                                                          \
		{HOLD_MEM, SHORT, 0, 512}, {HOLD_VVAR, WL_PAGE, 0, 0},                             \
		{                                                                                  \
			HOLD_WAIT, LEN, 0, 0                                                       \
		}                                                                                  \
	}
/* Nothing at all can be pinned. */
#define UNPINNED                                                                                   \
	{                                                                                          \
		{HOLD_VVAR, WL_PAGE, 0, 0},                                                        \
		{                                                                                  \
			HOLD_WAIT, LEN, 0, 0                                                       \
		}                                                                                  \
	}
/* Ends off a block boundary; never waits. */
#define TAIL_OFF                                                                                   \
	{                                                                                          \
		{HOLD_MEM, SHORT, 0, 512},                                                         \
		{                                                                                  \
			HOLD_GONE, LEN, 0, 0                                                       \
		}                                                                                  \
	}
/* Ends on one. */
#define TAIL_HALF                                                                                  \
	{                                                                                          \
		{HOLD_MEM, HALF, 0, 0},                                                            \
		{                                                                                  \
			HOLD_GONE, HALF, 0, 0                                                      \
		}                                                                                  \
	}
#define PLAIN                                                                                      \
	{                                                                                          \
		{                                                                                  \
			HOLD_MEM, LEN, 0, 0                                                        \
		}                                                                                  \
	}

/* clang-format off */
const struct hold_case hold_cases[] = {
	/* held in the direct phase */
	{"append", "appends to an empty file", .part = DIRECT},
	{"append-first", "its first page is missing", .part = {{HOLD_WAIT, LEN, 0, 0}}},
	{"append-late", "part of it is with the device already",
	 .part = {{HOLD_WAIT, 2 * WL_MIB, 3 * WL_MIB / 2, 0}}},
	{"append-second", "appends to 256 KiB", .written = LEN, .offset = LEN, .part = DIRECT},
	{"append-far", "past a hole", .offset = WL_MIB, .part = DIRECT},
	{"append-sync", "O_SYNC", .part = DIRECT, .oflags = O_SYNC},
	{"append-aio", "libaio", .part = DIRECT, .submit = hold_submit_aio},
	{"append-uring", "io_uring", .part = DIRECT, .submit = hold_submit_uring},
	{"append-keep", "over fallocate KEEP_SIZE", .keepsize = KEEP, .part = DIRECT},
	{"append-below", "starts below EOF: unwritten blocks", .written = 4096, .part = DIRECT},
	{"inside", "a hole inside i_size", .size = WL_MIB, .part = DIRECT},
	/* held in the buffered fallback, where there is one */
	{"fallback", "short at 7680 bytes, then buffered", .part = FALLBACK},
	{"fallback-sync", "O_SYNC", .part = FALLBACK, .oflags = O_SYNC},
	{"fallback-dsync", "O_DSYNC", .part = FALLBACK, .oflags = O_DSYNC},
	{"fallback-aio", "libaio", .part = FALLBACK, .submit = hold_submit_aio},
	{"fallback-second", "appends to 256 KiB", .written = LEN, .offset = LEN, .part = FALLBACK},
	{"fallback-far", "past a hole", .offset = WL_MIB, .part = FALLBACK},
	{"fallback-below", "starts below EOF: unwritten blocks", .written = 4096, .part = FALLBACK},
	{"fallback-keep", "over fallocate KEEP_SIZE", .keepsize = KEEP, .part = FALLBACK},
	{"fallback-inside", "a hole inside i_size", .size = WL_MIB, .part = FALLBACK},
	{"fallback-none", "short at 0 bytes, file offset 512", .offset = 512, .part = UNPINNED},
	{"fallback-none-far", "short at 0 bytes, far past EOF", .offset = WL_MIB + 512, .part = UNPINNED},
	{"fallback-block", "short on a block boundary", 
	 .part = {{HOLD_MEM, 8192, 0, 0}, {HOLD_VVAR, WL_PAGE, 0, 0}, {HOLD_WAIT, LEN, 0, 0}}},
	/* never held */
	{"leak", "fails off a block boundary", .part = TAIL_OFF},
	{"leak-sync", "O_SYNC", .part = TAIL_OFF, .oflags = O_SYNC},
	{"leak-aio", "libaio", .part = TAIL_OFF, .submit = hold_submit_aio},
	{"leak-below", "starts below EOF: unwritten blocks", .written = 4096, .part = TAIL_OFF},
	{"leak-keep", "over fallocate KEEP_SIZE", .keepsize = KEEP, .part = TAIL_OFF},
	{"leak-none", "fails at once, file offset 512", .offset = 512, .part = {{HOLD_GONE, LEN, 0, 0}}},
	{"trim", "fails on a block boundary", .part = TAIL_HALF},
	{"trim-keep", "over fallocate KEEP_SIZE", .keepsize = KEEP, .part = TAIL_HALF},
	{"plain", "a whole append", .part = PLAIN},
	{"plain-keep", "over fallocate KEEP_SIZE", .keepsize = KEEP, .part = PLAIN},
};
/* clang-format on */
const size_t hold_case_count = sizeof(hold_cases) / sizeof(hold_cases[0]);

/* The case of a file "CASE.NUMBER", or NULL. */
const struct hold_case *hold_find(const char *file)
{
	size_t len = strcspn(file, ".");

	for (size_t i = 0; i < hold_case_count; i++)
		if (strlen(hold_cases[i].name) == len && !strncmp(hold_cases[i].name, file, len))
			return &hold_cases[i];
	return NULL;
}

int64_t hold_submit_aio(int fd, const struct iovec *iov, int count, uint64_t off)
{
	struct iocb cb = {0}, *list[1] = {&cb};
	aio_context_t ctx = 0;
	struct io_event ev;

	if (syscall(SYS_io_setup, 1, &ctx) < 0)
		return -errno;
	cb.aio_lio_opcode = IOCB_CMD_PWRITEV;
	cb.aio_fildes = fd;
	cb.aio_buf = (uintptr_t)iov;
	cb.aio_nbytes = count;
	cb.aio_offset = (int64_t)off;
	if (syscall(SYS_io_submit, ctx, 1, list) != 1)
		return -errno;
	while (syscall(SYS_io_getevents, ctx, 1, 1, &ev, NULL) != 1)
		if (errno != EINTR)
			return -errno;
	return ev.res;
}

/* One iovec only: what the workload's io_uring can do. */
int64_t hold_submit_uring(int fd, const struct iovec *iov, int count, uint64_t off)
{
	struct wl_result res = {0};

	if (count != 1)
		return -EINVAL;
	return wl_submit_uring(fd, iov[0].iov_base, iov[0].iov_len, off, &res);
}
