/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <string.h>

#include "report/json.h"
#include "util/escape.h"

static void put_key(struct e4d_outbuf *ob, const char *key)
{
	char before = ob->len ? ob->data[ob->len - 1] : '{';

	if (before != '{' && before != '[' && before != '\n')
		e4d_ob_char(ob, ',');
	if (!key)
		return;
	e4d_ob_char(ob, '"');
	e4d_ob_str(ob, key);
	e4d_ob_mem(ob, "\":", 2);
}

void e4d_j_open(struct e4d_outbuf *ob, const char *key, char bracket)
{
	put_key(ob, key);
	e4d_ob_char(ob, bracket);
}

void e4d_j_close(struct e4d_outbuf *ob, char bracket)
{
	e4d_ob_char(ob, bracket);
}

void e4d_j_u64(struct e4d_outbuf *ob, const char *key, uint64_t v)
{
	put_key(ob, key);
	e4d_ob_u64(ob, v);
}

void e4d_j_s64(struct e4d_outbuf *ob, const char *key, int64_t v)
{
	put_key(ob, key);
	e4d_ob_s64(ob, v);
}

void e4d_j_bool(struct e4d_outbuf *ob, const char *key, bool v)
{
	put_key(ob, key);
	e4d_ob_str(ob, v ? "true" : "false");
}

void e4d_j_str(struct e4d_outbuf *ob, const char *key, const char *s)
{
	put_key(ob, key);
	if (!s) {
		e4d_ob_str(ob, "null");
		return;
	}
	e4d_ob_char(ob, '"');
	while (*s) {
		size_t n = strcspn(s, "<>&");
		char *p = e4d_ob_reserve(ob, n * E4D_ESCAPE_JSON_MAX + 8);

		if (!p)
			return;
		p = e4d_escape_json(p, s, n);
		s += n;
		if (*s) {
			p = e4d_put_mem(p, "\\u00", 4);
			*p++ = (char)('0' + (*s >> 4));
			*p++ = "0123456789abcdef"[*s++ & 15];
		}
		e4d_ob_advance(ob, p);
	}
	e4d_ob_char(ob, '"');
}
