/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/marks.h"

#define STAMP_NS  999   /* the log shows whole microseconds, rounded down */
#define DRIFT_PER 2000  /* 1/2000 is 500 ppm */
#define NOISE_NS  10000 /* of `added`: two clocks cannot be read at once */

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What the clocks may have drifted between c's message and another, before or after it. */
static int64_t drift(const struct e4d_logclock *c, int64_t log)
{
	return (log > c->log ? log - c->log : c->log - log) / DRIFT_PER;
}

struct e4d_span e4d_logclock_place(struct e4d_logclock *c, uint64_t log_us, struct e4d_span seen,
                                   int64_t added)
{
	int64_t log = (int64_t)(log_us * 1000);
	int64_t lo = (int64_t)seen.from - (log + STAMP_NS), hi = (int64_t)seen.to - log;
	struct e4d_logclock was = *c;
	struct e4d_span out;

	*c = (struct e4d_logclock){.known = true, .lo = lo, .hi = hi, .log = log, .added = added};
	if (!was.known)
		return seen;
	was.lo -= drift(&was, log) + larger(was.added - added, 0);
	was.hi += drift(&was, log) + larger(added - was.added, 0);
	if (lo > was.hi || hi < was.lo) {
		c->lo = smaller(lo, was.lo);
		c->hi = larger(hi, was.hi);
	} else {
		c->lo = larger(lo, was.lo);
		c->hi = smaller(hi, was.hi);
	}
	out.from = (uint64_t)larger(log + c->lo, 0);
	out.to = (uint64_t)smaller(log + STAMP_NS + c->hi, (int64_t)seen.to);
	return out;
}

bool e4d_logclock_steady(const struct e4d_logclock *c, uint64_t log_us, int64_t added)
{
	int64_t d = added > c->added ? added - c->added : c->added - added;

	return d <= drift(c, (int64_t)(log_us * 1000)) + NOISE_NS;
}

/* Digits at *p, before end; moves *p behind them. */
static bool number(const char **p, const char *end, uint64_t *out)
{
	const char *from = *p;

	for (*out = 0; *p < end && **p >= '0' && **p <= '9' && *p - from < 19; (*p)++)
		*out = *out * 10 + (uint64_t)(**p - '0');
	return *p > from;
}

/* Documentation/ABI/testing/dev-kmsg: "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,...];TEXT". */
bool e4d_kmsg_parse(const char *rec, size_t size, uint64_t *log_us, const char **text, size_t *len)
{
	const char *p = rec, *end = rec + size, *nl;
	uint64_t skip;

	if (!number(&p, end, &skip) || p == end || *p++ != ',' || !number(&p, end, &skip) ||
	    p == end || *p++ != ',' || !number(&p, end, log_us))
		return false;
	/* a clock beyond 73 years is none: no product or sum overflows */
	if (*log_us > INT64_MAX / 4000)
		return false;
	p = memchr(p, ';', (size_t)(end - p));
	if (!p)
		return false;
	*text = ++p;
	nl = memchr(p, '\n', (size_t)(end - p));
	*len = (size_t)((nl ? nl : end) - p);
	return true;
}

const char *e4d_mark_parse(const char *text, size_t len, char name[E4D_MARK_NAME])
{
	static const char *const suites[] = {"fstests", "blktests"};

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		char begin[16];
		size_t lead = (size_t)snprintf(begin, sizeof(begin), "run %s ", suites[i]), n;
		const char *at;

		if (len <= lead || memcmp(text, begin, lead))
			continue;
		at = memmem(text + lead, len - lead, " at ", 4);
		n = at ? (size_t)(at - text) - lead : 0;
		if (!n)
			return NULL;
		n = n < E4D_MARK_NAME ? n : E4D_MARK_NAME - 1;
		memcpy(name, text + lead, n);
		name[n] = '\0';
		return suites[i];
	}
	return NULL;
}

int e4d_marks_open(struct e4d_marks *m)
{
	m->n = 0;
	m->v = calloc(1, sizeof(*m->v));
	if (!m->v)
		return -ENOMEM;
	m->n = 1;
	return 0;
}

/* The log has an order: what reaches before the last one's begin is cut. */
static void begin_at(struct e4d_mark *v, struct e4d_span begin)
{
	const struct e4d_span *last = &v[-1].begin;

	v->begin.from = begin.from < last->from ? last->from : begin.from;
	v->begin.to = begin.to < last->to ? last->to : begin.to;
}

int e4d_marks_add(struct e4d_marks *m, const char *suite, const char *name, struct e4d_span begin)
{
	struct e4d_mark *v = reallocarray(m->v, m->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	m->v = v;
	v = &v[m->n++];
	memset(v, 0, sizeof(*v));
	strncpy(v->name, name, sizeof(v->name) - 1);
	v->suite = suite;
	v->lost = !suite;
	begin_at(v, begin);
	return 0;
}

void e4d_marks_go_on(struct e4d_marks *m, uint64_t to)
{
	struct e4d_mark *v = &m->v[m->n - 1];

	if (v->lost && to < v->begin.to)
		begin_at(v, (struct e4d_span){v->begin.from, to});
}

void e4d_marks_refine(struct e4d_marks *m, size_t first, const struct e4d_logclock *c)
{
	for (size_t i = first; i < m->n; i++) {
		struct e4d_mark *v = &m->v[i];
		struct e4d_logclock copy = *c;

		if (v->log_us)
			begin_at(v, e4d_logclock_place(&copy, v->log_us, v->begin, c->added));
	}
}

/* How many marks have begun for certain (to <= ns), or perhaps (from <= ns); v[0] has. */
static size_t begun(const struct e4d_marks *m, uint64_t ns, bool perhaps)
{
	size_t lo = 1, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct e4d_span *b = &m->v[mid].begin;

		if ((perhaps ? b->from : b->to) <= ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void e4d_marks_find(const struct e4d_marks *m, uint64_t boot_ns, size_t *first, size_t *last)
{
	*first = begun(m, boot_ns, false) - 1;
	*last = begun(m, boot_ns, true) - 1;
}

uint64_t e4d_marks_error(const struct e4d_marks *m, size_t first)
{
	uint64_t most = 0;

	for (size_t i = first; i < m->n; i++) {
		const struct e4d_span *b = &m->v[i].begin;

		most = b->to - b->from > most ? b->to - b->from : most;
	}
	return most;
}

void e4d_marks_close(struct e4d_marks *m)
{
	free(m->v);
	m->v = NULL;
	m->n = 0;
}
