/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Counts over all kills: a table by case, a JSON line for each kind of image. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"

struct tally {
	char name[HOLD_NAME];
	unsigned int files;
	unsigned int held;
	unsigned int said;      /* exposed, or left, by the record */
	unsigned int live_said; /* by the table at the kill */
	unsigned int found;
	unsigned int fsck;
	unsigned int agree;
	unsigned int disagree;
	unsigned int unknown; /* the tracer says so */
	unsigned int open;    /* in flight, or not yet on the disk */
	unsigned int open_found;
	unsigned int bytes_differ;
	unsigned int skipped;
};

struct tallies {
	struct tally v[HOLD_NAME];
	size_t count;
};

static struct tally *tally_of(struct tallies *t, const char *name, size_t len)
{
	if (len >= HOLD_NAME)
		len = HOLD_NAME - 1;
	for (size_t i = 0; i < t->count; i++)
		if (strlen(t->v[i].name) == len && !strncmp(t->v[i].name, name, len))
			return &t->v[i];
	if (t->count == HOLD_NAME)
		return &t->v[0];
	memcpy(t->v[t->count].name, name, len);
	return &t->v[t->count++];
}

static void add(struct tally *t, const struct file *f, const struct opinion *o)
{
	if (o->outcome == OUT_SKIPPED) {
		t->skipped++;
		return;
	}
	if (o->outcome == OUT_UNKNOWN) {
		t->unknown++;
		return;
	}
	if (o->outcome == OUT_OPEN) {
		t->open++;
		t->open_found += f->past_eof != 0;
		return;
	}
	t->files++;
	t->held += f->held;
	t->said += o->record == CLAIM_YES;
	t->live_said += o->live == CLAIM_YES;
	t->found += f->past_eof != 0;
	t->fsck += f->fsck;
	t->agree += o->outcome == OUT_AGREE;
	t->disagree += o->outcome == OUT_DISAGREE;
	t->bytes_differ += o->bytes_differ;
}

static void sum(struct tally *all, const struct tallies *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct tally *v = &t->v[i];

		all->files += v->files;
		all->held += v->held;
		all->said += v->said;
		all->live_said += v->live_said;
		all->found += v->found;
		all->fsck += v->fsck;
		all->agree += v->agree;
		all->disagree += v->disagree;
		all->unknown += v->unknown;
		all->open += v->open;
		all->open_found += v->open_found;
		all->bytes_differ += v->bytes_differ;
		all->skipped += v->skipped;
	}
}

static void print_bad(const char *path, const struct file *f, const struct opinion *o)
{
	static const char *const claims[] = {"nothing", "no", "yes", "unclear", "unknown"};

	fprintf(stderr,
	        "%s: %s %s/%s ino %llu: %s (record %s, table %s, exposed_ns %llu, held_ns %llu; "
	        "found "
	        "%llu bytes%s)\n",
	        path, f->disk, f->run, f->name, (unsigned long long)f->ino,
	        o->outcome == OUT_DISAGREE ? o->why : "the bytes differ", claims[o->record],
	        claims[o->live], (unsigned long long)f->exposed_ns, (unsigned long long)f->held_ns,
	        (unsigned long long)f->past_eof, f->fsck ? ", e2fsck too" : "");
}

static void print_row(const struct tally *t, const char *name)
{
	printf("%-18s %5u %5u %5u %5u %5u %6u %5u %5u %5u %6u\n", name, t->files, t->held, t->said,
	       t->live_said, t->found, t->fsck, t->open, t->unknown, t->agree, t->disagree);
}

static void print_table(const struct tallies *t, const struct tally *all)
{
	printf("%-18s %5s %5s %5s %5s %5s %6s %5s %5s %5s %6s\n", "CASE", "FILES", "HELD", "SAID",
	       "TABLE", "FOUND", "E2FSCK", "OPEN", "UNKN", "AGREE", "DIFFER");
	for (size_t i = 0; i < t->count; i++)
		print_row(&t->v[i], t->v[i].name);
	print_row(all, "all");
	if (all->open_found)
		printf("blocks past EOF in %u of the %u files that nobody can judge\n",
		       all->open_found, all->open);
	if (all->bytes_differ)
		printf("other bytes than said: %u files\n", all->bytes_differ);
}

static void print_brief(const struct tally *t, const char *name, int kills)
{
	printf("%-39s %5d %5u %4u %5u %4u %4u %6u\n", name, kills, t->files, t->said, t->found,
	       t->open, t->unknown, t->disagree);
}

static void print_json(const struct hold_judge *opt, const struct tallies *kinds, int kills)
{
	for (size_t i = 0; i < kinds->count; i++) {
		const struct tally *t = &kinds->v[i];

		printf("{");
		for (int l = 0; l < opt->labels; l++) {
			const char *eq = strchr(opt->label[l], '=');

			printf("\"%.*s\":\"%s\",", (int)(eq - opt->label[l]), opt->label[l],
			       eq + 1);
		}
		printf("\"kind\":\"%s\",\"kills\":%d,\"files\":%u,\"held\":%u,"
		       "\"exposed_said\":%u,\"exposed_live\":%u,\"exposed_found\":%u,\"e2fsck\":%u,"
		       "\"agree\":%u,\"disagree\":%u,\"unknown\":%u,\"open\":%u,\"open_found\":%u,"
		       "\"bytes_differ\":%u,\"skipped\":%u}\n",
		       t->name, kills, t->files, t->held, t->said, t->live_said, t->found, t->fsck,
		       t->agree, t->disagree, t->unknown, t->open, t->open_found, t->bytes_differ,
		       t->skipped);
	}
}

static int judge_kill(const char *path, struct tallies *cases, struct tallies *kinds)
{
	struct opinion o;
	struct kill k;
	int err = kill_load(path, &k);

	for (size_t i = 0; !err && i < k.count; i++) {
		const struct file *f = &k.v[i];

		kill_judge(&k, f, &o);
		add(tally_of(cases, f->name, strcspn(f->name, ".")), f, &o);
		add(tally_of(kinds, f->disk, strlen(f->disk)), f, &o);
		if (o.outcome == OUT_DISAGREE || o.bytes_differ)
			print_bad(path, f, &o);
	}
	kill_free(&k);
	return err;
}

int hold_judge(const struct hold_judge *opt, char **files, int count)
{
	static struct tallies cases, kinds;
	struct tally all = {0};
	int err = 0;

	for (int i = 0; i < count && !err; i++)
		err = judge_kill(files[i], &cases, &kinds);
	if (err)
		return err;
	sum(&all, &kinds);
	if (opt->json)
		print_json(opt, &kinds, count);
	else if (opt->brief)
		print_brief(&all, opt->brief, count);
	else
		print_table(&cases, &all);
	if (fflush(stdout) || ferror(stdout))
		return HOLD_CORRUPT;
	if (all.disagree)
		return HOLD_DISAGREE;
	return all.agree ? HOLD_OK : HOLD_NOTHING;
}
