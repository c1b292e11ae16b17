/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "wrap/kmsg.h"

#define DEV         "/dev/kmsg"
#define RECORD_MOST 8192   /* of the kernel: CONSOLE_EXT_LOG_MAX */
#define DEBUG       "<7>"  /* a level that consoles do not print */
#define WIDE_NS     100000 /* a begin within more than that is worth a line */
#define READ_NS     5000   /* a reading of two clocks that took longer is repeated */

static uint64_t raw_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* CLOCK_BOOTTIME - CLOCK_MONOTONIC_RAW, ns. */
static int64_t added(void)
{
	uint64_t raw = 0, boot = 0;

	for (int i = 0; i < 5; i++) {
		raw = raw_ns();
		boot = e4d_boot_ns();
		if (raw_ns() - raw < READ_NS)
			break;
	}
	return (int64_t)(boot - raw);
}

/*
 * The line is in the log before write() returns, and stamped in it. Opened each time:
 * the kernel limits the rate of each open file.
 */
static void write_own(struct e4d_kmsg *k)
{
	int fd = open(DEV, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	char line[sizeof(DEBUG) + sizeof(k->own) + 1];
	ssize_t len;

	if (fd < 0)
		return;
	snprintf(k->own, sizeof(k->own), "ext4diotop wrap %d clock %u", getpid(), ++k->lines);
	len = snprintf(line, sizeof(line), DEBUG "%s\n", k->own);
	k->own_seen.from = e4d_boot_ns();
	if (write(fd, line, (size_t)len) != len)
		k->own[0] = '\0';
	k->own_seen.to = e4d_boot_ns();
	close(fd);
}

/* m NULL: marks are of tests that began before. */
static int take(struct e4d_kmsg *k, struct e4d_marks *m, const char *rec, size_t size,
                struct e4d_span seen)
{
	int64_t add = added();
	char name[E4D_MARK_NAME];
	const char *text, *suite;
	uint64_t log_us;
	bool steady;
	size_t len;
	int err;

	if (!e4d_kmsg_parse(rec, size, &log_us, &text, &len))
		return 0;
	if (k->own[0] && len == strlen(k->own) && !memcmp(text, k->own, len))
		seen = k->own_seen;
	steady = e4d_logclock_steady(&k->clock, log_us, add);
	seen = e4d_logclock_place(&k->clock, log_us, seen, add);
	if (m)
		e4d_marks_go_on(m, seen.to);
	suite = m ? e4d_mark_parse(text, len, name) : NULL;
	err = suite ? e4d_marks_add(m, suite, name, seen) : 0;
	if (suite && !err && steady)
		m->v[m->n - 1].log_us = log_us;
	return err;
}

/*
 * Until nothing is readable. A line that has no newline becomes readable when the next
 * one is begun, so that it may be older than empty_ns; but then it is the last one of
 * all, so that the one behind it is not.
 */
static int drain(struct e4d_kmsg *k, struct e4d_marks *m)
{
	char rec[RECORD_MOST + 1];
	int err = 0;

	while (!err && k->fd >= 0) {
		uint64_t before = e4d_boot_ns();
		ssize_t n = read(k->fd, rec, sizeof(rec));
		struct e4d_span seen = {k->since_ns, e4d_boot_ns()};

		if (n > 0) {
			err = take(k, m, rec, (size_t)n, seen);
		} else if (n < 0 && errno == EPIPE) { /* the next read goes on where it can */
			k->gaps += m != NULL;
			err = m ? e4d_marks_add(m, NULL, "", seen) : 0;
		} else if (n < 0 && errno == EAGAIN) {
			k->empty_ns = before;
			break;
		} else if (n == 0 || errno != EINTR) {
			snprintf(k->why, sizeof(k->why), "%s: %s", DEV,
			         n ? strerror(errno) : "it ended");
			e4d_kmsg_close(k);
		} else {
			continue;
		}
		k->since_ns = k->empty_ns;
	}
	return err;
}

/* Containers have other things in its place: /dev/null, a console, a file. */
static bool is_log(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 11);
}

void e4d_kmsg_open(struct e4d_kmsg *k)
{
	memset(k, 0, sizeof(*k));
	k->fd = open(DEV, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	k->empty_ns = e4d_boot_ns(); /* what comes behind the end is not readable yet */
	if (k->fd >= 0 && !is_log(k->fd)) {
		snprintf(k->why, sizeof(k->why), DEV " is not the kernel's log");
		e4d_kmsg_close(k);
		return;
	}
	if (k->fd < 0 || lseek(k->fd, 0, SEEK_END) < 0) {
		snprintf(k->why, sizeof(k->why),
		         "%s: %s; run as root, or with CAP_SYSLOG and the device readable, and "
		         "without printk.devkmsg=off",
		         DEV, strerror(errno));
		e4d_kmsg_close(k);
		return;
	}
	write_own(k);
	drain(k, NULL);
}

static int sync_from(struct e4d_kmsg *k, struct e4d_marks *m, size_t first)
{
	int err;

	if (k->fd >= 0)
		write_own(k);
	err = drain(k, m);
	if (!err)
		e4d_marks_refine(m, first, &k->clock);
	return err;
}

int e4d_kmsg_read(struct e4d_kmsg *k, struct e4d_marks *m)
{
	size_t first = m->n;
	int err = drain(k, m);

	if (!err && e4d_marks_error(m, first) > WIDE_NS)
		err = sync_from(k, m, first);
	return err;
}

int e4d_kmsg_sync(struct e4d_kmsg *k, struct e4d_marks *m)
{
	return sync_from(k, m, m->n);
}

void e4d_kmsg_close(struct e4d_kmsg *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}
