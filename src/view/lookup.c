/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "util/clock.h"
#include "view/beside.h"
#include "view/lookup.h"

/* What goes through the pipe, in front of a path of `len` bytes. */
struct answer {
	uint32_t row, len;
};

struct question {
	struct e4d_feed *feed;
	const struct e4d_items *t;
};

static void answer_all(int to, void *ctx)
{
	const struct question *q = ctx;
	FILE *out = fdopen(to, "w");

	for (uint32_t i = 0; out && i < q->t->n; i++) {
		struct e4d_item *row = &q->t->row[i];
		const char *path = row->path ? NULL : q->feed->ops->path(q->feed, &row->last);
		struct answer a = {.row = i, .len = path ? (uint32_t)strlen(path) : 0};

		if (!path)
			continue;
		fwrite(&a, sizeof(a), 1, out);
		fwrite(path, a.len, 1, out);
		fflush(out); /* the next may hang */
	}
}

/* All of len bytes before the time is over (CLOCK_BOOTTIME ns). */
static bool read_until(int fd, void *to, size_t len, uint64_t end_ns)
{
	char *at = to;

	while (len) {
		uint64_t now = e4d_boot_ns();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (now >= end_ns || poll(&p, 1, (int)((end_ns - now) / 1000000) + 1) <= 0)
			return false;
		n = read(fd, at, len);
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void take_all(int fd, struct e4d_items *t)
{
	uint64_t end_ns = e4d_boot_ns() + E4D_LOOKUP_MS * 1000000ULL;
	char path[PATH_MAX];
	struct answer a;

	while (read_until(fd, &a, sizeof(a), end_ns)) {
		if (a.row >= t->n || a.len >= sizeof(path) || !read_until(fd, path, a.len, end_ns))
			return;
		path[a.len] = 0;
		if (!t->row[a.row].path)
			t->row[a.row].path = strdup(path);
	}
}

static uint32_t nameless(const struct e4d_items *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += !t->row[i].path;
	return n;
}

uint32_t e4d_lookup(struct e4d_feed *feed, struct e4d_items *t)
{
	struct question q = {feed, t};
	int fd = nameless(t) ? e4d_beside(answer_all, &q) : -1;

	if (fd >= 0) {
		take_all(fd, t);
		close(fd);
	}
	return nameless(t);
}
