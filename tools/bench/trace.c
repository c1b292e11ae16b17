/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Reading trace dumps, beside another reader.
 *   trace make DIR N              a dump of N random 4 KiB writes by four CPUs
 *   trace scan DIR                ns CPU a record: verify, merge and hand out each of them
 *   trace time N COMMAND...       ns CPU of the command for each of N, its output thrown away
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "trace/reader.h"
#include "trace/writer.h"

#define RUNS 5

static double cpu_ns(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static int make(const char *dir, uint64_t n)
{
	const struct e4d_trace_info info = {"bench", "", "bench", "", E4D_TIER_FENTRY, 0};
	const struct e4d_trace_limits limits = {0};
	struct e4d_record r = {
		.isize_before = 1u << 30,
		.isize_after = 1u << 30,
		.submitted = 4096,
		.mapped = 4096,
		.dio_size = 4096,
		.ret = 4096,
		.pid = 100,
		.tid = 101,
		.dev = 8 << 20,
		.flags = E4D_F_SYNC,
		.comm = "fio",
		.extents = 1,
		.seen = E4D_BRIEF_SEEN | E4D_SEEN_RET,
		.blkbits = 12,
		.tier = E4D_TIER_FENTRY,
		.verdict = E4D_CLEAN,
		.version = E4D_RECORD_VERSION,
	};
	struct e4d_trace_writer *w;
	uint64_t x = 1;
	char why[256];
	int err = e4d_trace_create(&w, dir, &info, &limits, why, sizeof(why));

	if (err) {
		fprintf(stderr, "trace: %s\n", why);
		return 3;
	}
	for (uint64_t i = 0; i < n && !err; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		r.seq = i;
		r.cpu = x >> 62;
		r.ino = 12 + (x >> 58 & 7);
		r.offset = (x >> 40 & 0x3ffff) << 12;
		r.mapped_end = r.offset + 4096;
		r.latency_ns = 9000 + (x >> 32 & 0xfff);
		r.ts_ns = 1000000000 + i * 1000;
		if (i < 8)
			e4d_trace_put_file(w, r.dev, 12 + i, 0, "/mnt/data/file");
		err = e4d_trace_put(w, &r);
		if (!(i % 10000))
			e4d_trace_tick(w, r.ts_ns);
	}
	err = e4d_trace_finish(w);
	e4d_trace_writer_close(w);
	return err ? 3 : 0;
}

static int scan(const char *dir)
{
	double best = 0;

	for (int run = 0; run < RUNS; run++) {
		struct e4d_trace_reader *r;
		struct e4d_trace_write w;
		double ns = cpu_ns(RUSAGE_SELF);
		uint64_t n = 0, sum = 0;
		char why[256];

		if (e4d_trace_open(&r, &dir, 1, why, sizeof(why))) {
			fprintf(stderr, "trace: %s\n", why);
			return 3;
		}
		while (e4d_trace_next(r, &w) > 0) {
			sum += w.rec->offset + (w.path != NULL);
			n++;
		}
		e4d_trace_close(r);
		ns = (cpu_ns(RUSAGE_SELF) - ns) / (double)(n ? n : 1);
		if (!run || ns < best)
			best = ns;
		if (!sum)
			return 3;
	}
	printf("%.1f\n", best);
	return 0;
}

static int time_command(uint64_t n, char **argv)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
	pid_t pid = fork();

	if (!pid) {
		dup2(null, STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return 3;
	printf("%.1f\n", cpu_ns(RUSAGE_CHILDREN) / (double)n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "make"))
		return make(argv[2], strtoull(argv[3], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "scan"))
		return scan(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "time") && strtoull(argv[2], NULL, 10))
		return time_command(strtoull(argv[2], NULL, 10), argv + 3);
	fputs("usage: trace make DIR N | scan DIR | time N COMMAND...\n", stderr);
	return 2;
}
