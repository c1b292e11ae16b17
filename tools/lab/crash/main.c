/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* holdwrite: direct writes held open for a crash, and what came of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hold.h"

static void usage(FILE *to)
{
	fprintf(to,
	        "usage: holdwrite list\n"
	        "       holdwrite twin [CASES] MS COPIES DIR...  held so long, then released\n"
	        "       holdwrite held [CASES] COPIES DIR...     held until the kill\n"
	        "       holdwrite loop SEED WORKERS DIR...       mixed writes until the kill\n"
	        "       holdwrite live                           what a tracer's table says\n"
	        "       holdwrite found DIR...                   past EOF, after the crash\n"
	        "       holdwrite judge [--json | --brief NAME] [--label KEY=VALUE]... FILE...\n\n"
	        "DIR is where a file system is mounted; its last component names the disk. A\n"
	        "FILE of judge holds all lines of one kill, the tracer's records among them.\n"
	        "Changes nothing outside DIR/twin, DIR/held and DIR/loop. CASES: a glob, '*'.\n\n"
	        "example: holdwrite twin 'fallback*' 200 1 /mnt/4k\n"
	        "exit: 0 done, 1 the judge found a difference, 2 usage, 4 nothing was there, 6 it\n"
	        "      went wrong, or a line is no JSON\n");
}

static int list(int argc, char **argv)
{
	(void)argv;
	if (argc)
		return HOLD_USAGE;
	for (size_t i = 0; i < hold_case_count; i++)
		printf("%-18s %s\n", hold_cases[i].name, hold_cases[i].what);
	return HOLD_OK;
}

/* A number of at least one; 0 is no number. */
static unsigned long number(const char *s)
{
	char *end;
	unsigned long v = strtoul(s, &end, 0);

	return *end || v >= HOLD_FOREVER / 1000 ? 0 : v;
}

static int run(const char *name, int argc, char **argv)
{
	struct hold_run r = {.name = name, .cases = "*", .wait_us = HOLD_FOREVER};

	if (argc && !number(argv[0])) {
		r.cases = argv[0];
		argc--, argv++;
	}
	if (argc && !strcmp(name, "twin")) {
		r.wait_us = number(argv[0]) * 1000;
		argc--, argv++;
	}
	r.copies = argc ? number(argv[0]) : 0;
	if (argc < 2 || !r.copies || !r.wait_us)
		return HOLD_USAGE;
	return hold_run(&r, argv + 1, argc - 1);
}

static int twin(int argc, char **argv)
{
	return run("twin", argc, argv);
}

static int held(int argc, char **argv)
{
	return run("held", argc, argv);
}

static int loop(int argc, char **argv)
{
	if (argc < 3 || !number(argv[0]) || !number(argv[1]))
		return HOLD_USAGE;
	return hold_loop(number(argv[0]), number(argv[1]), argv + 2, argc - 2);
}

static int live(int argc, char **argv)
{
	(void)argv;
	return argc ? HOLD_USAGE : hold_live();
}

static int found(int argc, char **argv)
{
	return argc ? hold_found(argv, argc) : HOLD_USAGE;
}

static int judge(int argc, char **argv)
{
	struct hold_judge opt = {0};

	for (; argc && !strncmp(argv[0], "--", 2); argc--, argv++) {
		if (!strcmp(argv[0], "--json")) {
			opt.json = true;
		} else if (!strcmp(argv[0], "--brief") && argc > 1) {
			opt.brief = argv[1];
			argc--, argv++;
		} else if (!strcmp(argv[0], "--label") && argc > 1 && strchr(argv[1], '=') &&
		           opt.labels < (int)(sizeof(opt.label) / sizeof(opt.label[0]))) {
			opt.label[opt.labels++] = argv[1];
			argc--, argv++;
		} else {
			return HOLD_USAGE;
		}
	}
	return argc ? hold_judge(&opt, argv, argc) : HOLD_USAGE;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"list", list}, {"twin", twin},   {"held", held},   {"loop", loop},
	{"live", live}, {"found", found}, {"judge", judge},
};

int main(int argc, char **argv)
{
	int rc = HOLD_USAGE;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return HOLD_OK;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[1]))
			rc = commands[i].run(argc - 2, argv + 2);
	if (rc == HOLD_USAGE)
		usage(stderr);
	return rc;
}
