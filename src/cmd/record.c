/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop record: a trace dump on disk. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/dumping.h"
#include "cmd/loop.h"
#include "cmd/size.h"
#include "flight/recorder.h"
#include "record/names.h"
#include "session/session.h"
#include "util/log.h"
#include "util/plural.h"
#include "verdict.h"

#define RECORD_DONE  2 /* -n reached: not an error, nor E4D_TRACE_FULL */
#define MIN_ROTATION (64u << 10)

static const char help[] =
	"Usage: ext4diotop record -o DIR [OPTIONS]\n"
	"Writes a trace dump (CTF 1.8) to DIR, which is made, or is there and empty; by\n"
	"default only of writes that extend the file or are suspicious. 'ext4diotop\n"
	"report DIR' reads it, and so does babeltrace2.\n"
	"\n"
	"  -o DIR            where the dump goes; nothing is overwritten\n"
	"  --all             every write\n"
	"  --filter TERMS    only writes that match, e.g. 'dev=sda1 verdict=leak'\n"
	"  --tier TIER       fentry, kprobe or tracepoint; default: the best\n"
	"  --strict          exposure to a crash counts as a finding too\n"
	"  -n N              stop after N writes\n"
	"  --duration S      stop after S seconds\n"
	"  --rotate LIMIT    begin new files after so many bytes (64M, 1G) or so long\n"
	"                    (60s, 10min, 1h)\n"
	"  --keep N          of the rotated files keep the newest N sets, that being\n"
	"                    written included\n"
	"  --max-size SIZE   stop before the dump is larger; with --keep the oldest files\n"
	"                    go instead\n"
	"  --compress zstd   compress each file when it is complete\n"
	"  --buffer SIZE     memory for records on their way, default 4M: raise it when\n"
	"                    'lost: ring_full' is said\n"
	"  --flight[=SIZE]   keep the last writes in memory, of SIZE (16M), and dump them into\n"
	"                    a new directory in DIR on a finding, on SIGUSR2 and at the end\n"
	"  --after TIME      from a finding to its dump, default 5s\n"
	"  --once            end with the first finding's dump\n"
	"  --dumps N         at most so many dumps of findings, default 16\n"
	"  --pin             go on when this process dies: 'ext4diotop snapshot' reads it then\n"
	"  --bpffs DIR       where it is pinned, default /sys/fs/bpf\n"
	"  -q, --quiet       no summary\n"
	"\n"
	"Examples:\n"
	"  ext4diotop record -o dump\n"
	"  ext4diotop record -o dump --all --duration 60 --compress zstd\n"
	"  ext4diotop record -o dump --rotate 64M --keep 16 --max-size 1G\n"
	"  ext4diotop record -o dumps --flight=64M --after 10s --pin\n"
	"  babeltrace2 dump\n"
	"\n"
	"Exit: 0 clean, 1 a finding, 2 usage, 3 cannot run here or the dump cannot be\n"
	"written, 4 no write was seen, 5 no finding, but events were lost.\n";

enum {
	OPT_ROTATE = E4D_OPT_OWN,
	OPT_KEEP,
	OPT_MAX_SIZE,
	OPT_COMPRESS,
	OPT_FLIGHT,
	OPT_AFTER,
	OPT_ONCE,
	OPT_DUMPS,
	OPT_PIN,
	OPT_BPFFS
};

static const struct option longopts[] = {
	{"output", required_argument, NULL, 'o'},
	{"rotate", required_argument, NULL, OPT_ROTATE},
	{"keep", required_argument, NULL, OPT_KEEP},
	{"max-size", required_argument, NULL, OPT_MAX_SIZE},
	{"compress", required_argument, NULL, OPT_COMPRESS},
	{"flight", optional_argument, NULL, OPT_FLIGHT},
	{"after", required_argument, NULL, OPT_AFTER},
	{"once", no_argument, NULL, OPT_ONCE},
	{"dumps", required_argument, NULL, OPT_DUMPS},
	{"pin", no_argument, NULL, OPT_PIN},
	{"bpffs", required_argument, NULL, OPT_BPFFS},
	{NULL, 0, NULL, 0},
};

struct record {
	struct e4d_opts opts;
	const char *dir;
	struct e4d_trace_limits limits;
	struct e4d_flight_opts flight;
	char options[256];       /* as they were given */
	struct e4d_dumping dump; /* with the session and the paths, both owned */
	uint64_t recorded, findings, unknown;
};

static int parse_flight(struct e4d_flight_opts *f, int c)
{
	f->tuned |= c > OPT_FLIGHT;
	switch (c) {
	case OPT_FLIGHT:
		f->on = true;
		return optarg ? e4d_parse_size("--flight", optarg, &f->bytes) : 0;
	case OPT_AFTER:
		return e4d_parse_time("--after", optarg, &f->after_ns);
	case OPT_ONCE:
		f->once = true;
		return 0;
	case OPT_DUMPS:
		return e4d_parse_number("--dumps", optarg, &f->dumps);
	case OPT_PIN:
		f->pin = true;
		return 0;
	case OPT_BPFFS:
		f->bpffs = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_own(void *ctx, int c)
{
	struct record *r = ctx;

	switch (c) {
	case 'o':
		r->dir = optarg;
		return 0;
	case OPT_ROTATE:
		return e4d_parse_size_or_time("--rotate", optarg, &r->limits.rotate_bytes,
		                              &r->limits.rotate_ns);
	case OPT_KEEP:
		return e4d_parse_number("--keep", optarg, &r->limits.keep);
	case OPT_MAX_SIZE:
		return e4d_parse_size("--max-size", optarg, &r->limits.max_bytes);
	case OPT_COMPRESS:
		r->limits.zstd = !strcmp(optarg, "zstd");
		if (!r->limits.zstd)
			e4d_err("--compress wants zstd, not '%s'", optarg);
		return r->limits.zstd ? 0 : -EINVAL;
	default:
		return parse_flight(&r->flight, c);
	}
}

/* What only one of the two ways to record takes. */
static const char *check_flight(const struct record *r)
{
	const struct e4d_flight_opts *f = &r->flight;
	const struct e4d_trace_limits *l = &r->limits;

	if (!f->on && f->tuned)
		return "--after, --once, --dumps, --pin and --bpffs are for --flight";
	if (f->on && (l->rotate_bytes || l->rotate_ns || l->keep || l->max_bytes || l->zstd ||
	              r->opts.count || r->opts.limits.ring_bytes))
		return "-n, --buffer, --rotate, --keep, --max-size and --compress are not for "
		       "--flight";
	if (f->bytes > E4D_FLIGHT_MOST)
		return "--flight takes 1G at most";
	return NULL;
}

static int check_opts(const struct record *r)
{
	const char *wrong;

	if (!r->dir || !*r->dir)
		wrong = "say where the dump goes: -o DIR";
	else if (r->opts.confirm || r->opts.self || strcmp(r->opts.format, "text"))
		wrong = "--confirm, --self, --json and --csv are not for record";
	else if (r->limits.keep && !r->limits.rotate_bytes && !r->limits.rotate_ns)
		wrong = "--keep counts rotations: say --rotate SIZE or TIME too";
	else if (r->limits.max_bytes && r->limits.max_bytes < E4D_TRACE_MIN)
		wrong = "--max-size is too small for a dump: at least 1M";
	else if (r->limits.rotate_bytes && r->limits.rotate_bytes < MIN_ROTATION)
		wrong = "--rotate is too small for a file of packets: at least 64K";
	else
		wrong = check_flight(r);
	if (!wrong)
		return 0;
	e4d_err("%s", wrong);
	return E4D_EXIT_USAGE;
}

static bool matches(struct record *r, const struct e4d_record *rec)
{
	const struct e4d_filter *f = r->opts.filter;

	return !f ||
	       e4d_filter_match(f, rec,
	                        e4d_filter_needs_path(f) ? e4d_path_resolve(r->dump.paths, rec)
	                                                 : NULL);
}

static bool is_enough(const struct record *r)
{
	return r->opts.count && r->recorded >= r->opts.count;
}

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct record *r = ctx;
	int err;

	if (is_enough(r) || !matches(r, rec))
		return 0;
	r->findings += e4d_is_finding(rec, r->opts.strict);
	r->unknown += rec->verdict == E4D_UNKNOWN;
	err = e4d_dumping_put(&r->dump, rec);
	r->recorded += !err;
	return err ? err : is_enough(r) ? RECORD_DONE : 0;
}

/* The first of n, and as many after it as *done tells. */
static int put_inside(struct record *r, const struct e4d_ev_inside *e, size_t n, size_t *done)
{
	struct e4d_record rec;
	size_t put;
	int err;

	*done = 1;
	if (r->opts.filter) {
		n = 1;
		e4d_inside_expand(&rec, e);
		if (!matches(r, &rec))
			return 0;
	}
	if (r->opts.count && n > r->opts.count - r->recorded)
		n = r->opts.count - r->recorded;
	err = e4d_dumping_put_inside(&r->dump, e, n, &put);
	r->recorded += put;
	*done = put;
	return err;
}

static int on_inside(void *ctx, const struct e4d_ev_inside *e, size_t n)
{
	struct record *r = ctx;
	size_t done;
	int err = 0;

	for (size_t i = 0; i < n && !err && !is_enough(r); i += done)
		err = put_inside(r, &e[i], n - i, &done);
	return err ? err : is_enough(r) ? RECORD_DONE : 0;
}

static int ticked(void *ctx)
{
	struct record *r = ctx;

	return e4d_dumping_tick(&r->dump);
}

static int start(struct record *r)
{
	struct e4d_session_opts so = {.on_record = on_record,
	                              .on_inside = on_inside,
	                              .ctx = r,
	                              .tier = r->opts.tier,
	                              .limits = r->opts.limits};
	char why[1024] = "";
	int err;

	so.cfg.all = r->opts.all;
	so.prompt = e4d_filter_needs_path(r->opts.filter);
	if (r->opts.filter)
		e4d_filter_pushdown(r->opts.filter, &so.cfg);
	if (e4d_paths_open(&r->dump.paths)) {
		e4d_err("%s", strerror(ENOMEM));
		return E4D_EXIT_CANNOT;
	}
	err = e4d_session_open(&so, &r->dump.session, why, sizeof(why));
	if (err)
		e4d_err("cannot trace here: %s", why);
	if (err || e4d_dumping_open(&r->dump, r->dir, r->options, &r->limits))
		return E4D_EXIT_CANNOT;
	if (!r->opts.quiet)
		dprintf(STDERR_FILENO, "recording direct writes to ext4, tier %s; Ctrl-C ends\n",
		        e4d_tier_name(e4d_session_tier(r->dump.session)));
	return 0;
}

static void warn_loss(void *ctx, const char *name, uint64_t n)
{
	e4d_warn("lost: %s %llu", name, (unsigned long long)n);
}

static int summary(struct record *r, int err)
{
	uint64_t bytes, packets, events, lost;
	struct e4d_counters c;

	e4d_session_counters(r->dump.session, &c);
	lost = e4d_session_losses(r->dump.session, warn_loss, NULL);
	e4d_trace_written(r->dump.writer, &bytes, &packets, &events);
	e4d_info("%llu direct write%s (%llu extending), %llu recorded, %llu finding%s, "
	         "%llu unknown",
	         (unsigned long long)c.v[E4D_C_WRITES], e4d_s(c.v[E4D_C_WRITES]),
	         (unsigned long long)c.v[E4D_C_EXTEND], (unsigned long long)r->recorded,
	         (unsigned long long)r->findings, e4d_s(r->findings),
	         (unsigned long long)r->unknown);
	e4d_info("%s: %llu event%s in %llu packet%s, %llu bytes", r->dir,
	         (unsigned long long)events, e4d_s(events), (unsigned long long)packets,
	         e4d_s(packets), (unsigned long long)bytes);
	if (err < 0)
		e4d_err("stopped: %s; what %s has is whole, and what was in memory is lost: make "
		        "room, or bound the dump by --max-size",
		        strerror(-err), r->dir);
	if (r->findings)
		return E4D_EXIT_FINDING;
	if (err < 0)
		return E4D_EXIT_CANNOT;
	if (lost || r->unknown) {
		e4d_warn("events were lost: that nothing was found proves nothing");
		return E4D_EXIT_BLIND;
	}
	return c.v[E4D_C_WRITES] ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}

/* Writes what is left, whatever ended the loop; the exit code. */
static int finish(struct record *r, int err)
{
	int late = err < 0 ? 0 : e4d_session_stop(r->dump.session);

	if (late < 0)
		err = late;
	late = e4d_dumping_finish(&r->dump);
	return summary(r, err < 0 ? err : late);
}

int e4d_cmd_record(int argc, char **argv)
{
	struct record r = {.limits.guard = true, .flight = E4D_FLIGHT_DEFAULTS};
	const struct e4d_own_opts own = {
		.longopts = longopts, .shortopts = "o:", .parse = parse_own, .ctx = &r};
	struct e4d_loop loop = {.out = -1, .ticked = ticked, .ctx = &r};
	int code;

	e4d_dumping_options(r.options, sizeof(r.options), argc, argv);
	code = e4d_opts_parse_own(&r.opts, argc, argv, help, &own);
	if (code != E4D_OPTS_RUN)
		goto out;
	code = check_opts(&r);
	if (code)
		goto out;
	e4d_dumping_limits();
	if (r.flight.on) {
		code = e4d_flight_run(&r.opts, &r.flight, r.dir, r.options);
		goto out;
	}
	loop.signals = e4d_loop_signals(NULL, 0);
	code = start(&r);
	if (code)
		goto out;
	loop.session = r.dump.session;
	loop.seconds = r.opts.duration;
	code = finish(&r, e4d_loop_run(&loop));
out:
	e4d_session_close(r.dump.session);
	e4d_dumping_close(&r.dump);
	e4d_paths_close(r.dump.paths);
	e4d_opts_free(&r.opts);
	return code;
}
