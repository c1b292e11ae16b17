/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * CSV (RFC 4180, lines end in LF): a header with the field names, one line for
 * each write. Null is an empty value, an empty string is "". List words are
 * joined with "+". Control bytes and invalid UTF-8 in strings are written as
 * \xNN and a backslash as two, so that a record is always one line.
 *
 * ts,ts_ns,seq,cpu,pid,tid,comm,dev,ino,gen,path,offset,submitted,...
 * 2026-05-04T13:02:11.123456789Z,81123456789,41,1,4711,4711,dd,254:0,131,77,,0,...
 * # loss,ring_full,12
 * Of several hosts: host,ts,... and # loss,ring_full,12,db1
 */
#include "record/fields.h"
#include "sink/sink.h"
#include "util/escape.h"

#define LIST_ROOM 512
#define COMM_ROOM (E4D_ESCAPE_TEXT_MAX * E4D_COMM_LEN + 2)
#define LINE_ROOM (E4D_FIELD_COUNT * (E4D_TIME_MAX + 2) + LIST_ROOM + COMM_ROOM)

static char *put_list(char *p, __u64 bits, const struct e4d_names *names)
{
	for (bool first = true; bits; bits &= bits - 1, first = false) {
		if (!first)
			*p++ = '+';
		p = stpcpy(p, e4d_name(names, (unsigned int)__builtin_ctzll(bits)));
	}
	return p;
}

static char *put_value(char *p, const struct e4d_field *f, const struct e4d_value *v,
                       struct e4d_clock *clock)
{
	switch (v->kind) {
	case E4D_K_U64:
		return e4d_put_u64(p, v->u);
	case E4D_K_S64:
		return e4d_put_s64(p, v->s);
	case E4D_K_STR:
		if (f->names)
			return e4d_put_mem(p, v->str, v->len);
		return e4d_escape_csv(p, v->str, v->len);
	case E4D_K_LIST:
		return put_list(p, v->u, f->names);
	case E4D_K_BOOL:
		return v->u ? e4d_put_mem(p, "true", 4) : e4d_put_mem(p, "false", 5);
	case E4D_K_DEV:
		p = e4d_put_u64(p, e4d_dev_major((__u32)v->u));
		*p++ = ':';
		return e4d_put_u64(p, e4d_dev_minor((__u32)v->u));
	case E4D_K_TIME:
		return p + e4d_clock_format(clock, v->u, p);
	}
	return p;
}

static void csv_begin(struct e4d_sink *sink)
{
	if (sink->host)
		e4d_ob_str(&sink->out, "host,");
	for (size_t i = 0; i < E4D_FIELD_COUNT; i++) {
		if (i)
			e4d_ob_char(&sink->out, ',');
		e4d_ob_str(&sink->out, e4d_fields[i].name);
	}
	e4d_ob_char(&sink->out, '\n');
}

static void csv_write(struct e4d_sink *sink, const struct e4d_record *rec, const char *path)
{
	/* each byte of the path may be a quote or an escape */
	size_t host = sink->host ? strlen(sink->host) : 0;
	size_t room = LINE_ROOM + E4D_ESCAPE_TEXT_MAX * (host + (path ? strlen(path) : 0));
	char *p = e4d_ob_reserve(&sink->out, room);
	struct e4d_value v;

	if (!p)
		return;
	if (sink->host) {
		p = e4d_escape_csv(p, sink->host, host);
		*p++ = ',';
	}
	for (size_t i = 0; i < E4D_FIELD_COUNT; i++) {
		const struct e4d_field *f = &e4d_fields[i];

		if (i)
			*p++ = ',';
		if (e4d_field_get(f, rec, path, &v))
			p = put_value(p, f, &v, sink->clock);
	}
	*p++ = '\n';
	e4d_ob_advance(&sink->out, p);
}

static void csv_loss(struct e4d_sink *sink, const char *name, __u64 count)
{
	size_t len = strlen(name), host = sink->host ? strlen(sink->host) : 0;
	char *p = e4d_ob_reserve(&sink->out, E4D_ESCAPE_TEXT_MAX * (len + host) + 64);

	if (!p)
		return;
	p = stpcpy(p, "# loss,");
	p = e4d_escape_csv(p, name, len);
	*p++ = ',';
	p = e4d_put_u64(p, count);
	if (sink->host) {
		*p++ = ',';
		p = e4d_escape_csv(p, sink->host, host);
	}
	*p++ = '\n';
	e4d_ob_advance(&sink->out, p);
}

const struct e4d_sink_ops e4d_sink_csv = {
	.name = "csv",
	.begin = csv_begin,
	.write = csv_write,
	.loss = csv_loss,
};
