/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop wrap: traces while a command runs, and gives each finding to its test. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/dumping.h"
#include "cmd/loop.h"
#include "confirm/confirm.h"
#include "record/names.h"
#include "session/session.h"
#include "util/log.h"
#include "util/plural.h"
#include "verdict.h"
#include "wrap/kmsg.h"
#include "wrap/report.h"

#define WRAP_DONE 1 /* the command and what it started have ended */

static const char help[] =
	"Usage: ext4diotop wrap [OPTIONS] -- COMMAND [ARGUMENT...]\n"
	"Traces direct writes to ext4 while COMMAND runs, waits for all that it started,\n"
	"and says then which writes left blocks past EOF, and in which test: fstests and\n"
	"blktests name each test in the kernel's log when it begins (/dev/kmsg).\n"
	"COMMAND has this terminal, directory and environment, and gets the signals.\n"
	"\n"
	"  -o DIR           keep a trace dump of the run too, tests marked; DIR is made, or is\n"
	"                   there and empty. 'ext4diotop report DIR' and babeltrace2 read it\n"
	"  --report FILE    the report goes to FILE, a new one, not to standard output,\n"
	"                   where it follows what COMMAND wrote\n"
	"  --json           the report as one JSON document\n"
	"  --filter TERMS   only writes that match, e.g. 'dev=sdb1'\n"
	"  --tier TIER      fentry, kprobe or tracepoint; default: the best\n"
	"  --strict         exposure to a crash counts as a finding too\n"
	"  --confirm        ask the disk (FIEMAP) about each finding\n"
	"  --buffer SIZE    memory for records on their way, default 4M\n"
	"  --in-flight N    follow at most N writes at a time, default and most 16384\n"
	"  -q, --quiet      only warnings besides the report\n"
	"\n"
	"Examples:\n"
	"  cd xfstests && ext4diotop wrap --report /tmp/aio.txt -- ./check -g aio\n"
	"  ext4diotop wrap --filter 'dev=sdb1' --confirm -- ./check generic/091\n"
	"  ext4diotop wrap -o /var/tmp/aio -- ./check -g aio; ext4diotop report /var/tmp/aio\n"
	"  ext4diotop wrap --json --report r.json -- fio job.fio; jq .sum r.json\n"
	"\n"
	"Exit: 0 clean, 1 a finding, or COMMAND failed (the report names its status),\n"
	"2 usage, 3 cannot run here, COMMAND cannot be run, or the dump cannot be written,\n"
	"4 no write of COMMAND was seen, 5 no finding, but events were lost.\n";

struct wrap {
	struct e4d_opts opts;
	const char *report;
	int out;                 /* where the report goes */
	const char *dir;         /* of the dump, NULL: none */
	struct e4d_dumping dump; /* with the session and the paths, both owned */
	char options[256];       /* as they were given, COMMAND with them */
	size_t marked;           /* marks that are in the dump */
	struct e4d_kmsg kmsg;
	struct e4d_source source; /* kmsg's */
	struct e4d_family family;
	struct e4d_wrap_result r;
	bool said; /* that only others are left */
};

enum { OPT_REPORT = E4D_OPT_OWN };

static const struct option longopts[] = {
	{"report", required_argument, NULL, OPT_REPORT},
	{"output", required_argument, NULL, 'o'},
	{NULL, 0, NULL, 0},
};

static int parse_own(void *ctx, int c)
{
	struct wrap *w = ctx;

	*(c == 'o' ? &w->dir : &w->report) = optarg;
	return 0;
}

/* E4D_OPTS_RUN, or an exit code. */
static int parse(struct wrap *w, int argc, char **argv)
{
	const struct e4d_own_opts own = {.longopts = longopts,
	                                 .shortopts = "o:",
	                                 .parse = parse_own,
	                                 .ctx = w,
	                                 .operands = true};
	const struct e4d_opts *o = &w->opts;
	int code = e4d_opts_parse_own(&w->opts, argc, argv, help, &own);

	if (code != E4D_OPTS_RUN)
		return code;
	if (o->all || o->self || o->count || o->duration > 0 || !strcmp(o->format, "csv"))
		e4d_err("--all, --csv, --duration, --self and -n are not options of wrap");
	else if (optind == argc)
		e4d_err("wrap wants a command: ext4diotop wrap -- COMMAND [ARGUMENT...]");
	else
		return code;
	fputs("Try 'ext4diotop wrap --help'.\n", stderr);
	return E4D_EXIT_USAGE;
}

/* Returns false where it is only counted. */
static bool keep(struct wrap *w, const struct e4d_wrap_finding *f, const char *path)
{
	struct e4d_wrap_result *r = &w->r;
	struct e4d_wrap_finding *list = NULL;

	if (r->finding_count < E4D_WRAP_FINDINGS)
		list = reallocarray(r->findings, r->finding_count + 1, sizeof(*list));
	if (!list) {
		r->unlisted++;
		return false;
	}
	r->findings = list;
	list += r->finding_count++;
	*list = *f;
	list->path = path ? strdup(path) : NULL;
	return true;
}

/*
 * A finding counts for its test, or as a maybe for each that it may belong to; one of
 * another process for none. At the end: a mark may be read later than what it covers.
 */
static void count(struct wrap *w, struct e4d_wrap_finding *f)
{
	struct e4d_mark *marks = w->r.marks.v;

	e4d_marks_find(&w->r.marks, f->rec.ts_ns, &f->first, &f->last);
	if (f->kin == E4D_KIN_NO) {
		w->r.other.findings++;
		return;
	}
	if (f->first == f->last) {
		marks[f->first].tally.findings++;
		return;
	}
	w->r.maybe++;
	for (size_t i = f->first; i <= f->last; i++)
		marks[i].tally.maybe++;
}

/* The kernel's log, by one of kmsg.h's, and what it named into the dump. */
static int read_log(struct wrap *w, int (*reads)(struct e4d_kmsg *, struct e4d_marks *))
{
	const struct e4d_marks *m = &w->r.marks;
	bool there = w->kmsg.fd >= 0;
	int err = reads(&w->kmsg, &w->r.marks);
	char text[E4D_MARK_NAME + 16];

	if (there && w->kmsg.fd < 0)
		e4d_warn("no names of tests from here on: %s", w->kmsg.why);
	for (; w->dump.writer && w->marked < m->n; w->marked++) {
		const struct e4d_mark *v = &m->v[w->marked];

		if (v->suite)
			snprintf(text, sizeof(text), "run %s %s", v->suite, v->name);
		if (v->suite || v->lost)
			e4d_trace_put_mark(w->dump.writer, v->begin.from,
			                   v->lost ? "marks lost" : text);
	}
	return err;
}

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct wrap *w = ctx;
	struct e4d_wrap_finding f = {.rec = *rec};
	struct e4d_tally *t;
	bool finding = e4d_is_finding(rec, w->opts.strict);
	const char *path = NULL;
	__u64 past;

	if (!e4d_filter_needs_path(w->opts.filter) && !e4d_filter_match(w->opts.filter, rec, NULL))
		return 0;
	if (finding || e4d_filter_needs_path(w->opts.filter))
		path = e4d_path_resolve(w->dump.paths, rec);
	if (!e4d_filter_match(w->opts.filter, rec, path))
		return 0;
	if (rec->ts_ns >= w->kmsg.empty_ns && read_log(w, e4d_kmsg_read))
		return -ENOMEM;
	e4d_marks_find(&w->r.marks, rec->ts_ns, &f.first, &f.last);
	f.kin = e4d_family_of(&w->family, rec->pid, rec->ts_ns);
	t = f.kin == E4D_KIN_NO ? &w->r.other : &w->r.marks.v[f.last].tally;
	t->writes++;
	t->extending += (rec->flags & E4D_F_EXTEND) != 0;
	t->unknown += rec->verdict == E4D_UNKNOWN;
	if (finding && w->opts.confirm && e4d_confirm(&f.rec, path, &past))
		w->r.unasked++;
	if (w->dump.writer) /* its first error is told by its end */
		e4d_dumping_put(&w->dump, &f.rec);
	if (finding && !keep(w, &f, path))
		count(w, &f);
	return 0;
}

static int on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	struct wrap *w = ctx;
	struct e4d_child *c = &w->r.child;

	if (si->ssi_signo == SIGCHLD)
		return 0; /* the tick that follows asks */
	if (c->ended) {
		e4d_warn("processes that the command started go on without the tracer");
		return WRAP_DONE;
	}
	e4d_child_signal(c, si);
	return 0;
}

static int ticked(void *ctx)
{
	struct wrap *w = ctx;

	if (w->dump.writer)
		e4d_dumping_tick(&w->dump);
	if (e4d_child_reap(&w->r.child))
		return WRAP_DONE;
	if (w->r.child.ended && !w->said) {
		e4d_info("the command has ended; waiting for processes that it started; Ctrl-C "
		         "ends that");
		w->said = true;
	}
	return 0;
}

static int kmsg_ready(void *ctx, short revents)
{
	struct wrap *w = ctx;

	int err = read_log(w, e4d_kmsg_read);

	(void)revents;
	w->source.fd = w->kmsg.fd;
	return err;
}

static int loop(struct wrap *w, int signals)
{
	const struct e4d_loop l = {
		.session = w->dump.session,
		.signals = signals,
		.out = -1,
		.on_signal = on_signal,
		.ticked = ticked,
		.sources = &w->source,
		.source_count = 1,
		.ctx = w,
	};
	int err;

	w->source = (struct e4d_source){.fd = w->kmsg.fd, .events = POLLIN, .ready = kmsg_ready};
	err = e4d_loop_run(&l);
	return err > 0 ? 0 : err;
}

/* Before anything is attached: what would be refused is refused early. */
static int check(struct wrap *w)
{
	int err = e4d_child_find(w->r.argv[0]);

	if (err) {
		e4d_err("cannot run '%s': %s", w->r.argv[0], strerror(-err));
		return E4D_EXIT_CANNOT;
	}
	w->out = STDOUT_FILENO;
	if (w->report)
		w->out =
			open(w->report, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->out < 0) {
		e4d_err("--report %s: %s%s", w->report, strerror(errno),
		        errno == EEXIST ? "; nothing is overwritten: name a new file" : "");
		return E4D_EXIT_CANNOT;
	}
	return 0;
}

static int start_session(struct wrap *w)
{
	struct e4d_session_opts so = {
		.on_record = on_record, .ctx = w, .tier = w->opts.tier, .limits = w->opts.limits};
	char why[1024] = "";

	so.cfg.all = true; /* each is counted */
	so.prompt = w->opts.confirm || e4d_filter_needs_path(w->opts.filter);
	if (w->opts.filter)
		e4d_filter_pushdown(w->opts.filter, &so.cfg);
	if (e4d_paths_open(&w->dump.paths) || e4d_marks_open(&w->r.marks)) {
		e4d_err("%s", strerror(ENOMEM));
		return E4D_EXIT_CANNOT;
	}
	if (e4d_session_open(&so, &w->dump.session, why, sizeof(why))) {
		e4d_err("cannot trace here: %s", why);
		return E4D_EXIT_CANNOT;
	}
	return 0;
}

static int start(struct wrap *w)
{
	static const struct e4d_trace_limits limits = {0};
	int err = start_session(w);

	if (err)
		return err;
	if (w->dir && e4d_dumping_open(&w->dump, w->dir, w->options, &limits))
		return E4D_EXIT_CANNOT;
	w->r.tier = e4d_session_tier(w->dump.session);
	w->r.strict = w->opts.strict;
	e4d_clock_measure(&w->r.clock);
	e4d_kmsg_open(&w->kmsg);
	if (w->kmsg.fd < 0)
		e4d_warn("no names of tests: %s", w->kmsg.why);
	else if (!w->kmsg.clock.known)
		e4d_warn("/dev/kmsg cannot be written: findings may have several tests as "
		         "candidates; run as root");
	err = e4d_child_start(&w->r.child, (char **)w->r.argv);
	if (err) {
		e4d_err("cannot run '%s': %s", w->r.argv[0], strerror(-err));
		return E4D_EXIT_CANNOT;
	}
	e4d_info("tracing direct writes to ext4 while '%s' runs, tier %s", w->r.argv[0],
	         e4d_tier_name(w->r.tier));
	if (w->dir)
		e4d_dumping_limits(); /* not the command's */
	return 0;
}

static void on_loss(void *ctx, const char *name, uint64_t n)
{
	struct wrap *w = ctx;
	struct e4d_wrap_loss *l = &w->r.losses[w->r.loss_count];

	e4d_warn("lost: %s %llu", name, (unsigned long long)n);
	if (w->r.loss_count == E4D_WRAP_LOSSES)
		return;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->count = n;
	w->r.loss_count++;
}

/* What the report cannot say in its own words. */
static void warn(const struct wrap *w)
{
	const struct e4d_wrap_result *r = &w->r;
	enum e4d_exit code = e4d_wrap_exit(r);
	char status[80];

	e4d_wrap_status(&r->child, status, sizeof(status));
	if (!r->child.ended || r->child.status)
		e4d_warn("'%s' %s", r->argv[0], status);
	if (r->unasked)
		e4d_warn("%llu finding%s could not be confirmed: the file has gone or moved on",
		         (unsigned long long)r->unasked, e4d_s(r->unasked));
	if (r->unlisted)
		e4d_warn("%llu more finding%s not listed", (unsigned long long)r->unlisted,
		         r->unlisted == 1 ? " is" : "s are");
	if (r->gaps)
		e4d_warn("the kernel's log was overwritten %llu time%s before it was read: names "
		         "of tests may be missing (log_buf_len=)",
		         (unsigned long long)r->gaps, e4d_s(r->gaps));
	if (code == E4D_EXIT_BLIND)
		e4d_warn("events were lost: that nothing was found proves nothing");
	if (code == E4D_EXIT_NOTHING)
		e4d_warn("no direct write to ext4%s was seen of '%s' and what it started",
		         w->opts.filter ? ", as --filter lets through," : "", r->argv[0]);
}

/* The report stands without it. 0 or -errno. */
static int finish_dump(struct wrap *w)
{
	int err = w->dump.writer ? e4d_dumping_finish(&w->dump) : 0;

	if (err)
		e4d_err("-o %s: %s; what it has is whole, and what was in memory is lost: make "
		        "room",
		        w->dir, strerror(-err));
	return err;
}

/* Detaches, and reports whatever has been seen; the exit code. */
static int finish(struct wrap *w, int err)
{
	int reported, dumped;

	if (!err)
		err = e4d_session_stop(w->dump.session);
	read_log(w, e4d_kmsg_sync);
	for (size_t i = 0; i < w->r.finding_count; i++)
		count(w, &w->r.findings[i]);
	w->r.no_marks = w->kmsg.why[0] ? w->kmsg.why : NULL;
	w->r.gaps = w->kmsg.gaps;
	w->r.lost = e4d_session_losses(w->dump.session, on_loss, w);
	dumped = finish_dump(w);
	warn(w);
	reported = e4d_wrap_report(&w->r, w->opts.format, w->out);
	if (!err && reported != -EPIPE)
		err = reported;
	if (!err) {
		int code = e4d_wrap_exit(&w->r);

		return dumped && code != E4D_EXIT_FINDING ? E4D_EXIT_CANNOT : code;
	}
	e4d_err("stopped: %s", strerror(-err));
	return E4D_EXIT_CANNOT;
}

static void release(struct wrap *w)
{
	e4d_session_close(w->dump.session);
	e4d_dumping_close(&w->dump);
	e4d_kmsg_close(&w->kmsg);
	e4d_paths_close(w->dump.paths);
	e4d_marks_close(&w->r.marks);
	for (size_t i = 0; i < w->r.finding_count; i++)
		free(w->r.findings[i].path);
	free(w->r.findings);
	e4d_opts_free(&w->opts);
	if (w->report && w->out >= 0)
		close(w->out);
}

int e4d_cmd_wrap(int argc, char **argv)
{
	struct wrap w = {.out = -1, .kmsg.fd = -1};
	int signals, code = parse(&w, argc, argv);

	if (code != E4D_OPTS_RUN)
		goto out;
	w.r.argv = argv + optind;
	e4d_dumping_options(w.options, sizeof(w.options), argc, argv);
	code = check(&w);
	if (code)
		goto out;
	e4d_child_init(&w.r.child);
	signals = e4d_loop_signals(e4d_child_signals, 2);
	code = start(&w);
	if (!code)
		code = finish(&w, loop(&w, signals));
out:
	release(&w);
	return code;
}
