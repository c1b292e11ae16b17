/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/progress.h"

#define NSEC    1000000000ULL
#define EVERY   (NSEC / 10)
#define WAIT    (NSEC / 2) /* short work shows nothing */
#define CELLS   30
#define COLUMNS 79

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
}

void e4d_progress_begin(struct e4d_progress *p, const char *what, bool quiet)
{
	memset(p, 0, sizeof(*p));
	p->on = !quiet && isatty(STDERR_FILENO);
	p->what = what;
	if (p->on)
		p->from_ns = now_ns();
}

static void draw(struct e4d_progress *p, uint64_t done, uint64_t all, uint64_t count, uint64_t now)
{
	double part = all ? (double)done / (double)all : 0;
	double took = (double)(now - p->from_ns) / NSEC;
	char cells[CELLS + 1], rest[32] = "";

	if (part > 1)
		part = 1;
	memset(cells, '.', CELLS);
	memset(cells, '#', (size_t)(part * CELLS));
	cells[CELLS] = 0;
	if (part > 0.01)
		snprintf(rest, sizeof(rest), ", %.0f s left", took / part - took);
	if (all)
		fprintf(stderr, "\r%s [%s] %3.0f %%, %llu%s  ", p->what, cells, part * 100,
		        (unsigned long long)count, rest);
	else
		fprintf(stderr, "\r%s %llu  ", p->what, (unsigned long long)count);
}

void e4d_progress_show(struct e4d_progress *p, uint64_t done, uint64_t all, uint64_t count)
{
	uint64_t now;

	if (!p->on)
		return;
	now = now_ns();
	if (now - p->from_ns < WAIT || (p->shown_ns && now - p->shown_ns < EVERY))
		return;
	p->shown_ns = now;
	draw(p, done, all, count, now);
}

void e4d_progress_end(struct e4d_progress *p)
{
	if (p->on && p->shown_ns)
		fprintf(stderr, "\r%*s\r", COLUMNS, "");
	p->on = false;
}
