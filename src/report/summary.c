/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * recording   2026-05-04T13:02:11.123456789+02:00, for 10 min
 * host        db1, Linux 6.12.118, ext4diotop 0.1.0, tier fentry
 *             options: --all
 *             /var/tmp/db1: 1204 packets, ended well
 * writes      12345 recorded of 12400 counted: 300 extending, 2 failed
 * bytes       48.2 MiB submitted, 48.2 MiB mapped, 48.2 MiB returned
 * verdicts    12343 clean, 2 leak
 * lost        nothing
 * findings    2, 1016 KiB left past EOF
 */
#include <inttypes.h>
#include <string.h>

#include "exitcode.h"
#include "record/names.h"
#include "report/print.h"
#include "util/plural.h"

#define TOP   10 /* files, and commands */
#define LABEL 12

/* How the first line of each piece begins: nothing is printed twice. */
static void label(FILE *out, const char *text)
{
	fprintf(out, "%-*s", LABEL, text);
}

static void print_host(const struct e4d_rhost *h, FILE *out)
{
	const struct e4d_trace_host *d = h->dump;

	label(out, "host");
	fprintf(out, "%s", e4d_rtext(h->name));
	if (d->kernel[0])
		fprintf(out, ", Linux %s", e4d_rtext(d->kernel));
	if (d->program[0])
		fprintf(out, ", %s", e4d_rtext(d->program));
	fprintf(out, ", tier %s\n", e4d_tier_name(d->tier));
	if (d->options[0])
		fprintf(out, "%-*soptions: %s\n", LABEL, "", e4d_rtext(d->options));
	fprintf(out, "%-*s%s: %" PRIu64 " packets, %s\n", LABEL, "", e4d_rtext(d->dir), d->packets,
	        d->no_end ? "NO END: the recording was cut off" : "ended well");
}

static void print_span(const struct e4d_rsum *sum, FILE *out)
{
	label(out, "span");
	if (!sum->writes)
		fputs("no write\n", out);
	else
		fprintf(out, "%s, for %s\n", e4d_rtime(sum->first),
		        e4d_rlength(sum->last - sum->first));
}

static void print_writes(const struct e4d_rsum *sum, FILE *out)
{
	const struct e4d_rview *v = sum->view;
	bool part = v->filter || v->since || v->until || v->limit, known = true;
	uint64_t counted = 0;

	for (unsigned int i = 0; i < v->n_hosts; i++) {
		counted += v->hosts[i].dump->last.writes;
		known &= v->hosts[i].dump->last.writes != 0;
	}
	label(out, "writes");
	fprintf(out, "%" PRIu64 " %s", sum->writes, part ? "that match" : "recorded");
	if (known)
		fprintf(out, " of %" PRIu64 " counted", counted);
	fprintf(out, ": %" PRIu64 " extending, %" PRIu64 " failed\n", sum->extending, sum->failed);
	label(out, "bytes");
	fprintf(out, "%s submitted, %s mapped, %s returned\n", e4d_rbytes(sum->submitted),
	        e4d_rbytes(sum->mapped), e4d_rbytes(sum->done));
}

static void print_words(FILE *out, const uint64_t *n, const struct e4d_names *names)
{
	const char *sep = "";

	for (unsigned int i = 0; i < names->count; i++) {
		if (!n[i])
			continue;
		fprintf(out, "%s%" PRIu64 " %s", sep, n[i], e4d_name(names, i));
		sep = ", ";
	}
	fputs(*sep ? "\n" : "none\n", out);
}

static void print_verdicts(const struct e4d_rsum *sum, FILE *out)
{
	label(out, "verdicts");
	print_words(out, sum->verdict, &e4d_verdicts);
	if (sum->unknown) {
		label(out, "unknown");
		print_words(out, sum->doubt, &e4d_doubts);
	}
	if (sum->writes != sum->evidence[E4D_OBSERVED]) {
		label(out, "evidence");
		print_words(out, sum->evidence, &e4d_evidences);
	}
}

static void print_losses(const struct e4d_rsum *sum, FILE *out)
{
	const struct e4d_rview *v = sum->view;

	label(out, "lost");
	if (!v->n_losses)
		fputs("nothing\n", out);
	for (size_t i = 0; i < v->n_losses; i++) {
		const struct e4d_rloss *l = &v->losses[i];

		fprintf(out, "%*s%s %" PRIu64, i ? LABEL : 0, "", e4d_rtext(l->name), l->count);
		fprintf(out, v->n_hosts > 1 ? " on %s\n" : "\n", e4d_rtext(v->hosts[l->host].name));
	}
	if (v->stopped)
		fprintf(out, "%-*sstopped by a signal: what follows was not read\n", LABEL, "");
}

static void print_group(const struct e4d_rview *v, const struct e4d_rgroup *g, FILE *out)
{
	char comm[E4D_COMM_LEN + 1] = "";

	memcpy(comm, g->comm, E4D_COMM_LEN);
	fprintf(out, "%10" PRIu64 " %10s  %s", g->findings, e4d_rbytes(g->past_eof),
	        comm[0] ? e4d_rtext(comm) : e4d_rfile(g->path, g->dev, g->ino));
	fprintf(out, v->n_hosts > 1 ? "  (%s)\n" : "\n", e4d_rtext(v->hosts[g->host].name));
}

static void print_groups(const struct e4d_rsum *sum, const struct e4d_rgroups *g, const char *what,
                         FILE *out)
{
	fprintf(out, "\n  FINDINGS   PAST EOF  %s\n", what);
	for (size_t i = 0; i < g->n && i < TOP; i++)
		print_group(sum->view, &g->v[i], out);
	if (g->n > TOP)
		fprintf(out, "%*s and %zu more\n", 23, "", g->n - TOP);
	if (g->rest)
		fprintf(out, "%*s %" PRIu64 " finding%s in others, not kept apart\n", 23, "",
		        g->rest, e4d_s(g->rest));
}

struct marks {
	const struct e4d_rview *view;
	FILE *out;
	uint64_t n;
};

static void print_mark(void *ctx, unsigned int host, uint64_t boot_ns, const char *text)
{
	struct marks *m = ctx;

	if (m->n++ >= TOP)
		return;
	label(m->out, "mark");
	fprintf(m->out, "%s %s\n", e4d_rtime(e4d_rview_real(m->view, host, boot_ns)),
	        e4d_rtext(text));
}

void e4d_rprint_summary(const struct e4d_rsum *sum, FILE *out)
{
	const struct e4d_rview *v = sum->view;
	struct marks marks = {.view = v, .out = out};

	for (unsigned int i = 0; i < v->n_hosts; i++)
		print_host(&v->hosts[i], out);
	print_span(sum, out);
	print_writes(sum, out);
	print_verdicts(sum, out);
	e4d_trace_marks(v->reader, print_mark, &marks);
	if (marks.n > TOP)
		fprintf(out, "%-*sand %" PRIu64 " more marks\n", LABEL, "", marks.n - TOP);
	print_losses(sum, out);
	label(out, "findings");
	if (!sum->n_findings) {
		fputs(e4d_rsum_exit(sum) == E4D_EXIT_CLEAN
		              ? "none\n"
		              : "none seen, which proves nothing: see what was lost\n",
		      out);
		return;
	}
	fprintf(out, "%" PRIu64 ", %s left past EOF\n", sum->n_findings, e4d_rbytes(sum->past_eof));
	print_groups(sum, &sum->files, "FILE", out);
	print_groups(sum, &sum->comms, "COMMAND", out);
}
