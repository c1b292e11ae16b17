/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * latency                  writes
 *    65 us ..   131 us       1204 |##########          |
 */
#include <inttypes.h>

#include "report/print.h"

#define BAR 40

static void print_bar(uint64_t n, uint64_t most, FILE *out)
{
	unsigned int len = most ? (unsigned int)((double)n / (double)most * BAR + 0.5) : 0;

	fprintf(out, "%12" PRIu64 " |", n);
	for (unsigned int i = 0; i < BAR; i++)
		putc(i < len ? '#' : n && !i ? '.' : ' ', out);
	fputs("|\n", out);
}

static void print_one(const char *title, const struct e4d_rhist *h, bool bytes, FILE *out)
{
	unsigned int from = E4D_R_BUCKETS, to = 0;
	uint64_t most = 0;

	for (unsigned int i = 0; i < E4D_R_BUCKETS; i++) {
		if (!h->n[i])
			continue;
		from = i < from ? i : from;
		to = i;
		most = h->n[i] > most ? h->n[i] : most;
	}
	fprintf(out, "\n%-22s %12s\n", title, "writes");
	if (!most)
		fprintf(out, "  none\n");
	for (unsigned int i = from; i <= to; i++) {
		/* the last bucket has no upper end that 64 bits hold */
		const char *end = i + 1 < E4D_R_BUCKETS ? e4d_rbucket_name(i + 1, bytes) : "";

		fprintf(out, "  %8s ..%9s ", e4d_rbucket_name(i, bytes), end);
		print_bar(h->n[i], most, out);
	}
}

static void print_sizes(const struct e4d_rsum *sum, FILE *out)
{
	fprintf(out,
	        "\nsubmitted against mapped (blocks that the write touches)\n"
	        "  %20s %10s %10s %10s %11s %11s\n",
	        "size", "writes", "submitted", "mapped", "mapped less", "mapped more");
	for (unsigned int i = 0; i < E4D_R_BUCKETS; i++) {
		const struct e4d_rsize *s = &sum->size[i];

		if (!s->writes)
			continue;
		fprintf(out, "  %8s ..%9s %10" PRIu64 " %10s %10s %11" PRIu64 " %11" PRIu64 "\n",
		        e4d_rbucket_name(i, true),
		        i + 1 < E4D_R_BUCKETS ? e4d_rbucket_name(i + 1, true) : "", s->writes,
		        e4d_rbytes(s->submitted), e4d_rbytes(s->mapped), s->less, s->more);
	}
}

void e4d_rprint_histograms(const struct e4d_rsum *sum, FILE *out)
{
	print_one("latency", &sum->latency, false, out);
	print_one("submitted", &sum->by_submitted, true, out);
	print_one("mapped", &sum->by_mapped, true, out);
	print_sizes(sum, out);
}
