/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What an update of the per-file sums costs with few and with many files, in
 * ns (under icount: instructions). Prints "files/..." lines for bench.sh:
 * the tracer's table and a hash map with room for all files, ids uniform and
 * by Zipf's law, one CPU and two. Then what the live view's refresh takes of CPU time with as
 * many files, and that no write is lost by it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "files_arg.h"
#include "config.h"
#include "shared.h" /* which the skeleton names */
#include "files.skel.h"
#include "session/sums.h"

#define MAX_CPUS 2
#define RUNS     9

struct job {
	pthread_t thread;
	pthread_barrier_t *start;
	int cpu, prog;
	unsigned int first, n;
	double ns;
};

static const long counts[] = {10, 1000, 100000, 1000000};

static uint64_t rng = 88172645463325252ULL;

static double random_01(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (double)(rng >> 11) / 9007199254740992.0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Zipf with exponent 1: by the inverse of the harmonic sum, H(k) ~ ln(k) + 0.577. */
static void make_ids(uint32_t *ids, unsigned int n, long files, bool zipf)
{
	for (unsigned int i = 0; i < n; i++) {
		double u = random_01();
		double k = zipf ? exp(u * log((double)files + 1)) - 1 : u * (double)files;

		/* ids that lie together as inodes do, popular ones anywhere */
		ids[i] = 12 + (uint32_t)((uint64_t)k * 7919 % (uint64_t)files);
	}
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void *work(void *arg)
{
	struct job *j = arg;
	struct files_arg a = {j->first, j->n};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &a, .ctx_size_in = sizeof(a));
	cpu_set_t set;
	uint64_t from;
	int err;

	CPU_ZERO(&set);
	CPU_SET(j->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	pthread_barrier_wait(j->start);
	from = now();
	err = bpf_prog_test_run_opts(j->prog, &opts);
	j->ns = err || opts.retval ? NAN : (double)(now() - from) / j->n;
	return NULL;
}

/* ns an update of the slower CPU */
static double once(int prog, int cpus, unsigned int n)
{
	pthread_barrier_t start;
	struct job jobs[MAX_CPUS];
	double worst = 0;

	pthread_barrier_init(&start, NULL, cpus);
	for (int i = 0; i < cpus; i++) {
		jobs[i] = (struct job){.start = &start, .cpu = i, .prog = prog, .n = n};
		jobs[i].first = i * n;
		pthread_create(&jobs[i].thread, NULL, work, &jobs[i]);
	}
	for (int i = 0; i < cpus; i++) {
		pthread_join(jobs[i].thread, NULL);
		if (!(jobs[i].ns <= worst))
			worst = jobs[i].ns;
	}
	pthread_barrier_destroy(&start);
	return worst;
}

/*
 * After one that fills: on one CPU the 2nd of RUNS (what the machine adds is only ever more), on
 * several the median, for the best may be one in which they did not meet.
 */
static double measure(int prog, int cpus, unsigned int n, unsigned int fill)
{
	double ns[RUNS];

	once(prog, 1, fill);
	for (int i = 0; i < RUNS; i++)
		ns[i] = once(prog, cpus, n);
	qsort(ns, RUNS, sizeof(ns[0]), by_size);
	return ns[cpus > 1 ? RUNS / 2 : 1];
}

static struct files *load(long files)
{
	struct files *s = files__open();

	if (!s)
		return NULL;
	bpf_map__set_max_entries(s->maps.hash, files);
	if (files__load(s)) {
		files__destroy(s);
		return NULL;
	}
	return s;
}

static uint32_t *map_ids(struct files *s)
{
	uint32_t *ids = mmap(NULL, FILE_IDS * sizeof(*ids), PROT_READ | PROT_WRITE, MAP_SHARED,
	                     bpf_map__fd(s->maps.ids), 0);

	if (ids == MAP_FAILED)
		exit(1);
	return ids;
}

static void print(long files, const char *key, const char *what, double value, const char *unit)
{
	printf("files/%ld/%s%s\t%.1f\t%s an update\n", files, key, what, value, unit);
	fflush(stdout);
}

static void row(long files, bool zipf, int cpus, unsigned int n, const char *unit)
{
	unsigned int fill = 4 * n < FILE_IDS ? 4 * n : FILE_IDS;
	const char *key = strcmp(unit, "insn") ? unit : "update";
	struct files *s = load(files);
	char what[32];
	uint32_t *ids;
	double empty;

	if (!s) {
		fprintf(stderr, "files: loading failed: %s\n", strerror(errno));
		exit(1);
	}
	ids = map_ids(s);
	make_ids(ids, fill, files, zipf);
	empty = measure(bpf_program__fd(s->progs.nothing_run), cpus, n, fill);
	snprintf(what, sizeof(what), "%s%s", zipf ? "-zipf" : "", cpus > 1 ? "-2-CPUs" : "");
	print(files, key, what, measure(bpf_program__fd(s->progs.table_run), cpus, n, fill) - empty,
	      unit);
	strcat(what, "-hash");
	print(files, key, what, measure(bpf_program__fd(s->progs.hash_run), cpus, n, fill) - empty,
	      unit);
	munmap(ids, FILE_IDS * sizeof(*ids));
	files__destroy(s);
}

#define REFRESHES 20

struct seen {
	uint64_t rows, writes;
};

static void on_row(void *ctx, const struct e4d_row *row)
{
	struct seen *seen = ctx;

	seen->rows++;
	seen->writes += row->sum.writes;
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* A read of the table after each n updates: ns of CPU time, without the updates. */
static double refresh(struct files *s, struct e4d_table *t, unsigned int n, struct seen *last)
{
	int prog = bpf_program__fd(s->progs.table_run);
	uint64_t at = 0, done = 0;
	double ns = 0, from;

	for (int i = 0; i < REFRESHES; i++) {
		struct files_arg a = {(unsigned int)done, n};
		LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &a, .ctx_size_in = sizeof(a));

		if (bpf_prog_test_run_opts(prog, &opts) || opts.retval)
			return NAN;
		done += n;
		at += 1000000000;
		*last = (struct seen){0};
		from = cpu_ns();
		if (e4d_table_read(t, at, NULL, on_row, last))
			return NAN;
		ns += cpu_ns() - from;
	}
	return last->writes == done ? ns / REFRESHES : NAN;
}

static void refresh_row(long files, unsigned int n)
{
	struct files *s = load(files);
	struct e4d_table *t = NULL;
	struct seen last;
	uint32_t *ids;
	double ns;

	if (!s || e4d_table_open_files(&t, &s->bss->shared)) {
		fprintf(stderr, "files: loading failed: %s\n", strerror(errno));
		exit(1);
	}
	ids = map_ids(s);
	make_ids(ids, FILE_IDS, files, false);
	ns = refresh(s, t, n, &last);
	if (isnan(ns)) {
		fprintf(stderr, "files: a refresh with %ld files failed or lost writes\n", files);
		exit(1);
	}
	printf("files/%ld/refresh\t%.0f\tns CPU a refresh\n", files, ns);
	printf("files/%ld/refresh-rows\t%llu\trows of it\n", files, (unsigned long long)last.rows);
	fflush(stdout);
	munmap(ids, FILE_IDS * sizeof(*ids));
	e4d_table_close(t);
	files__destroy(s);
}

int main(int argc, char **argv)
{
	unsigned int n = argc == 3 ? atoi(argv[1]) : 0;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!n) {
		fprintf(stderr, "usage: files UPDATES ns|insn\nexample: files 1000000 ns\n");
		return 2;
	}
	for (int c = 1; c <= cpus && c <= MAX_CPUS; c++)
		for (int zipf = 0; zipf < 2; zipf++)
			for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
				row(counts[i], zipf, c, n, argv[2]);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && !strcmp(argv[2], "ns"); i++)
		refresh_row(counts[i], n);
	return 0;
}
