/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The least that a consumer of one record for each write does: takes each from
 * the ring when the session says and writes its bytes to a file. With --files it
 * counts for each file, as the live view does, and takes the records of the default; with
 * --processes or --flights it also does what one more pane of the view asks for.
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

static const struct mode {
	const char *option;
	uint32_t wanted;
} modes[] = {
	{"--files", 0},
	{"--processes", E4D_WANT_PROCESSES},
	{"--flights", E4D_WANT_FLIGHTS},
	{NULL, 0},
};

/* NULL: a file's name. */
static const struct mode *mode_of(const char *arg)
{
	for (const struct mode *m = modes; m->option; m++)
		if (!strcmp(arg, m->option))
			return m;
	return NULL;
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
	const struct mode *mode = argc == 3 ? mode_of(argv[2]) : NULL;
	int err;

	if (argc == 3)
		opts.tier = e4d_name_value(&e4d_tiers, argv[1], strlen(argv[1]));
	if (argc != 3 || (int)opts.tier <= 0) {
		fprintf(stderr, "usage: consume TIER FILE|--files|--processes|--flights\n"
		                "example: consume tracepoint /dev/null\n");
		return 2;
	}
	opts.cfg.files = mode != NULL;
	opts.cfg.all = !opts.cfg.files;
	c.fd = open(opts.cfg.files ? "/dev/null" : argv[2],
	            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (c.fd < 0) {
		perror(argv[2]);
		return 1;
	}
	err = e4d_session_open(&opts, &s, why, sizeof(why));
	if (!err && mode)
		err = e4d_session_want(s, mode->wanted);
	if (!err)
		err = loop(s, &c);
	if (err)
		fprintf(stderr, "consume: %s %s\n", strerror(-err), why);
	e4d_session_close(s);
	return err ? 3 : 0;
}
