/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Are records lost at a paced rate? A producer on one CPU puts them into the
 * ring of a real session, in slices of 100 us; the session's own consumption on
 * another CPU hands them to a sink, or to the writer of trace dumps as `record` has it,
 * alone or beside a process that takes all it gets of the same CPU. Prints "loss/..." lines for
 * bench.sh.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "loss_arg.h"
#include "raw.h"
#include "records.h"
#include "session/session.h"
#include "shared.h"
#include "sink/sink.h"
#include "trace/writer.h"
#include "loss.skel.h" /* after what declares its variables */

#define SLICE_NS   100000ULL
#define BEHIND     20          /* slices: what the producer missed beyond them is not made up for */
#define FILE_BYTES (256 << 20) /* then it is written from its start again */

static const char usage[] =
	"usage: loss SECONDS RECORDS_PER_S raw|json|record hog|quiet [RING_BYTES]\n"
	"RING_BYTES: 0, the tracer's default\n"
	"example: loss 5 2000000 raw hog\n";

struct run {
	struct raw raw;
	struct e4d_sink *sink;           /* one of these, or neither: raw */
	struct e4d_trace_writer *writer; /* of a dump in dir */
	char dir[4096];
	struct e4d_session *session;
	uint64_t records, bytes;
	uint64_t worst_gap, worst_tick, worst_batch; /* ns, ns, records */
	uint64_t tick_delay, tick_cpu, delay;        /* ns: of the worst tick; of all */
	double cpu_ns;
};

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ns that this process was runnable and did not run; a steal of the machine's CPU is not in it */
static uint64_t run_delay(void)
{
	FILE *f = fopen("/proc/self/schedstat", "r");
	unsigned long long ran, waited = 0;

	if (f && fscanf(f, "%llu %llu", &ran, &waited) != 2)
		waited = 0;
	if (f)
		fclose(f);
	return waited;
}

/*
 * On one CPU, in a scheduler's group of its own (autogroup) where that works: the
 * parts of this program share fairly, and other programs are left little.
 */
static void pin(int cpu)
{
	cpu_set_t set;
	FILE *f;

	setsid();
	f = fopen("/proc/self/autogroup", "w");
	if (f) {
		fprintf(f, "-20");
		fclose(f);
	}
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("loss: sched_setaffinity");
}

static int on_record(void *ctx, struct e4d_record *rec)
{
	struct run *r = ctx;

	r->records++;
	if (r->writer)
		return e4d_trace_put(r->writer, rec);
	if (r->sink)
		return e4d_sink_write(r->sink, rec, NULL);
	r->bytes += sizeof(*rec);
	if (r->bytes >= FILE_BYTES) {
		r->bytes = 0;
		lseek(r->raw.fd, 0, SEEK_SET);
	}
	return raw_add(&r->raw, rec);
}

/* As they leave the kernel: half a record each. */
static int on_inside(void *ctx, const struct e4d_ev_inside *e, size_t n)
{
	struct run *r = ctx;
	size_t put;
	int err;

	if (r->writer) {
		err = e4d_trace_put_inside(r->writer, e, n, &put);
		r->records += put;
		if (!err && !e4d_trace_has_file(r->writer, e->dev, e->ino, e->gen))
			err = e4d_trace_put_file(r->writer, e->dev, e->ino, e->gen, "/file");
		return err;
	}
	r->records += n;
	r->bytes += n * sizeof(*e);
	if (r->bytes >= FILE_BYTES) {
		r->bytes = 0;
		lseek(r->raw.fd, 0, SEEK_SET);
	}
	return write(r->raw.fd, e, n * sizeof(*e)) < 0 ? -errno : 0;
}

/* A plain overwrite of 4 KiB. */
static void make_inside(struct e4d_ev_inside *b)
{
	struct e4d_record rec;

	make_record(&rec, 1);
	memset(b, 0, sizeof(*b));
	b->ino = rec.ino;
	b->dev = rec.dev;
	b->gen = rec.gen;
	b->isize = 1 << 30;
	b->submitted = b->mapped = rec.submitted;
	b->latency_ns = rec.latency_ns;
	b->pid = rec.pid;
	b->tid = rec.tid;
	b->flags = E4D_F_SYNC;
	b->extents = 1;
	b->blkbits = 12;
	b->tier = rec.tier;
	b->version = rec.version;
	memcpy(b->comm, rec.comm, sizeof(b->comm));
}

static struct loss *load_producer(const struct e4d_session *session)
{
	const struct e4d_attached *a = e4d_session_attached(session);
	struct loss *p = loss__open();

	if (!p)
		return NULL;
	make_inside(&p->data_loss->inside);
	p->rodata_cfg->cfg.ring_rows = a->ring_rows;
	p->rodata_cfg->cfg.ring_pages = a->ring_pages;
	if (bpf_map__reuse_fd(p->maps.ring, bpf_object__find_map_fd_by_name(a->obj, "ring")) ||
	    bpf_map__reuse_fd(p->maps.bss, bpf_object__find_map_fd_by_name(a->obj, ".bss")) ||
	    loss__load(p)) {
		loss__destroy(p);
		return NULL;
	}
	return p;
}

static void produce(struct loss *p, double seconds, double rate)
{
	struct loss_arg arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &arg, .ctx_size_in = sizeof(arg));
	uint64_t from, due, done = 0, slice = rate * SLICE_NS / 1e9;
	struct timespec at;

	pin(0);
	prctl(PR_SET_TIMERSLACK, 1UL);
	from = now(CLOCK_MONOTONIC);
	for (uint64_t t = from; t < from + (uint64_t)(seconds * 1e9); t += SLICE_NS) {
		at.tv_sec = t / 1000000000;
		at.tv_nsec = t % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		due = (double)(now(CLOCK_MONOTONIC) - from) * rate / 1e9;
		if (due <= done)
			continue;
		arg.n = due - done < BEHIND * slice ? due - done : BEHIND * slice;
		done = due;
		if (bpf_prog_test_run_opts(bpf_program__fd(p->progs.produce), &opts))
			_exit(1);
	}
	_exit(0);
}

static pid_t start_hog(int cpu)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(cpu);
	for (volatile unsigned long n = 0;; n++)
		;
}

/* What is written once a tick. */
static int flush(struct run *r)
{
	if (r->writer)
		return e4d_trace_tick(r->writer, now(CLOCK_BOOTTIME));
	return r->sink ? 0 : raw_flush(&r->raw);
}

static int consume(struct run *r, pid_t producer)
{
	uint64_t from = now(CLOCK_MONOTONIC), at, before, delay, cpu, first = run_delay();
	int err = 0;

	while (!err && waitpid(producer, NULL, WNOHANG) != producer) {
		poll(NULL, 0, e4d_session_wait_ms(r->session));
		at = now(CLOCK_MONOTONIC);
		if (at - from > r->worst_gap)
			r->worst_gap = at - from;
		before = r->records;
		delay = run_delay();
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		err = e4d_session_tick(r->session);
		if (!err)
			err = flush(r);
		if (r->records - before > r->worst_batch)
			r->worst_batch = r->records - before;
		from = now(CLOCK_MONOTONIC);
		if (from - at > r->worst_tick) {
			r->worst_tick = from - at;
			r->tick_delay = run_delay() - delay;
			r->tick_cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		}
	}
	if (!err)
		err = e4d_session_stop(r->session);
	if (!err)
		err = r->writer ? e4d_trace_finish(r->writer) : flush(r);
	r->delay = run_delay() - first;
	r->cpu_ns = (double)now(CLOCK_PROCESS_CPUTIME_ID);
	return err;
}

static void print(const struct run *r, const struct loss *p, const char *key, double seconds,
                  double rate)
{
	double produced = (double)p->data_loss->produced, lost = (double)p->data_loss->ring_full;

	if (produced < 0.95 * seconds * rate) {
		printf("loss/%s/failed\t1\tonly %.2f M/s were produced: the machine is busy\n", key,
		       produced / seconds / 1e6);
		return;
	}
	printf("loss/%s/lost\t%.0f\tof %.0f records in %.0f s (%.2f M/s, %.3f %%)\n", key, lost,
	       produced, seconds, produced / seconds / 1e6, 100 * lost / produced);
	printf("loss/%s/unaccounted\t%.0f\trecords: produced - consumed - ring_full\n", key,
	       produced - lost - (double)r->records);
	printf("loss/%s/cpu\t%.0f\tns CPU a record, the consumer's\n", key,
	       r->cpu_ns / (double)r->records);
	printf("loss/%s/batch\t%llu\trecords in a tick at most\n", key,
	       (unsigned long long)r->worst_batch);
	printf("loss/%s/gap\t%.1f\tms between two ticks at most\n", key,
	       (double)r->worst_gap / 1e6);
	printf("loss/%s/tick\t%.1f\tms a tick took at most (CPU %.1f, waited for a CPU %.1f)\n",
	       key, (double)r->worst_tick / 1e6, (double)r->tick_cpu / 1e6,
	       (double)r->tick_delay / 1e6);
	printf("loss/%s/waited\t%.0f\tms that the consumer waited for a CPU, in all\n", key,
	       (double)r->delay / 1e6);
	fflush(stdout);
}

static int open_writer(struct run *r)
{
	const struct e4d_trace_info info = {"", "", "loss", "", E4D_TIER_TRACEPOINT, 0};
	const char *tmp = getenv("TMPDIR");
	char why[256] = "";
	int err;

	snprintf(r->dir, sizeof(r->dir), "%s/e4d-loss.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(r->dir))
		return -errno;
	err = e4d_trace_create(&r->writer, r->dir, &info, NULL, why, sizeof(why));
	if (err)
		fprintf(stderr, "loss: %s\n", why);
	return err;
}

/* What the dump has, and away with it. */
static void close_writer(struct run *r, const char *key)
{
	uint64_t bytes, packets, events;
	struct dirent *de;
	DIR *list;

	if (!r->writer)
		return;
	e4d_trace_written(r->writer, &bytes, &packets, &events);
	printf("loss/%s/bytes\t%.2f\tof the dump for each record, on disk\n", key,
	       (double)bytes / (double)r->records);
	e4d_trace_writer_close(r->writer);
	list = opendir(r->dir);
	while (list && (de = readdir(list)))
		unlinkat(dirfd(list), de->d_name, 0);
	if (list)
		closedir(list);
	rmdir(r->dir);
}

static int open_run(struct run *r, const char *sink, uint32_t ring)
{
	struct e4d_session_opts opts = {.on_record = on_record,
	                                .ctx = r,
	                                .tier = E4D_TIER_TRACEPOINT,
	                                .cfg.all = 1,
	                                .cfg.dev = ~0u, /* only what is produced here */
	                                .limits.ring_bytes = ring};
	struct e4d_clock clock = {0};
	char why[512] = "";
	int err = 0;

	if (!strcmp(sink, "record")) {
		opts.on_inside = on_inside;
		err = open_writer(r);
	} else if (!strcmp(sink, "raw")) {
		opts.on_inside = on_inside;
		r->raw.fd = memfd_create("loss", MFD_CLOEXEC);
	} else {
		e4d_clock_measure(&clock);
		err = e4d_sink_open(sink, open("/dev/null", O_WRONLY), &clock, &r->sink);
	}
	if (err)
		return err;
	err = e4d_session_open(&opts, &r->session, why, sizeof(why));
	if (err)
		fprintf(stderr, "loss: %s\n", why);
	return err;
}

int main(int argc, char **argv)
{
	static struct run r;
	double seconds, rate, own;
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	pid_t producer, hog = 0;
	struct loss *p = NULL;
	char key[64];
	bool busy;
	int err;

	if (argc < 5 || (seconds = atof(argv[1])) <= 0 || (rate = atof(argv[2])) < 1e4) {
		fputs(usage, stderr);
		return 2;
	}
	busy = !strcmp(argv[4], "hog");
	err = open_run(&r, argv[3], argc > 5 ? strtoul(argv[5], NULL, 10) : 0);
	if (!err)
		p = load_producer(r.session);
	if (!p)
		return 3;
	producer = fork();
	if (!producer)
		produce(p, seconds, rate);
	pin(cpu);
	if (busy)
		hog = start_hog(cpu);
	own = (double)now(CLOCK_PROCESS_CPUTIME_ID);
	err = consume(&r, producer);
	r.cpu_ns -= own;
	if (hog)
		kill(hog, SIGKILL);
	snprintf(key, sizeof(key), "%s-%s/%.0f", argv[3], argv[4], rate);
	print(&r, p, key, seconds, rate);
	close_writer(&r, key);
	loss__destroy(p);
	e4d_session_close(r.session);
	e4d_sink_close(r.sink);
	return err ? 1 : 0;
}
