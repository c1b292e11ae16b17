/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The least that a consumer of one record for each write does: takes each from
 * the ring when the session says and writes its bytes to a file. With --files it
 * counts for each file, as the live view does, and takes the records of the default; with
 * --view also for each process, with what is asked of writes under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "raw.h"
#include "record/names.h"
#include "session/session.h"

static int on_record(void *ctx, struct e4d_record *rec)
{
	return raw_add(ctx, rec);
}

/* Half as long, and written as they come. */
static int on_inside(void *ctx, const struct e4d_ev_inside *e, size_t n)
{
	struct raw *c = ctx;
	ssize_t len = n * sizeof(*e);

	return write(c->fd, e, len) == len ? 0 : -EIO;
}

static int loop(struct e4d_session *s, struct raw *c)
{
	struct pollfd end = {.events = POLLIN};
	sigset_t set;
	int err = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	end.fd = signalfd(-1, &set, SFD_CLOEXEC);
	dprintf(STDERR_FILENO, "tracing\n");
	while (!err && poll(&end, 1, e4d_session_wait_ms(s)) == 0) {
		err = e4d_session_tick(s);
		if (!err)
			err = raw_flush(c);
	}
	if (!err)
		err = e4d_session_stop(s);
	return err ? err : raw_flush(c);
}

int main(int argc, char **argv)
{
	static struct raw c;
	struct e4d_session_opts opts = {.on_record = on_record, .on_inside = on_inside, .ctx = &c};
	struct e4d_session *s;
	char why[512] = "";
	bool view = argc == 3 && !strcmp(argv[2], "--view");
	int err;

	if (argc == 3)
		opts.tier = e4d_name_value(&e4d_tiers, argv[1], strlen(argv[1]));
	if (argc != 3 || (int)opts.tier <= 0) {
		fprintf(stderr, "usage: consume TIER FILE|--files|--view\n"
		                "example: consume tracepoint /dev/null\n");
		return 2;
	}
	opts.cfg.files = view || !strcmp(argv[2], "--files");
	opts.cfg.all = !opts.cfg.files;
	c.fd = open(opts.cfg.files ? "/dev/null" : argv[2],
	            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (c.fd < 0) {
		perror(argv[2]);
		return 1;
	}
	err = e4d_session_open(&opts, &s, why, sizeof(why));
	if (!err && view)
		err = e4d_session_want(s, E4D_WANT_PROCESSES | E4D_WANT_FLIGHTS);
	if (!err)
		err = loop(s, &c);
	if (err)
		fprintf(stderr, "consume: %s %s\n", strerror(-err), why);
	e4d_session_close(s);
	return err ? 3 : 0;
}
