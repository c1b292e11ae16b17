/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/outbuf.h"

char *e4d_ob_reserve(struct e4d_outbuf *ob, size_t n)
{
	size_t cap = ob->cap ? ob->cap : 1024;
	char *data;

	if (ob->cap - ob->len >= n && ob->data)
		return ob->data + ob->len;
	if (n > (size_t)1 << 30) {
		ob->err = ob->err ? ob->err : -ENOMEM;
		return NULL;
	}
	while (cap - ob->len < n)
		cap *= 2;
	data = realloc(ob->data, cap);
	if (!data) {
		ob->err = ob->err ? ob->err : -ENOMEM;
		return NULL;
	}
	ob->data = data;
	ob->cap = cap;
	return data + ob->len;
}

void e4d_ob_mem(struct e4d_outbuf *ob, const void *s, size_t n)
{
	char *p = e4d_ob_reserve(ob, n);

	if (p)
		e4d_ob_advance(ob, e4d_put_mem(p, s, n));
}

void e4d_ob_str(struct e4d_outbuf *ob, const char *s)
{
	e4d_ob_mem(ob, s, strlen(s));
}

void e4d_ob_char(struct e4d_outbuf *ob, char c)
{
	e4d_ob_mem(ob, &c, 1);
}

void e4d_ob_pad(struct e4d_outbuf *ob, size_t n)
{
	char *p = e4d_ob_reserve(ob, n);

	if (p) {
		memset(p, ' ', n);
		e4d_ob_advance(ob, p + n);
	}
}

void e4d_ob_u64(struct e4d_outbuf *ob, __u64 v)
{
	char *p = e4d_ob_reserve(ob, E4D_U64_DIGITS);

	if (p)
		e4d_ob_advance(ob, e4d_put_u64(p, v));
}

void e4d_ob_s64(struct e4d_outbuf *ob, __s64 v)
{
	char *p = e4d_ob_reserve(ob, E4D_U64_DIGITS + 1);

	if (p)
		e4d_ob_advance(ob, e4d_put_s64(p, v));
}

void e4d_ob_hex(struct e4d_outbuf *ob, __u64 v)
{
	char *p = e4d_ob_reserve(ob, 18);
	int shift = v ? (63 - __builtin_clzll(v)) / 4 * 4 : 0;

	if (!p)
		return;
	*p++ = '0';
	*p++ = 'x';
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	e4d_ob_advance(ob, p);
}

static int wait_writable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int e4d_ob_flush(struct e4d_outbuf *ob, int fd)
{
	int err = ob->err;
	size_t done = 0;

	while (!err && done < ob->len) {
		ssize_t n = write(fd, ob->data + done, ob->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			err = -EIO;
		else if (errno == EAGAIN)
			err = wait_writable(fd);
		else if (errno != EINTR)
			err = -errno;
	}
	ob->len = 0;
	ob->err = 0;
	return err;
}

void e4d_ob_free(struct e4d_outbuf *ob)
{
	free(ob->data);
	memset(ob, 0, sizeof(*ob));
}
