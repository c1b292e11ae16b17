/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Text for people: a header, one line for each write, and under a finding its
 * exact numbers, named as the filter names them. No line is wider than 80
 * columns. Sizes are exact where five columns hold them, else in units of
 * 1024; "-" is null; a comm that was cut ends in "+". Of several hosts HOST takes
 * the place of PID.
 *
 * TIME     COMM          PID  OFFS  SUBM   MAP ENDIO   RET ISIZE  PAST VERDICT
 * 13:02:11 fio          4711  4096  4096  4096  4096  4096  8192     0 clean
 * 13:02:12 pwrite-t+    4712     0    1M    1M  7680   -14  7680 1016K leak
 *     dev=254:0 ino=131 offset=0 submitted=1048576 dio_size=7680 ret=-14(EFAULT)
 *     past_eof=1040384 isize=0..7680 trim=none observed path=/mnt/scratch/f
 */
#include <stdio.h>

#include "record/names.h"
#include "record/fields.h"
#include "sink/sink.h"
#include "util/escape.h"
#include "verdict.h"

#define COLS       80
#define INDENT     4
#define COMM_COLS  9
#define PID_COLS   7
#define HOST_MOST  40 /* of a finding's lines */
#define NUM_COLS   5
#define NUM_ROOM   (E4D_U64_DIGITS + 1)
#define PATH_LEAST 24 /* a path with less room gets its own line */

/* Shortens a size to 5 columns: 99999, 1016K, 1500K, 1M, 97.6K, 15.9E. */
static void short_size(char out[NUM_ROOM], __u64 v)
{
	unsigned int unit = 0;
	__u64 whole = v;

	if (v < 100000) {
		*e4d_put_u64(out, v) = 0;
		return;
	}
	while (whole > 9999) {
		whole >>= 10;
		unit++;
	}
	/* one unit up: 1024K is 1M, and what is not exact gets a decimal */
	if (v == whole << (10 * unit) ? whole % 1024 == 0 : whole >= 1024) {
		whole >>= 10;
		unit++;
	}
	if (v == whole << (10 * unit) || whole >= 100) {
		snprintf(out, NUM_COLS + 1, "%u%c", (unsigned int)whole, " KMGTPE"[unit]);
	} else {
		__u64 part = v >> (10 * (unit - 1)) & 1023;

		snprintf(out, NUM_COLS + 1, "%u.%u%c", (unsigned int)whole,
		         (unsigned int)(part * 10 / 1024), " KMGTPE"[unit]);
	}
}

/* One field of the main line, right-aligned in NUM_COLS after a space. */
static void put_num(struct e4d_outbuf *ob, const char *name, const struct e4d_record *rec)
{
	const struct e4d_field *f = e4d_field_find(name, strlen(name));
	char num[NUM_ROOM];
	struct e4d_value v;
	size_t len;

	if (!f || !e4d_field_get(f, rec, NULL, &v)) {
		strcpy(num, "-");
	} else if (v.kind == E4D_K_S64 && v.s < 0) {
		num[0] = '-';
		if (v.s > -10000)
			*e4d_put_s64(num, v.s) = 0;
		else
			strcpy(num, "-9999"); /* no errno is that large */
	} else {
		short_size(num, v.u);
	}
	len = strlen(num);
	e4d_ob_pad(ob, 1 + NUM_COLS - len);
	e4d_ob_mem(ob, num, len);
}

/* Appends s, escaped, in at most cols columns; returns the columns used. */
static size_t put_cut(struct e4d_outbuf *ob, const char *s, size_t len, size_t cols)
{
	char unit[E4D_TEXT_UNIT_MAX];
	size_t used = 0, n;
	unsigned int w;

	for (size_t i = 0; i < len; used += w) {
		i += e4d_text_unit(s + i, len - i, unit, &n, &w);
		if (used + w > cols)
			break;
		e4d_ob_mem(ob, unit, n);
	}
	return used;
}

/* Appends s in exactly cols columns. */
static void put_column(struct e4d_outbuf *ob, const char *s, size_t len, size_t cols)
{
	size_t used;

	if (e4d_text_cols(s, len) <= cols) {
		used = put_cut(ob, s, len, cols);
	} else {
		used = put_cut(ob, s, len, cols - 1) + 1;
		e4d_ob_char(ob, '+');
	}
	e4d_ob_pad(ob, cols - used);
}

/* Appends the path in at most cols columns, its middle replaced by "...". */
static void put_path(struct e4d_outbuf *ob, const char *path, size_t cols)
{
	size_t len = strlen(path), total = e4d_text_cols(path, len), i = 0, n;
	char unit[E4D_TEXT_UNIT_MAX];
	size_t head, tail;
	unsigned int w;

	if (total <= cols) {
		put_cut(ob, path, len, cols);
		return;
	}
	head = (cols - 3) / 3;
	tail = cols - 3 - put_cut(ob, path, len, head);
	e4d_ob_str(ob, "...");
	while (i < len && total > tail) {
		i += e4d_text_unit(path + i, len - i, unit, &n, &w);
		total -= w;
	}
	put_cut(ob, path + i, len - i, tail);
}

/* Appends a word to the indented lines, on a new one where it does not fit. */
static void put_word(struct e4d_outbuf *ob, size_t *col, const char *word)
{
	size_t len = strlen(word);

	if (*col + 1 + len > COLS) {
		e4d_ob_char(ob, '\n');
		*col = 0;
	}
	if (!*col) {
		e4d_ob_pad(ob, INDENT);
		*col = INDENT;
	} else {
		e4d_ob_char(ob, ' ');
		(*col)++;
	}
	e4d_ob_str(ob, word);
	*col += len;
}

static void put_errno(char *buf, size_t size, const char *name, bool known, long long v)
{
	const char *e = v < 0 && v > -4096 ? strerrorname_np((int)-v) : NULL;

	if (!known)
		snprintf(buf, size, "%s=null", name);
	else if (e)
		snprintf(buf, size, "%s=%lld(%s)", name, v, e);
	else
		snprintf(buf, size, "%s=%lld", name, v);
}

static void put_trim(char *buf, size_t size, const struct e4d_record *r)
{
	if (!(r->seen & E4D_SEEN_TRIM))
		snprintf(buf, size, "trim=none");
	else if (!(r->seen & E4D_SEEN_TRIM_RET))
		snprintf(buf, size, "trim_from=%llu", r->trim_from);
	else
		snprintf(buf, size, "trim_from=%llu trim_ret=%d", r->trim_from, r->trim_ret);
}

static void put_finding(struct e4d_sink *sink, const struct e4d_record *r, const char *path)
{
	struct e4d_outbuf *ob = &sink->out;
	size_t col = 0, room;
	char word[64];

	if (sink->host) {
		put_word(ob, &col, "host=");
		col += put_cut(ob, sink->host, strlen(sink->host), HOST_MOST);
	}
#define WORD(...) (snprintf(word, sizeof(word), __VA_ARGS__), put_word(ob, &col, word))
	if (sink->host)
		WORD("pid=%u", r->pid);
	WORD("dev=%u:%u", e4d_dev_major(r->dev), e4d_dev_minor(r->dev));
	WORD("ino=%llu", r->ino);
	WORD("offset=%llu", r->offset);
	WORD("submitted=%u", r->submitted);
	if (r->seen & E4D_SEEN_DIO_SIZE)
		WORD("dio_size=%u", r->dio_size);
	put_errno(word, sizeof(word), "ret", r->seen & E4D_SEEN_RET, r->ret);
	put_word(ob, &col, word);
	if (r->seen & E4D_SEEN_FALLBACK) {
		put_errno(word, sizeof(word), "fallback", true, r->fallback);
		put_word(ob, &col, word);
	}
	WORD("past_eof=%llu", r->past_eof);
	WORD("isize=%llu..%llu", r->isize_before, r->isize_after);
	put_trim(word, sizeof(word), r);
	put_word(ob, &col, word);
	if (r->exposed_ns)
		WORD("exposed_ns=%llu", r->exposed_ns);
	WORD("%s", e4d_evidence_name(r->evidence));
	if (path) {
		room = COLS - col > 6 ? COLS - col - 6 : 0;
		if (e4d_text_cols(path, strlen(path)) > room && room < PATH_LEAST) {
			e4d_ob_char(ob, '\n');
			col = 0;
		}
		put_word(ob, &col, "path=");
		put_path(ob, path, COLS - col);
	}
	e4d_ob_char(ob, '\n');
#undef WORD
}

static void text_begin(struct e4d_sink *sink)
{
	e4d_ob_str(&sink->out, "TIME     COMM      ");
	e4d_ob_str(&sink->out, sink->host ? "HOST   " : "    PID");
	e4d_ob_str(&sink->out, "  OFFS  SUBM   MAP ENDIO   RET ISIZE  PAST VERDICT\n");
}

static void text_write(struct e4d_sink *sink, const struct e4d_record *rec, const char *path)
{
	struct e4d_outbuf *ob = &sink->out;
	char buf[E4D_TIME_MAX];

	e4d_clock_format(sink->clock, rec->ts_ns, buf);
	e4d_ob_mem(ob, buf + 11, 8);
	e4d_ob_char(ob, ' ');
	put_column(ob, rec->comm, strnlen(rec->comm, sizeof(rec->comm)), COMM_COLS);
	if (sink->host) {
		e4d_ob_char(ob, ' ');
		put_column(ob, sink->host, strlen(sink->host), PID_COLS);
	} else {
		/* a real pid has 7 digits at most; a wider one would break the line */
		snprintf(buf, sizeof(buf), " %7u", rec->pid % 10000000);
		e4d_ob_str(ob, buf);
	}
	put_num(ob, "offset", rec);
	put_num(ob, "submitted", rec);
	put_num(ob, "mapped", rec);
	put_num(ob, "dio_size", rec);
	put_num(ob, "ret", rec);
	put_num(ob, "isize_after", rec);
	put_num(ob, "past_eof", rec);
	e4d_ob_char(ob, ' ');
	e4d_ob_str(ob, e4d_verdict_name(rec->verdict));
	e4d_ob_char(ob, '\n');
	if (e4d_is_finding(rec, sink->strict))
		put_finding(sink, rec, path);
}

const struct e4d_sink_ops e4d_sink_text = {
	.name = "text",
	.begin = text_begin,
	.write = text_write,
};
