/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * One document; each write is the object of trace --json:
 * {"version":1,"program":"ext4diotop 0.1.0","command":["./check","-g","aio"],
 *  "status":0,"signal":null,"tier":"fentry","exit":1,
 *  "marks":{"source":"/dev/kmsg","why":null,"error_ns":9000,"gaps":0},
 *  "tests":[{"name":null,"from_ns":null,"to_ns":null,"writes":3,...},
 *    {"name":"generic/091","from_ns":811...,"to_ns":811...,"writes":12,"extending":3,
 *     "findings":2,"maybe":0,"unknown":0}, ...],
 *  "other":{"writes":5,...},
 *  "findings":[{"tests":["generic/091"],"of_command":true,"write":{...}}, ...],
 *  "unlisted":0,"unconfirmed":0,"losses":{"ring_full":12},
 *  "sum":{"writes":57,"extending":8,"findings":2,"maybe":0,"unknown":0}}
 * A test's begin lies within [from_ns, to_ns] of CLOCK_BOOTTIME; name null: none (the
 * first is what came before all tests; one with "lost":true has no known name).
 * of_command null: the process had gone before it could be asked about.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "record/names.h"
#include "util/escape.h"
#include "wrap/internal.h"

static void put_str(struct e4d_outbuf *ob, const char *s)
{
	size_t len = strlen(s);
	char *p = e4d_ob_reserve(ob, E4D_ESCAPE_JSON_MAX * len + 2);

	if (!p)
		return;
	*p++ = '"';
	p = e4d_escape_json(p, s, len);
	*p++ = '"';
	e4d_ob_advance(ob, p);
}

static void put_num(struct e4d_outbuf *ob, const char *lead, uint64_t v)
{
	e4d_ob_str(ob, lead);
	e4d_ob_u64(ob, v);
}

static void put_tally(struct e4d_outbuf *ob, const struct e4d_tally *t)
{
	put_num(ob, "\"writes\":", t->writes);
	put_num(ob, ",\"extending\":", t->extending);
	put_num(ob, ",\"findings\":", t->findings);
	put_num(ob, ",\"maybe\":", t->maybe);
	put_num(ob, ",\"unknown\":", t->unknown);
}

static void put_name(struct e4d_outbuf *ob, const struct e4d_mark *m)
{
	if (m->name[0])
		put_str(ob, m->name);
	else
		e4d_ob_str(ob, "null");
}

static void put_head(struct e4d_outbuf *ob, const struct e4d_wrap_result *r)
{
	const struct e4d_child *c = &r->child;
	char line[160];

	e4d_ob_str(ob, "{\"version\":1,\"program\":\"ext4diotop " E4D_VERSION "\",\"command\":[");
	for (char *const *arg = r->argv; *arg; arg++) {
		e4d_ob_str(ob, arg > r->argv ? "," : "");
		put_str(ob, *arg);
	}
	e4d_ob_str(ob, "],\n\"status\":");
	if (c->ended && WIFEXITED(c->status))
		e4d_ob_s64(ob, WEXITSTATUS(c->status));
	else
		e4d_ob_str(ob, "null");
	e4d_ob_str(ob, ",\"signal\":");
	if (c->ended && WIFSIGNALED(c->status))
		e4d_ob_s64(ob, WTERMSIG(c->status));
	else
		e4d_ob_str(ob, "null");
	snprintf(line, sizeof(line), ",\"tier\":\"%s\",\"exit\":%d,\n", e4d_tier_name(r->tier),
	         e4d_wrap_exit(r));
	e4d_ob_str(ob, line);
	e4d_ob_str(ob, "\"marks\":{\"source\":");
	e4d_ob_str(ob, r->no_marks ? "null,\"why\":" : "\"/dev/kmsg\",\"why\":");
	if (r->no_marks)
		put_str(ob, r->no_marks);
	else
		e4d_ob_str(ob, "null");
	put_num(ob, ",\"error_ns\":", e4d_marks_error(&r->marks, 1));
	put_num(ob, ",\"gaps\":", r->gaps);
}

static void put_test(struct e4d_outbuf *ob, const struct e4d_mark *m, bool first)
{
	e4d_ob_str(ob, first ? "\n{\"name\":" : ",\n{\"name\":");
	put_name(ob, m);
	if (first) {
		e4d_ob_str(ob, ",\"from_ns\":null,\"to_ns\":null,");
	} else {
		put_num(ob, ",\"from_ns\":", m->begin.from);
		put_num(ob, ",\"to_ns\":", m->begin.to);
		e4d_ob_str(ob, m->lost ? ",\"lost\":true," : ",");
	}
	put_tally(ob, &m->tally);
	e4d_ob_char(ob, '}');
}

static void put_finding(struct e4d_sink *sink, const struct e4d_wrap_result *r,
                        const struct e4d_wrap_finding *f)
{
	static const char *const kin[] = {"null", "true", "false"};
	struct e4d_outbuf *ob = &sink->out;

	e4d_ob_str(ob, f > r->findings ? ",\n{\"tests\":[" : "\n{\"tests\":[");
	for (size_t i = f->first; i <= f->last; i++) {
		e4d_ob_str(ob, i > f->first ? "," : "");
		put_name(ob, &r->marks.v[i]);
	}
	e4d_ob_str(ob, "],\"of_command\":");
	e4d_ob_str(ob, kin[f->kin]);
	e4d_ob_str(ob, ",\"write\":");
	sink->ops->write(sink, &f->rec, f->path);
	e4d_ob_char(ob, '}');
}

void e4d_wrap_json(const struct e4d_wrap_result *r, struct e4d_sink *sink)
{
	struct e4d_tally sum = e4d_wrap_sum(r);
	struct e4d_outbuf *ob = &sink->out;

	put_head(ob, r);
	e4d_ob_str(ob, "},\n\"tests\":[");
	for (size_t i = 0; i < r->marks.n; i++)
		put_test(ob, &r->marks.v[i], i == 0);
	e4d_ob_str(ob, "],\n\"other\":{");
	put_tally(ob, &r->other);
	e4d_ob_str(ob, "},\n\"findings\":[");
	for (size_t i = 0; i < r->finding_count; i++)
		put_finding(sink, r, &r->findings[i]);
	put_num(ob, "],\n\"unlisted\":", r->unlisted);
	put_num(ob, ",\"unconfirmed\":", r->unasked);
	e4d_ob_str(ob, ",\"losses\":{");
	for (size_t i = 0; i < r->loss_count; i++) {
		e4d_ob_str(ob, i ? "," : "");
		put_str(ob, r->losses[i].name);
		put_num(ob, ":", r->losses[i].count);
	}
	e4d_ob_str(ob, "},\n\"sum\":{");
	put_tally(ob, &sum);
	e4d_ob_str(ob, "}}\n");
}
