/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop report: what a trace dump says. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "report/export.h"
#include "report/print.h"
#include "report/span.h"
#include "sink/sink.h"
#include "util/log.h"

#define FINDINGS 20 /* with their timeline, unless -n says another number */

static const char help[] =
	"Usage: ext4diotop report [OPTIONS] DIR...\n"
	"Reads trace dumps (ext4diotop record); several are merged by time. Without an\n"
	"option that says what: the summary, and the findings with their timeline.\n"
	"\n"
	"What, on standard output:\n"
	"  --list           the writes, one line each, as trace prints them\n"
	"  --json, --csv    the same as JSON lines or CSV; what was lost is said in lines\n"
	"                   of their own; of several dumps each line has its host\n"
	"  --summary        the summary; with --json as one JSON object\n"
	"  --histograms     latency, sizes, submitted against mapped\n"
	"To new files, beside or in place of that:\n"
	"  --perfetto FILE  for ui.perfetto.dev\n"
	"  --sqlite FILE    tables writes, hosts, losses and marks\n"
	"  --html FILE      one page with plots and the findings; needs no network\n"
	"Of which writes:\n"
	"  --filter TERMS   only those that match, e.g. 'dev=8:1 verdict=leak'\n"
	"  --since, --until WHEN\n"
	"                   by the time of a write's end: 2026-05-04T13:02:11+02:00, 13:02\n"
	"                   (of the day on which the recording ended), or -10m (before\n"
	"                   its end; ms, s, m, h, d)\n"
	"  -n N             N writes at most; of the summary, N findings (20)\n"
	"  --strict         exposure to a crash counts as a finding too\n"
	"  -q, --quiet      no progress and no warnings on standard error\n"
	"\n"
	"Examples:\n"
	"  ext4diotop report /var/tmp/dump\n"
	"  ext4diotop report --list --filter 'verdict=leak,trim-failed' /var/tmp/dump\n"
	"  ext4diotop report --json --since -10m /var/tmp/dump | jq .latency_ns\n"
	"  ext4diotop report --html report.html /var/tmp/db1 /var/tmp/db2\n"
	"\n"
	"Exit: 0 clean, 1 a finding, 2 usage, 3 cannot read or write, 4 no write in it,\n"
	"5 no finding, but events were lost, 6 no finding, but parts are corrupt.\n";

enum {
	OPT_LIST = 256,
	OPT_JSON,
	OPT_CSV,
	OPT_SUMMARY,
	OPT_HISTOGRAMS,
	OPT_FILTER,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_STRICT,
	OPT_EXPORT, /* and the exports that follow, as in the table */
};

static const struct e4d_rexport_ops *const exports[] = {
	&e4d_rexport_perfetto,
	&e4d_rexport_sqlite,
	&e4d_rexport_html,
};
#define N_EXPORTS (sizeof(exports) / sizeof(exports[0]))

static const struct option longopts[] = {
	{"list", no_argument, NULL, OPT_LIST},
	{"json", no_argument, NULL, OPT_JSON},
	{"csv", no_argument, NULL, OPT_CSV},
	{"summary", no_argument, NULL, OPT_SUMMARY},
	{"histograms", no_argument, NULL, OPT_HISTOGRAMS},
	{"filter", required_argument, NULL, OPT_FILTER},
	{"since", required_argument, NULL, OPT_SINCE},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"perfetto", required_argument, NULL, OPT_EXPORT},
	{"sqlite", required_argument, NULL, OPT_EXPORT + 1},
	{"html", required_argument, NULL, OPT_EXPORT + 2},
	{"number", required_argument, NULL, 'n'},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct report {
	bool list, json, csv, summary, histograms, strict;
	const char *since, *until;
	const char *file[N_EXPORTS];
	uint64_t count;
	struct e4d_filter *filter;
	struct e4d_rview view;
	struct e4d_rsum sum;
	struct e4d_sink *sink;
	struct e4d_rexport exports[N_EXPORTS];
	size_t failed; /* the export that an error is of; N_EXPORTS: none */
};

static int parse_one(struct report *r, int c)
{
	switch (c) {
	case OPT_LIST:
		r->list = true;
		return 0;
	case OPT_JSON:
		r->json = true;
		return 0;
	case OPT_CSV:
		r->csv = true;
		return 0;
	case OPT_SUMMARY:
		r->summary = true;
		return 0;
	case OPT_HISTOGRAMS:
		r->histograms = true;
		return 0;
	case OPT_FILTER:
		return e4d_opts_filter(&r->filter, optarg);
	case OPT_SINCE:
		r->since = optarg;
		return 0;
	case OPT_UNTIL:
		r->until = optarg;
		return 0;
	case OPT_STRICT:
		r->strict = true;
		return 0;
	case 'n':
		return e4d_opts_count(optarg, &r->count);
	case 'q':
		r->view.quiet = true;
		e4d_log_set_level(E4D_LOG_ERR);
		return 0;
	default:
		if (c < OPT_EXPORT)
			return -EINVAL;
		r->file[c - OPT_EXPORT] = optarg;
		return 0;
	}
}

/* What standard output gets, where the options leave it open. */
static int settle(struct report *r)
{
	bool files = false;

	for (size_t i = 0; i < N_EXPORTS; i++)
		files |= r->file[i] != NULL;
	if (r->json && r->csv) {
		e4d_err("--json and --csv are two forms of one list: choose one");
		return -EINVAL;
	}
	if (r->csv || (r->json && !r->summary))
		r->list = true;
	if (r->list && (r->summary || r->histograms)) {
		e4d_err("a list and a summary do not go to one output: choose one");
		return -EINVAL;
	}
	if (!r->list && !r->summary && !r->histograms && !files)
		r->summary = true;
	return 0;
}

/* E4D_OPTS_RUN, or an exit code. */
static int parse(struct report *r, int argc, char **argv)
{
	int c;

	optind = 0;
	while ((c = e4d_getopt(argc, argv, "n:qh", longopts)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return E4D_EXIT_CLEAN;
		}
		if (parse_one(r, c))
			goto usage;
	}
	if (settle(r))
		goto usage;
	if (optind < argc)
		return E4D_OPTS_RUN;
	e4d_err("report wants the directory of a dump (ext4diotop record -o DIR)");
usage:
	fputs("Try 'ext4diotop report --help'.\n", stderr);
	return E4D_EXIT_USAGE;
}

static int parse_when(const struct report *r, const char *option, const char *text, uint64_t *out)
{
	uint64_t first, last;

	if (!text)
		return 0;
	e4d_trace_span(r->view.reader, &first, &last);
	if (!e4d_span_parse(text, first, last, out))
		return 0;
	e4d_err("%s wants a time as 2026-05-04T13:02:11+02:00, 13:02[:11] or -10m, not '%s'",
	        option, text);
	return -EINVAL;
}

/* What the reader says when it cannot open, as an exit code. */
static int open_failed(int err, const char *why)
{
	e4d_err("%s", why[0] ? why : strerror(-err));
	switch (err) {
	case -ENODATA:
		return E4D_EXIT_NOTHING;
	case -EBADMSG:
		return E4D_EXIT_CORRUPT;
	default:
		return E4D_EXIT_CANNOT;
	}
}

static int open_dumps(struct report *r, char **dirs, unsigned int n)
{
	char why[1024] = "";
	int err = e4d_rview_open(&r->view, (const char *const *)dirs, n, why, sizeof(why));

	if (err)
		return open_failed(err, why);
	r->view.filter = r->filter;
	if (parse_when(r, "--since", r->since, &r->view.since) ||
	    parse_when(r, "--until", r->until, &r->view.until))
		return E4D_EXIT_USAGE;
	/* of the summary -n limits the findings, not the writes */
	r->view.limit = r->summary || r->histograms ? 0 : r->count;
	e4d_rsum_init(&r->sum, &r->view, r->strict);
	return 0;
}

static void sink_host(struct report *r, unsigned int host)
{
	struct e4d_rhost *h = &r->view.hosts[host];

	e4d_sink_host(r->sink, r->view.n_hosts > 1 ? h->name : NULL, &h->clock);
}

static int open_outputs(struct report *r)
{
	int err = 0;

	if (r->list) {
		err = e4d_sink_open(r->csv    ? "csv"
		                    : r->json ? "json"
		                              : "text",
		                    STDOUT_FILENO, &r->view.hosts[0].clock, &r->sink);
		if (err)
			return err;
		r->sink->strict = r->strict;
		sink_host(r, 0);
		err = e4d_sink_begin(r->sink);
	}
	for (size_t i = 0; !err && i < N_EXPORTS; i++) {
		if (!r->file[i])
			continue;
		err = e4d_rexport_open(&r->exports[i], exports[i], r->file[i], &r->view, r->strict);
		if (err)
			r->failed = i;
	}
	return err;
}

static int on_write(void *ctx, const struct e4d_trace_write *w)
{
	struct report *r = ctx;
	int err = e4d_rsum_add(&r->sum, w);

	if (!err && r->sink) {
		sink_host(r, w->host);
		err = e4d_sink_write(r->sink, w->rec, w->path);
	}
	for (size_t i = 0; !err && i < N_EXPORTS; i++) {
		if (!r->exports[i].begun)
			continue;
		err = exports[i]->write(&r->exports[i], w);
		if (err)
			r->failed = i;
	}
	return err;
}

static int end_exports(struct report *r)
{
	int err = 0;

	for (size_t i = 0; !err && i < N_EXPORTS; i++) {
		if (!r->exports[i].begun)
			continue;
		err = exports[i]->end(&r->exports[i], &r->sum);
		if (err)
			r->failed = i;
	}
	return err;
}

static int end_list(struct report *r)
{
	for (size_t i = 0; i < r->view.n_losses; i++) {
		sink_host(r, r->view.losses[i].host);
		e4d_sink_loss(r->sink, r->view.losses[i].name, r->view.losses[i].count);
	}
	return e4d_sink_end(r->sink);
}

static int print_summary(struct report *r)
{
	int err = 0;

	if (r->json)
		return e4d_rprint_object(&r->sum, STDOUT_FILENO);
	if (r->summary)
		e4d_rprint_summary(&r->sum, stdout);
	if (r->histograms)
		e4d_rprint_histograms(&r->sum, stdout);
	if (r->summary)
		err = e4d_rprint_timeline(&r->view, &r->sum, r->count ? r->count : FINDINGS,
		                          stdout);
	if ((fflush(stdout) || ferror(stdout)) && !err)
		err = errno ? -errno : -EIO;
	return err;
}

static void warn(const struct report *r)
{
	const struct e4d_rview *v = &r->view;

	for (size_t i = 0; i < v->n_losses && !(r->summary && !r->json); i++)
		e4d_warn("lost: %s %llu%s%s", v->losses[i].name,
		         (unsigned long long)v->losses[i].count, v->n_hosts > 1 ? " on " : "",
		         v->n_hosts > 1 ? v->hosts[v->losses[i].host].name : "");
	if (v->stopped)
		e4d_warn("stopped by a signal: what follows was not read");
}

static int run(struct report *r)
{
	int err = open_outputs(r);

	if (!err)
		err = e4d_rview_walk(&r->view, on_write, r);
	if (!err)
		err = e4d_rview_gaps(&r->view);
	if (!err) {
		e4d_rsum_sort(&r->sum);
		/* a file with a part of it would be taken for the whole */
		err = r->view.stopped ? 0 : end_exports(r);
	}
	if (!err && r->sink)
		err = end_list(r);
	if (!err && (r->summary || r->histograms))
		err = print_summary(r);
	return err;
}

static int finish(struct report *r, int err)
{
	bool mine = err && r->failed < N_EXPORTS;
	const struct e4d_rexport *x = &r->exports[mine ? r->failed : 0];

	if (!err || err == -EPIPE) {
		warn(r);
		return err ? (r->sum.n_findings ? E4D_EXIT_FINDING : E4D_EXIT_CLEAN)
		           : e4d_rsum_exit(&r->sum);
	}
	if (mine && err == -EEXIST)
		e4d_err("--%s: %s is there already: name a new file", x->ops->name, x->file);
	else if (mine)
		e4d_err("--%s: %s: %s", x->ops->name, x->file, x->why[0] ? x->why : strerror(-err));
	else
		e4d_err("stopped: %s", strerror(-err));
	return E4D_EXIT_CANNOT;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int e4d_cmd_report(int argc, char **argv)
{
	static struct report r;
	int err = 0, code;

	r.failed = N_EXPORTS;
	r.view.signals = -1;
	for (size_t i = 0; i < N_EXPORTS; i++)
		r.exports[i].fd = -1;
	code = parse(&r, argc, argv);
	if (code != E4D_OPTS_RUN)
		goto out;
	r.view.signals = open_signals();
	code = open_dumps(&r, argv + optind, (unsigned int)(argc - optind));
	if (code)
		goto out;
	err = run(&r);
	code = finish(&r, err);
out:
	for (size_t i = 0; i < N_EXPORTS; i++)
		e4d_rexport_close(&r.exports[i], !err && !r.view.stopped);
	e4d_sink_close(r.sink);
	e4d_rsum_free(&r.sum);
	e4d_rview_close(&r.view);
	e4d_filter_free(r.filter);
	return code;
}
