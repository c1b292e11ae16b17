/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "cmd/loop.h"
#include "flight/dump.h"
#include "flight/recorder.h"
#include "flight/pin.h"
#include "path/path.h"
#include "record/names.h"
#include "session/session.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/plural.h"
#include "verdict.h"

#define END   1 /* a signal */
#define FOUND 2 /* --once */

struct flight {
	const struct e4d_opts *opts;
	const struct e4d_flight_opts *flight;
	const char *dir;
	struct utsname uts;
	struct e4d_trace_info info;
	struct e4d_session *session;
	struct e4d_paths *paths;
	struct e4d_pins pins;
	unsigned int number; /* of the last dump */
	unsigned int found_dumps;
	uint64_t findings;
	uint64_t due_ns;       /* when the dump of a finding is; 0: none waits */
	char reason[160];      /* of that dump */
	uint64_t last_unknown; /* of the last dump */
};

/* Into a new directory: nothing is overwritten. */
static int dump(struct flight *f, const char *reason)
{
	char path[4096], why[1024] = "", text[256];
	struct e4d_flight_dump d = {.dir = path,
	                            .why = reason,
	                            .info = f->info,
	                            .filter = f->opts->filter,
	                            .paths = f->paths};
	struct e4d_flight_counts counts;
	int err;

	do {
		if (snprintf(path, sizeof(path), "%s/flight-%03u", f->dir, ++f->number) >=
		    (int)sizeof(path))
			return -ENAMETOOLONG;
		err = e4d_flight_dump(f->session, &d, f->opts->strict, &counts, why, sizeof(why));
	} while (err == -EEXIST && f->number < 999999);
	if (err) {
		e4d_err("no dump of '%s': %s", reason, *why ? why : strerror(-err));
		return err;
	}
	e4d_flight_describe(&counts, text, sizeof(text));
	e4d_info("%s: %s: %s", path, reason, text);
	f->last_unknown = counts.unknown;
	return 0;
}

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct flight *f = ctx;
	const char *path = NULL;

	if (!e4d_is_finding(rec, f->opts->strict))
		return 0;
	if (f->opts->filter && e4d_filter_needs_path(f->opts->filter))
		path = e4d_path_resolve(f->paths, rec);
	if (f->opts->filter && !e4d_filter_match(f->opts->filter, rec, path))
		return 0;
	f->findings++;
	if (f->due_ns || f->found_dumps >= f->flight->dumps)
		return 0;
	snprintf(f->reason, sizeof(f->reason), "finding: %s, seq %llu, inode %llu",
	         e4d_verdict_name(rec->verdict), (unsigned long long)rec->seq,
	         (unsigned long long)rec->ino);
	f->due_ns = e4d_boot_ns() + f->flight->after_ns;
	return 0;
}

static int dump_finding(struct flight *f)
{
	int err = dump(f, f->reason);

	f->due_ns = 0;
	f->found_dumps++;
	if (err)
		return err;
	if (f->flight->once)
		return FOUND;
	if (f->found_dumps == f->flight->dumps)
		e4d_warn("%u dumps of findings are made: no more, but for SIGUSR2 and the end; "
		         "--dumps N allows more",
		         f->found_dumps);
	return 0;
}

static int ticked(void *ctx)
{
	struct flight *f = ctx;

	return f->due_ns && e4d_boot_ns() >= f->due_ns ? dump_finding(f) : 0;
}

static int on_signal(void *ctx, const struct signalfd_siginfo *si)
{
	return si->ssi_signo == SIGUSR2 ? dump(ctx, "SIGUSR2") : END;
}

static int make_dir(const char *dir)
{
	struct stat st;

	if (!mkdir(dir, 0700))
		return 0;
	if (errno != EEXIST || stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		e4d_err("%s cannot be made: %s; name a directory that may be written with -o", dir,
		        strerror(errno));
		return -errno;
	}
	return 0;
}

static int start(struct flight *f)
{
	struct e4d_session_opts so = {
		.on_record = on_record, .ctx = f, .tier = f->opts->tier, .limits = f->opts->limits};
	struct e4d_clock clock = {0};
	char why[1024] = "";
	int err;

	so.cfg.all = 1;
	so.cfg.overwrite = 1;
	so.pinned = f->flight->pin;
	so.limits.ring_bytes = f->flight->bytes;
	if (f->opts->filter)
		e4d_filter_pushdown(f->opts->filter, &so.cfg);
	err = make_dir(f->dir);
	if (!err)
		err = e4d_paths_open(&f->paths);
	if (err)
		return E4D_EXIT_CANNOT;
	err = e4d_session_open(&so, &f->session, why, sizeof(why));
	if (err) {
		e4d_err("cannot record here: %s", why);
		return E4D_EXIT_CANNOT;
	}
	uname(&f->uts);
	e4d_clock_measure(&clock);
	f->info.host = f->uts.nodename;
	f->info.kernel = f->uts.release;
	f->info.program = "ext4diotop " E4D_VERSION;
	f->info.tier = e4d_session_tier(f->session);
	f->info.real_minus_boot_ns = clock.boot_to_real_ns;
	err = e4d_flight_sign(f->session, &f->info);
	if (!err && f->flight->pin)
		err = e4d_pins_make(&f->pins, f->flight->bpffs, f->session, why, sizeof(why));
	if (err) {
		e4d_err("cannot record here: %s", *why ? why : strerror(-err));
		return E4D_EXIT_CANNOT;
	}
	return 0;
}

static void say_started(const struct flight *f)
{
	const struct e4d_ring *r = e4d_session_ring(f->session);

	if (f->opts->quiet)
		return;
	dprintf(STDERR_FILENO,
	        "flight recorder: direct writes to ext4, tier %s, %u rows of %u KiB; SIGUSR2 "
	        "dumps, "
	        "Ctrl-C ends\n",
	        e4d_tier_name(f->info.tier), r->rows, r->row_pages * 4);
	if (f->flight->pin)
		dprintf(STDERR_FILENO, "pinned as %s: 'ext4diotop snapshot' reads it, also later\n",
		        f->pins.id);
}

static void warn_loss(void *ctx, const char *name, uint64_t n)
{
	e4d_warn("lost: %s %llu", name, (unsigned long long)n);
}

static int finish(struct flight *f, int err)
{
	int late = e4d_session_stop(f->session);
	struct e4d_counters c;
	uint64_t lost;

	if (f->flight->pin)
		e4d_pins_remove(&f->pins);
	if (err >= 0 && err != FOUND)
		late = dump(f, f->due_ns ? f->reason : "end");
	err = err < 0 ? err : late;
	e4d_session_counters(f->session, &c);
	lost = e4d_session_losses(f->session, warn_loss, NULL);
	e4d_info("%llu direct write%s (%llu extending), %llu finding%s",
	         (unsigned long long)c.v[E4D_C_WRITES], e4d_s(c.v[E4D_C_WRITES]),
	         (unsigned long long)c.v[E4D_C_EXTEND], (unsigned long long)f->findings,
	         e4d_s(f->findings));
	if (f->findings)
		return E4D_EXIT_FINDING;
	if (err < 0)
		return E4D_EXIT_CANNOT;
	if (lost || f->last_unknown) {
		e4d_warn("events were lost: that nothing was found proves nothing");
		return E4D_EXIT_BLIND;
	}
	return c.v[E4D_C_WRITES] ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}

int e4d_flight_run(const struct e4d_opts *opts, const struct e4d_flight_opts *flight,
                   const char *dir, const char *options)
{
	static const int more[] = {SIGUSR2};
	struct flight f = {.opts = opts, .flight = flight, .dir = dir, .info.options = options};
	struct e4d_loop loop = {.out = -1,
	                        .on_signal = on_signal,
	                        .ticked = ticked,
	                        .seconds = opts->duration,
	                        .ctx = &f};
	int code;

	loop.signals = e4d_loop_signals(more, 1);
	code = start(&f);
	if (!code) {
		say_started(&f);
		loop.session = f.session;
		code = finish(&f, e4d_loop_run(&loop));
	}
	e4d_pins_close(&f.pins);
	e4d_session_close(f.session);
	e4d_paths_close(f.paths);
	return code;
}
