/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A buffer with appends that need no printf, written out with one write(2).
 * Digits are laid out for a little-endian machine. The first failed append is kept in `err` and
 * returned by flush.
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

/*
 * The eight decimal digits of v < 10^8, one in each byte and not yet ASCII, the
 * first in the lowest: all are taken apart at once, two lanes, then four, then
 * eight (multiply and shift instead of a division each).
 */
static inline __u64 e4d_digits8(__u32 v)
{
	__u64 fours = v / 10000 | (__u64)(v % 10000) << 32;
	__u64 high = (fours * 10486 >> 20) & 0x0000007f0000007fULL;
	__u64 pairs = high | (fours - 100 * high) << 16;
	__u64 tens = (pairs * 103 >> 10) & 0x000f000f000f000fULL;

	return tens | (pairs - 10 * tens) << 8;
}

#define E4D_ASCII8 0x3030303030303030ULL

/* Writes v < 10^8 as eight digits, with zeros before it; returns the end. */
static inline char *e4d_put_digits8(char *p, __u32 v)
{
	__u64 digits = e4d_digits8(v) | E4D_ASCII8;

	memcpy(p, &digits, 8);
	return p + 8;
}

/* Writes 10 <= v < 10^4 in decimal (room for 4 bytes), by the same means; returns the end. */
static inline char *e4d_put_digits4(char *p, __u32 v)
{
	__u32 high = v * 5243 >> 19;
	__u32 pairs = high | (v - 100 * high) << 16;
	__u32 tens = (pairs * 103 >> 10) & 0x000f000f;
	__u32 digits = tens | (pairs - 10 * tens) << 8;
	unsigned int zeros = (unsigned int)__builtin_ctz(digits) / 8;

	digits = (digits | (__u32)E4D_ASCII8) >> zeros * 8;
	memcpy(p, &digits, 4);
	return p + 4 - zeros;
}

/* Writes v < 10^8 in decimal (room for 8 bytes); returns the end. */
static inline char *e4d_put_short(char *p, __u32 v)
{
	__u64 digits;
	unsigned int zeros;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	if (v < 10000)
		return e4d_put_digits4(p, v);
	digits = e4d_digits8(v);
	zeros = (unsigned int)__builtin_ctzll(digits) / 8;
	digits = (digits | E4D_ASCII8) >> zeros * 8;
	memcpy(p, &digits, 8);
	return p + 8 - zeros;
}

/* Writes v in decimal to p (room for 20 bytes, all of them used as scratch); returns the end. */
static inline char *e4d_put_u64(char *p, __u64 v)
{
	__u64 high;

	if (v < 100000000)
		return e4d_put_short(p, (__u32)v);
	high = v / 100000000;
	if (high < 100000000)
		p = e4d_put_short(p, (__u32)high);
	else
		p = e4d_put_digits8(e4d_put_short(p, (__u32)(high / 100000000)),
		                    (__u32)(high % 100000000));
	return e4d_put_digits8(p, (__u32)(v % 100000000));
}

/* The same for a signed value. */
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
