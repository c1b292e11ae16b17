/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A line buffer with appends that need no printf, written out with one
 * write(2). The first failed append is kept in `err` and returned by flush.
 */
#ifndef E4D_OUTBUF_H
#define E4D_OUTBUF_H

#include <stddef.h>
#include <string.h>

#include <linux/types.h>

#define E4D_U64_DIGITS 20

struct e4d_outbuf {
	char *data; /* owned */
	size_t len;
	size_t cap;
	int err; /* 0 or -errno of the first failed append */
};

extern const char e4d_digit_pairs[201];
extern const __u64 e4d_pow10[E4D_U64_DIGITS];

/* Writes v in decimal to p (room for 20 bytes); returns the end. */
static inline char *e4d_put_u64(char *p, __u64 v)
{
	unsigned int t, n;
	char *q;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	t = (64 - (unsigned int)__builtin_clzll(v)) * 1233 >> 12;
	n = t + (v >= e4d_pow10[t]);
	q = p + n;
	for (; v >= 100; v /= 100)
		memcpy(q -= 2, e4d_digit_pairs + v % 100 * 2, 2);
	if (v >= 10)
		memcpy(q - 2, e4d_digit_pairs + v * 2, 2);
	else
		q[-1] = (char)('0' + v);
	return p + n;
}

/* The same for a signed value: room for 20 bytes. */
static inline char *e4d_put_s64(char *p, __s64 v)
{
	if (v >= 0)
		return e4d_put_u64(p, (__u64)v);
	*p = '-';
	return e4d_put_u64(p + 1, 0 - (__u64)v);
}

static inline char *e4d_put_mem(char *p, const void *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

/*
 * Makes room for n more bytes and returns where they go, NULL when memory is
 * out (err is set). The caller writes there and calls e4d_ob_advance().
 */
char *e4d_ob_reserve(struct e4d_outbuf *ob, size_t n);
static inline void e4d_ob_advance(struct e4d_outbuf *ob, const char *end)
{
	ob->len = (size_t)(end - ob->data);
}

void e4d_ob_mem(struct e4d_outbuf *ob, const void *s, size_t n);
void e4d_ob_str(struct e4d_outbuf *ob, const char *s);
void e4d_ob_char(struct e4d_outbuf *ob, char c);
void e4d_ob_pad(struct e4d_outbuf *ob, size_t n); /* n spaces */
void e4d_ob_u64(struct e4d_outbuf *ob, __u64 v);
void e4d_ob_s64(struct e4d_outbuf *ob, __s64 v);
void e4d_ob_hex(struct e4d_outbuf *ob, __u64 v); /* 0x..., no leading zeros */

/*
 * Writes what is buffered to fd, in one write(2) where the kernel takes it
 * whole; short writes, EINTR and EAGAIN are continued. The buffer is empty
 * afterwards. Returns 0, or a negative errno: -EPIPE when the reader is gone
 * (the program must ignore SIGPIPE).
 */
int e4d_ob_flush(struct e4d_outbuf *ob, int fd);

/* Frees the buffer's memory; it may be used again. */
void e4d_ob_free(struct e4d_outbuf *ob);

#endif
