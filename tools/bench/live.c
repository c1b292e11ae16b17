/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * On the kernel that runs, tracepoint tier: ext4 on a zram device of its own,
 * whose bios complete at once. One process alternates off and on, in blocks of
 * 50 writes; of each side's blocks the 5th percentile counts, of 15 pairs the
 * median. Prints "live/VARIANT/..." lines for bench.sh.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
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
#define PAIRS     15
#define MAX_PROGS 32

struct variant {
	const char *name;
	bool floor, all, other;
};

static const struct variant variants[] = {
	{"nothing", false, false, false},    {"F3", .floor = true},
	{"tracepoint", false, false, false}, {"tracepoint-all", .all = true},
	{"tracepoint-other", .other = true},
};

struct side {
	int progs[MAX_PROGS], links[MAX_PROGS];
	int n;
	struct ring_buffer *ring; /* emptied between blocks: only the producer is timed */
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

/* ns a write, of the 5th percentile of the blocks */
static double run_blocks(struct side *s, int fd, bool append)
{
	double block[BLOCKS];

	for (int b = 0; b < BLOCKS; b++) {
		uint64_t from;

		if (append && ftruncate(fd, 0))
			exit(1);
		from = now();
		for (int i = 0; i < WRITES; i++)
			if (pwrite(fd, data, BLOCK, (off_t)i * BLOCK) != BLOCK)
				exit(1);
		block[b] = (double)(now() - from) / WRITES;
		if (s->ring)
			ring_buffer__consume(s->ring);
	}
	qsort(block, BLOCKS, sizeof(block[0]), by_size);
	return block[BLOCKS / 20];
}

static void measure(const struct variant *v, struct side *s, int fd, bool append)
{
	double off[PAIRS], on[PAIRS], added[PAIRS];

	for (int p = 0; p < PAIRS; p++) {
		off[p] = run_blocks(s, fd, append);
		turn(s, true);
		on[p] = run_blocks(s, fd, append);
		turn(s, false);
		added[p] = on[p] - off[p];
	}
	qsort(off, PAIRS, sizeof(off[0]), by_size);
	qsort(added, PAIRS, sizeof(added[0]), by_size);
	printf("live/%s/%s\t%.0f\tns added to %.0f (%.1f %%)\n", v->name,
	       append ? "append" : "overwrite", added[PAIRS / 2], off[PAIRS / 2],
	       100 * added[PAIRS / 2] / off[PAIRS / 2]);
}

static int drop(void *ctx, void *rec, size_t size)
{
	(void)ctx;
	(void)rec;
	(void)size;
	return 0;
}

static int prepare(const struct variant *v, const struct e4d_kernel *k, struct e4d_attached *a,
                   struct side *s)
{
	static const char *const floor3[] = {"iomap_dio_rw_begin", "iomap_iter_dstmap",
	                                     "iomap_dio_complete", "ext4_truncate_enter"};
	struct e4d_config cfg = {.all = v->all, .dev = v->other ? ~0u : 0};
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
	s->ring =
		ring_buffer__new(bpf_object__find_map_fd_by_name(a->obj, "ring"), drop, NULL, NULL);
	return 0;
}

int main(void)
{
	struct e4d_kernel k;
	char path[64];
	int fd;

	if (set_up() || empty_open())
		return 1;
	e4d_kernel_probe(&k);
	snprintf(path, sizeof(path), "%s/f", dir);
	fd = open(path, O_RDWR | O_CREAT | O_DIRECT, 0600);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		struct e4d_attached a = {0};
		struct side s;

		if (prepare(&variants[i], &k, &a, &s))
			continue;
		for (int b = 0; b < WRITES; b++)
			if (pwrite(fd, data, BLOCK, (off_t)b * BLOCK) != BLOCK)
				return 1;
		measure(&variants[i], &s, fd, false);
		measure(&variants[i], &s, fd, true);
		ring_buffer__free(s.ring);
		e4d_detach(&a);
	}
	close(fd);
	return 0;
}
