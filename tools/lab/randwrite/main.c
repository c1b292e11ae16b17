/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * randwrite: seeded random programs of direct writes (and of what may stand in
 * their way) on ext4, with the disk's own truth after each step.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "generate.h"
#include "profile.h"
#include "run.h"
#include "source.h"

#define WHY_LEN 200

enum { EXIT_OK = 0, EXIT_BROKE = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3, EXIT_NOTHING = 4 };

struct options {
	uint64_t seed;
	uint64_t sequences;
	uint64_t writes;
	const char *kind_name;
	const char *profile_name;
	const char *program;
	const char *dir;
	const struct rw_kind *kind;
	const struct rw_profile *profile;
};

struct option_row {
	const char *name;
	size_t at;
	bool number;
	const char *value;
	const char *help;
};

static const struct option_row rows[] = {
	{"--seed", offsetof(struct options, seed), true, "S",
         "of the first sequence, the next has S + 1 (1)"},
	{"--sequences", offsetof(struct options, sequences), true, "N", "so many programs (100)"},
	{"--writes", offsetof(struct options, writes), true, "N",
         "until so many direct writes were submitted"},
	{"--kind", offsetof(struct options, kind_name), false, "KIND",
         "the image's kind: tunes alignments and verbs (4k)"},
	{"--profile", offsetof(struct options, profile_name), false, "P", "what to do (mixed)"},
	{"--program", offsetof(struct options, program), false, "FILE",
         "no seeds: this program; '-': standard input.\n"
         "                   Lines '== NAME' separate several, each on a fresh file"},
};

static void usage(FILE *to)
{
	fprintf(to, "usage: randwrite run [OPTION]... DIR     execute in DIR (on ext4), truth to "
	            "stdout\n"
	            "       randwrite gen [OPTION]...         print the program of a seed\n\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(to, "  %-11s %-5s %s\n", rows[i].name, rows[i].value, rows[i].help);
	fputc('\n', to);
	rw_names(to);
	rw_language_help(to);
	fprintf(to, "\nexamples:\n"
	            "  randwrite run --seed 0x1f2e --writes 20000 --kind 1k /mnt > truth.jsonl\n"
	            "  randwrite gen --seed 0x1f2e --kind 1k > found.prog\n"
	            "  echo 'write via=pwrite off=0 len=1M fail=7680' | randwrite run --program - "
	            "/mnt\n\n"
	            "exit: 0 ran, 1 broke down, 2 usage, 3 DIR is not ext4 or cannot be used,\n"
	            "      4 nothing ran\n");
}

static int wrong(const char *what, const char *remedy)
{
	fprintf(stderr, "randwrite: %s: %s\n", what, remedy);
	return EXIT_USAGE;
}

static int take_option(struct options *o, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *at = (char *)o + rows[i].at;
		char *end;

		if (strcmp(name, rows[i].name))
			continue;
		if (!value)
			return wrong(name, "wants a value; see randwrite --help");
		if (!rows[i].number) {
			*(const char **)at = value;
			return EXIT_OK;
		}
		errno = 0;
		*(uint64_t *)at = strtoull(value, &end, 0);
		if (errno || end == value || *end || *value == '-')
			return wrong(value, "not a number");
		return EXIT_OK;
	}
	return wrong(name, "no such option; see randwrite --help");
}

static int take_options(struct options *o, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		int code;

		if (argv[i][0] != '-') {
			if (o->dir)
				return wrong(argv[i], "one directory only");
			o->dir = argv[i];
			continue;
		}
		code = take_option(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (code)
			return code;
		i++;
	}
	o->kind = rw_kind_find(o->kind_name);
	o->profile = rw_profile_find(o->profile_name);
	if (!o->kind)
		return wrong(o->kind_name, "no such kind; see randwrite --help");
	if (!o->profile)
		return wrong(o->profile_name, "no such profile; see randwrite --help");
	return EXIT_OK;
}

/* The text of a seed's program, to be freed; NULL: no memory. */
static char *text_of(const struct options *o, uint64_t seed)
{
	struct rw_program prog;
	char *text = NULL;
	size_t len;
	FILE *f;

	if (rw_generate(seed, o->kind, o->profile, &prog))
		return NULL;
	f = open_memstream(&text, &len);
	for (size_t i = 0; f && i < prog.count; i++) {
		rw_step_print(f, &prog.steps[i]);
		fputc('\n', f);
	}
	if (f)
		fclose(f);
	rw_program_free(&prog);
	return text;
}

static int gen(const struct options *o)
{
	char *text;

	if (o->dir || o->program)
		return wrong(o->dir ? o->dir : "--program", "not with gen; see randwrite --help");
	text = text_of(o, o->seed);
	if (!text)
		return EXIT_BROKE;
	fputs(text, stdout);
	free(text);
	return fflush(stdout) ? EXIT_BROKE : EXIT_OK;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* At most twice a second, and on a terminal only. */
static void progress(const struct rw_totals *t, double since)
{
	static double last;
	double now = seconds();

	if (now - last < 0.5 || !isatty(STDERR_FILENO))
		return;
	last = now;
	fprintf(stderr, "\r%" PRIu64 " sequences, %" PRIu64 " writes, %.0f/s ", t->sequences,
	        t->writes, (double)t->writes / (now - since));
}

/* What is executed is the text, as `gen` prints it. */
static int run_text(struct rw_run *run, const char *name, const char *text)
{
	struct rw_program prog;
	char why[WHY_LEN] = "";
	int err = rw_program_parse(text, &prog, why, sizeof(why));

	if (err) {
		fprintf(stderr, "randwrite: %s: %s\n", name, why[0] ? why : strerror(-err));
		return err;
	}
	err = rw_run_sequence(run, name, &prog);
	rw_program_free(&prog);
	return err;
}

static bool enough(const struct options *o, const struct rw_totals *t)
{
	return rw_stop_signal ||
	       (o->writes ? t->writes >= o->writes : t->sequences >= o->sequences);
}

static int run_seeds(struct rw_run *run, const struct options *o)
{
	const struct rw_totals *t = rw_run_totals(run);
	double since = seconds();
	int err = 0;

	for (uint64_t seed = o->seed; !err && !enough(o, t); seed++) {
		char name[32], *text = text_of(o, seed);

		snprintf(name, sizeof(name), "0x%" PRIx64, seed);
		err = text ? run_text(run, name, text) : -ENOMEM;
		free(text);
		progress(t, since);
	}
	return err;
}

static int run_source(struct rw_run *run, const struct rw_source *src)
{
	int err = 0;

	for (size_t i = 0; i < src->count && !err && !rw_stop_signal; i++)
		err = rw_run_sequence(run, src->items[i].name, &src->items[i].program);
	return err;
}

static void summary(const struct rw_totals *t, double took)
{
	fprintf(stderr,
	        "%srandwrite: %" PRIu64 " sequences, %" PRIu64 " episodes, %" PRIu64
	        " writes (%.0f/s), %" PRIu64 " short or failed, %" PRIu64 " extending; %" PRIu64
	        " left blocks past EOF, %" PRIu64 " killed, %" PRIu64 " lost or changed data\n",
	        isatty(STDERR_FILENO) ? "\r" : "", t->sequences, t->episodes, t->writes,
	        took > 0 ? (double)t->writes / took : 0, t->failed, t->extending, t->left,
	        t->killed, t->lost);
}

static int run(const struct options *o)
{
	struct rw_source src = {0};
	struct rw_totals totals;
	struct rw_run *run;
	double since;
	int err;

	if (!o->dir)
		return wrong("run", "wants a directory; see randwrite --help");
	if (o->program && rw_source_read(o->program, &src))
		return EXIT_USAGE;
	if (rw_run_open(o->dir, o->kind_name, &run)) {
		rw_source_free(&src);
		return EXIT_CANNOT;
	}
	since = seconds();
	err = o->program ? run_source(run, &src) : run_seeds(run, o);
	totals = *rw_run_totals(run);
	if (rw_run_close(run))
		err = -EIO;
	summary(&totals, seconds() - since);
	rw_source_free(&src);
	if (rw_stop_signal) {
		signal(rw_stop_signal, SIG_DFL);
		raise(rw_stop_signal);
	}
	if (err)
		return totals.episodes ? EXIT_BROKE : EXIT_CANNOT;
	return totals.episodes ? EXIT_OK : EXIT_NOTHING;
}

int main(int argc, char **argv)
{
	struct options o = {
		.seed = 1, .sequences = 100, .kind_name = "4k", .profile_name = "mixed"};
	int code;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return EXIT_OK;
	}
	if (argc < 2 || (strcmp(argv[1], "run") && strcmp(argv[1], "gen"))) {
		usage(stderr);
		return EXIT_USAGE;
	}
	code = take_options(&o, argc, argv);
	if (code)
		return code;
	return strcmp(argv[1], "gen") ? run(&o) : gen(&o);
}
