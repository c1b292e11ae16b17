/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdbool.h>
#include <string.h>

#include "util/escape.h"

static const char hex[] = "0123456789abcdef";

struct range {
	__u32 from, to;
};

/* Valid characters that a terminal or a reader must not get as they are. */
static const struct range hidden[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
	{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
	{0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
};

/*
 * Two columns on a terminal. Too wide is harmless (a line stays within 80),
 * too narrow is not, so the ranges are generous.
 */
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x2300, 0x23ff},   {0x25a0, 0x27bf},   {0x2b00, 0x2bff},
	{0x2e80, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
	{0xfe10, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16f00, 0x18fff},
	{0x1af00, 0x1b3ff}, {0x1d300, 0x1d37f}, {0x1f000, 0x1ffff}, {0x20000, 0x3ffff},
};

static bool in_ranges(const struct range *r, size_t n, __u32 cp)
{
	for (size_t i = 0; i < n && cp >= r[i].from; i++)
		if (cp <= r[i].to)
			return true;
	return false;
}

#define IN(table, cp) in_ranges(table, sizeof(table) / sizeof((table)[0]), cp)

size_t e4d_utf8_decode(const char *str, size_t len, __u32 *cp)
{
	static const __u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)str;
	size_t n;
	__u32 c;

	if (!len)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < n)
		return 0;
	c = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

static char *put_hex(char *dst, unsigned char c)
{
	*dst++ = '\\';
	*dst++ = 'x';
	*dst++ = hex[c >> 4];
	*dst++ = hex[c & 15];
	return dst;
}

size_t e4d_text_unit(const char *s, size_t len, char out[E4D_TEXT_UNIT_MAX], size_t *outlen,
                     unsigned int *cols)
{
	size_t used;
	__u32 cp = 0;

	if (*s >= 0x20 && *s < 0x7f && *s != '\\') {
		out[0] = *s;
		*outlen = *cols = 1;
		return 1;
	}
	used = e4d_utf8_decode(s, len, &cp);
	if (used && !IN(hidden, cp)) {
		memcpy(out, s, used);
		*outlen = used;
		*cols = IN(wide, cp) ? 2 : 1;
		if (cp == '\\') {
			out[1] = '\\';
			*outlen = *cols = 2;
		}
		return used;
	}
	/* its other bytes are no character by themselves, and follow */
	put_hex(out, (unsigned char)*s);
	*outlen = *cols = 4;
	return 1;
}

size_t e4d_text_cols(const char *s, size_t len)
{
	char unit[E4D_TEXT_UNIT_MAX];
	size_t total = 0, n;
	unsigned int cols;

	for (size_t i = 0; i < len; total += cols)
		i += e4d_text_unit(s + i, len - i, unit, &n, &cols);
	return total;
}

static size_t escape(char *dst, size_t cap, const char *s, size_t len, bool keep_backslash)
{
	char unit[E4D_TEXT_UNIT_MAX];
	size_t o = 0, n;
	unsigned int cols;

	if (!cap)
		return 0;
	for (size_t i = 0; i < len;) {
		bool backslash = s[i] == '\\';

		i += e4d_text_unit(s + i, len - i, unit, &n, &cols);
		if (backslash && keep_backslash)
			n = 1;
		if (n >= cap - o)
			break;
		memcpy(dst + o, unit, n);
		o += n;
	}
	dst[o] = 0;
	return o;
}

size_t e4d_escape_text(char *dst, size_t cap, const char *s, size_t len)
{
	return escape(dst, cap, s, len, false);
}

size_t e4d_escape_line(char *dst, size_t cap, const char *s, size_t len)
{
	return escape(dst, cap, s, len, true);
}

static char *put_u16(char *dst, __u32 v)
{
	*dst++ = '\\';
	*dst++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*dst++ = hex[v >> shift & 15];
	return dst;
}

/* One unit that is not plain ASCII; returns the bytes of s used. */
static size_t json_unit(char **dst, const char *s, size_t len)
{
	__u32 cp = 0;
	size_t n = e4d_utf8_decode(s, len, &cp);

	if (!n) {
		*dst = put_u16(*dst, (unsigned char)*s);
		return 1;
	}
	if (cp == '"' || cp == '\\') {
		*(*dst)++ = '\\';
		*(*dst)++ = (char)cp;
	} else if (!IN(hidden, cp)) {
		memcpy(*dst, s, n);
		*dst += n;
	} else if (cp < 0x10000) {
		*dst = put_u16(*dst, cp);
	} else {
		*dst = put_u16(*dst, 0xd800 + ((cp - 0x10000) >> 10));
		*dst = put_u16(*dst, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	}
	return n;
}

/* Does a byte of x need a look: a control, not ASCII, a quote or a backslash? */
static bool json_special8(__u64 x)
{
	const __u64 ones = 0x0101010101010101ULL, tops = ones << 7;
	__u64 quote = x ^ ones * '"', back = x ^ ones * '\\';

	return ((x - ones * 0x20) | (x + ones) | x | (quote - ones) | (back - ones)) & tops;
}

char *e4d_escape_json(char *dst, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		__u64 x;

		while (len - i >= sizeof(x)) {
			memcpy(&x, s + i, sizeof(x));
			if (json_special8(x))
				break;
			memcpy(dst, &x, sizeof(x));
			dst += sizeof(x);
			i += sizeof(x);
		}
		if (i == len)
			break;
		if (len >= sizeof(x) && len - i < sizeof(x)) {
			/* the last eight: those before i are there already, as they are */
			memcpy(&x, s + len - sizeof(x), sizeof(x));
			if (!json_special8(x)) {
				memcpy(dst + (len - i) - sizeof(x), &x, sizeof(x));
				return dst + (len - i);
			}
		}
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			*dst++ = (char)c;
			i++;
		} else {
			i += json_unit(&dst, s + i, len - i);
		}
	}
	return dst;
}

char *e4d_escape_csv(char *dst, const char *s, size_t len)
{
	bool quote = !len || s[0] == ' ' || s[len - 1] == ' ' || memchr(s, '"', len) ||
	             memchr(s, ',', len);
	char unit[E4D_TEXT_UNIT_MAX];
	unsigned int cols;
	size_t n;

	if (quote)
		*dst++ = '"';
	if (len && strchr("=+-@", s[0]) && s[0]) {
		dst = put_hex(dst, (unsigned char)*s++);
		len--;
	}
	for (size_t i = 0; i < len; dst += n) {
		n = 0;
		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\' && s[i] != '"') {
			*dst++ = s[i++];
			continue;
		}
		if (s[i] == '"')
			*dst++ = '"';
		i += e4d_text_unit(s + i, len - i, unit, &n, &cols);
		memcpy(dst, unit, n);
	}
	if (quote)
		*dst++ = '"';
	return dst;
}
