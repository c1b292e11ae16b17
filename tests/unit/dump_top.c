/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Makes the trace dump that the tests of the live view replay: half an hour of writes
 * by made-up processes to made-up files, with findings and hostile names in it.
 *   dump_top DIR
 */
#include <stdio.h>
#include <string.h>
#include "session/sums.h"
#include "trace/writer.h"
#include "verdict.h"

#define SECOND  1000000000ULL
#define BOOT    (1000 * SECOND)
#define REAL    1700000000000000000LL /* 2023-11-14T22:13:20Z */
#define MINUTES 30
#define DEV     (8u << 20 | 1)
#define DEV2    (253u << 20 | 2)

struct file {
	uint64_t ino;
	uint32_t dev;
	const char *path, *comm;
	uint32_t pid, size, flags;
	unsigned int a_second; /* writes in ten seconds */
	uint32_t latency_us;
};

static const struct file files[] = {
	{101, DEV, "/srv/db/base/16384/2619", "postgres", 4711, 8192, E4D_F_SYNC, 100, 90},
	{102, DEV, "/srv/db/pg_wal/000000010000000000000042", "walwriter", 4712, 16384,
         E4D_F_SYNC | E4D_F_DSYNC | E4D_F_EXTEND, 50, 800},
	{103, DEV2, "/var/lib/mysql/a/very/long/way/down/to/a/table/space/orders_2023_q4.ibd",
         "mysqld", 815, 16384, E4D_F_ASYNC, 40, 2500},
	{104, DEV2, "/home/\033[31mred\033[0m\n", "ev\033]0;il\007", 666, 4096, E4D_F_SYNC, 5, 50},
	{105, DEV2, "/data/\xe6\xbc\xa2\xe5\xad\x97/e\xcc\x81t\xe2\x80\xae\xff", "caf\xc3\xa9", 77,
         4096, E4D_F_SYNC | E4D_F_EXTEND, 4, 60},
	{106, DEV, NULL, "dd", 9001, 1048576, E4D_F_SYNC | E4D_F_EXTEND, 1, 12000},
};

#define FILES (sizeof(files) / sizeof(files[0]))

static struct e4d_record record_of(const struct file *f, uint64_t ts, uint64_t seq)
{
	struct e4d_record r = {
		.ts_ns = ts,
		.seq = seq,
		.ino = f->ino,
		.dev = f->dev,
		.gen = (uint32_t)f->ino * 7,
		.pid = f->pid,
		.tid = f->pid,
		.submitted = f->size,
		.mapped = f->size,
		.dio_size = f->size,
		.ret = (int)f->size,
		.offset = seq * f->size,
		.isize_before = 1ULL << 40,
		.isize_after = 1ULL << 40,
		.latency_ns = f->latency_us * 1000ULL + seq % 7 * 1000,
		.flags = f->flags,
		.seen = E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE | E4D_SEEN_RET | E4D_SEEN_MAP,
		.extents = 1,
		.blkbits = 12,
		.tier = E4D_TIER_FENTRY,
		.version = E4D_RECORD_VERSION,
	};

	strncpy(r.comm, f->comm, sizeof(r.comm) - 1);
	r.mapped_end = r.offset + f->size;
	if (f->flags & E4D_F_EXTEND) {
		r.isize_before = r.offset;
		r.isize_after = r.offset + f->size;
		r.alloc_end = r.mapped_end;
	}
	return r;
}

/* Half of the buffer was not readable: its blocks stay. */
static void make_leak(struct e4d_record *r)
{
	r->dio_size = 7680;
	r->ret = -14;
	r->isize_after = r->isize_before + 7680;
	r->past_eof = r->submitted - 8192;
	r->alloc_end = r->offset + r->submitted;
}

static int put(struct e4d_trace_writer *w, const struct file *f, uint64_t ts, uint64_t seq)
{
	struct e4d_record r = record_of(f, ts, seq);
	uint64_t minute = (ts - BOOT) / (60 * SECOND), in_minute = (ts - BOOT) % (60 * SECOND);
	int err = f->path ? e4d_trace_put_file(w, f->dev, f->ino, r.gen, f->path) : 0;

	/* one in the 15th and in the 25th minute */
	if (f->ino == 106 && (minute == 14 || minute == 24) && in_minute < 10 * SECOND)
		make_leak(&r);
	if (f->ino == 103 && seq % 10 == 0)
		r.ret = (int)f->size / 2;
	r.verdict = e4d_verdict(&r);
	return err ? err : e4d_trace_put(w, &r);
}

int main(int argc, char **argv)
{
	struct e4d_trace_info info = {.host = "dbhost",
	                              .kernel = "6.12.0-test",
	                              .program = "ext4diotop test",
	                              .options = "",
	                              .tier = E4D_TIER_FENTRY,
	                              .real_minus_boot_ns = REAL - (int64_t)BOOT};
	struct e4d_trace_limits limits = {0};
	struct e4d_ev_counters counters = {0};
	struct e4d_trace_writer *w;
	char why[256] = "";
	uint64_t seq = 0;
	int err;

	if (argc != 2 || e4d_trace_create(&w, argv[1], &info, &limits, why, sizeof(why))) {
		fprintf(stderr, "dump_top: %s\n", argc == 2 ? why : "dump_top DIR");
		return 2;
	}
	err = 0;
	for (uint64_t t = 0; t < MINUTES * 60 && !err; t += 10)
		for (size_t i = 0; i < FILES; i++)
			for (unsigned int k = 0; k < files[i].a_second && !err; k++)
				err = put(w, &files[i],
				          BOOT + t * SECOND + k * 10 * SECOND / files[i].a_second +
				                  i * 1000,
				          seq++);
	if (!err)
		err = e4d_trace_put_counters(w, &counters);
	if (!err)
		err = e4d_trace_finish(w);
	e4d_trace_writer_close(w);
	return err ? 1 : 0;
}
