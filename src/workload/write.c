/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Buffers (those that fail half way too), patterns and synchronous writes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload/workload.h"

/* Depends on each byte's file offset, so that shifted data is noticed. */
static uint8_t pattern(uint64_t off, uint8_t seed)
{
	return (uint8_t)(off ^ (off >> 8) * 7 ^ (off >> 16) * 13 ^ seed);
}

/*
 * The pattern of eight bytes from `off`, a multiple of 8, as they lie in memory
 * (little-endian): only the lowest byte of the offset differs among them. Bytes
 * one by one would take longer than the write, in a VM.
 */
static uint64_t pattern8(uint64_t off, uint8_t seed)
{
	const uint64_t ones = 0x0101010101010101ULL;

	return (0x0706050403020100ULL + (off & 0xff) * ones) ^ pattern(off & ~0xffULL, seed) * ones;
}

void wl_fill(void *buf, uint64_t len, uint64_t off, uint8_t seed)
{
	uint8_t *p = buf;
	uint64_t i = 0;

	for (; i < len && (off + i) % 8; i++)
		p[i] = pattern(off + i, seed);
	for (; i + 8 <= len; i += 8) {
		uint64_t word = pattern8(off + i, seed);

		memcpy(p + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		p[i] = pattern(off + i, seed);
}

bool wl_matches(const void *buf, uint64_t len, uint64_t off, uint8_t seed)
{
	const uint8_t *p = buf;
	uint64_t i = 0;

	for (; i < len && (off + i) % 8; i++)
		if (p[i] != pattern(off + i, seed))
			return false;
	for (; i + 8 <= len; i += 8) {
		uint64_t word = pattern8(off + i, seed);

		if (memcmp(p + i, &word, sizeof(word)))
			return false;
	}
	for (; i < len; i++)
		if (p[i] != pattern(off + i, seed))
			return false;
	return true;
}

/*
 * Returns a buffer of `len` bytes, of which the first `readable` can be read
 * and hold the pattern; the next byte is on a page without access. So the address
 * has the alignment of `readable`: 512 bytes for 7680. NULL: no memory.
 */
void *wl_buffer(uint64_t len, uint64_t readable, uint64_t off)
{
	uint64_t head = (readable + WL_PAGE - 1) / WL_PAGE * WL_PAGE;
	uint64_t all = head + (len + WL_PAGE - 1) / WL_PAGE * WL_PAGE + WL_PAGE;
	uint8_t *base;

	base = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base + head, all - head, PROT_NONE))
		return NULL;
	wl_fill(base + (head - readable), readable, off, WL_SEED_DIRECT);
	return base + (head - readable);
}

/* The case is skipped, because this fails. Returns err. */
int64_t wl_skip(struct wl_result *res, const char *what, int err)
{
	snprintf(res->skip, sizeof(res->skip), "%s: %s", what, strerror(-err));
	res->scarce = err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EAGAIN;
	return err;
}

/* The case is skipped for want of memory, where nothing else was said. */
int64_t wl_no_buffer(struct wl_result *res)
{
	return res->skip[0] ? -ENOMEM : wl_skip(res, "a buffer", -ENOMEM);
}

/* Notes what is about to be asked for; the last call of a case counts. */
void wl_begin(int fd, uint64_t off, uint64_t len, struct wl_result *res)
{
	struct stat st;

	res->offset = off;
	res->submitted = len;
	res->isize_before = fstat(fd, &st) ? 0 : (uint64_t)st.st_size;
	res->writes++;
}

int64_t wl_submit_sync(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	ssize_t n;

	(void)res;
	n = pwrite(fd, buf, len, (off_t)off);
	return n < 0 ? -errno : n;
}

int64_t wl_submit_nowait(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	struct iovec iov = {buf, len};
	ssize_t n;

	(void)res;
	n = pwritev2(fd, &iov, 1, (off_t)off, RWF_NOWAIT);
	return n < 0 ? -errno : n;
}

/* Two halves, each with an iovec of its own. */
int64_t wl_submit_pwritev2(int fd, void *buf, uint64_t len, uint64_t off, struct wl_result *res)
{
	uint64_t half = len / 2 / WL_PAGE * WL_PAGE;
	struct iovec iov[2] = {{buf, half}, {(uint8_t *)buf + half, len - half}};
	ssize_t n;

	(void)res;
	n = pwritev2(fd, iov, 2, (off_t)off, 0);
	return n < 0 ? -errno : n;
}

static void limit_fsize(uint64_t bytes)
{
	struct rlimit rl = {bytes, bytes};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &rl);
}

/* The case as its row describes it: one buffer, one write. */
int64_t wl_run_plain(const struct wl_case *c, int fd, struct wl_result *res)
{
	wl_submit_fn submit = c->submit ? c->submit : wl_submit_sync;
	uint64_t off = c->offset;
	struct stat st;
	uint8_t *buf;

	if ((c->flags & WL_AT_EOF) && !fstat(fd, &st))
		off = st.st_size;
	if (c->flags & WL_FAULT)
		buf = wl_buffer(c->len, c->readable, off);
	else
		buf = wl_buffer(c->len, (c->len + WL_PAGE) / WL_PAGE * WL_PAGE, off);
	if (!buf)
		return wl_no_buffer(res);
	if (c->skew) {
		buf += c->skew;
		wl_fill(buf, c->len, off, WL_SEED_DIRECT);
	}
	if (c->fsize)
		limit_fsize(c->fsize);
	wl_begin(fd, off, c->len, res);
	return submit(fd, buf, c->len, off, res);
}

/* Returns the [vvar] page: readable by copying, but no page can be pinned. */
void *wl_find_vvar(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start = 0;
	char line[512];

	while (f && !start && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]"))
			start = strtoul(line, NULL, 16);
	if (f)
		fclose(f);
	return (void *)start;
}
