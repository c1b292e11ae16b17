/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "group.h"
#include "run.h"
#include "truth.h"

#define OUT_BYTES (1024 * 1024)

volatile int rw_stop_signal;

struct rw_run {
	char path[4096];
	char filler[4096];
	int dir; /* locked */
	struct rw_proc proc;
	struct rw_pool pool;
	struct rw_totals totals;
	const struct rw_result **results; /* room for a program's steps */
	size_t room;
	const struct rw_write *writes[RW_ACTORS * RW_LOG_WRITES];
};

static uint64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void on_stop(int sig)
{
	rw_stop_signal = sig;
}

/* No SA_RESTART is needed: what waits tries again, and looks here afterwards. */
static void catch_signals(void)
{
	static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction act = {.sa_handler = on_stop};

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sigaction(stops[i], &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* With fsize= the write shall return -EFBIG. */
	signal(SIGXFSZ, SIG_IGN);
}

static int cannot(const char *dir, const char *what, int err)
{
	fprintf(stderr, "randwrite: %s: %s: %s\n", dir, what, strerror(-err));
	return err;
}

static int open_dir(struct rw_run *run, const char *dir)
{
	struct stat st, root;
	struct statfs sf;

	if (statfs(dir, &sf))
		return cannot(dir, "cannot look at it", -errno);
	if (sf.f_type != EXT4_SUPER_MAGIC) {
		fprintf(stderr, "randwrite: %s is not on ext4; see tools/image.sh\n", dir);
		return -EINVAL;
	}
	/* It leaks blocks, fills the disk, and may meet bugs that damage the file system. */
	if (!stat(dir, &st) && !stat("/", &root) && st.st_dev == root.st_dev) {
		fprintf(stderr,
		        "randwrite: %s is on the root file system, which is no place for this; "
		        "mount a scratch image with tools/image.sh\n",
		        dir);
		return -EPERM;
	}
	run->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->dir < 0)
		return cannot(dir, "cannot open it", -errno);
	if (flock(run->dir, LOCK_EX | LOCK_NB))
		return cannot(dir, "another randwrite is at work in it", -errno);
	snprintf(run->path, sizeof(run->path), "%s/e4d-randwrite", dir);
	snprintf(run->filler, sizeof(run->filler), "%s/e4d-randwrite-filler", dir);
	return 0;
}

int rw_run_open(const char *dir, const char *kind, struct rw_run **out)
{
	struct rw_run *run = calloc(1, sizeof(*run));
	struct rw_shared *shared;
	struct utsname uts;
	struct stat st;
	int err;

	if (!run)
		return cannot(dir, "memory", -ENOMEM);
	err = open_dir(run, dir);
	if (err) {
		free(run);
		return err;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	if (shared == MAP_FAILED || fstat(run->dir, &st) || uname(&uts)) {
		err = -errno;
		free(run);
		return cannot(dir, "cannot begin", err);
	}
	rw_proc_init(&run->proc, run->path, run->filler, shared);
	rw_pool_init(&run->pool, &run->proc);
	catch_signals();
	setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	printf("{\"format\":\"e4d-truth\",\"version\":1,\"kind\":\"%s\",\"dev\":\"%u:%u\","
	       "\"release\":\"%s\"}\n",
	       kind, major(st.st_dev), minor(st.st_dev), uts.release);
	*out = run;
	return 0;
}

/* Creates the file; what an earlier run left behind goes away first. */
static int open_file(struct rw_run *run, struct rw_file *file)
{
	struct rw_proc *p = &run->proc;
	struct statfs sf;
	struct stat st;

	memset(file, 0, sizeof(*file));
	unlink(run->path);
	unlink(run->filler);
	p->buffered = open(run->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (p->buffered < 0)
		return cannot(run->path, "cannot create it", -errno);
	file->fd = p->buffered;
	file->direct = rw_proc_direct(p, 0);
	if (file->direct < 0)
		return cannot(run->path, "O_DIRECT is refused", file->direct);
	if (fstat(file->fd, &st) || fstatfs(file->fd, &sf))
		return cannot(run->path, "cannot look at it", -errno);
	snprintf(file->dev, sizeof(file->dev), "%u:%u", major(st.st_dev), minor(st.st_dev));
	file->ino = st.st_ino;
	file->blksize = (uint64_t)sf.f_bsize;
	return 0;
}

static void close_file(struct rw_run *run, struct rw_file *file)
{
	rw_proc_close(&run->proc);
	unlink(run->path);
	unlink(run->filler);
	wl_map_free(&file->before);
}

static unsigned int slot_of(const struct rw_step *s)
{
	return s->actor ? s->actor - 1 : 0;
}

/* Hands the steps out to the slots; results[] tells where each one's will be. */
static unsigned int deal(struct rw_run *run, const struct rw_episode *e, uint8_t seed)
{
	struct rw_slot *slots = run->proc.shared->slot;
	unsigned int actors = 0;

	for (unsigned int i = 0; i < RW_ACTORS; i++)
		slots[i].count = slots[i].log.nwrites = 0;
	for (size_t i = 0; i < e->count; i++) {
		struct rw_slot *slot = &slots[slot_of(&e->steps[i])];

		actors += slot->count == 0;
		slot->seed = (uint8_t)(seed + 37 * slot_of(&e->steps[i]));
		slot->steps[slot->count] = e->steps[i];
		slot->results[slot->count] = (struct rw_result){0};
		run->results[i] = &slot->results[slot->count++];
	}
	return actors;
}

static int by_order(const void *a, const void *b)
{
	const struct rw_write *x = *(const struct rw_write *const *)a;
	const struct rw_write *y = *(const struct rw_write *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void gather(struct rw_run *run, struct rw_episode *e)
{
	const struct rw_slot *slots = run->proc.shared->slot;

	e->log = NULL;
	for (unsigned int i = 0; i < RW_ACTORS; i++) {
		if (!slots[i].count)
			continue;
		if (e->actors == 1)
			e->log = &slots[i].log;
		for (unsigned int k = 0; k < slots[i].log.nwrites; k++)
			run->writes[e->nwrites++] = &slots[i].log.writes[k];
	}
	e->writes = run->writes;
	qsort(run->writes, e->nwrites, sizeof(run->writes[0]), by_order);
}

static void count(struct rw_totals *t, const struct rw_episode *e, const struct rw_truth *truth)
{
	for (size_t i = 0; i < e->nwrites; i++) {
		const struct rw_write *w = e->writes[i];

		if (w->canceled || w->skipped)
			continue;
		t->writes++;
		t->failed += !w->done || w->ret < 0 || (uint64_t)w->ret < w->submitted;
		t->extending += w->offset + w->submitted > e->isize_before;
	}
	t->episodes++;
	t->left += truth->disk.past_eof && e->nwrites;
	t->killed += truth->killed;
	t->lost += truth->lost || !strcmp(truth->data_ok, "false");
}

/* A fork, and a context switch each way, only where there must be one. */
static bool wants_worker(const struct rw_episode *e)
{
	return e->count > 1 || e->steps[0].actor || e->steps[0].signal != RW_NONE;
}

static int execute(struct rw_run *run, struct rw_episode *e)
{
	struct rw_slot *slot = &run->proc.shared->slot[0];
	bool worker = wants_worker(e);
	int err = worker ? rw_pool_prepare(&run->pool) : 0;
	struct stat st;

	if (err)
		return cannot(run->path, "a worker cannot be made", err);
	if (fstat(run->proc.buffered, &st))
		return cannot(run->path, "cannot look at it", -errno);
	e->isize_before = (uint64_t)st.st_size;
	e->t0_ns = boot_ns();
	if (worker)
		err = rw_pool_run(&run->pool);
	else
		rw_step_run(&run->proc, &slot->steps[0], slot->seed, &slot->log, &slot->results[0]);
	e->t1_ns = boot_ns();
	return err;
}

static int run_episode(struct rw_run *run, struct rw_file *file, struct rw_episode *e)
{
	struct rw_truth truth;
	int err;

	e->actors = deal(run, e, (uint8_t)(WL_SEED_DIRECT + 11 * e->number));
	e->results = run->results;
	err = execute(run, e);
	if (err)
		return err;
	gather(run, e);
	err = rw_truth_take(file, e, &truth);
	if (err)
		return cannot(run->path, "the truth (FIEMAP, stat) cannot be had", err);
	rw_truth_print(stdout, file, e, &truth);
	/* Whole lines only go out, also when this process is killed later. */
	if (__fpending(stdout) > OUT_BYTES / 4)
		fflush(stdout);
	count(&run->totals, e, &truth);
	return 0;
}

static int make_room(struct rw_run *run, size_t steps)
{
	const struct rw_result **results;

	if (steps <= run->room)
		return 0;
	results = realloc(run->results, steps * sizeof(struct rw_result *));
	if (!results)
		return -ENOMEM;
	run->results = results;
	run->room = steps;
	return 0;
}

int rw_run_sequence(struct rw_run *run, const char *seed, const struct rw_program *prog)
{
	struct rw_file file = {0};
	int err = make_room(run, prog->count);

	if (!err)
		err = open_file(run, &file);
	for (size_t at = 0, end; !err && at < prog->count && !rw_stop_signal; at = end) {
		struct rw_episode e = {.seed = seed, .number = at + 1, .steps = prog->steps + at};

		end = rw_episode_end(prog, at);
		e.count = end - at;
		err = run_episode(run, &file, &e);
	}
	close_file(run, &file);
	run->totals.sequences++;
	if (fflush(stdout) && !err)
		err = cannot("stdout", "cannot write", -errno);
	return err;
}

const struct rw_totals *rw_run_totals(const struct rw_run *run)
{
	return &run->totals;
}

int rw_run_close(struct rw_run *run)
{
	const struct rw_totals *t = &run->totals;
	int err;

	rw_pool_end(&run->pool);
	printf("{\"end\":true,\"sequences\":%" PRIu64 ",\"episodes\":%" PRIu64
	       ",\"writes\":%" PRIu64 "}\n",
	       t->sequences, t->episodes, t->writes);
	err = fflush(stdout) || ferror(stdout) ? -EIO : 0;
	munmap(run->proc.shared, sizeof(*run->proc.shared));
	close(run->dir);
	free(run->results);
	free(run);
	return err;
}
