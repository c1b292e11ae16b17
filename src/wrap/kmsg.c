/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "wrap/kmsg.h"

#define DEV         "/dev/kmsg"
#define RECORD_MOST 8192 /* of the kernel: CONSOLE_EXT_LOG_MAX */

/* The line is in the log before write() returns. */
static void write_own(struct e4d_kmsg *k)
{
	int fd = open(DEV, O_WRONLY | O_CLOEXEC | O_NOCTTY), len;

	if (fd < 0)
		return;
	len = snprintf(k->own, sizeof(k->own), "ext4diotop wrap %d begins", getpid());
	k->own_seen.from = e4d_boot_ns();
	if (write(fd, k->own, (size_t)len) != len)
		k->own[0] = '\0';
	k->own_seen.to = e4d_boot_ns();
	close(fd);
}

void e4d_kmsg_open(struct e4d_kmsg *k)
{
	memset(k, 0, sizeof(*k));
	k->fd = open(DEV, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (k->fd >= 0 && lseek(k->fd, 0, SEEK_END) < 0) {
		close(k->fd);
		k->fd = -1;
	}
	if (k->fd < 0) {
		snprintf(k->why, sizeof(k->why),
		         "%s: %s; run as root, or with CAP_SYSLOG and the device readable", DEV,
		         strerror(errno));
		return;
	}
	k->empty_ns = e4d_boot_ns();
	write_own(k);
}

static int take(struct e4d_kmsg *k, struct e4d_marks *m, const char *rec, size_t size,
                struct e4d_span seen)
{
	char name[E4D_MARK_NAME];
	const char *text, *suite;
	uint64_t log_us;
	size_t len;

	if (!e4d_kmsg_parse(rec, size, &log_us, &text, &len))
		return 0;
	if (k->own[0] && len == strlen(k->own) && !memcmp(text, k->own, len))
		seen = k->own_seen;
	seen = e4d_logclock_place(&k->clock, log_us, seen);
	suite = e4d_mark_parse(text, len, name);
	return suite ? e4d_marks_add(m, suite, name, seen) : 0;
}

int e4d_kmsg_read(struct e4d_kmsg *k, struct e4d_marks *m)
{
	char rec[RECORD_MOST + 1];
	int err = 0;

	while (!err && k->fd >= 0) {
		uint64_t before = e4d_boot_ns();
		ssize_t n = read(k->fd, rec, sizeof(rec));
		struct e4d_span seen = {k->empty_ns, e4d_boot_ns()};

		if (n > 0) {
			err = take(k, m, rec, (size_t)n, seen);
		} else if (n < 0 && errno == EPIPE) { /* the next read goes on where it can */
			k->gaps++;
			err = e4d_marks_add(m, NULL, "", seen);
		} else if (n < 0 && errno == EAGAIN) {
			k->empty_ns = before;
			break;
		} else if (n == 0 || errno != EINTR) {
			snprintf(k->why, sizeof(k->why), "%s: %s", DEV,
			         n ? strerror(errno) : "it ended");
			e4d_kmsg_close(k);
		}
	}
	return err;
}

void e4d_kmsg_close(struct e4d_kmsg *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}
