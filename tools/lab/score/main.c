/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* score TRUTH TRACE; score merge FILE... */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "record/names.h"
#include "score.h"

#define MAX_BAD 20

static void usage(FILE *to)
{
	fprintf(to,
	        "usage: score [OPTION]... TRUTH.jsonl TRACE.jsonl\n"
	        "       score merge FILE... [--by LABELS] [--json FILE]\n\n"
	        "Joins the truth of randwrite with the trace (ext4diotop trace --all --json)\n"
	        "and counts hits, misses, false alarms; prints the episodes that are bad.\n"
	        "merge makes one Markdown table of many summaries.\n\n"
	        "  --label K=V   a label of the summary, may be given again\n"
	        "  --tier TIER   of the trace (default: as its records say)\n"
	        "  --blind       tracepoints before 6.6: neither begin nor completion seen\n"
	        "  --loss        losses were forced: writes may lack their record\n"
	        "  --extending   traced without --all: only extending writes must have a record\n"
	        "  --over        this kernel allocates past what a write asks for\n"
	        "  --json        the summary as one JSON line; in merge: totals to FILE\n"
	        "  --header      a header above the summary\n"
	        "  --bad FILE    appends the bad episodes, one JSON line each\n"
	        "  --max-bad N   prints at most N of them (default %d)\n"
	        "  --help\n\n"
	        "examples: score --header truth.jsonl trace.jsonl\n"
	        "          score --json --label kernel=6.12 truth.jsonl trace.jsonl > a.json\n"
	        "          score merge *.json > report.md\n"
	        "exit: 0 no miss, no false alarm, nothing missing, 1 some, 2 usage,\n"
	        "      4 nothing to judge, 6 corrupt\n",
	        MAX_BAD);
}

enum {
	OPT_LABEL = 256,
	OPT_TIER,
	OPT_BLIND,
	OPT_LOSS,
	OPT_EXTENDING,
	OPT_OVER,
	OPT_JSON,
	OPT_HEADER,
	OPT_BAD,
	OPT_MAX
};

static const struct option options[] = {
	{"label", required_argument, NULL, OPT_LABEL},
	{"tier", required_argument, NULL, OPT_TIER},
	{"blind", no_argument, NULL, OPT_BLIND},
	{"loss", no_argument, NULL, OPT_LOSS},
	{"extending", no_argument, NULL, OPT_EXTENDING},
	{"over", no_argument, NULL, OPT_OVER},
	{"json", no_argument, NULL, OPT_JSON},
	{"header", no_argument, NULL, OPT_HEADER},
	{"bad", required_argument, NULL, OPT_BAD},
	{"max-bad", required_argument, NULL, OPT_MAX},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int set_option(struct sc_opts *o, int opt, const char *arg)
{
	char *end;

	switch (opt) {
	case OPT_LABEL:
		if (o->label_count == SC_LABELS || !strchr(arg, '='))
			return -EINVAL;
		o->labels[o->label_count++] = arg;
		return 0;
	case OPT_TIER:
		o->tier = e4d_name_value(&e4d_tiers, arg, strlen(arg));
		return o->tier > 0 ? 0 : -EINVAL;
	case OPT_BLIND:
		o->blind = true;
		return 0;
	case OPT_LOSS:
		o->loss = true;
		return 0;
	case OPT_EXTENDING:
		o->extending = true;
		return 0;
	case OPT_OVER:
		o->over = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_HEADER:
		o->header = true;
		return 0;
	case OPT_BAD:
		o->bad = fopen(arg, "ae");
		return o->bad ? 0 : -errno;
	case OPT_MAX:
		o->max_bad = (unsigned int)strtoul(arg, &end, 10);
		return *end ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static void count(struct sc_run *run, const struct sc_episode *e, const struct sc_result *res)
{
	uint64_t *n = run->n;

	for (int c = SC_DISK_LEAKS; c < SC_COUNT; c++)
		n[c] += sc_has(res, c) && c != SC_MISSING && c != SC_STRAY;
	n[SC_EPISODES] += e->writes > 0;
	n[SC_WRITES] += e->writes;
	n[SC_RECORDS] += e->records;
	for (size_t i = 0; i < e->records; i++) {
		n[SC_UNKNOWN_RECORDS] += e->rec[i].verdict == E4D_UNKNOWN;
		n[SC_STRAY] += e->rec[i].write < 0;
	}
	n[SC_UNSEEN] += e->unseen;
	n[SC_MISSING] += e->missing;
	n[SC_LOST] += e->lost_writes;
	if (!run->to)
		run->from = e->t0;
	run->to = e->t1;
}

static int episode(struct sc_run *run, struct sc_episode *e)
{
	struct sc_result res = {0};

	sc_judge(run, e, &res);
	count(run, e, &res);
	sc_print_bad(run, e, &res);
	return 0;
}

/*
 * Records in the time of the truth that are of no episode. Those before and
 * after are another run's.
 */
static void strays(struct sc_run *run)
{
	for (size_t i = 0; i < run->trace.count; i++) {
		struct sc_rec *r = &run->trace.rec[i];
		struct sc_episode e = {.seed = "", .text = "", .rec = r, .records = 1};
		struct sc_result res = {0};

		if (r->joined || r->ts < run->from || r->ts > run->to)
			continue;
		sc_say(&res, SC_STRAY, "no episode has a record at %llu ns",
		       (unsigned long long)r->ts);
		if (sc_is_leak(r))
			sc_say(&res, SC_FALSE_ALARMS, "it claims a leak");
		count(run, &e, &res);
		sc_print_bad(run, &e, &res);
	}
}

static int outcome(const struct sc_run *run)
{
	for (int c = 0; c < SC_COUNT; c++)
		if (sc_columns[c].fail && run->n[c])
			return SC_BAD;
	return run->n[SC_EPISODES] ? SC_GOOD : SC_NOTHING;
}

static int check_tier(struct sc_run *run)
{
	struct sc_opts *o = &run->opts;

	if (o->tier && run->trace.tier && o->tier != run->trace.tier) {
		fprintf(stderr, "score: the trace is of tier %s, not %s\n",
		        e4d_tier_name((unsigned int)run->trace.tier),
		        e4d_tier_name((unsigned int)o->tier));
		return SC_CORRUPT;
	}
	if (!o->tier)
		o->tier = run->trace.tier;
	return 0;
}

static int score(struct sc_run *run, const char *truth, const char *trace)
{
	int err = sc_trace_load(trace, &run->trace);

	if (!err)
		err = check_tier(run);
	if (err)
		goto out;
	run->excuses = sc_excuses(&run->trace);
	err = sc_truth_each(truth, run, episode);
	if (err != SC_USAGE) {
		if (!err)
			strays(run);
		sc_print_summary(run);
	}
	if (!err)
		err = outcome(run);
	if (fflush(stdout) || ferror(stdout) || (run->opts.bad && fclose(run->opts.bad))) {
		fprintf(stderr, "score: cannot write the result\n");
		err = err ? err : SC_BAD;
	}
out:
	if (run->truth)
		fclose(run->truth);
	sc_trace_free(&run->trace);
	return err;
}

static int merge(int argc, char **argv)
{
	const char *json = NULL, *by = NULL, **value;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		value = !strcmp(argv[i], "--json") ? &json : !strcmp(argv[i], "--by") ? &by : NULL;
		if (!value) {
			argv[n++] = argv[i];
			continue;
		}
		if (++i == argc) {
			usage(stderr);
			return SC_USAGE;
		}
		*value = argv[i];
	}
	if (!n) {
		usage(stderr);
		return SC_USAGE;
	}
	return sc_merge(argv, n, json, by);
}

int main(int argc, char **argv)
{
	struct sc_run run = {.opts = {.max_bad = MAX_BAD}};
	int opt, err;

	if (argc > 2 && !strcmp(argv[1], "merge"))
		return merge(argc - 2, argv + 2);
	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h') {
			usage(stdout);
			return SC_GOOD;
		}
		err = opt == '?' ? -EINVAL : set_option(&run.opts, opt, optarg);
		if (err && opt != '?')
			fprintf(stderr, "score: '%s': %s\n", optarg, strerror(-err));
		if (err) {
			usage(stderr);
			return SC_USAGE;
		}
	}
	if (argc - optind != 2) {
		usage(stderr);
		return SC_USAGE;
	}
	return score(&run, argv[optind], argv[optind + 1]);
}
