/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop trace: one line for each write. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/loop.h"
#include "confirm/confirm.h"
#include "path/path.h"
#include "record/names.h"
#include "session/cost.h"
#include "session/session.h"
#include "sink/sink.h"
#include "util/log.h"
#include "util/plural.h"
#include "verdict.h"

#define TRACE_DONE 1 /* -n reached: not an error */

static const char help[] =
	"Usage: ext4diotop trace [OPTIONS]\n"
	"One line for each direct write to ext4; by default only for writes that\n"
	"extend the file or are suspicious.\n"
	"\n"
	"  --all            every write\n"
	"  --filter TERMS   only writes that match, e.g. 'dev=sda1 verdict=leak'\n"
	"  --tier TIER      fentry, kprobe or tracepoint; default: the best\n"
	"  --json, --csv    JSON lines or CSV instead of text\n"
	"  --confirm        ask the disk (FIEMAP) about each write shown\n"
	"  --strict         exposure to a crash counts as a finding too\n"
	"  -n N             stop after N lines\n"
	"  --duration S     stop after S seconds\n"
	"  --buffer SIZE    memory for records on their way, default 4M: raise it when\n"
	"                   'lost: ring_full' is said\n"
	"  --in-flight N    follow at most N writes at a time, default and most 16384\n"
	"  --self           say at the end what the tracer itself cost: time of each of\n"
	"                   its programs, CPU and memory of this process. The kernel's\n"
	"                   statistics for it add two clock reads to each run (some\n"
	"                   50 ns), of which about one is in the figures\n"
	"  -q, --quiet      no summary\n"
	"\n"
	"Examples:\n"
	"  ext4diotop trace\n"
	"  ext4diotop trace --filter 'dev=/mnt/data comm=postgres' --duration 60\n"
	"  ext4diotop trace --all --json -n 1000 > writes.jsonl\n"
	"  ext4diotop trace --filter 'verdict=leak,trim-failed' --confirm\n"
	"  ext4diotop trace --self --duration 10 > /dev/null\n"
	"\n"
	"Exit: 0 clean, 1 a finding, 2 usage, 3 cannot run here, 4 no write was seen,\n"
	"5 no finding, but events were lost.\n";

struct trace {
	struct e4d_opts opts;
	struct e4d_session *session;
	struct e4d_sink *sink;
	struct e4d_paths *paths;
	uint64_t shown, findings, unknown;
	uint64_t unasked;     /* --confirm: the file could not be reached, or moved on */
	struct e4d_cost cost; /* --self */
};

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct trace *t = ctx;
	const char *path = NULL;
	__u64 past;
	int err;

	if (!e4d_filter_needs_path(t->opts.filter) && !e4d_filter_match(t->opts.filter, rec, NULL))
		return 0;
	path = e4d_path_resolve(t->paths, rec);
	if (!e4d_filter_match(t->opts.filter, rec, path))
		return 0;
	if (t->opts.confirm && e4d_confirm(rec, path, &past))
		t->unasked++;
	t->findings += e4d_is_finding(rec, t->opts.strict);
	t->unknown += rec->verdict == E4D_UNKNOWN;
	err = e4d_sink_write(t->sink, rec, path);
	if (err)
		return err;
	t->shown++;
	return t->opts.count && t->shown >= t->opts.count ? TRACE_DONE : 0;
}

static int flush(void *ctx)
{
	struct trace *t = ctx;

	return e4d_sink_flush(t->sink);
}

static int loop(struct trace *t, int signals)
{
	const struct e4d_loop l = {
		.session = t->session,
		.signals = signals,
		.out = STDOUT_FILENO,
		.seconds = t->opts.duration,
		.ticked = flush,
		.ctx = t,
	};

	return e4d_loop_run(&l);
}

static void sink_loss(void *ctx, const char *name, uint64_t n)
{
	struct trace *t = ctx;

	e4d_sink_loss(t->sink, name, n);
	e4d_warn("lost: %s %llu", name, (unsigned long long)n);
}

static int summary(struct trace *t)
{
	struct e4d_counters c;
	uint64_t lost;

	e4d_session_counters(t->session, &c);
	lost = e4d_session_losses(t->session, sink_loss, t);
	e4d_info("%llu direct write%s (%llu extending), %llu shown, %llu finding%s, %llu unknown",
	         (unsigned long long)c.v[E4D_C_WRITES], e4d_s(c.v[E4D_C_WRITES]),
	         (unsigned long long)c.v[E4D_C_EXTEND], (unsigned long long)t->shown,
	         (unsigned long long)t->findings, e4d_s(t->findings),
	         (unsigned long long)t->unknown);
	if (t->unasked)
		e4d_warn("%llu write%s could not be confirmed: the file has gone or moved on",
		         (unsigned long long)t->unasked, e4d_s(t->unasked));
	if (t->findings)
		return E4D_EXIT_FINDING;
	if (lost || t->unknown) {
		e4d_warn("events were lost: that nothing was found proves nothing");
		return E4D_EXIT_BLIND;
	}
	return c.v[E4D_C_WRITES] ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}

static int start(struct trace *t)
{
	struct e4d_session_opts so = {
		.on_record = on_record, .ctx = t, .tier = t->opts.tier, .limits = t->opts.limits};
	struct e4d_clock clock = {0};
	char why[1024] = "";
	int err;

	so.cfg.all = t->opts.all;
	so.prompt = t->opts.confirm || e4d_filter_needs_path(t->opts.filter);
	if (t->opts.filter)
		e4d_filter_pushdown(t->opts.filter, &so.cfg);
	e4d_clock_measure(&clock);
	err = e4d_sink_open(t->opts.format, STDOUT_FILENO, &clock, &t->sink);
	if (!err)
		err = e4d_paths_open(&t->paths);
	if (err) {
		e4d_err("%s", strerror(-err));
		return E4D_EXIT_CANNOT;
	}
	t->sink->strict = t->opts.strict;
	if (t->opts.self)
		e4d_cost_open(&t->cost);
	err = e4d_session_open(&so, &t->session, why, sizeof(why));
	if (t->opts.self)
		e4d_cost_begin(&t->cost);
	if (err) {
		e4d_err("cannot trace here: %s", why);
		return E4D_EXIT_CANNOT;
	}
	if (!t->opts.quiet)
		dprintf(STDERR_FILENO, "tracing direct writes to ext4, tier %s; Ctrl-C ends\n",
		        e4d_tier_name(e4d_session_tier(t->session)));
	return 0;
}

static void print_cost(struct trace *t)
{
	struct e4d_counters c;

	e4d_session_counters(t->session, &c);
	e4d_cost_read(&t->cost, e4d_session_attached(t->session));
	e4d_cost_print(&t->cost, c.v[E4D_C_WRITES], stderr);
	e4d_cost_close(&t->cost);
}

/* Writes out what is due, whatever ended the loop; the exit code. */
static int finish(struct trace *t, int err)
{
	int flushed = e4d_sink_flush(t->sink), code;

	if (err >= 0 && flushed)
		err = flushed;
	if (err >= 0) {
		code = summary(t);
		err = e4d_sink_end(t->sink);
		if (!err)
			return code;
	}
	if (err == -EPIPE)
		return t->findings ? E4D_EXIT_FINDING : E4D_EXIT_CLEAN;
	e4d_err("stopped: %s", strerror(-err));
	return E4D_EXIT_CANNOT;
}

int e4d_cmd_trace(int argc, char **argv)
{
	struct trace t = {0};
	int signals, err, code = e4d_opts_parse(&t.opts, argc, argv, help);

	if (code != E4D_OPTS_RUN)
		goto out;
	signals = e4d_loop_signals(NULL, 0);
	code = start(&t);
	if (code)
		goto out;
	err = e4d_sink_begin(t.sink);
	if (!err)
		err = loop(&t, signals);
	if (!err)
		err = e4d_session_stop(t.session);
	code = finish(&t, err);
	if (t.opts.self)
		print_cost(&t);
out:
	e4d_session_close(t.session);
	e4d_sink_close(t.sink);
	e4d_paths_close(t.paths);
	e4d_opts_free(&t.opts);
	return code;
}
