/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include "cmd/dumping.h"
#include "util/clock.h"
#include "util/limit.h"
#include "util/log.h"

#define SECOND 1000000000ULL

void e4d_dumping_options(char *buf, size_t len, int argc, char **argv)
{
	size_t at = 0;

	for (int i = 1; i < argc && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s", i > 1 ? " " : "", argv[i]);
}

void e4d_dumping_limits(void)
{
	signal(SIGXFSZ, SIG_IGN);
	e4d_limit_raise(RLIMIT_NOFILE);
}

int e4d_dumping_open(struct e4d_dumping *d, const char *dir, const char *options,
                     const struct e4d_trace_limits *limits)
{
	struct e4d_clock clock = {0};
	struct utsname uts = {0};
	char why[1024] = "";
	struct e4d_trace_info info = {
		.host = uts.nodename,
		.kernel = uts.release,
		.program = "ext4diotop " E4D_VERSION,
		.options = options,
		.tier = e4d_session_tier(d->session),
	};
	int err;

	uname(&uts);
	e4d_clock_measure(&clock);
	info.real_minus_boot_ns = clock.boot_to_real_ns;
	err = e4d_trace_create(&d->writer, dir, &info, limits, why, sizeof(why));
	if (err)
		e4d_err("%s", *why ? why : strerror(-err));
	return err;
}

static int put_path(struct e4d_dumping *d, const struct e4d_record *rec)
{
	if (e4d_trace_has_file(d->writer, rec->dev, rec->ino, rec->gen))
		return 0;
	return e4d_trace_put_file(d->writer, rec->dev, rec->ino, rec->gen,
	                          e4d_path_resolve(d->paths, rec));
}

int e4d_dumping_put(struct e4d_dumping *d, const struct e4d_record *rec)
{
	int err = e4d_trace_put(d->writer, rec);

	return err ? err : put_path(d, rec);
}

/* How many of n are of the first one's file. */
static size_t run_of(const struct e4d_ev_inside *e, size_t n)
{
	size_t i = 1;

	while (i < n && e[i].ino == e->ino && e[i].dev == e->dev && e[i].gen == e->gen)
		i++;
	return i;
}

int e4d_dumping_put_inside(struct e4d_dumping *d, const struct e4d_ev_inside *e, size_t n,
                           size_t *put)
{
	bool known = e4d_trace_has_file(d->writer, e->dev, e->ino, e->gen);
	unsigned int rotation = e4d_trace_rotation(d->writer);
	struct e4d_record rec;
	int err = e4d_trace_put_inside(d->writer, e, known ? run_of(e, n) : 1, put);

	if (err || (known && rotation == e4d_trace_rotation(d->writer)))
		return err;
	e4d_inside_expand(&rec, e);
	return put_path(d, &rec);
}

static void no_loss(void *ctx, const char *name, uint64_t n)
{
}

static void put_loss(void *ctx, const char *name, uint64_t n)
{
	struct e4d_dumping *d = ctx;

	e4d_trace_put_loss(d->writer, name, n);
}

/* Where a count has changed, or its last is in files that may go. */
static void put_losses(struct e4d_dumping *d)
{
	unsigned int rotation = e4d_trace_rotation(d->writer);
	uint64_t lost = e4d_session_losses(d->session, no_loss, NULL);

	e4d_trace_set_discarded(d->writer, lost);
	if (lost == d->lost && (!lost || rotation == d->lost_rot))
		return;
	d->lost = lost;
	d->lost_rot = rotation;
	e4d_session_losses(d->session, put_loss, d);
}

/* The totals, where they have changed; the last in any case. */
static void put_counters(struct e4d_dumping *d, bool last)
{
	struct e4d_ev_counters e;

	e4d_session_totals(d->session, &e);
	if (last || memcmp(&e, &d->counted, sizeof(e)))
		e4d_trace_put_counters(d->writer, &e);
	d->counted = e;
}

int e4d_dumping_tick(struct e4d_dumping *d)
{
	uint64_t now = e4d_boot_ns();

	put_losses(d);
	if (now - d->counted_ns >= SECOND) {
		d->counted_ns = now;
		put_counters(d, false);
	}
	return e4d_trace_tick(d->writer, now);
}

int e4d_dumping_finish(struct e4d_dumping *d)
{
	e4d_trace_tick(d->writer, e4d_boot_ns());
	put_losses(d);
	put_counters(d, true);
	return e4d_trace_finish(d->writer);
}

void e4d_dumping_close(struct e4d_dumping *d)
{
	e4d_trace_writer_close(d->writer);
}
