/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop validate: is this kernel right? */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/compare.h"
#include "cmd/plan.h"
#include "record/names.h"
#include "util/log.h"
#include "util/output.h"
#include "validate/expect.h"
#include "validate/report.h"

static const char help[] =
	"Usage: ext4diotop validate [OPTIONS] DIR\n"
	"       ext4diotop validate --diff OLD.json NEW.json\n"
	"       ext4diotop validate --lab [OPTIONS]\n"
	"       ext4diotop validate --list [--lab] [--run GLOB] [--exclude FILE]\n"
	"Makes direct writes on unnamed files in DIR, and judges each by the disk\n"
	"(FIEMAP, i_size, st_blocks, the data) and by the tracer. Safe on a mount in\n"
	"use: at most 64 MiB, 200 writes and 30 s, idle I/O priority, and no file has\n"
	"a name, so that nothing is left whatever ends it. Refuses what is read-only,\n"
	"not ext4, nearly full, or data=journal.\n"
	"\n"
	"  --run GLOB      only cases that match; may be given again\n"
	"  --exclude FILE  leave out the cases named in FILE, one a line, # comments\n"
	"  --format F      ktap (default), tap13, junit, json or table\n"
	"  --tier TIER     fentry, kprobe, tracepoint, or none: by the disk alone;\n"
	"                  default: the best that attaches, else none\n"
	"  --diff OLD      compare two results (of --format json): what a patch mended,\n"
	"                  what it broke; as table or json; nothing is run\n"
	"  --baseline OLD  run, and print the comparison with OLD in the same way\n"
	"  --expect WHAT   fixed: exit 0 when all pass, leaking kind included; broken:\n"
	"                  exit 0 when a case fails as on a kernel that leaks\n"
	"  --dry-run       print what would be done, and write nothing\n"
	"  --list          print these cases and the invariants\n"
	"  --lab           more cases, on images of each kind, made for it and thrown\n"
	"                  away: faults, ENOSPC, EIO, signals, a shutdown; e2fsck\n"
	"  --work DIR      the lab's images are unnamed files there; default: /var/tmp\n"
	"  --scratch DEV   this block device in place of images; names its contents, asks\n"
	"  --yes           what is on DEV may be destroyed: do not ask\n"
	"  -q, --quiet     no progress and no messages on standard error\n"
	"\n"
	"Examples:\n"
	"  ext4diotop validate /mnt/data\n"
	"  ext4diotop validate --dry-run /mnt/data\n"
	"  ext4diotop validate --run 'pwrite/*' --format table /mnt/data\n"
	"  ext4diotop validate --lab --run '4k/*' --run '1k/pwrite/*'\n"
	"  ext4diotop validate --exclude known --format junit /mnt/data > result.xml\n"
	"  ext4diotop validate --format json /mnt/data > old.json\n"
	"  ext4diotop validate --baseline old.json /mnt/data\n"
	"  ext4diotop validate --diff old.json new.json\n"
	"  ext4diotop validate --expect fixed /mnt/data\n"
	"\n"
	"Exit: 0 all passed, 1 a case failed, 2 usage, 3 cannot run here, 4 nothing was\n"
	"tested, 5 none failed by the disk, but the tracer was blind or disagreed with it,\n"
	"or cases were not run: a bound, or trouble of the environment. A signal ends it\n"
	"by that signal, after the report.\n"
	"Of a comparison: 0 nothing is broken, 1 a case that passed fails now, 4 no case\n"
	"ran on both sides, 5 as above, 6 a file that is not a result of validate.\n";

enum {
	OPT_RUN = 256,
	OPT_EXCLUDE,
	OPT_FORMAT,
	OPT_TIER,
	OPT_DRY,
	OPT_LIST,
	OPT_DIFF,
	OPT_BASELINE,
	OPT_EXPECT,
	OPT_LAB,
	OPT_WORK,
	OPT_SCRATCH,
	OPT_YES
};

static const struct option longopts[] = {
	{"run", required_argument, NULL, OPT_RUN},
	{"exclude", required_argument, NULL, OPT_EXCLUDE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"tier", required_argument, NULL, OPT_TIER},
	{"dry-run", no_argument, NULL, OPT_DRY},
	{"list", no_argument, NULL, OPT_LIST},
	{"diff", required_argument, NULL, OPT_DIFF},
	{"baseline", required_argument, NULL, OPT_BASELINE},
	{"expect", required_argument, NULL, OPT_EXPECT},
	{"lab", no_argument, NULL, OPT_LAB},
	{"work", required_argument, NULL, OPT_WORK},
	{"scratch", required_argument, NULL, OPT_SCRATCH},
	{"yes", no_argument, NULL, OPT_YES},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct validate {
	struct e4d_vselect sel;
	const struct e4d_vformat *format;
	enum e4d_tier tier;
	bool no_tracer, dry, list, quiet, lab, yes;
	const char *diff, *baseline, *work, *scratch;
	struct e4d_vsaved old; /* with baseline */
	enum e4d_vexpect expect;
	struct e4d_vrun run;
};

static int exclude(struct validate *v, const char *path)
{
	FILE *f = fopen(path, "re");
	int err = f ? e4d_vselect_exclude(&v->sel, f) : -errno;

	if (f)
		fclose(f);
	if (err)
		e4d_err("--exclude %s: %s", path, strerror(-err));
	return err;
}

static int set_format(struct validate *v, const char *name)
{
	v->format = e4d_vformat_find(name);
	if (!v->format)
		e4d_err("--format wants ktap, tap13, junit, json or table, not '%s'", name);
	return v->format ? 0 : -EINVAL;
}

static int set_tier(struct validate *v, const char *name)
{
	int tier = e4d_name_value(&e4d_tiers, name, strlen(name));

	v->no_tracer = !strcmp(name, "none");
	if (!v->no_tracer && tier <= E4D_TIER_NONE) {
		e4d_err("--tier wants fentry, kprobe, tracepoint or none, not '%s'", name);
		return -EINVAL;
	}
	v->tier = v->no_tracer ? E4D_TIER_NONE : tier;
	return 0;
}

static int add_glob(struct validate *v, const char *glob)
{
	int err = e4d_vselect_run(&v->sel, glob);

	if (err)
		e4d_err("--run: at most %d times", E4D_V_GLOBS);
	return err;
}

static int parse_one(struct validate *v, int c)
{
	switch (c) {
	case OPT_RUN:
		return add_glob(v, optarg);
	case OPT_EXCLUDE:
		return exclude(v, optarg);
	case OPT_FORMAT:
		return set_format(v, optarg);
	case OPT_TIER:
		return set_tier(v, optarg);
	case OPT_DRY:
		v->dry = true;
		return 0;
	case OPT_LIST:
		v->list = true;
		return 0;
	case OPT_DIFF:
		v->diff = optarg;
		return 0;
	case OPT_BASELINE:
		v->baseline = optarg;
		return 0;
	case OPT_EXPECT:
		if (!e4d_vexpect_parse(optarg, &v->expect))
			return 0;
		e4d_err("--expect wants broken or fixed, not '%s'", optarg);
		return -EINVAL;
	case OPT_LAB:
		v->lab = true;
		return 0;
	case OPT_WORK:
		v->work = optarg;
		return 0;
	case OPT_SCRATCH:
		v->scratch = optarg;
		return 0;
	case OPT_YES:
		v->yes = true;
		return 0;
	case 'q':
		v->quiet = true;
		e4d_log_set_level(E4D_LOG_ERR);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Nothing runs, so that what is about the run is a mistake; v->format is not set yet. */
static int check_list(const struct validate *v)
{
	bool other = v->format || v->tier || v->no_tracer || v->dry || v->diff || v->baseline ||
	             v->expect || v->work || v->scratch || v->yes;

	if (!v->list || !other)
		return 0;
	e4d_err("--list takes --lab, --run and --exclude, and runs nothing");
	return -EINVAL;
}

/* What comparisons cannot be combined with; v->format is set. */
static int check_comparison(struct validate *v)
{
	bool compares = v->diff || v->baseline;

	if (!v->format)
		v->format = compares ? e4d_vformat_find("table") : e4d_vformats;
	if (compares && strcmp(v->format->name, "table") && strcmp(v->format->name, "json"))
		e4d_err("a comparison is printed as table or json, not %s", v->format->name);
	else if (compares && (v->expect || v->dry || (v->diff && v->baseline)))
		e4d_err("one of --diff, --baseline, --expect and --dry-run");
	else
		return 0;
	return -EINVAL;
}

static int check_lab(const struct validate *v)
{
	if (v->lab && v->diff)
		e4d_err("--diff runs nothing, and so takes no --lab");
	else if (!v->lab && (v->work || v->scratch || v->yes))
		e4d_err("--work, --scratch and --yes go with --lab");
	else
		return 0;
	return -EINVAL;
}

/* E4D_OPTS_RUN, or an exit code. */
static int parse(struct validate *v, int argc, char **argv)
{
	int c;

	optind = 0;
	while ((c = e4d_getopt(argc, argv, "qh", longopts)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return E4D_EXIT_CLEAN;
		}
		if (parse_one(v, c))
			goto usage;
	}
	if (check_list(v) || check_comparison(v) || check_lab(v))
		goto usage;
	if (argc - optind == (v->lab || v->list ? 0 : 1))
		return E4D_OPTS_RUN;
	e4d_err("%s", v->list   ? "--list takes no directory"
	              : v->diff ? "--diff wants two files: --diff OLD.json NEW.json"
	              : v->lab  ? "--lab takes no directory but by --work"
	                        : "validate wants one directory on an ext4");
usage:
	fputs("Try 'ext4diotop validate --help'.\n", stderr);
	return E4D_EXIT_USAGE;
}

static void progress(const struct e4d_vrun *r, size_t at)
{
	unsigned int left =
		at ? (unsigned int)(r->seconds / (double)at * (double)(r->count - at)) : 0;

	fprintf(stderr, "\r%zu/%zu %-42s", at + 1, r->count, r->results[at].name);
	if (at)
		fprintf(stderr, " ETA %u:%02u ", left / 60, left % 60);
}

/* A tier that was asked for must attach; else the disk's word is enough. */
static int attach(void *ctx, struct e4d_vresult *results, size_t count)
{
	struct validate *v = ctx;
	struct e4d_vtracer *t = &v->run.tracer;

	if (v->no_tracer) {
		snprintf(t->why, sizeof(t->why), "--tier none");
		return 0;
	}
	if (!e4d_vtracer_open(t, v->run.mount.dev, v->tier, results, count))
		return 0;
	if (v->tier) {
		e4d_err("cannot trace here: %s", t->why);
		return E4D_EXIT_CANNOT;
	}
	e4d_warn("no tracer: %s; the disk alone judges", t->why);
	v->no_tracer = true; /* nor would there be one for another image */
	return 0;
}

static int expected(const struct validate *v)
{
	char why[240];
	enum e4d_exit code = e4d_vexpect_exit(&v->run, v->expect, why, sizeof(why));

	if (code)
		e4d_err("%s", why);
	else
		e4d_info("%s", why);
	return code;
}

/* What the run was for: its results, or what they are beside others. */
static int print(struct validate *v)
{
	if (v->baseline)
		return e4d_compare_run(&v->old, &v->run, v->format->name);
	v->format->print(&v->run, stdout);
	return v->expect ? expected(v) : (int)e4d_vrun_exit(&v->run);
}

static int go(struct validate *v, struct e4d_lab *lab)
{
	struct e4d_vrun *r = &v->run;
	int code, err;

	if (v->lab) {
		code = e4d_lab_go(lab, r, attach, v);
		if (code && *lab->why)
			e4d_err("%s", lab->why);
		return code;
	}
	e4d_vrun_begin(r);
	code = attach(v, r->results, r->count);
	err = code ? 0 : e4d_vrun_go(r);
	if (err)
		e4d_err("%s", strerror(-err));
	return err ? E4D_EXIT_CANNOT : code;
}

static int run(struct validate *v, struct e4d_lab *lab)
{
	bool show = !v->quiet && isatty(STDERR_FILENO);
	int code;

	e4d_vrun_hold_signals(true);
	signal(SIGPIPE, SIG_IGN);
	v->run.progress = show ? progress : NULL;
	code = go(v, lab);
	if (show)
		fprintf(stderr, "\r%-70s\r", "");
	return code ? code : print(v);
}

/* May it run here? An exit code. */
static int open_place(struct validate *v, struct e4d_lab *lab, const char *dir)
{
	int code;

	if (v->lab) {
		code = e4d_lab_open(lab, v->work, v->scratch);
		v->run.where = lab->where;
		v->run.mount.dir = lab->work;
		if (code)
			e4d_err("%s", lab->why);
		return code;
	}
	code = e4d_vmount_open(&v->run.mount, dir);
	if (!code)
		code = v->dry ? e4d_vmount_ask(&v->run.mount) : e4d_vmount_probe(&v->run.mount);
	if (code)
		e4d_err("%s: %s", dir, v->run.mount.why);
	return code;
}

static int plan(struct validate *v)
{
	const char *glob;

	if (v->lab ? e4d_lab_plan(&v->run, &v->sel) : e4d_vrun_plan(&v->run, &v->sel))
		return E4D_EXIT_CANNOT;
	glob = e4d_vselect_unmatched(&v->sel);
	if (!glob)
		return E4D_EXIT_CLEAN;
	e4d_err("--run: no case is named '%s'; see ext4diotop validate --list%s", glob,
	        v->lab ? " --lab" : "");
	return E4D_EXIT_USAGE;
}

/* May what is on the device go? While that is asked, it may have come into use. */
static int consent(struct validate *v, struct e4d_lab *lab)
{
	int code = e4d_plan_consent(lab->lost, v->yes);

	return code || v->yes ? code : open_place(v, lab, NULL);
}

static int dry_run(struct validate *v, const struct e4d_lab *lab)
{
	if (v->lab)
		e4d_lab_foresee(&v->run);
	return e4d_plan_print(&v->run, v->lab ? lab : NULL);
}

int e4d_cmd_validate(int argc, char **argv)
{
	struct validate v = {0};
	int code = parse(&v, argc, argv);
	static struct e4d_lab lab;

	if (code != E4D_OPTS_RUN)
		goto out;
	if (v.list) {
		code = plan(&v);
		code = code ? code : (int)e4d_plan_list(&v.run, v.lab);
		goto out;
	}
	if (v.diff) {
		signal(SIGPIPE, SIG_IGN);
		code = e4d_compare_files(v.diff, argv[optind], v.format->name);
		goto out;
	}
	code = v.baseline ? e4d_compare_read(&v.old, v.baseline) : E4D_EXIT_CLEAN;
	if (!code)
		code = plan(&v);
	if (!code)
		code = open_place(&v, &lab, argv[optind]);
	if (!code && *lab.lost && !v.dry)
		code = consent(&v, &lab);
	if (!code)
		code = v.dry ? dry_run(&v, &lab) : run(&v, &lab);
out:
	e4d_vtracer_close(&v.run.tracer);
	code = e4d_output_end(code); /* a signal that is let go ends the process */
	e4d_vrun_hold_signals(false);
	free(v.run.results);
	e4d_vsaved_free(&v.old);
	e4d_vselect_free(&v.sel);
	return code;
}
