/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * finding 1   leak at 2026-05-04T13:02:12.123456789+02:00 by pwrite-tail[4712]
 *             /mnt/scratch/f
 *         WHEN       OFFSET   SUBMIT   RETURN       ISIZE  PAST EOF VERDICT
 *     -12.3 ms            0     4096     4096        4096         0 clean
 * >          0            0  1048576      -14        7680   1040384 leak
 *      +1.10 s         8192     4096     4096       12288         0 clean
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "record/names.h"
#include "report/print.h"
#include "util/plural.h"

#define AROUND 3 /* writes before, and after */

struct around {
	const struct e4d_rfinding *f;
	struct e4d_record before[AROUND], after[AROUND];
	unsigned int n_before, n_after; /* before: all that were there, the last ones are kept */
	bool met;
};

struct timeline {
	struct around *v;
	size_t n, open; /* open: findings that still want writes */
};

static bool same_file(const struct around *a, const struct e4d_trace_write *w)
{
	const struct e4d_record *f = &a->f->rec, *r = w->rec;

	return r->ino == f->ino && r->dev == f->dev && r->gen == f->gen && w->host == a->f->host;
}

static int look(void *ctx, const struct e4d_trace_write *w)
{
	struct timeline *t = ctx;

	for (size_t i = 0; i < t->n; i++) {
		struct around *a = &t->v[i];

		if (a->n_after == AROUND || !same_file(a, w))
			continue;
		if (a->met) {
			a->after[a->n_after++] = *w->rec;
			t->open -= a->n_after == AROUND;
		} else if (w->rec->seq == a->f->rec.seq && w->end_ns == a->f->end_ns) {
			a->met = true;
		} else {
			a->before[a->n_before++ % AROUND] = *w->rec;
		}
	}
	return !t->open;
}

static uint64_t ends(const struct e4d_record *r)
{
	return r->ts_ns + r->latency_ns;
}

static void print_write(const struct around *a, const struct e4d_record *r, FILE *out)
{
	uint64_t at = ends(&a->f->rec), end = ends(r);
	char when[32] = "0", ret[16] = "-";
	bool self = r == &a->f->rec;

	if (!self)
		snprintf(when, sizeof(when), "%c%s", end < at ? '-' : '+',
		         e4d_rlength(end < at ? at - end : end - at));
	if (r->seen & E4D_SEEN_RET)
		snprintf(ret, sizeof(ret), "%d", r->ret);
	fprintf(out, "%c%11s %12llu %8u %8s %11llu %9llu %s\n", self ? '>' : ' ', when, r->offset,
	        r->submitted, ret, r->isize_after, r->past_eof, e4d_verdict_name(r->verdict));
}

static void print_one(const struct e4d_rview *v, const struct around *a, size_t nr, FILE *out)
{
	const struct e4d_record *r = &a->f->rec;
	char name[32], comm[E4D_COMM_LEN + 1] = "";
	unsigned int n = a->n_before < AROUND ? a->n_before : AROUND;

	memcpy(comm, r->comm, E4D_COMM_LEN);
	snprintf(name, sizeof(name), "finding %zu", nr);
	fprintf(out, "\n%-11s %s at %s by %s[%u]\n%11s %s", name, e4d_verdict_name(r->verdict),
	        e4d_rtime(e4d_rview_real(v, a->f->host, a->f->end_ns)), e4d_rtext(comm), r->pid, "",
	        e4d_rfile(a->f->path, r->dev, r->ino));
	fprintf(out, v->n_hosts > 1 ? " on %s\n" : "\n", e4d_rtext(v->hosts[a->f->host].name));
	fprintf(out, "%12s %12s %8s %8s %11s %9s %s\n", "WHEN", "OFFSET", "SUBMIT", "RETURN",
	        "ISIZE", "PAST EOF", "VERDICT");
	for (unsigned int i = a->n_before - n; i != a->n_before; i++)
		print_write(a, &a->before[i % AROUND], out);
	print_write(a, r, out);
	for (unsigned int i = 0; i < a->n_after; i++)
		print_write(a, &a->after[i], out);
}

int e4d_rprint_timeline(struct e4d_rview *view, const struct e4d_rsum *sum, size_t most, FILE *out)
{
	struct e4d_rview all = *view;
	struct timeline t = {.n = sum->n_kept < most ? sum->n_kept : most};
	int err;

	if (!t.n)
		return 0;
	t.v = calloc(t.n, sizeof(*t.v));
	if (!t.v)
		return -ENOMEM;
	t.open = t.n;
	for (size_t i = 0; i < t.n; i++)
		t.v[i].f = &sum->findings[i];
	/* what became of the file before and after, whatever was asked for */
	all.filter = NULL;
	all.since = all.until = all.limit = 0;
	err = e4d_rview_walk(&all, look, &t);
	view->stopped |= all.stopped;
	for (size_t i = 0; err >= 0 && i < t.n; i++)
		print_one(view, &t.v[i], i + 1, out);
	if (sum->n_findings > t.n)
		fprintf(out, "\nand %" PRIu64 " finding%s more: --list, or -n\n",
		        sum->n_findings - t.n, e4d_s(sum->n_findings - t.n));
	free(t.v);
	return err < 0 ? err : 0;
}
