/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * sh t.sh ended with 0
 * TEST                       WRITES   EXTEND FINDINGS  MAYBE UNKNOWN
 * generic/091                    12        3        2      0       0
 * (other processes)               5        5        0      0       0
 * 2 tests without a finding: 40 writes
 * 57 direct writes (8 extending), 2 findings, 0 unknown; tests begin within 9 us
 * TIME     COMM          PID  OFFS  SUBM   MAP ENDIO   RET ISIZE  PAST VERDICT
 * generic/091:
 * 13:02:12 pwrite-t+    4712     0    1M    1M  7680   -14  7680 1016K leak
 *     dev=254:0 ino=131 ...
 * generic/091 or generic/112:
 * ...
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "sink/sink.h"
#include "util/escape.h"
#include "util/plural.h"
#include "verdict.h"
#include "wrap/internal.h"
#include "wrap/report.h"

#define NAME_COLS 24

static void add(struct e4d_tally *sum, const struct e4d_tally *t)
{
	sum->writes += t->writes;
	sum->extending += t->extending;
	sum->findings += t->findings;
	sum->unknown += t->unknown;
}

struct e4d_tally e4d_wrap_sum(const struct e4d_wrap_result *r)
{
	struct e4d_tally sum = r->other;

	for (size_t i = 0; i < r->marks.n; i++)
		add(&sum, &r->marks.v[i].tally);
	sum.maybe = r->maybe;
	sum.findings += r->maybe;
	return sum;
}

static bool failed(const struct e4d_child *c)
{
	return !WIFEXITED(c->status) || WEXITSTATUS(c->status);
}

enum e4d_exit e4d_wrap_exit(const struct e4d_wrap_result *r)
{
	struct e4d_tally sum = e4d_wrap_sum(r);

	if (sum.findings || failed(&r->child))
		return E4D_EXIT_FINDING;
	if (r->lost || sum.unknown)
		return E4D_EXIT_BLIND;
	return sum.writes > r->other.writes ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}

void e4d_wrap_status(const struct e4d_child *c, char *buf, size_t len)
{
	if (!c->ended)
		snprintf(buf, len, "has not ended");
	else if (WIFSIGNALED(c->status))
		snprintf(buf, len, "was ended by signal %d (%s)", WTERMSIG(c->status),
		         strsignal(WTERMSIG(c->status)));
	else
		snprintf(buf, len, "ended with %d", WEXITSTATUS(c->status));
}

const char *e4d_wrap_mark_name(const struct e4d_wrap_result *r, size_t mark)
{
	const struct e4d_mark *m = &r->marks.v[mark];

	if (m->lost)
		return "(marks lost)";
	if (mark)
		return m->name;
	if (r->marks.n > 1)
		return "(before the first)";
	return r->no_marks ? "(tests not known)" : "(no test was named)";
}

static void text_row(struct e4d_outbuf *ob, const char *name, const struct e4d_tally *t)
{
	char line[400], safe[4 * E4D_MARK_NAME];
	size_t cols;

	e4d_escape_text(safe, sizeof(safe), name, strlen(name));
	cols = e4d_text_cols(name, strlen(name));
	e4d_ob_str(ob, safe);
	e4d_ob_pad(ob, cols < NAME_COLS ? NAME_COLS - cols : 0);
	snprintf(line, sizeof(line), " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %6" PRIu64, t->writes,
	         t->extending, t->findings, t->maybe);
	e4d_ob_str(ob, line);
	snprintf(line, sizeof(line), " %7" PRIu64 "\n", t->unknown);
	e4d_ob_str(ob, line);
}

static bool notable(const struct e4d_tally *t)
{
	return t->findings || t->maybe || t->unknown;
}

/* Tests with something to say about; the others in one line. */
static void text_table(struct e4d_outbuf *ob, const struct e4d_wrap_result *r)
{
	struct e4d_tally quiet = {0}, none = {0};
	size_t quiet_count = 0;
	char line[160];

	e4d_ob_str(ob, "TEST                       WRITES   EXTEND FINDINGS  MAYBE UNKNOWN\n");
	for (size_t i = 0; i < r->marks.n; i++) {
		const struct e4d_mark *m = &r->marks.v[i];

		if (notable(&m->tally) || (!m->name[0] && m->tally.writes)) {
			text_row(ob, e4d_wrap_mark_name(r, i), &m->tally);
		} else if (m->name[0]) {
			add(&quiet, &m->tally);
			quiet_count++;
		}
	}
	if (memcmp(&r->other, &none, sizeof(none)))
		text_row(ob, "(other processes)", &r->other);
	if (quiet_count) {
		snprintf(line, sizeof(line), "%zu test%s without a finding: %" PRIu64 " write%s\n",
		         quiet_count, e4d_s(quiet_count), quiet.writes, e4d_s(quiet.writes));
		e4d_ob_str(ob, line);
	}
}

static void text_command(struct e4d_outbuf *ob, const struct e4d_wrap_result *r)
{
	char out[512], status[80];

	for (char *const *arg = r->argv; *arg; arg++) {
		e4d_escape_text(out, sizeof(out), *arg, strlen(*arg));
		e4d_ob_str(ob, out);
		e4d_ob_char(ob, ' ');
	}
	e4d_wrap_status(&r->child, status, sizeof(status));
	e4d_ob_str(ob, status);
	e4d_ob_char(ob, '\n');
}

static void text_sum(struct e4d_outbuf *ob, const struct e4d_wrap_result *r)
{
	struct e4d_tally sum = e4d_wrap_sum(r);
	char line[200];

	snprintf(line, sizeof(line), "%" PRIu64 " direct write%s (%" PRIu64 " extending), ",
	         sum.writes, e4d_s(sum.writes), sum.extending);
	e4d_ob_str(ob, line);
	snprintf(line, sizeof(line), "%" PRIu64 " finding%s, %" PRIu64 " unknown", sum.findings,
	         e4d_s(sum.findings), sum.unknown);
	e4d_ob_str(ob, line);
	if (r->marks.n > 1) {
		snprintf(line, sizeof(line), "; tests begin within %" PRIu64 " us",
		         e4d_marks_error(&r->marks, 1) / 1000 + 1);
		e4d_ob_str(ob, line);
	}
	e4d_ob_char(ob, '\n');
}

static void text_label(struct e4d_outbuf *ob, const struct e4d_wrap_result *r,
                       const struct e4d_wrap_finding *f)
{
	char safe[4 * E4D_MARK_NAME];

	if (f->kin == E4D_KIN_NO) {
		e4d_ob_str(ob, "(other processes), while ");
	}
	for (size_t i = f->first; i <= f->last; i++) {
		const char *name = e4d_wrap_mark_name(r, i);

		e4d_escape_text(safe, sizeof(safe), name, strlen(name));
		e4d_ob_str(ob, i > f->first ? " or " : "");
		e4d_ob_str(ob, safe);
	}
	e4d_ob_str(ob, f->kin == E4D_KIN_NO ? " ran:\n" : ":\n");
}

static bool same_label(const struct e4d_wrap_finding *a, const struct e4d_wrap_finding *b)
{
	return a->first == b->first && a->last == b->last &&
	       (a->kin == E4D_KIN_NO) == (b->kin == E4D_KIN_NO);
}

static void report_text(const struct e4d_wrap_result *r, struct e4d_sink *sink)
{
	struct e4d_outbuf *ob = &sink->out;

	text_command(ob, r);
	text_table(ob, r);
	text_sum(ob, r);
	if (r->finding_count)
		sink->ops->begin(sink);
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct e4d_wrap_finding *f = &r->findings[i];

		if (!i || !same_label(f, f - 1))
			text_label(ob, r, f);
		sink->ops->write(sink, &f->rec, f->path);
	}
}

int e4d_wrap_report(const struct e4d_wrap_result *r, const char *format, int fd)
{
	struct e4d_sink *sink;
	int err = e4d_sink_open(format, fd, &r->clock, &sink);

	if (err)
		return err;
	sink->strict = r->strict;
	if (strcmp(format, "json"))
		report_text(r, sink);
	else
		e4d_wrap_json(r, sink);
	err = e4d_sink_flush(sink);
	e4d_sink_close(sink);
	return err;
}
