/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop salvage: a clean dump out of a damaged one, or out of a memory image. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "trace/salvage.h"
#include "util/escape.h"
#include "util/log.h"
#include "util/plural.h"

static const char help[] =
	"Usage: ext4diotop salvage FILE... -o DIR\n"
	"Writes a clean trace dump to DIR, with every packet that is whole in FILE:\n"
	"  a damaged or truncated dump (its directory), or a file of one\n"
	"  a memory image: ELF vmcore, compressed kdump, or raw; the flight recorder's\n"
	"  pages are found in it without debug information\n"
	"  any other file or disk: packets are found by their signature\n"
	"Nothing is believed without its checksum, and nothing is invented. FILE is only\n"
	"read. Until it ends, DIR takes twice the room of what is found.\n"
	"\n"
	"  -o, --output DIR  a new or empty directory; where FILE holds packets of several\n"
	"                    traces, each gets a directory in it\n"
	"  -q, --quiet       no progress, and no report but its errors\n"
	"\n"
	"Examples:\n"
	"  ext4diotop salvage /var/log/dump -o /tmp/clean\n"
	"  ext4diotop salvage /proc/vmcore -o /mnt/usb/dump\n"
	"  ext4diotop salvage vm.kdump -o dump && babeltrace2 dump\n"
	"\n"
	"Exit: 0 all that was found is whole and none is missing in between, 2 usage,\n"
	"3 cannot read or write, 4 no packet was found, 6 what is whole was saved, and\n"
	"there was damage or a gap.\n";

static const struct option longopts[] = {
	{"output", required_argument, NULL, 'o'},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

#define BAR 40

struct bar {
	bool show;
	uint64_t shown; /* in thousandths, plus one */
};

static void progress(void *ctx, uint64_t done, uint64_t total)
{
	static const char full[] = "########################################";
	struct bar *b = ctx;
	uint64_t part = total && done < total ? done / (total / 1000 + 1) : 1000;

	if (!b->show || part + 1 == b->shown)
		return;
	b->shown = part + 1;
	fprintf(stderr, "\r[%-*.*s] %3u.%u %% of %" PRIu64 " MiB", BAR, (int)(part * BAR / 1000),
	        full, (unsigned int)(part / 10), (unsigned int)(part % 10), total >> 20);
}

static void clear_bar(const struct bar *b)
{
	if (b->show && b->shown)
		fprintf(stderr, "\r%70s\r", "");
}

static void print_trace(const struct e4d_salvage_trace *t)
{
	char text[256], dir[1024];

	e4d_escape_text(dir, sizeof(dir), t->dir, strlen(t->dir));
	printf("%s: ", dir);
	if (!t->has_session) {
		puts("host and clock are not known, times count from boot");
	} else {
		snprintf(text, sizeof(text), "%s, Linux %s, %s", t->session.host, t->session.kernel,
		         t->session.program);
		e4d_escape_text(dir, sizeof(dir), text, strlen(text));
		puts(dir);
	}
	printf("%-10s %10s %12s %10s  %s\n", "stream", "packets", "events", "missing", "gaps");
}

static void print_stream(const struct e4d_salvage_stream *s)
{
	char name[32] = "session";

	if (s->instance != E4D_STREAM_SESSION)
		snprintf(name, sizeof(name), "cpu%u", s->instance);
	printf("%-10s %10" PRIu64 " %12" PRIu64 " %10" PRIu64, name, s->packets, s->events,
	       s->missing);
	for (unsigned int i = 0; i < s->gaps && i < E4D_SALVAGE_GAPS; i++)
		if (s->gap[i].from == s->gap[i].to)
			printf("  %" PRIu64, s->gap[i].from);
		else
			printf("  %" PRIu64 "-%" PRIu64, s->gap[i].from, s->gap[i].to);
	if (s->gaps > E4D_SALVAGE_GAPS)
		printf("  and %u more", s->gaps - E4D_SALVAGE_GAPS);
	putchar('\n');
}

/* Words for what was not believed, in the order of the states. */
static const char *const damage[E4D_PACKET_STATES] = {
	[E4D_PACKET_SHORT] = "cut off at the end",
	[E4D_PACKET_TORN] = "torn: they begin and do not end",
	[E4D_PACKET_CRC] = "with a wrong checksum",
	[E4D_PACKET_EVENTS] = "with events that cannot be",
	[E4D_PACKET_NEWER] = "of a newer version of the format: see that version's salvage",
};

/* Prints the report; the exit code. */
static int report(const struct e4d_salvage *s, bool quiet)
{
	const struct e4d_salvage_sum *sum = e4d_salvage_sum(s);
	const struct e4d_salvage_trace *trace = NULL;
	const struct e4d_salvage_stream *streams;
	uint64_t missing = 0, backwards = 0, bad = 0;
	size_t n;

	streams = e4d_salvage_streams(s, &n);
	for (size_t i = 0; i < n; i++) {
		missing += streams[i].missing;
		backwards += streams[i].backwards;
		if (!quiet && streams[i].trace != trace)
			print_trace(streams[i].trace);
		trace = streams[i].trace;
		if (!quiet)
			print_stream(&streams[i]);
	}
	for (int i = 0; i < E4D_PACKET_STATES; i++) {
		if (!damage[i] || !sum->bad[i])
			continue;
		bad += sum->bad[i];
		if (!quiet)
			printf("%" PRIu64 " packet%s left out, %s\n", sum->bad[i],
			       e4d_s(sum->bad[i]), damage[i]);
	}
	if (backwards && !quiet)
		printf("%" PRIu64 " packet%s left out, out of order\n", backwards,
		       e4d_s(backwards));
	if (sum->copies && !quiet)
		printf("%" PRIu64 " packet%s there more than once\n", sum->copies,
		       e4d_s(sum->copies));
	if (!quiet)
		printf("%" PRIu64 " packet%s with %" PRIu64 " event%s out of %" PRIu64 " MiB\n",
		       sum->packets, e4d_s(sum->packets), sum->events, e4d_s(sum->events),
		       sum->bytes >> 20);
	if (!sum->packets) {
		e4d_err("no whole packet was found");
		return E4D_EXIT_NOTHING;
	}
	return missing || backwards || bad || sum->unread ? E4D_EXIT_CORRUPT : E4D_EXIT_CLEAN;
}

static int salvage(char **files, int n, const char *dir, bool quiet)
{
	struct bar bar = {.show = !quiet && isatty(STDERR_FILENO)};
	char why[1024] = "";
	struct e4d_salvage *s;
	int code, err;

	err = e4d_salvage_open(&s, dir, progress, &bar, why, sizeof(why));
	for (int i = 0; i < n && !err; i++)
		err = e4d_salvage_scan(s, files[i], why, sizeof(why));
	if (!err)
		err = e4d_salvage_write(s, why, sizeof(why));
	clear_bar(&bar);
	if (err)
		e4d_err("%s", why);
	code = err ? E4D_EXIT_CANNOT : report(s, quiet);
	e4d_salvage_close(s);
	return code;
}

int e4d_cmd_salvage(int argc, char **argv)
{
	const char *dir = NULL;
	bool quiet = false;
	int c;

	optind = 0;
	while ((c = e4d_getopt(argc, argv, "o:qh", longopts)) != -1) {
		switch (c) {
		case 'h':
			fputs(help, stdout);
			return E4D_EXIT_CLEAN;
		case 'o':
			dir = optarg;
			break;
		case 'q':
			quiet = true;
			break;
		default:
			goto usage;
		}
	}
	if (dir && optind < argc)
		return salvage(argv + optind, argc - optind, dir, quiet);
	e4d_err("salvage wants a file, and -o DIR for what is found");
usage:
	fputs("Try 'ext4diotop salvage --help'.\n", stderr);
	return E4D_EXIT_USAGE;
}
