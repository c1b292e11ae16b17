/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <math.h>
#include "session/figures.h"

void e4d_figures_count(struct e4d_figures *f, const struct e4d_record *rec)
{
	f->writes++;
	f->submitted += rec->submitted;
	f->unmapped += (int64_t)rec->submitted - rec->mapped;
	f->over += e4d_over_mapped(rec);
	f->latency[e4d_latency_of(rec)]++;
	f->extending += !!(rec->flags & E4D_F_EXTEND);
	f->errors += e4d_is_error(rec);
	f->shorts += e4d_is_short(rec);
	f->findings += e4d_is_finding(rec, 0);
}

void e4d_figures_add(struct e4d_figures *to, const struct e4d_figures *from)
{
	to->writes += from->writes;
	to->submitted += from->submitted;
	to->unmapped += from->unmapped;
	to->over += from->over;
	to->extending += from->extending;
	to->shorts += from->shorts;
	to->errors += from->errors;
	to->findings += from->findings;
	for (int i = 0; i < E4D_LATENCIES; i++)
		to->latency[i] += from->latency[i];
}

static uint64_t since(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

struct e4d_figures e4d_figures_since(const struct e4d_figures *a, const struct e4d_figures *b)
{
	struct e4d_figures s = {
		.writes = since(a->writes, b->writes),
		.submitted = since(a->submitted, b->submitted),
		.unmapped = a->unmapped - b->unmapped,
		.over = since(a->over, b->over),
		.extending = since(a->extending, b->extending),
		.shorts = since(a->shorts, b->shorts),
		.errors = since(a->errors, b->errors),
		.findings = since(a->findings, b->findings),
	};

	for (int i = 0; i < E4D_LATENCIES; i++)
		s.latency[i] = since(a->latency[i], b->latency[i]);
	return s;
}

double e4d_figures_latency(const struct e4d_figures *s, unsigned int per_mille)
{
	uint64_t known = 0, below = 0;
	double want;

	for (int i = 1; i < E4D_LATENCIES; i++)
		known += s->latency[i];
	want = (double)known * per_mille / 1000;
	for (int i = 1; i < E4D_LATENCIES; i++) {
		uint64_t n = s->latency[i];

		if (n && (double)(below + n) >= want)
			return ldexp(1 + (want - (double)below) / (double)n, i);
		below += n;
	}
	return 0;
}
