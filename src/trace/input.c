/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/input.h"

#define EIO_STEP 4096u /* what a read error is taken to spoil */

ssize_t e4d_input_bytes(struct e4d_input *in, uint8_t *dst, size_t cap)
{
	ssize_t n;

	do
		n = pread(in->fd, dst, cap, (off_t)in->at);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EIO && in->at < in->size) {
		n = cap < EIO_STEP ? (ssize_t)cap : (ssize_t)EIO_STEP;
		memset(dst, 0, (size_t)n);
	}
	if (n < 0)
		return -errno;
	in->at += (uint64_t)n;
	return n;
}

static bool is_zstd(int fd, const char *name)
{
	size_t n = strlen(name);
	uint32_t magic = 0;

	if (n >= 4 && !strcmp(name + n - 4, ".zst"))
		return true;
	return pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) && magic == E4D_ZSTD_MAGIC;
}

int e4d_input_open(struct e4d_input *in, int dirfd, const char *name)
{
	struct stat st;
	int err = 0;

	in->at = in->from = in->to = 0;
	in->end = in->junk = false;
	in->read = e4d_input_bytes;
	/* a FIFO must not hold us up */
	in->fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (in->fd < 0)
		return -errno;
	if (fstat(in->fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		err = -EINVAL;
	in->size = err ? 0 : (uint64_t)lseek(in->fd, 0, SEEK_END);
	if (!in->buf)
		in->buf = aligned_alloc(4096, E4D_PACKET_MAX);
	if (!err && !in->buf)
		err = -ENOMEM;
	if (!err && is_zstd(in->fd, name)) {
		err = e4d_unzstd_open(&in->zstd);
		in->read = e4d_unzstd_read;
	}
	if (err)
		e4d_input_close(in);
	return err;
}

/* At least n bytes from in->from on, where there are; aligned for the packet's structs. */
static int refill(struct e4d_input *in, size_t n)
{
	if (in->to - in->from < n || in->from % 8) {
		memmove(in->buf, in->buf + in->from, in->to - in->from);
		in->to -= in->from;
		in->from = 0;
	}
	while (in->to - in->from < n && !in->end) {
		ssize_t got = in->read(in, in->buf + in->to, E4D_PACKET_MAX - in->to);

		if (got < 0)
			return (int)got;
		if (!got)
			in->end = true;
		in->to += (size_t)got;
		in->got += (uint64_t)got;
		if (in->progress)
			in->progress(in);
	}
	return 0;
}

/* From the byte after in->from on, to what may be a header. */
static void skip(struct e4d_input *in, enum e4d_packet_state state)
{
	static const struct {
		__u32 magic, stream_id;
	} start = {E4D_PACKET_MAGIC, 0};
	size_t have = in->to - in->from, n;
	const uint8_t *next = NULL;

	if (state != E4D_PACKET_NONE || !in->junk)
		in->count[state]++;
	in->junk = true;
	if (have > sizeof(start))
		next = memmem(in->buf + in->from + 1, have - 1, &start, sizeof(start));
	if (next)
		n = (size_t)(next - in->buf) - in->from;
	else if (in->end || have < sizeof(start))
		n = have;
	else
		n = have - sizeof(start) + 1; /* it may go on in what comes */
	in->from += n;
	in->bad_bytes += n;
}

/* What begins at in->from, with as many bytes there as it wants. */
static int judge(struct e4d_input *in, enum e4d_packet_state *state, size_t *bytes)
{
	int err;

	*state = e4d_packet_check(in->buf + in->from, in->to - in->from, bytes);
	if (*state != E4D_PACKET_SHORT || in->end)
		return 0;
	err = refill(in, *bytes);
	if (!err)
		*state = e4d_packet_check(in->buf + in->from, in->to - in->from, bytes);
	return err;
}

int e4d_input_packet(struct e4d_input *in, const struct e4d_packet **p)
{
	enum e4d_packet_state state;
	size_t bytes, other = 0;
	int err;

	for (;;) {
		err = refill(in, in->also ? E4D_PACKET_ALIGN : sizeof(struct e4d_packet));
		if (err)
			return err;
		if (in->from == in->to) {
			if (!in->zstd || !e4d_unzstd_more(in))
				return 0;
			in->end = false;
			continue;
		}
		err = judge(in, &state, &bytes);
		if (err)
			return err;
		if (in->also && state == E4D_PACKET_NONE)
			other = in->also(in->buf + in->from, in->to - in->from);
		if (state == E4D_PACKET_WHOLE || other)
			break;
		skip(in, state);
		if (state == E4D_PACKET_NEWER)
			return -EPROTO;
	}
	*p = (const void *)(in->buf + in->from);
	in->from += other ? other : bytes;
	in->junk = false;
	in->count[E4D_PACKET_WHOLE]++;
	return other ? 2 : 1;
}

/* The size of the packet at an offset, by its header; 0: none is there. */
static size_t peek(const struct e4d_input *in, uint64_t at, struct e4d_packet *p)
{
	size_t bytes;

	if (pread(in->fd, p, sizeof(*p), (off_t)at) != (ssize_t)sizeof(*p) ||
	    e4d_packet_check(p, sizeof(*p), &bytes) != E4D_PACKET_SHORT)
		return 0;
	return bytes;
}

void e4d_input_skip_before(struct e4d_input *in, uint64_t ns)
{
	struct e4d_packet p, next;
	size_t bytes;

	if (in->zstd)
		return;
	bytes = peek(in, in->at, &p);
	while (bytes && p.timestamp_end < ns) {
		size_t after = peek(in, in->at + bytes, &next);

		if (!after)
			break;
		in->at += bytes;
		bytes = after;
		p = next;
	}
}

void e4d_input_close(struct e4d_input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
	e4d_unzstd_close(in->zstd);
	e4d_image_close(in->image);
	in->zstd = NULL;
	in->image = NULL;
	in->from = in->to = 0;
	in->end = true;
}

void e4d_input_free(struct e4d_input *in)
{
	free(in->buf);
	in->buf = NULL;
}

uint64_t e4d_input_bad(const struct e4d_input *in)
{
	uint64_t n = 0;

	for (int i = 0; i < E4D_PACKET_STATES; i++)
		if (i != E4D_PACKET_WHOLE)
			n += in->count[i];
	return n;
}
