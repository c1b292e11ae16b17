/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * On the kernel that runs, tracepoint tier: ext4 on a zram device of its own,
 * whose bios complete at once. One process alternates off and on, in blocks of
 * 50 writes; of each side's blocks the 5th percentile counts, of 7 pairs the
 * median; all of it three times, for the spread. With two writers each has a CPU
 * and a file of its own, and they begin each block together. Prints
 * "live/VARIANT/..." lines for bench.sh.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "empty.h"
#include "probe/attach.h"

#define BLOCK     4096
#define WRITES    50
#define BLOCKS    24
#define PAIRS     7
#define REPEATS   3
#define WRITERS   2
#define MAX_PROGS 32

struct variant {
	const char *name;
	bool floor, all, other;
	int writers;
};

static const struct variant variants[] = {
	{"nothing", .writers = 1},
	{"F3", .writers = 1, .floor = true},
	{"tracepoint", .writers = 1},
	{"tracepoint-all", .writers = 1, .all = true},
	{"tracepoint-other", .writers = 1, .other = true},
	{"F3-two-writers", .writers = 2, .floor = true},
	{"tracepoint-two-writers", .writers = 2},
	{"tracepoint-all-two-writers", .writers = 2, .all = true},
};

struct writer {
	pthread_t thread;
	pthread_barrier_t *start;
	int cpu, fd;
	bool append;
	double block[BLOCKS]; /* ns a write */
};

struct side {
	int progs[MAX_PROGS], links[MAX_PROGS];
	int n;
};

static unsigned char data[BLOCK] __attribute__((aligned(BLOCK)));
static char dir[] = "/tmp/e4d-live.XXXXXX";
static int zram = -1;

static int sh(const char *format, int n)
{
	char cmd[256];
	int rc;

	/* cppcheck-suppress invalidPrintfArgType_sint */
	snprintf(cmd, sizeof(cmd), format, n, dir);
	rc = system(cmd);
	return WIFEXITED(rc) && !WEXITSTATUS(rc) ? 0 : -1;
}

static void clean_up(void)
{
	umount(dir);
	rmdir(dir);
	if (zram >= 0)
		sh("echo 1 > /sys/block/zram%1$d/reset; echo %1$d > "
		   "/sys/class/zram-control/hot_remove",
		   zram);
	zram = -1;
}

static void on_signal(int sig)
{
	(void)sig;
	exit(1); /* at exit the device goes */
}

static int set_up(void)
{
	FILE *f = fopen("/sys/class/zram-control/hot_add", "r");
	char dev[32];

	if (!f || fscanf(f, "%d", &zram) != 1) {
		fprintf(stderr, "live: no zram device: %s\n", strerror(errno));
		return -1;
	}
	fclose(f);
	if (!mkdtemp(dir))
		return -1;
	atexit(clean_up);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	snprintf(dev, sizeof(dev), "/dev/zram%d", zram);
	if (access(dev, F_OK)) { /* no udev here */
		int major = 0, minor = 0;
		char path[64];

		snprintf(path, sizeof(path), "/sys/block/zram%d/dev", zram);
		f = fopen(path, "r");
		if (!f || fscanf(f, "%d:%d", &major, &minor) != 2)
			return -1;
		fclose(f);
		mknod(dev, S_IFBLK | 0600, makedev(major, minor));
	}
	return sh("echo 256M > /sys/block/zram%1$d/disksize && "
	          "mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/zram%1$d && "
	          "mount /dev/zram%1$d %2$s",
	          zram);
}

static void turn(struct side *s, bool on)
{
	for (int i = 0; i < s->n; i++) {
		if (on)
			s->links[i] = bpf_raw_tracepoint_open(NULL, s->progs[i]);
		else
			close(s->links[i]);
	}
	usleep(2000);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void *write_blocks(void *arg)
{
	struct writer *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	for (int b = 0; b < BLOCKS; b++) {
		uint64_t from;

		if (w->append && ftruncate(w->fd, 0))
			exit(1);
		pthread_barrier_wait(w->start);
		from = now();
		for (int i = 0; i < WRITES; i++)
			if (pwrite(w->fd, data, BLOCK, (off_t)i * BLOCK) != BLOCK)
				exit(1);
		w->block[b] = (double)(now() - from) / WRITES;
	}
	return NULL;
}

/* ns a write, of the 5th percentile of each writer's blocks; of the writers the mean */
static double run_blocks(struct side *s, const int *fds, int writers, bool append)
{
	struct writer w[WRITERS] = {0};
	pthread_barrier_t start;
	double sum = 0;

	pthread_barrier_init(&start, NULL, writers);
	for (int i = 0; i < writers; i++) {
		w[i] = (struct writer){.start = &start, .cpu = i, .fd = fds[i], .append = append};
		if (pthread_create(&w[i].thread, NULL, write_blocks, &w[i]))
			exit(1);
	}
	for (int i = 0; i < writers; i++) {
		pthread_join(w[i].thread, NULL);
		qsort(w[i].block, BLOCKS, sizeof(w[i].block[0]), by_size);
		sum += w[i].block[BLOCKS / 20];
	}
	pthread_barrier_destroy(&start);
	return sum / writers;
}

static void measure(const struct variant *v, struct side *s, const int *fds, bool append)
{
	double off[PAIRS], on[PAIRS], pair[PAIRS], base[REPEATS], added[REPEATS];

	for (int r = 0; r < REPEATS; r++) {
		for (int p = 0; p < PAIRS; p++) {
			off[p] = run_blocks(s, fds, v->writers, append);
			turn(s, true);
			on[p] = run_blocks(s, fds, v->writers, append);
			turn(s, false);
			pair[p] = on[p] - off[p];
		}
		qsort(off, PAIRS, sizeof(off[0]), by_size);
		qsort(pair, PAIRS, sizeof(pair[0]), by_size);
		base[r] = off[PAIRS / 2];
		added[r] = pair[PAIRS / 2];
	}
	qsort(base, REPEATS, sizeof(base[0]), by_size);
	qsort(added, REPEATS, sizeof(added[0]), by_size);
	printf("live/%s/%s\t%.0f\tns added to %.0f (%.1f %%; of %d: %.0f to %.0f)\n", v->name,
	       append ? "append" : "overwrite", added[REPEATS / 2], base[REPEATS / 2],
	       100 * added[REPEATS / 2] / base[REPEATS / 2], REPEATS, added[0], added[REPEATS - 1]);
	fflush(stdout);
}

#define MANY_CPUS 256

/* The bytes that the kernel charges for a map; 0: no map. */
static unsigned long long map_bytes(int fd)
{
	unsigned long long type = 0, bytes = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "map_type: %llu", &type);
		sscanf(line, "memlock: %llu", &bytes);
	}
	if (f)
		fclose(f);
	return type ? bytes : 0;
}

static bool is_per_cpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

/* What it would be with MANY_CPUS: per-CPU values, or one entry for each CPU. */
static unsigned long long map_bytes_many(const struct bpf_map_info *info, unsigned long long bytes)
{
	unsigned long long cpus = libbpf_num_possible_cpus();
	unsigned long long value = (info->value_size + 7) & ~7u;

	if (is_per_cpu(info->type))
		return bytes + (MANY_CPUS - cpus) * value * info->max_entries;
	if (info->max_entries == cpus)
		return bytes + (MANY_CPUS - cpus) * value;
	return bytes;
}

/* Of the tier that is loaded here, each map as the kernel says. */
static void print_maps(void)
{
	unsigned long long bytes, many, sum = 0, sum_many = 0;
	int cpus = libbpf_num_possible_cpus();

	for (int fd = 3; fd < 1024; fd++) {
		struct bpf_map_info info = {0};
		__u32 len = sizeof(info);

		bytes = map_bytes(fd);
		if (!bytes || bpf_obj_get_info_by_fd(fd, &info, &len))
			continue;
		many = map_bytes_many(&info, bytes);
		printf("maps/%s/bytes\t%llu\tbytes, %llu with %d CPUs (type %u, %u of %u + %u)\n",
		       info.name, bytes, many, MANY_CPUS, info.type, info.max_entries,
		       info.key_size, info.value_size);
		sum += bytes;
		sum_many += many;
	}
	printf("maps/all-%d-CPUs/bytes\t%llu\tbytes\n", cpus, sum);
	printf("maps/all-%d-CPUs/bytes\t%llu\tbytes, computed\n", MANY_CPUS, sum_many);
	fflush(stdout);
}

static int prepare(const struct variant *v, const struct e4d_kernel *k, struct e4d_attached *a,
                   struct side *s)
{
	static const char *const floor3[] = {"iomap_dio_rw_begin", "iomap_iter_dstmap",
	                                     "iomap_dio_complete", "ext4_truncate_enter"};
	/* nobody reads: the ring is overwritten, so that only the producer is timed */
	struct e4d_config cfg = {.all = v->all, .overwrite = 1, .dev = v->other ? ~0u : 0};
	char why[256] = "";
	int err;

	memset(s, 0, sizeof(*s));
	if (!strcmp(v->name, "nothing"))
		return 0;
	if (v->floor) {
		for (int i = 0; i < 4; i++)
			s->progs[s->n++] = empty_load(E4D_TP, floor3[i]);
		return 0;
	}
	err = e4d_attach(k, E4D_TIER_TRACEPOINT, &cfg, NULL, a, why, sizeof(why));
	if (err) {
		fprintf(stderr, "live: %s\n", why);
		return err;
	}
	for (int i = 0; i < a->n; i++) {
		bpf_link__destroy(a->links[i]);
		a->links[i] = NULL;
		s->progs[s->n++] = a->prog_fds[i];
	}
	return 0;
}

static int fill(int fd)
{
	for (int b = 0; b < WRITES; b++)
		if (pwrite(fd, data, BLOCK, (off_t)b * BLOCK) != BLOCK)
			return -1;
	return 0;
}

int main(void)
{
	int fds[WRITERS], cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct e4d_kernel k;
	char path[64];

	if (set_up() || empty_open())
		return 1;
	e4d_kernel_probe(&k);
	for (int i = 0; i < WRITERS; i++) {
		snprintf(path, sizeof(path), "%s/f%d", dir, i);
		fds[i] = open(path, O_RDWR | O_CREAT | O_DIRECT, 0600);
	}
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		struct e4d_attached a = {0};
		struct side s;

		if (variants[i].writers > cpus || prepare(&variants[i], &k, &a, &s))
			continue;
		if (!strcmp(variants[i].name, "tracepoint"))
			print_maps();
		for (int append = 0; append < 2; append++) {
			if (fill(fds[0]) || fill(fds[1]))
				return 1;
			measure(&variants[i], &s, fds, append);
		}
		e4d_detach(&a);
	}
	close(fds[0]);
	close(fds[1]);
	return 0;
}
