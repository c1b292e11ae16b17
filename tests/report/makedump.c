/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Makes a dump by the writer's own interface, whose content is known: write i (from 0)
 * ends at START + i * STEP and has seq 100000 + i; every K-th is a finding, in turn leak
 * and trim-failed, of the file 131 + i % 7. What is queued overlaps with its neighbours.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "records.h"
#include "trace/writer.h"

#define START 1000000000000ULL /* CLOCK_BOOTTIME ns */
#define FILES 7

static const char usage[] =
	"usage: makedump [-n WRITES] [-k EVERY] [-s STEP_NS] [-H HOST] [-r REAL_MINUS_BOOT_NS]\n"
	"                [-x] [-l NAME] [-m MARK] [-u] [-q] DIR\n"
	"  -x hostile names, -l a loss of 12, -u no end, -q queued writes\n"
	"example: makedump -n 1000 -k 100 /tmp/dump\n";

static const char *const paths[FILES] = {
	"/srv/data/base/16384/2619",
	"/srv/data/pg_wal/000000010000000000000042",
	"/srv/my data/a,b",
	"/srv/data/c",
	"/srv/data/d",
	"/srv/data/e",
	"/srv/data/f",
};

/* What a report must not pass on as it is: page, table, terminal, database, UTF-8. */
static const char *const hostile_paths[FILES] = {
	"/srv/</script><script>document.title='pwned'</script>",
	"/srv/\"><img src=x onerror=document.title='pwned'>",
	"/srv/\033[31mred\033]0;title\007",
	"/srv/'); DROP TABLE writes; --",
	"=HYPERLINK(\"http://x\",\"y\")",
	"/srv/new\nline,\"quoted\"\r",
	"/srv/bad\xff\xfe utf8 \xe2\x80\xae rtl &amp; \\x41",
};

static const char *const comms[] = {"postgres", "fio", "dd", "postgres"};
static const char *const hostile_comms[] = {"=1+1", "<b>\"'&", "\033[2J", "a\xff\n,b"};

struct opts {
	unsigned long n, every, step;
	const char *host, *loss, *mark;
	long long real;
	int hostile, cut, queued;
};

static void make(const struct opts *o, struct e4d_record *r, unsigned int i)
{
	const char *const *names = o->hostile ? hostile_comms : comms;

	make_record(r, i);
	r->latency_ns = 1000ULL << i % 17;
	if (o->queued) {
		r->latency_ns = o->step * (1 + i % 5);
		r->flags = (r->flags & ~E4D_F_SYNC) | E4D_F_ASYNC;
	}
	r->ts_ns = START + i * o->step - r->latency_ns;
	memset(r->comm, 0, sizeof(r->comm));
	strncpy(r->comm, names[i % 4], sizeof(r->comm) - 1);
	r->pid = 4711 + i % 4;
	r->tid = r->pid + i % 2;
	if (!o->every || (i + 1) % o->every)
		return;
	r->verdict = (i + 1) / o->every % 2 ? E4D_LEAK : E4D_TRIM_FAILED;
	r->past_eof = 4096 * (1 + i % 9);
	r->ret = -14;
	r->flags |= E4D_F_EXTEND;
}

static int put_all(struct e4d_trace_writer *w, const struct opts *o)
{
	struct e4d_ev_counters c = {0};
	struct e4d_record r;
	int err = 0;

	for (unsigned int i = 0; !err && i < o->n; i++) {
		make(o, &r, i);
		err = e4d_trace_put_file(w, r.dev, r.ino, r.gen,
		                         (o->hostile ? hostile_paths : paths)[i % FILES]);
		if (!err)
			err = e4d_trace_put(w, &r);
		c.writes++;
	}
	if (!err && o->mark)
		err = e4d_trace_put_mark(w, START + o->n * o->step, o->mark);
	if (!err && o->loss)
		err = e4d_trace_put_loss(w, o->loss, 12);
	c.head.timestamp = START + o->n * o->step;
	if (!err)
		err = e4d_trace_put_counters(w, &c);
	if (!err && o->cut) /* as SIGKILL when all was old enough to be on disk */
		return e4d_trace_tick(w, UINT64_MAX);
	return err ? err : e4d_trace_finish(w);
}

static int parse(struct opts *o, int argc, char **argv)
{
	for (int c; (c = getopt(argc, argv, "n:k:s:H:r:xl:m:uq")) != -1;) {
		switch (c) {
		case 'n':
			o->n = strtoul(optarg, NULL, 10);
			break;
		case 'k':
			o->every = strtoul(optarg, NULL, 10);
			break;
		case 's':
			o->step = strtoul(optarg, NULL, 10);
			break;
		case 'H':
			o->host = optarg;
			break;
		case 'r':
			o->real = strtoll(optarg, NULL, 10);
			break;
		case 'x':
			o->hostile = 1;
			break;
		case 'l':
			o->loss = optarg;
			break;
		case 'm':
			o->mark = optarg;
			break;
		case 'u':
			o->cut = 1;
			break;
		case 'q':
			o->queued = 1;
			break;
		default:
			return -1;
		}
	}
	return argc - optind == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct opts o = {.n = 1000, .step = 1000000, .host = "db1", .real = 1777900000000000000LL};
	struct e4d_trace_limits limits = {0};
	struct e4d_trace_info info = {.kernel = "6.12.118",
	                              .program = "ext4diotop test",
	                              .options = "--all",
	                              .tier = E4D_TIER_FENTRY};
	struct e4d_trace_writer *w;
	char why[512] = "";
	int err;

	if (parse(&o, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	info.host = o.host;
	info.real_minus_boot_ns = o.real;
	err = e4d_trace_create(&w, argv[optind], &info, &limits, why, sizeof(why));
	if (!err)
		err = put_all(w, &o);
	if (err)
		fprintf(stderr, "makedump: %s %s\n", why, strerror(-err));
	e4d_trace_writer_close(w);
	return !!err;
}
