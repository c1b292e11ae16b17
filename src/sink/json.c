/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * JSON lines: one object for each write, every field, null where unknown.
 *
 * {"ts":"2026-05-04T13:02:11.123456789+02:00","ts_ns":81123456789,"seq":41,"cpu":1,
 *  "pid":4711,"tid":4711,"comm":"pwrite-tail","dev":"254:0","ino":131,"gen":77,
 *  "path":"/mnt/f","offset":0,"submitted":1048576,"mapped":1048576,
 *  "mapped_end":1048576,"alloc_end":1048576,"extents":1,"dio_size":7680,
 *  "dio_error":0,"ret":-1,"fallback":null,"isize_before":0,"isize_after":7680,
 *  "blksize":4096,"trim_from":null,"trim_ret":null,"past_eof":1040384,
 *  "prealloc":0,"orphan":false,"exposed_ns":0,"flags":["extend","sync","new"],
 *  "latency_ns":1234567,"verdict":"leak","doubt":[],"evidence":"observed",
 *  "tier":"fentry"}                                   (all of it on one line)
 * {"loss":"ring_full","count":12}
 */
#include "record/fields.h"
#include "sink/sink.h"
#include "util/escape.h"

/* Room for all keys, numbers, lists and comm; strings come on top. */
#define FIELD_ROOM (sizeof(((struct e4d_field *)0)->key) + E4D_TIME_MAX + 8)
#define LIST_ROOM  512
#define COMM_ROOM  (E4D_ESCAPE_JSON_MAX * E4D_COMM_LEN)
#define LINE_ROOM  (E4D_FIELD_COUNT * FIELD_ROOM + LIST_ROOM + COMM_ROOM)

static char *put_list(char *p, __u64 bits, const struct e4d_names *names)
{
	*p++ = '[';
	for (; bits; bits &= bits - 1) {
		const char *word = e4d_name(names, (unsigned int)__builtin_ctzll(bits));

		*p++ = '"';
		p = stpcpy(p, word);
		*p++ = '"';
		*p++ = ',';
	}
	if (p[-1] == ',')
		p--;
	*p++ = ']';
	return p;
}

static char *put_string(char *p, const struct e4d_field *f, const struct e4d_value *v)
{
	*p++ = '"';
	if (f->names)
		p = e4d_put_mem(p, v->str, v->len);
	else
		p = e4d_escape_json(p, v->str, v->len);
	*p++ = '"';
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
		return put_string(p, f, v);
	case E4D_K_LIST:
		return put_list(p, v->u, f->names);
	case E4D_K_BOOL:
		return v->u ? e4d_put_mem(p, "true", 4) : e4d_put_mem(p, "false", 5);
	case E4D_K_DEV:
		*p++ = '"';
		p = e4d_put_u64(p, e4d_dev_major((__u32)v->u));
		*p++ = ':';
		p = e4d_put_u64(p, e4d_dev_minor((__u32)v->u));
		*p++ = '"';
		return p;
	case E4D_K_TIME:
		*p++ = '"';
		p += e4d_clock_format(clock, v->u, p);
		*p++ = '"';
		return p;
	}
	return p;
}

static void json_write(struct e4d_sink *sink, const struct e4d_record *rec, const char *path)
{
	size_t room = LINE_ROOM + (path ? E4D_ESCAPE_JSON_MAX * strlen(path) : 0);
	char *start = e4d_ob_reserve(&sink->out, room), *p = start;
	struct e4d_value v;

	if (!p)
		return;
	for (size_t i = 0; i < E4D_FIELD_COUNT; i++) {
		const struct e4d_field *f = &e4d_fields[i];

		memcpy(p, f->key, sizeof(f->key));
		p += f->key_len;
		if (e4d_field_get(f, rec, path, &v))
			p = put_value(p, f, &v, &sink->clock);
		else
			p = e4d_put_mem(p, "null", 4);
	}
	*start = '{'; /* over the first key's comma */
	*p++ = '}';
	*p++ = '\n';
	e4d_ob_advance(&sink->out, p);
}

static void json_loss(struct e4d_sink *sink, const char *name, __u64 count)
{
	size_t len = strlen(name);
	char *p = e4d_ob_reserve(&sink->out, E4D_ESCAPE_JSON_MAX * len + 64);

	if (!p)
		return;
	p = stpcpy(p, "{\"loss\":\"");
	p = e4d_escape_json(p, name, len);
	p = stpcpy(p, "\",\"count\":");
	p = e4d_put_u64(p, count);
	p = stpcpy(p, "}\n");
	e4d_ob_advance(&sink->out, p);
}

const struct e4d_sink_ops e4d_sink_json = {
	.name = "json",
	.write = json_write,
	.loss = json_loss,
};
