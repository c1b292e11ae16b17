/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "util/log.h"
#include "util/output.h"

static const struct e4d_cmd commands[] = {
	{"top", e4d_cmd_top,
         "live view, or tables without a terminal; what runs without a command"},
	{"trace", e4d_cmd_trace, "one line for each direct write"},
	{"wrap", e4d_cmd_wrap, "trace while a command (fstests) runs: findings for each test"},
	{"record", e4d_cmd_record, "a trace dump on disk, for report and babeltrace2"},
	{"report", e4d_cmd_report, "what a trace dump says: summary, findings, lists, exports"},
	{"snapshot", e4d_cmd_snapshot, "a dump of a pinned flight recorder"},
	{"validate", e4d_cmd_validate, "is this kernel right? direct writes, judged by the disk"},
	{"salvage", e4d_cmd_salvage, "a clean dump out of a damaged one, or a memory image"},
	{"doctor", e4d_cmd_doctor, "what can be attached here, and how to mend what cannot"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	fputs("Usage: ext4diotop COMMAND [OPTIONS]\n"
	      "Watches direct writes to ext4, and finds those that leave blocks past EOF.\n\n",
	      f);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'ext4diotop COMMAND --help' tells more; --version prints the version.\n"
	      "Example: ext4diotop trace --filter 'dev=/mnt/data' --duration 60\n",
	      f);
}

/* What the caller has closed does not become a file of ours that output goes to. */
static void keep_standard_files(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return;
}

static int run(int argc, char **argv)
{
	argv[0] = (char *)"top"; /* no command means that */
	if (argc < 2)
		return e4d_cmd_top(argc, argv);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return E4D_EXIT_CLEAN;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("ext4diotop " E4D_VERSION);
		return E4D_EXIT_CLEAN;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (argv[1][0] == '-')
		return e4d_cmd_top(argc, argv);
	e4d_err("there is no command '%s'", argv[1]);
	usage(stderr);
	return E4D_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	keep_standard_files();
	return e4d_output_end(run(argc, argv));
}
