/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * What a record costs in a sink: N records, as different as those of a real
 * trace, written to /dev/null. Prints CPU ns for each; callgrind counts the rest.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "records.h"
#include "sink/sink.h"

#define KINDS 1024

static struct e4d_record records[KINDS];

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
	for (unsigned int i = 0; i < KINDS; i++)
		make_record(&records[i], i);
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
