/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * One page with its own plots: src/report/html/ is the page, what is counted here its
 * data. Of bounded size, however many writes: they are counted in bins of time, of
 * latency and of sizes, and the table has the first E4D_R_FINDINGS findings.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/fields.h"
#include "report/export.h"
#include "report/html/page.css.inc"
#include "report/html/page.html.inc"
#include "report/html/page.js.inc"
#include "report/json.h"
#include "report/print.h"
#include "util/escape.h"
#include "verdict.h"

#define MS        1000000ULL
#define BINS      400 /* of the timeline */
#define COLUMNS   200 /* of the heat map */
#define HALVES    130 /* half octaves of 64 bits; 0: the value 0 */
#define SIZE_MAX2 68  /* of sizes: 32 bits */
#define GROUPS    100 /* files, and commands */
#define FILE_ROOM 600 /* of a path, escaped: what is longer is cut */

enum mark { LEAK, TRIM_FAILED, OTHER, MARKS }; /* the shapes of the page, in its order */

struct bin {
	uint64_t writes, unknown, marks[MARKS];
};

struct html {
	uint64_t first, last; /* CLOCK_REALTIME ns of what the plots show */
	struct bin bins[BINS];
	uint64_t heat[COLUMNS][HALVES];
	struct {
		uint64_t writes, marks[MARKS];
	} sizes[SIZE_MAX2][SIZE_MAX2];
	struct e4d_outbuf out;
};

/* 2 log2(v), rounded down; what is below 1 is 0. */
static unsigned int half_octave(uint64_t v)
{
	unsigned int top = v ? 63 - (unsigned int)__builtin_clzll(v) : 0;
	unsigned __int128 square = (unsigned __int128)v * v;

	/* v >= sqrt(2) 2^top, squared */
	return 2 * top + (v && square >> (2 * top) >= 2);
}

static enum mark mark_of(const struct e4d_record *r)
{
	return r->verdict == E4D_LEAK ? LEAK : r->verdict == E4D_TRIM_FAILED ? TRIM_FAILED : OTHER;
}

static int html_begin(struct e4d_rexport *x)
{
	const struct e4d_rview *v = x->view;
	struct html *h = x->own;

	e4d_trace_span(v->reader, &h->first, &h->last);
	if (v->since > h->first)
		h->first = v->since;
	if (v->until && v->until < h->last)
		h->last = v->until;
	if (h->last < h->first + BINS) /* one write, or nothing: a bin is a ns at least */
		h->last = h->first + BINS;
	return 0;
}

static unsigned int place(const struct html *h, uint64_t real, unsigned int n)
{
	unsigned __int128 at;

	if (real <= h->first)
		return 0;
	if (real >= h->last)
		return n - 1;
	at = (unsigned __int128)(real - h->first) * n / (h->last - h->first);
	return (unsigned int)at;
}

/* 0 is no byte; 1 stands for a byte, so that sizes of half octave 0 and 1 share it. */
static unsigned int size_at(uint32_t v)
{
	unsigned int half = half_octave(v);

	return !v ? 0 : half ? half : 1;
}

static int html_write(struct e4d_rexport *x, const struct e4d_trace_write *w)
{
	const struct e4d_record *r = w->rec;
	struct html *h = x->own;
	uint64_t real = e4d_rview_real(x->view, w->host, w->end_ns);
	struct bin *b = &h->bins[place(h, real, BINS)];
	unsigned int submitted = size_at(r->submitted), mapped = size_at(r->mapped);

	b->writes++;
	b->unknown += r->verdict == E4D_UNKNOWN;
	h->heat[place(h, real, COLUMNS)][half_octave(r->latency_ns)]++;
	h->sizes[submitted][mapped].writes++;
	if (e4d_is_finding(r, x->strict)) {
		b->marks[mark_of(r)]++;
		h->sizes[submitted][mapped].marks[mark_of(r)]++;
	}
	return 0;
}

/* In the page a name is what a terminal would show of it, and not longer than it can use. */
static void put_text(struct e4d_outbuf *ob, const char *key, const char *s)
{
	char text[FILE_ROOM + 4];
	size_t len = strlen(s), n = e4d_escape_text(text, FILE_ROOM, s, len);

	if (e4d_text_cols(s, len) > FILE_ROOM)
		strcpy(text + n, "...");
	e4d_j_str(ob, key, text);
}

static void put_file(struct e4d_outbuf *ob, const char *path, uint32_t dev, uint64_t ino)
{
	if (path)
		put_text(ob, "file", path);
	else
		e4d_j_str(ob, "file", e4d_rfile(NULL, dev, ino));
}

static void put_comm(struct e4d_outbuf *ob, const char *comm)
{
	char text[E4D_COMM_LEN + 1] = "";

	memcpy(text, comm, E4D_COMM_LEN);
	put_text(ob, "comm", text);
}

static void put_bins(struct e4d_outbuf *ob, const struct html *h)
{
	e4d_j_u64(ob, "bin_ns", (h->last - h->first) / BINS);
	e4d_j_open(ob, "bins", '[');
	for (unsigned int i = 0; i < BINS; i++) {
		const struct bin *b = &h->bins[i];

		e4d_j_open(ob, NULL, '[');
		e4d_j_u64(ob, NULL, b->writes);
		e4d_j_u64(ob, NULL, b->unknown);
		for (unsigned int m = 0; m < MARKS; m++)
			e4d_j_u64(ob, NULL, b->marks[m]);
		e4d_j_close(ob, ']');
	}
	e4d_j_close(ob, ']');
}

static void put_heat(struct e4d_outbuf *ob, const struct html *h)
{
	e4d_j_open(ob, "latency", '{');
	e4d_j_u64(ob, "columns", COLUMNS);
	e4d_j_open(ob, "cells", '[');
	for (unsigned int c = 0; c < COLUMNS; c++)
		for (unsigned int i = 0; i < HALVES; i++) {
			if (!h->heat[c][i])
				continue;
			e4d_j_open(ob, NULL, '[');
			e4d_j_u64(ob, NULL, c);
			e4d_j_u64(ob, NULL, i);
			e4d_j_u64(ob, NULL, h->heat[c][i]);
			e4d_j_close(ob, ']');
		}
	e4d_j_close(ob, ']');
	e4d_j_close(ob, '}');
}

static void put_sizes(struct e4d_outbuf *ob, const struct html *h)
{
	e4d_j_open(ob, "sizes", '[');
	for (unsigned int s = 0; s < SIZE_MAX2; s++)
		for (unsigned int m = 0; m < SIZE_MAX2; m++) {
			if (!h->sizes[s][m].writes)
				continue;
			e4d_j_open(ob, NULL, '[');
			e4d_j_u64(ob, NULL, s);
			e4d_j_u64(ob, NULL, m);
			e4d_j_u64(ob, NULL, h->sizes[s][m].writes);
			for (unsigned int k = 0; k < MARKS; k++)
				e4d_j_u64(ob, NULL, h->sizes[s][m].marks[k]);
			e4d_j_close(ob, ']');
		}
	e4d_j_close(ob, ']');
}

static void put_finding(struct e4d_outbuf *ob, const struct e4d_rview *v,
                        const struct e4d_rfinding *f)
{
	const struct e4d_record *r = &f->rec;
	uint64_t real = e4d_rview_real(v, f->host, f->end_ns);

	e4d_j_open(ob, NULL, '{');
	e4d_j_u64(ob, "at", real - v->hosts[0].dump->real_minus_boot_ns);
	e4d_j_str(ob, "time", e4d_rtime(real));
	put_text(ob, "host", v->hosts[f->host].name);
	e4d_j_str(ob, "verdict", e4d_verdict_name(r->verdict));
	put_comm(ob, r->comm);
	e4d_j_u64(ob, "pid", r->pid);
	put_file(ob, f->path, r->dev, r->ino);
	e4d_j_u64(ob, "offset", r->offset);
	e4d_j_u64(ob, "submitted", r->submitted);
	e4d_j_u64(ob, "mapped", r->mapped);
	if (r->seen & E4D_SEEN_RET)
		e4d_j_s64(ob, "ret", r->ret);
	else
		e4d_j_str(ob, "ret", NULL);
	e4d_j_u64(ob, "isize", r->isize_after);
	e4d_j_u64(ob, "past_eof", r->past_eof);
	e4d_j_str(ob, "evidence", e4d_evidence_name(r->evidence));
	e4d_j_close(ob, '}');
}

static void put_groups(struct e4d_outbuf *ob, const char *key, const char *left,
                       const struct e4d_rview *v, const struct e4d_rgroups *groups)
{
	size_t n = groups->n < GROUPS ? groups->n : GROUPS;

	e4d_j_u64(ob, left, groups->n - n);
	e4d_j_open(ob, key, '[');
	for (size_t i = 0; i < n; i++) {
		const struct e4d_rgroup *g = &groups->v[i];

		e4d_j_open(ob, NULL, '{');
		put_text(ob, "host", v->hosts[g->host].name);
		if (g->comm[0])
			put_comm(ob, g->comm);
		else
			put_file(ob, g->path, g->dev, g->ino);
		e4d_j_u64(ob, "findings", g->findings);
		e4d_j_u64(ob, "past_eof", g->past_eof);
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
}

static void put_hosts(struct e4d_outbuf *ob, const struct e4d_rview *v)
{
	e4d_j_open(ob, "hosts", '[');
	for (unsigned int i = 0; i < v->n_hosts; i++) {
		const struct e4d_trace_host *d = v->hosts[i].dump;

		e4d_j_open(ob, NULL, '{');
		put_text(ob, "host", v->hosts[i].name);
		put_text(ob, "dir", d->dir);
		put_text(ob, "kernel", d->kernel);
		put_text(ob, "options", d->options);
		e4d_j_str(ob, "tier", e4d_tier_name(d->tier));
		e4d_j_u64(ob, "packets", d->packets);
		e4d_j_u64(ob, "bad_packets", d->bad_packets);
		e4d_j_u64(ob, "missing_packets", d->missing_packets);
		e4d_j_u64(ob, "counted", d->last.writes);
		e4d_j_str(ob, "end", d->no_end ? "cut off" : "ended well");
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
	e4d_j_open(ob, "losses", '[');
	for (size_t i = 0; i < v->n_losses; i++) {
		e4d_j_open(ob, NULL, '{');
		put_text(ob, "host", v->hosts[v->losses[i].host].name);
		put_text(ob, "loss", v->losses[i].name);
		e4d_j_u64(ob, "count", v->losses[i].count);
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
}

static int64_t zone_minutes(uint64_t real)
{
	time_t t = (time_t)(real / (1000 * MS));
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff / 60 : 0;
}

static void put_totals(struct e4d_outbuf *ob, const struct html *h, const struct e4d_rsum *sum)
{
	const struct e4d_rview *v = sum->view;

	/* milliseconds, with a fraction: what JavaScript counts in */
	for (int i = 0; i < 2; i++) {
		uint64_t at = i ? h->last : h->first;
		char text[48];

		snprintf(text, sizeof(text), "%s\"%s\":%llu.%06llu", i ? "," : "",
		         i ? "last" : "first", (unsigned long long)(at / MS),
		         (unsigned long long)(at % MS));
		e4d_ob_str(ob, text);
	}
	e4d_j_s64(ob, "zone_min", zone_minutes(h->first));
	e4d_j_str(ob, "first_text", e4d_rtime(sum->first));
	e4d_j_str(ob, "last_text", e4d_rtime(sum->last));
	e4d_j_str(ob, "what",
	          v->filter                          ? "writes that match the filter"
	          : v->since || v->until || v->limit ? "a part of the dumps"
	                                             : NULL);
	e4d_j_u64(ob, "writes", sum->writes);
	e4d_j_u64(ob, "extending", sum->extending);
	e4d_j_u64(ob, "failed", sum->failed);
	e4d_j_u64(ob, "submitted", sum->submitted);
	e4d_j_u64(ob, "findings", sum->n_findings);
	e4d_j_u64(ob, "past_eof", sum->past_eof);
	e4d_j_u64(ob, "unknown", sum->unknown);
}

static void put_data(struct e4d_outbuf *ob, const struct html *h, const struct e4d_rsum *sum)
{
	const struct e4d_rview *v = sum->view;

	e4d_j_open(ob, NULL, '{');
	put_totals(ob, h, sum);
	put_hosts(ob, v);
	put_bins(ob, h);
	put_heat(ob, h);
	put_sizes(ob, h);
	put_groups(ob, "files", "files_left", v, &sum->files);
	put_groups(ob, "commands", "commands_left", v, &sum->comms);
	e4d_j_open(ob, "table", '[');
	for (size_t i = 0; i < sum->n_kept; i++)
		put_finding(ob, v, &sum->findings[i]);
	e4d_j_close(ob, ']');
	e4d_j_close(ob, '}');
}

/* The page, its three parts put where it names them. */
static int html_end(struct e4d_rexport *x, const struct e4d_rsum *sum)
{
	static const char *const names[] = {"@css@", "@data@", "@js@"};
	struct html *h = x->own;
	const char *at = page_html;

	for (size_t i = 0; i < 3; i++) {
		const char *mark = strstr(at, names[i]);

		if (!mark)
			return -EINVAL;
		e4d_ob_mem(&h->out, at, (size_t)(mark - at));
		at = mark + strlen(names[i]);
		if (i == 1)
			put_data(&h->out, h, sum);
		else
			e4d_ob_str(&h->out, i ? page_js : page_css);
	}
	e4d_ob_str(&h->out, at);
	return e4d_ob_flush(&h->out, x->fd);
}

static void html_free(struct e4d_rexport *x)
{
	e4d_ob_free(&((struct html *)x->own)->out);
}

const struct e4d_rexport_ops e4d_rexport_html = {
	.name = "html",
	.own_size = sizeof(struct html),
	.begin = html_begin,
	.write = html_write,
	.end = html_end,
	.free = html_free,
};
