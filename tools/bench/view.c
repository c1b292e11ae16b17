/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What a refresh of the live view costs in user space: a feed of N files and 10,000
 * processes, by rule, is read, and a screen of 60 x 200 drawn, so many times. Prints CPU
 * ns for each refresh, and the most bytes that were resident.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "many.h"
#include "view/view.h"

static uint32_t files;
static uint64_t refreshes;

static int feed_files(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	return many_files(files, refreshes, fn, ctx);
}

static int feed_processes(struct e4d_feed *f, e4d_row_fn *fn, void *ctx)
{
	return many_processes(refreshes, fn, ctx);
}

static void feed_flights(struct e4d_feed *f, e4d_flight_fn *fn, void *ctx)
{
}

static void feed_counters(struct e4d_feed *f, struct e4d_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
}

static uint64_t feed_losses(struct e4d_feed *f, void (*fn)(void *ctx, const char *name, uint64_t n),
                            void *ctx)
{
	return 0;
}

static uint64_t feed_now(const struct e4d_feed *f)
{
	return refreshes * 1000000000;
}

static const char *feed_path(struct e4d_feed *f, const struct e4d_record *rec)
{
	static char path[64];

	snprintf(path, sizeof(path), "/srv/data/file-%llu", (unsigned long long)rec->ino);
	return path;
}

static const struct e4d_feed_ops ops = {
	.files = feed_files,
	.processes = feed_processes,
	.flights = feed_flights,
	.counters = feed_counters,
	.losses = feed_losses,
	.now = feed_now,
	.path = feed_path,
};

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int run(unsigned long times)
{
	struct e4d_feed feed = {.ops = &ops, .tier = E4D_TIER_FENTRY, .host = "host"};
	struct e4d_frame frame = {0};
	struct e4d_model model;
	struct e4d_view view;
	int err = e4d_model_init(&model, &feed, NULL, false);

	if (err)
		return err;
	e4d_view_init(&view, &model);
	view.utf8 = true;
	while (!err && refreshes < times) {
		refreshes++;
		err = e4d_model_refresh(&model);
		if (!err)
			err = e4d_frame_begin(&frame, 60, 200, true);
		if (!err)
			e4d_view_draw(&view, &frame);
	}
	e4d_view_free(&view);
	e4d_model_free(&model);
	e4d_frame_free(&frame);
	return err;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double from;
	long times;

	if (argc != 3 || (times = atol(argv[2])) < 1) {
		fprintf(stderr, "usage: view FILES REFRESHES\nexample: view 1000000 200\n");
		return 2;
	}
	files = (uint32_t)atol(argv[1]);
	setlocale(LC_CTYPE, "C.UTF-8");
	from = cpu_ns();
	if (run((unsigned long)times))
		return 1;
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f %ld\n", (cpu_ns() - from) / (double)times, usage.ru_maxrss * 1024);
	return 0;
}
