/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The commands, and the options that several of them share. */
#ifndef E4D_CMD_H
#define E4D_CMD_H

#include <stdbool.h>
#include <stdint.h>
#include "exitcode.h"
#include "filter/filter.h"
#include "probe/attach.h"

struct option;

struct e4d_cmd {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the command */
	const char *summary;
};

/* Options that every tracing command takes, parsed. */
struct e4d_opts {
	bool all, confirm, strict, quiet, self;
	const char *format; /* "text", "json", "csv" */
	enum e4d_tier tier; /* E4D_TIER_NONE: the best */
	uint64_t count;     /* -n; 0: no limit */
	double duration;    /* seconds; 0: no limit */
	struct e4d_limits limits;
	struct e4d_filter *filter;
};

/* What a command takes beside the common options. */
struct e4d_own_opts {
	const struct option *longopts; /* getopt_long()'s, values from E4D_OPT_OWN on */
	const char *shortopts;
	/* c is the option, optarg its value; prints what is wrong, and returns -EINVAL */
	int (*parse)(void *ctx, int c);
	void *ctx;
	bool operands; /* what follows the options is the command's: argv from optind on */
};

#define E4D_OPT_OWN 512

/* A negative value other than these is an exit code of its own. */
#define E4D_OPTS_RUN (-1)

/*
 * Parses the common options; prints help (given by the caller) or the error.
 * Returns E4D_OPTS_RUN to go on, else the exit code. Frees nothing.
 */
int e4d_opts_parse(struct e4d_opts *o, int argc, char **argv, const char *help);

/* The same with options of the command's own; own may be NULL. */
int e4d_opts_parse_own(struct e4d_opts *o, int argc, char **argv, const char *help,
                       const struct e4d_own_opts *own);
void e4d_opts_free(struct e4d_opts *o);

/* getopt_long(); its messages begin with the program's name, as all do. */
int e4d_getopt(int argc, char **argv, const char *shortopts, const struct option *longopts);

/* --filter (terms are added to *filter, which may be NULL) and -n; 0, or -EINVAL and a message. */
int e4d_opts_filter(struct e4d_filter **filter, const char *text);
int e4d_opts_count(const char *text, uint64_t *out);

int e4d_cmd_report(int argc, char **argv);
int e4d_cmd_top(int argc, char **argv);
int e4d_cmd_trace(int argc, char **argv);
int e4d_cmd_doctor(int argc, char **argv);
int e4d_cmd_validate(int argc, char **argv);
int e4d_cmd_salvage(int argc, char **argv);
int e4d_cmd_wrap(int argc, char **argv);
int e4d_cmd_record(int argc, char **argv);
int e4d_cmd_snapshot(int argc, char **argv);

#endif
