/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What a record costs in a sink: N records, as different as those of a real
 * trace, written to /dev/null. Prints CPU ns for each; callgrind counts the rest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "sink/sink.h"
#include "verdict.h"

#define KINDS 1024

static struct e4d_record records[KINDS];

/* Appends and overwrites of 4 KiB by a few threads. */
static void make_records(void)
{
	for (unsigned int i = 0; i < KINDS; i++) {
		struct e4d_record *r = &records[i];

		memset(r, 0, sizeof(*r));
		r->ts_ns = 81123456789ULL + i * 5417;
		r->seq = 100000 + i;
		r->ino = 131 + i % 7;
		r->offset = (__u64)i * 4096;
		r->submitted = r->mapped = r->dio_size = 4096;
		r->ret = 4096;
		r->mapped_end = r->offset + 4096;
		r->isize_before = i % 2 ? r->offset : 1ULL << 30;
		r->isize_after = i % 2 ? r->mapped_end : 1ULL << 30;
		r->alloc_end = i % 2 ? r->mapped_end : 0;
		r->latency_ns = 4000 + i * 7;
		r->pid = 4711;
		r->tid = 4711 + i % 4;
		r->dev = 254u << 20;
		r->gen = 2863311530u + i % 7;
		r->flags = E4D_F_SYNC | (i % 2 ? E4D_F_EXTEND | E4D_F_NEW : 0);
		memcpy(r->comm, "postgres", 9);
		r->extents = 1;
		r->cpu = i % 2;
		r->seen = E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE | E4D_SEEN_RET | E4D_SEEN_MAP |
		          E4D_SEEN_ORPHAN;
		r->blkbits = 12;
		r->tier = E4D_TIER_FENTRY;
		r->verdict = E4D_CLEAN;
		r->version = E4D_RECORD_VERSION;
	}
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

int main(int argc, char **argv)
{
	struct e4d_clock clock = {0};
	struct e4d_sink *sink;
	double from;
	long n;

	if (argc != 3 || (n = atol(argv[2])) < 1) {
		fprintf(stderr, "usage: user json|csv|text N\nexample: user json 1000000\n");
		return 2;
	}
	e4d_clock_measure(&clock);
	if (e4d_sink_open(argv[1], open("/dev/null", O_WRONLY), &clock, &sink)) {
		fprintf(stderr, "user: no sink '%s'\n", argv[1]);
		return 2;
	}
	make_records();
	from = cpu_ns();
	for (long i = 0; i < n; i++)
		if (e4d_sink_write(sink, &records[i % KINDS], NULL))
			return 1;
	if (e4d_sink_end(sink))
		return 1;
	printf("%.1f\n", (cpu_ns() - from) / (double)n);
	e4d_sink_close(sink);
	return 0;
}
