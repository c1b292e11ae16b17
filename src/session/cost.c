/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * what it cost: 50000 writes in 3.2 s
 *   program                    runs       ns total    ns/run
 *   tp_dio_rw_begin           50000        5512345     110.2
 *   all                      150000       12345678      82.3
 *   kernel: 246.9 ns a write
 *   user: 12.34 ms CPU a second, 1.23 % of one CPU, and 0.35 s to start
 *   memory: 12.9 MiB of maps, 14.2 MiB resident
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "probe/hooks.h"
#include "session/cost.h"
#include "util/plural.h"

#define MIB (1024.0 * 1024.0)

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t cpu_ns(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000;
}

void e4d_cost_open(struct e4d_cost *c)
{
	memset(c, 0, sizeof(*c));
	c->cpu_from = cpu_ns();
	c->wall_from = wall_ns();
	c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (c->stats_fd < 0)
		c->stats_fd = -errno;
}

void e4d_cost_begin(struct e4d_cost *c)
{
	uint64_t now = cpu_ns();

	c->start_cpu_ns = now - c->cpu_from;
	c->cpu_from = now;
	c->wall_from = wall_ns();
}

/* What the kernel charges a map with, in bytes; 0 when it does not say. */
static uint64_t map_bytes(int fd)
{
	unsigned long long bytes = 0;
	char name[64], line[128];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	f = fopen(name, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(f);
	return bytes;
}

static uint64_t rss_bytes(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void e4d_cost_read(struct e4d_cost *c, const struct e4d_attached *a)
{
	struct bpf_map *map;

	c->cpu_ns = cpu_ns() - c->cpu_from;
	c->wall_ns = wall_ns() - c->wall_from;
	c->rss_bytes = rss_bytes();
	c->map_bytes = c->runs = c->ns = 0;
	bpf_object__for_each_map(map, a->obj)
	{
		if (bpf_map__fd(map) >= 0)
			c->map_bytes += map_bytes(bpf_map__fd(map));
	}
	c->n = a->n;
	for (int i = 0; i < a->n; i++) {
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);

		c->prog[i].hook = a->hooks[i];
		if (!bpf_obj_get_info_by_fd(a->prog_fds[i], &info, &len)) {
			c->prog[i].runs = info.run_cnt;
			c->prog[i].ns = info.run_time_ns;
		}
		c->runs += c->prog[i].runs;
		c->ns += c->prog[i].ns;
	}
}

static void print_row(FILE *out, const char *name, uint64_t runs, uint64_t ns)
{
	fprintf(out, "  %-24s %12llu %15llu ", name, (unsigned long long)runs,
	        (unsigned long long)ns);
	if (runs)
		fprintf(out, "%9.1f\n", (double)ns / (double)runs);
	else
		fprintf(out, "%9s\n", "-");
}

static void print_programs(const struct e4d_cost *c, uint64_t writes, FILE *out)
{
	if (c->stats_fd < 0 && !c->runs) {
		fprintf(out,
		        "  kernel: not known: BPF statistics were refused (%s);\n"
		        "  they need CAP_SYS_ADMIN, or sysctl kernel.bpf_stats_enabled=1\n",
		        strerror(-c->stats_fd));
		return;
	}
	fprintf(out, "  %-24s %12s %15s %9s\n", "program", "runs", "ns total", "ns/run");
	for (int i = 0; i < c->n; i++)
		print_row(out, c->prog[i].hook->prog, c->prog[i].runs, c->prog[i].ns);
	print_row(out, "all", c->runs, c->ns);
	if (writes)
		fprintf(out, "  kernel: %.1f ns a write\n", (double)c->ns / (double)writes);
}

void e4d_cost_print(const struct e4d_cost *c, uint64_t writes, FILE *out)
{
	double wall = (double)c->wall_ns / 1e9, cpu = (double)c->cpu_ns / 1e9;
	double share = wall > 0 ? cpu / wall : 0;

	fprintf(out, "what it cost: %llu write%s in %.1f s\n", (unsigned long long)writes,
	        e4d_s(writes), wall);
	print_programs(c, writes, out);
	fprintf(out, "  user: %.2f ms CPU a second, %.2f %% of one CPU, and %.2f s to start\n",
	        share * 1e3, share * 100, (double)c->start_cpu_ns / 1e9);
	fprintf(out, "  memory: %.1f MiB of maps, %.1f MiB resident\n", (double)c->map_bytes / MIB,
	        (double)c->rss_bytes / MIB);
}

void e4d_cost_close(struct e4d_cost *c)
{
	if (c->stats_fd > 0)
		close(c->stats_fd);
	c->stats_fd = -ENOENT;
}
