/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop snapshot: a dump of a pinned flight recorder, which may have lost its process. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "cmd/cmd.h"
#include "flight/dump.h"
#include "flight/page.h"
#include "flight/pin.h"
#include "path/path.h"
#include "session/session.h"
#include "util/log.h"

static const char help[] =
	"Usage: ext4diotop snapshot -o DIR [OPTIONS]\n"
	"Writes what a flight recorder holds ('record --flight --pin') to DIR, a trace dump.\n"
	"The recorder goes on; its process may have died.\n"
	"\n"
	"  -o DIR           where the dump goes; nothing is overwritten\n"
	"  --id ID          of which recorder, if there are several\n"
	"  --list           names the recorders, and dumps none\n"
	"  --stop           ends a recorder that has no process any more, after the dump\n"
	"                   (with -o) or without\n"
	"  --bpffs DIR      where it is pinned, default /sys/fs/bpf\n"
	"  --filter TERMS   only writes that match, e.g. 'dev=sda1 verdict=leak'\n"
	"  --strict         exposure to a crash counts as a finding too\n"
	"  -q, --quiet      no summary\n"
	"\n"
	"Examples:\n"
	"  ext4diotop snapshot -o dump\n"
	"  ext4diotop snapshot --list\n"
	"  ext4diotop snapshot --stop -o last\n"
	"\n"
	"Exit: 0 clean, 1 a finding, 2 usage, 3 there is no recorder, or the dump cannot be\n"
	"written, 4 it holds no write, 5 no finding, but events were lost.\n";

enum { OPT_ID = E4D_OPT_OWN, OPT_LIST, OPT_STOP, OPT_BPFFS };

static const struct option longopts[] = {
	{"output", required_argument, NULL, 'o'},      {"id", required_argument, NULL, OPT_ID},
	{"list", no_argument, NULL, OPT_LIST},         {"stop", no_argument, NULL, OPT_STOP},
	{"bpffs", required_argument, NULL, OPT_BPFFS}, {NULL, 0, NULL, 0},
};

struct snapshot {
	struct e4d_opts opts;
	const char *dir, *id, *bpffs;
	bool list, stop;
	struct e4d_pins pins;
	struct e4d_session *session;
	struct e4d_paths *paths;
	struct e4d_ev_session said; /* by the recorder */
	struct e4d_flight_counts counts;
};

static int parse_own(void *ctx, int c)
{
	struct snapshot *s = ctx;

	switch (c) {
	case 'o':
		s->dir = optarg;
		return 0;
	case OPT_ID:
		s->id = optarg;
		return 0;
	case OPT_LIST:
		s->list = true;
		return 0;
	case OPT_STOP:
		s->stop = true;
		return 0;
	case OPT_BPFFS:
		s->bpffs = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

static void print_one(void *ctx, const char *id, bool alive)
{
	printf("%s %s\n", id, alive ? "recording" : "recording without its process");
}

static int list(const struct snapshot *s)
{
	char why[512] = "";

	if (!e4d_pins_list(s->bpffs, print_one, NULL, why, sizeof(why)))
		return E4D_EXIT_CLEAN;
	e4d_err("%s", why);
	return E4D_EXIT_CANNOT;
}

/* Findings are counted when they are dumped. */
static int on_record(void *ctx, struct e4d_record *rec)
{
	return 0;
}

static int open_recorder(struct snapshot *s)
{
	const struct e4d_session_opts so = {.on_record = on_record, .ctx = s};
	char why[512] = "";
	int err = e4d_pins_open(&s->pins, s->bpffs, s->id, why, sizeof(why));

	if (err) {
		e4d_err("%s", why);
		return E4D_EXIT_CANNOT;
	}
	if (s->stop && e4d_pins_alive(&s->pins)) {
		e4d_err("recorder %s has its process still: end that (SIGINT), and it takes its "
		        "pins away",
		        s->pins.id);
		return E4D_EXIT_CANNOT;
	}
	err = e4d_session_adopt(&so, s->pins.dir, &s->session);
	if (!err)
		err = e4d_flight_signed(s->session, &s->said);
	if (!err)
		err = e4d_paths_open(&s->paths);
	if (!err)
		return 0;
	e4d_err("recorder %s cannot be read: %s; was it started by another version of this "
	        "program?",
	        s->pins.id, strerror(-err));
	return E4D_EXIT_CANNOT;
}

static int dump(struct snapshot *s)
{
	const struct e4d_ev_session *said = &s->said;
	const struct e4d_flight_dump d = {
		.dir = s->dir,
		.why = s->stop ? "snapshot --stop" : "snapshot",
		.info = {.host = said->host,
	                 .kernel = said->kernel,
	                 .program = said->program,
	                 .options = said->options,
	                 .tier = said->tier,
	                 .real_minus_boot_ns = (int64_t)said->real_minus_boot_ns},
		.filter = s->opts.filter,
		.paths = s->paths,
	};
	char why[1024] = "", text[256];
	int err = e4d_flight_dump(s->session, &d, s->opts.strict, &s->counts, why, sizeof(why));

	if (err) {
		e4d_err("%s", *why ? why : strerror(-err));
		return E4D_EXIT_CANNOT;
	}
	e4d_flight_describe(&s->counts, text, sizeof(text));
	e4d_info("%s: recorder %s: %s", s->dir, s->pins.id, text);
	return 0;
}

static void warn_loss(void *ctx, const char *name, uint64_t n)
{
	e4d_warn("lost: %s %llu", name, (unsigned long long)n);
}

static int result(const struct snapshot *s)
{
	uint64_t lost = e4d_session_losses(s->session, warn_loss, NULL);

	if (s->counts.findings)
		return E4D_EXIT_FINDING;
	if (lost || s->counts.unknown) {
		e4d_warn("events were lost: that nothing was found proves nothing");
		return E4D_EXIT_BLIND;
	}
	return s->counts.dumped || !s->dir ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}

int e4d_cmd_snapshot(int argc, char **argv)
{
	struct snapshot s = {0};
	const struct e4d_own_opts own = {
		.longopts = longopts, .shortopts = "o:", .parse = parse_own, .ctx = &s};
	int code = e4d_opts_parse_own(&s.opts, argc, argv, help, &own);

	if (code != E4D_OPTS_RUN)
		goto out;
	if (s.list) {
		code = list(&s);
		goto out;
	}
	if (!s.dir && !s.stop) {
		e4d_err("say where the dump goes: -o DIR");
		code = E4D_EXIT_USAGE;
		goto out;
	}
	code = open_recorder(&s);
	/* what was under way is settled then, and in the dump */
	if (!code && s.stop) {
		e4d_pins_remove(&s.pins);
		e4d_session_stop(s.session);
	}
	if (!code && s.dir)
		code = dump(&s);
	if (!code)
		code = result(&s);
out:
	e4d_session_close(s.session);
	e4d_pins_close(&s.pins);
	e4d_paths_close(s.paths);
	e4d_opts_free(&s.opts);
	return code;
}
