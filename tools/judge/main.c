/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* judge TRUTH.jsonl TRACE.jsonl: joins the workload's lines with the tracer's. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static void usage(FILE *to)
{
	fprintf(to, "usage: judge [OPTION]... TRUTH.jsonl TRACE.jsonl\n\n"
	            "Compares what the disk holds (from workload run) with what the tracer\n"
	            "said (from ext4diotop trace --all --json), case by case.\n\n"
	            "  --tap-prefix NAME  'ok NAME/case' lines instead of the table\n"
	            "  --summary          counts, and whether this kernel leaks\n"
	            "  --help\n\n"
	            "example: judge --summary truth.jsonl trace.jsonl\n"
	            "exit: 0 they agree in all, 1 they do not, 2 usage, 4 nothing to judge,\n"
	            "      6 a line is no JSON\n");
}

/* Judges one line of truth. Returns 0 or JD_CORRUPT. */
static int judge_line(const json_t *truth, const struct jd_lines *trace, struct jd_row *row)
{
	bool ino, ret, size, past;

	memset(row, 0, sizeof(*row));
	row->truth = truth;
	row->name = jd_str(truth, "case");
	if (json_object_get(truth, "skip")) {
		row->result = strncmp(jd_str(truth, "skip"), "n/a: ", 5) ? JD_SKIPPED : JD_NA;
		snprintf(row->why, sizeof(row->why), "%s", jd_str(truth, "skip"));
		return 0;
	}
	if (json_object_get(truth, "error")) {
		row->result = JD_BROKEN;
		snprintf(row->why, sizeof(row->why), "%s", jd_str(truth, "error"));
		return 0;
	}
	jd_int(truth, "ino", &ino);
	jd_int(truth, "ret", &ret);
	jd_int(truth, "isize_after", &size);
	jd_int(truth, "past_eof", &past);
	if (!row->name[0] || !ino || !ret || !size || !past)
		return JD_CORRUPT;
	row->rec = jd_match(truth, trace);
	jd_compare(row, trace);
	return 0;
}

static int outcome(const struct jd_row *rows, size_t count)
{
	size_t judged = 0;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].result == JD_BROKEN ||
		    (rows[i].result > JD_OK && rows[i].result < JD_SKIPPED))
			return JD_DISAGREE;
		judged += rows[i].result == JD_OK;
	}
	return judged ? JD_AGREE : JD_NOTHING;
}

static int judge(const char *truth_path, const char *trace_path, const char *tap, bool summary)
{
	struct jd_lines truth = {0}, trace = {0};
	struct jd_row *rows = NULL;
	int err;

	err = jd_load(truth_path, &truth);
	if (!err)
		err = jd_load(trace_path, &trace);
	if (err)
		goto out;
	rows = calloc(truth.count + 1, sizeof(*rows));
	if (!rows) {
		fprintf(stderr, "judge: no memory\n");
		err = JD_CORRUPT;
		goto out;
	}
	for (size_t i = 0; i < truth.count && !err; i++) {
		err = judge_line(truth.v[i], &trace, &rows[i]);
		if (err)
			fprintf(stderr, "judge: %s, record %zu lacks a field of the truth\n",
			        truth_path, i + 1);
	}
	if (err)
		goto out;
	if (tap)
		jd_print_tap(tap, rows, truth.count);
	else
		jd_print_table(rows, truth.count);
	if (summary)
		jd_print_summary(tap ? "# " : "", rows, truth.count);
	err = outcome(rows, truth.count);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "judge: cannot write the result\n");
		err = JD_DISAGREE;
	}
out:
	free(rows);
	jd_unload(&truth);
	jd_unload(&trace);
	return err;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"tap-prefix", required_argument, NULL, 't'},
		{"summary", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *tap = NULL;
	bool summary = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 't':
			tap = optarg;
			break;
		case 's':
			summary = true;
			break;
		case 'h':
			usage(stdout);
			return JD_AGREE;
		default:
			usage(stderr);
			return JD_USAGE;
		}
	}
	if (argc - optind != 2) {
		usage(stderr);
		return JD_USAGE;
	}
	return judge(argv[optind], argv[optind + 1], tap, summary);
}
