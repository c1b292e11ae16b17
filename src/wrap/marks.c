/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wrap/marks.h"

#define STAMP_NS  999  /* the log shows whole microseconds, rounded down */
#define DRIFT_PER 2000 /* 1/2000 is 500 ppm */

static void widen(struct e4d_logclock *c, uint64_t now)
{
	int64_t drift = now > c->at ? (int64_t)((now - c->at) / DRIFT_PER) + 1 : 0;

	c->lo -= drift;
	c->hi += drift;
	c->at = now;
}

struct e4d_span e4d_logclock_place(struct e4d_logclock *c, uint64_t log_us, struct e4d_span seen)
{
	int64_t log = (int64_t)(log_us * 1000);
	int64_t lo = (int64_t)seen.from - (log + STAMP_NS), hi = (int64_t)seen.to - log;
	struct e4d_span out;

	if (c->known)
		widen(c, seen.to);
	if (!c->known || lo > c->hi || hi < c->lo) {
		*c = (struct e4d_logclock){.known = true, .lo = lo, .hi = hi, .at = seen.to};
		return seen;
	}
	c->lo = lo > c->lo ? lo : c->lo;
	c->hi = hi < c->hi ? hi : c->hi;
	out.from = (uint64_t)(log + c->lo);
	out.to = (uint64_t)(log + STAMP_NS + c->hi);
	out.from = out.from < seen.from ? seen.from : out.from;
	out.to = out.to > seen.to ? seen.to : out.to;
	return out;
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
	/* a clock beyond 292 years is none: no product below overflows */
	if (*log_us > INT64_MAX / 1000 - STAMP_NS)
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

int e4d_marks_add(struct e4d_marks *m, const char *suite, const char *name, struct e4d_span begin)
{
	struct e4d_mark *v = reallocarray(m->v, m->n + 1, sizeof(*v));
	const struct e4d_span *last;

	if (!v)
		return -ENOMEM;
	m->v = v;
	last = &v[m->n - 1].begin;
	begin.from = begin.from < last->from ? last->from : begin.from;
	begin.to = begin.to < last->to ? last->to : begin.to;
	v = &v[m->n++];
	memset(v, 0, sizeof(*v));
	strncpy(v->name, name, sizeof(v->name) - 1);
	v->suite = suite;
	v->lost = !suite;
	v->begin = begin;
	return 0;
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

uint64_t e4d_marks_error(const struct e4d_marks *m)
{
	uint64_t most = 0;

	for (size_t i = 1; i < m->n; i++) {
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
