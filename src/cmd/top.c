/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop top: the live view, and what it is without a terminal. */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/loop.h"
#include "util/clock.h"
#include "util/log.h"
#include "view/batch.h"
#include "view/columns.h"
#include "view/keys.h"
#include "view/live.h"
#include "view/replay.h"
#include "view/screen.h"

#define TOP_DONE 1 /* not an error: asked for, or all is shown */
#define ROWS     20
#define KEYS_NS  100000000ULL /* so long keys may take until the screen is drawn */

static const char help[] =
	"Usage: ext4diotop [top] [OPTIONS]\n"
	"A live view of direct writes to ext4: files, processes, file systems, writes in\n"
	"flight, and findings. ? shows the keys. Into a pipe, and with -b, one table for\n"
	"each interval.\n"
	"\n"
	"  -d, --delay S    seconds between refreshes, default 1\n"
	"  -b, --batch      tables instead of a live view\n"
	"  -o, --output F   json (a line for each interval) or csv; implies -b\n"
	"  -n N             stop after N intervals; implies -b\n"
	"  --once           one interval: -n 1\n"
	"  --pane P         files (the default), processes, filesystems, in_flight, findings\n"
	"  --rows N         at most N rows in a table, default 20, all in json and csv\n"
	"  -r, --replay D   replay a trace dump\n"
	"  --filter TERMS   only writes that match, e.g. 'dev=sda1 comm=fio'\n"
	"  --tier TIER      fentry, kprobe or tracepoint; default: the best\n"
	"  --strict         exposure to a crash counts as a finding too\n"
	"  --duration S     stop after S seconds\n"
	"  --color WHEN     auto, always or never; auto obeys NO_COLOR\n"
	"  --ascii          no other characters, as in a locale without UTF-8\n"
	"  -q, --quiet      no headers\n"
	"\n"
	"Examples:\n"
	"  ext4diotop\n"
	"  ext4diotop top --filter 'dev=/mnt/data' -d 5\n"
	"  ext4diotop top -o json -n 60 > minute.jsonl\n"
	"  ext4diotop top --once --pane processes\n"
	"  ext4diotop top -r dump\n"
	"\n"
	"Exit: 0 clean, 1 a finding, 2 usage, 3 cannot run here, 4 no write was seen,\n"
	"5 no finding, but events were lost, 6 the dump is corrupt.\n";

struct top {
	struct e4d_opts opts;
	struct e4d_feed *feed;
	struct e4d_model model;
	struct e4d_view view;
	struct e4d_frame frame;
	struct e4d_batch batch;
	struct e4d_outbuf out;
	const char *replay;
	double delay;
	enum e4d_color color;
	enum e4d_pane pane;
	uint64_t rows, intervals; /* 0: by default; all */
	bool tables, ascii;
	/* while it runs */
	int timer;
	double timer_s;
	bool no_output; /* it failed */
	struct e4d_source source[2];
};

enum { OPT_ONCE = E4D_OPT_OWN, OPT_PANE, OPT_ROWS, OPT_COLOR, OPT_ASCII };

static const struct option longopts[] = {
	{"delay", required_argument, NULL, 'd'},     {"batch", no_argument, NULL, 'b'},
	{"output", required_argument, NULL, 'o'},    {"once", no_argument, NULL, OPT_ONCE},
	{"pane", required_argument, NULL, OPT_PANE}, {"rows", required_argument, NULL, OPT_ROWS},
	{"replay", required_argument, NULL, 'r'},    {"color", required_argument, NULL, OPT_COLOR},
	{"ascii", no_argument, NULL, OPT_ASCII},     {NULL, 0, NULL, 0},
};

/* One word of a list, by its place; -EINVAL, said, when it is none of them. */
static int parse_word(const char *option, const char *const *words, size_t n, int *out)
{
	char all[128] = "";

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(words[i], optarg)) {
			*out = (int)i;
			return 0;
		}
		strcat(strcat(all, i ? ", " : ""), words[i]);
	}
	e4d_err("%s wants one of %s, not '%s'", option, all, optarg);
	return -EINVAL;
}

static int parse_pane(enum e4d_pane *out)
{
	const char *words[E4D_PANE_COUNT];
	int v = 0, err;

	for (int i = 0; i < E4D_PANE_COUNT; i++)
		words[i] = e4d_panes[i].key;
	err = parse_word("--pane", words, E4D_PANE_COUNT, &v);
	*out = (enum e4d_pane)v;
	return err;
}

static int parse_number(const char *option, double least, double most, double *out)
{
	char *end;

	*out = strtod(optarg, &end);
	if (end != optarg && !*end && *out >= least && *out <= most)
		return 0;
	e4d_err("%s wants a number from %g to %g, not '%s'", option, least, most, optarg);
	return -EINVAL;
}

static int parse_own(void *ctx, int c)
{
	static const char *const formats[] = {"text", "json", "csv"};
	static const char *const colors[] = {"auto", "never", "always"};
	struct top *t = ctx;
	double n = 0;
	int v = 0, err = 0;

	switch (c) {
	case 'b':
		t->tables = true;
		break;
	case 'd':
		return parse_number("--delay", 0.1, 3600, &t->delay);
	case 'o':
		err = parse_word("--output", formats, 3, &v);
		t->batch.format = (enum e4d_batch_format)v;
		t->tables = true;
		break;
	case 'r':
		t->replay = optarg;
		break;
	case OPT_ONCE:
		t->intervals = 1;
		t->tables = true;
		break;
	case OPT_PANE:
		return parse_pane(&t->pane);
	case OPT_ROWS:
		err = parse_number("--rows", 1, 1e6, &n);
		t->rows = (uint64_t)n;
		break;
	case OPT_COLOR:
		err = parse_word("--color", colors, 3, &v);
		t->color = (enum e4d_color)v;
		break;
	case OPT_ASCII:
		t->ascii = true;
		break;
	}
	return err;
}

/* What only the lists of trace have a meaning for. */
static int refuse(const struct top *t)
{
	const char *what = t->opts.all                      ? "--all"
	                   : t->opts.confirm                ? "--confirm"
	                   : t->opts.self                   ? "--self"
	                   : strcmp(t->opts.format, "text") ? "--json and --csv (say -o)"
	                                                    : NULL;

	if (!what)
		return E4D_OPTS_RUN;
	e4d_err("top does not take %s; see 'ext4diotop top --help'", what);
	return E4D_EXIT_USAGE;
}

static int parse(struct top *t, int argc, char **argv)
{
	struct e4d_own_opts own = {
		.longopts = longopts, .shortopts = "bd:o:r:", .parse = parse_own, .ctx = t};
	int code = e4d_opts_parse_own(&t->opts, argc, argv, help, &own);

	if (code != E4D_OPTS_RUN)
		return code;
	if (t->opts.count) {
		t->intervals = t->opts.count;
		t->tables = true;
	}
	return refuse(t);
}

static int open_feed(struct top *t)
{
	struct e4d_live_opts lo = {
		.tier = t->opts.tier, .limits = t->opts.limits, .filter = t->opts.filter};
	char why[1024] = "";
	int err;

	if (!t->replay && !t->tables) /* it takes seconds where a machine is busy */
		e4d_info("attaching to the kernel ...");
	if (!t->replay)
		err = e4d_feed_live(&t->feed, &lo, why, sizeof(why));
	else
		err = e4d_feed_replay(&t->feed, t->replay, t->opts.filter, why, sizeof(why));
	if (!err)
		return 0;
	e4d_err(t->replay ? "cannot replay: %s" : "cannot trace here: %s", why);
	/* a dump that is there, and is none */
	return t->replay && err != -ENOENT && err != -EACCES ? E4D_EXIT_CORRUPT : E4D_EXIT_CANNOT;
}

static void set_timer(struct top *t)
{
	/* tables of a dump need not wait for its time to pass */
	double s = t->tables && t->feed->replay ? 0.001 : t->view.interval;
	struct itimerspec it = {0};

	if (t->timer_s == s)
		return;
	t->timer_s = s;
	it.it_value.tv_sec = it.it_interval.tv_sec = (time_t)t->timer_s;
	it.it_value.tv_nsec = it.it_interval.tv_nsec = (long)(fmod(t->timer_s, 1) * 1e9);
	timerfd_settime(t->timer, 0, &it, NULL);
}

/* Only what is shown is counted. */
static void set_wants(struct top *t)
{
	uint32_t wants = 0;

	if (t->view.pane == E4D_PANE_PROCS)
		wants = E4D_WANT_PROCESSES;
	else if (t->view.pane == E4D_PANE_FLIGHTS)
		wants = E4D_WANT_FLIGHTS;
	e4d_model_want(&t->model, wants);
}

static int show(struct top *t)
{
	size_t rows, cols;
	int err;

	e4d_screen_size(&rows, &cols);
	err = e4d_frame_begin(&t->frame, rows, cols, t->view.utf8);
	if (err)
		return err;
	e4d_view_draw(&t->view, &t->frame);
	e4d_screen_show(&t->frame);
	return 0;
}

static int show_table(struct top *t)
{
	int err;

	e4d_batch_put(&t->batch, &t->view, &t->out);
	err = e4d_ob_flush(&t->out, STDOUT_FILENO);
	t->no_output = err;
	if (err)
		return err;
	if (t->intervals && !--t->intervals)
		return TOP_DONE;
	return t->feed->replay && t->feed->ended ? TOP_DONE : 0;
}

static int on_timer(void *ctx, short revents)
{
	struct top *t = ctx;
	uint64_t times;
	int err = 0;

	if (read(t->timer, &times, sizeof(times)) < 0)
		return 0;
	if (t->feed->replay && t->view.playing && !t->feed->ended) {
		t->feed->ops->advance(t->feed, (uint64_t)(t->view.interval * t->view.speed * 1e9));
		err = t->feed->ops->tick(t->feed);
	}
	if (!err && !(t->feed->replay && !t->view.playing))
		err = e4d_model_refresh(&t->model);
	if (err)
		return err;
	return t->tables ? show_table(t) : show(t);
}

static int on_keys(void *ctx, short revents)
{
	struct top *t = ctx;
	uint64_t shown = e4d_boot_ns();
	int key, err = 0;

	while (!err && (key = e4d_screen_key()) && !t->view.quit) {
		e4d_key(&t->view, key);
		if (e4d_boot_ns() - shown < KEYS_NS)
			continue;
		err = show(t); /* keys that wait do not keep the screen as it is */
		shown = e4d_boot_ns();
	}
	if (err)
		return err;
	if (t->view.quit || revents & (POLLHUP | POLLERR))
		return TOP_DONE;
	set_timer(t);
	set_wants(t);
	return show(t);
}

static int on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	struct top *t = ctx;

	switch (si->ssi_signo) {
	case SIGWINCH:
		e4d_screen_resized();
		return show(t);
	case SIGTSTP:
		e4d_screen_suspend();
		return 0; /* SIGCONT comes */
	case SIGCONT:
		e4d_screen_continued();
		return show(t);
	default:
		return TOP_DONE;
	}
}

static int on_tick(void *ctx)
{
	struct top *t = ctx;

	return t->feed->replay ? 0 : t->feed->ops->tick(t->feed);
}

static int run(struct top *t, int signals)
{
	struct e4d_loop loop = {
		.session = t->feed->session,
		.signals = signals,
		.out = t->tables ? STDOUT_FILENO : -1,
		.seconds = t->opts.duration,
		.on_signal = t->tables ? NULL : on_signal,
		.ticked = on_tick,
		.sources = t->source,
		.source_count = t->tables ? 1 : 2,
		.ctx = t,
	};
	int err;

	t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->timer < 0)
		return -errno;
	t->source[0] = (struct e4d_source){t->timer, POLLIN, on_timer};
	t->source[1] = (struct e4d_source){STDIN_FILENO, POLLIN, on_keys};
	set_timer(t);
	set_wants(t);
	err = e4d_model_refresh(&t->model);
	if (!err && !t->tables) {
		err = e4d_screen_open(t->color);
		if (!err)
			err = show(t);
	}
	if (!err)
		err = e4d_loop_run(&loop);
	e4d_screen_close();
	close(t->timer);
	return err;
}

/* A filter that the kernel did not apply: files that were not shown are looked at too. */
static void look_for_match(struct top *t)
{
	t->view.pane = E4D_PANE_FILES;
	t->view.active_only = false;
	do /* some names at a time */
		e4d_view_arrange(&t->view, 0);
	while (t->view.unnamed && !t->model.matched);
}

static int finish(struct top *t, int err)
{
	int stopped = 0;

	if (err == TOP_DONE)
		err = 0;
	if (!err)
		stopped = t->feed->ops->stop(t->feed);
	t->model.paused = false;
	if (!err && !stopped)
		err = e4d_model_refresh(&t->model);
	if (err == -EPIPE)
		return t->model.findings.count ? E4D_EXIT_FINDING : E4D_EXIT_CLEAN;
	if (err || stopped) {
		e4d_err("stopped: %s", strerror(err ? -err : -stopped));
		return t->replay && !t->no_output ? E4D_EXIT_CORRUPT : E4D_EXIT_CANNOT;
	}
	if (t->model.unfiltered && !t->model.matched)
		look_for_match(t);
	return e4d_model_exit(&t->model);
}

static size_t batch_width(void)
{
	const char *cols = getenv("COLUMNS");
	long n = cols ? strtol(cols, NULL, 10) : 0;

	return n >= 60 && n <= 1000 ? (size_t)n : 80;
}

static int set_up(struct top *t)
{
	int err = e4d_model_init(&t->model, t->feed, t->opts.filter, t->opts.strict);

	if (err)
		return err;
	e4d_view_init(&t->view, &t->model);
	t->view.interval = t->delay;
	t->view.pane = t->pane;
	t->view.utf8 = !t->ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	t->batch.quiet = t->opts.quiet;
	t->batch.rows = t->rows ? t->rows : t->batch.format == E4D_BATCH_TEXT ? ROWS : 0;
	t->batch.cols = batch_width();
	t->batch.color = t->color == E4D_COLOR_ALWAYS;
	t->view.active_only = t->tables && t->pane != E4D_PANE_FINDINGS;
	return 0;
}

int e4d_cmd_top(int argc, char **argv)
{
	static const int more[] = {SIGWINCH, SIGTSTP, SIGCONT};
	struct top t = {.delay = 1};
	int signals, err, code;

	setlocale(LC_CTYPE, "");
	code = parse(&t, argc, argv);
	if (code != E4D_OPTS_RUN)
		goto out;
	t.tables |= !e4d_screen_possible();
	if (!t.tables && !e4d_screen_known()) {
		e4d_err("this machine does not know the terminal TERM=%s; try TERM=xterm-256color, "
		        "or -b for tables",
		        getenv("TERM"));
		code = E4D_EXIT_CANNOT;
		goto out;
	}
	signal(SIGXFSZ, SIG_IGN); /* `ulimit -f`: an error of w and p, and not the end */
	signals = e4d_loop_signals(more, t.tables ? 0 : 3);
	code = open_feed(&t);
	if (code)
		goto out;
	err = set_up(&t);
	if (!err)
		err = run(&t, signals);
	code = finish(&t, err);
out:
	e4d_view_free(&t.view);
	e4d_model_free(&t.model);
	if (t.feed)
		t.feed->ops->close(t.feed);
	e4d_frame_free(&t.frame);
	e4d_batch_free(&t.batch);
	e4d_ob_free(&t.out);
	e4d_opts_free(&t.opts);
	return code;
}
