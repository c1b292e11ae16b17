/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd/loop.h"
#include "session/session.h"

enum { FD_SIGNALS, FD_DEADLINE, FD_OUT, FD_SOURCES };

int e4d_loop_signals(const int *more, size_t n)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, more[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int open_deadline(double seconds)
{
	struct itimerspec it = {.it_value.tv_sec = (time_t)seconds};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	it.it_value.tv_nsec = (long)(fmod(seconds, 1) * 1e9) + 1;
	if (fd >= 0 && timerfd_settime(fd, 0, &it, NULL)) {
		close(fd);
		return -errno;
	}
	return fd < 0 ? -errno : fd;
}

/* Sets *end where a signal is one that ends the loop without a value. */
static int take_signals(const struct e4d_loop *l, bool *end)
{
	struct signalfd_siginfo si;
	int err = 0;

	while (!err && read(l->signals, &si, sizeof(si)) == sizeof(si)) {
		if (l->on_signal)
			err = l->on_signal(l->ctx, &si);
		else
			*end = true;
	}
	return err;
}

static int take_sources(const struct e4d_loop *l, const struct pollfd *fds)
{
	int err = 0;

	for (size_t i = 0; i < l->source_count && !err; i++)
		if (fds[i].revents && l->sources[i].fd == fds[i].fd)
			err = l->sources[i].ready(l->ctx, fds[i].revents);
	return err;
}

/* One round; *end is set by what ends the loop without a value. */
static int step(const struct e4d_loop *l, struct pollfd *fds, bool *end)
{
	int err = 0;

	for (size_t i = 0; i < l->source_count; i++)
		fds[FD_SOURCES + i] =
			(struct pollfd){.fd = l->sources[i].fd, .events = l->sources[i].events};
	if (poll(fds, FD_SOURCES + l->source_count,
	         l->session ? e4d_session_wait_ms(l->session) : -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[FD_SIGNALS].revents)
		err = take_signals(l, end);
	*end |= fds[FD_DEADLINE].revents != 0;
	if (err || *end)
		return err;
	if (fds[FD_OUT].revents & POLLERR)
		return -EPIPE;
	if (fds[FD_OUT].revents) /* closed: the first write will tell */
		fds[FD_OUT].fd = -1;
	err = take_sources(l, fds + FD_SOURCES);
	if (!err && l->session)
		err = e4d_session_tick(l->session);
	return err || !l->ticked ? err : l->ticked(l->ctx);
}

int e4d_loop_run(const struct e4d_loop *l)
{
	struct pollfd fds[FD_SOURCES + E4D_LOOP_SOURCES] = {
		[FD_SIGNALS] = {.fd = l->signals, .events = POLLIN},
		[FD_DEADLINE] = {.fd = -1, .events = POLLIN},
		[FD_OUT] = {.fd = l->out, .events = 0}, /* POLLERR: a pipe without reader */
	};
	bool end = false;
	int err = 0;

	if (l->signals < 0)
		return l->signals;
	if (l->source_count > E4D_LOOP_SOURCES)
		return -E2BIG;
	if (l->seconds > 0)
		fds[FD_DEADLINE].fd = err = open_deadline(l->seconds);
	err = err < 0 ? err : 0;
	while (!err && !end)
		err = step(l, fds, &end);
	if (fds[FD_DEADLINE].fd >= 0)
		close(fds[FD_DEADLINE].fd);
	return err;
}
