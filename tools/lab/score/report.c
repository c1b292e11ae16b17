/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Bad episodes, and the summary:
 *
 * WRITES RECORDS LEAKS HITS MISSES FALSE INEXACT UNKNOWN HEALED UNSEEN MISSING LOST
 *   2500    2631   301  301      0     0       0       0     12     40       0    0
 *   kind=4k tier=tracepoint; episodes 2210, agree 1897, mismatch 1
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"

/* The line at `pos`, without its end; the caller frees. */
static char *line_at(FILE *f, long pos)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n = -1;

	if (f && !fseek(f, pos, SEEK_SET))
		n = getline(&line, &size, f);
	if (n < 0) {
		free(line);
		return strdup("");
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static uint64_t bad_bits(void)
{
	uint64_t bits = 0;

	for (int c = 0; c < SC_COUNT; c++)
		if (sc_columns[c].bad)
			bits |= 1ULL << c;
	return bits;
}

static json_t *labels_json(const struct sc_run *run)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < run->opts.label_count; i++) {
		const char *label = run->opts.labels[i];
		size_t n = strcspn(label, "=");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)n, label);
		json_object_set_new(labels, key, json_string(label[n] ? label + n + 1 : ""));
	}
	return labels;
}

/* {"class":"misses","seed":"0x1f","step":5,...}: minimise.sh reads the front. */
static void append_bad(const struct sc_run *run, const struct sc_episode *e,
                       const struct sc_result *res)
{
	uint64_t set = res->set & bad_bits();
	json_t *classes = json_array(), *records = json_array(), *bad;
	char *line;

	for (int c = 0; c < SC_COUNT; c++)
		if (set >> c & 1)
			json_array_append_new(classes, json_string(sc_columns[c].key));
	for (size_t i = 0; i < e->records; i++) {
		line = line_at(run->trace.file, e->rec[i].pos);
		json_array_append_new(records, json_loads(line, 0, NULL));
		free(line);
	}
	bad = json_pack("{s:s, s:s, s:I, s:s, s:o, s:s, s:O, s:o, s:o}", "class",
	                sc_columns[__builtin_ctzll(set)].key, "seed", e->seed, "step",
	                (json_int_t)e->step, "steps", e->text, "classes", classes, "why", res->why,
	                "truth", e->obj ? e->obj : json_null(), "records", records, "labels",
	                labels_json(run));
	if (bad)
		json_dumpf(bad, run->opts.bad, JSON_COMPACT);
	fputc('\n', run->opts.bad);
	json_decref(bad);
}

static void print_block(const struct sc_run *run, const struct sc_episode *e,
                        const struct sc_result *res)
{
	uint64_t set = res->set & bad_bits();
	const char *why = res->why, *sep = "";
	char *line;

	for (; set; set &= set - 1, sep = ",")
		printf("%s%s", sep, sc_columns[__builtin_ctzll(set)].key);
	if (e->obj)
		printf(": seed %s step %lld: %s\n", e->seed, e->step, e->text);
	else
		printf("\n");
	for (; *why; why += strcspn(why, "\n") + 1)
		printf("  %.*s\n", (int)strcspn(why, "\n"), why);
	if (e->obj) {
		line = line_at(run->truth, e->pos);
		printf("  truth  %s\n", line);
		free(line);
	}
	for (size_t i = 0; i < e->records; i++) {
		line = line_at(run->trace.file, e->rec[i].pos);
		printf("  record %s\n", line);
		free(line);
	}
}

void sc_print_bad(struct sc_run *run, const struct sc_episode *e, const struct sc_result *res)
{
	if (!(res->set & bad_bits()))
		return;
	run->bad++;
	if (run->opts.bad)
		append_bad(run, e, res);
	if (run->printed >= run->opts.max_bad)
		return;
	run->printed++;
	print_block(run, e, res);
}

json_t *sc_summary_json(const struct sc_run *run)
{
	json_t *out = json_object(), *losses = json_object();

	json_object_set_new(out, "labels", labels_json(run));
	for (int c = 0; c < SC_COUNT; c++)
		json_object_set_new(out, sc_columns[c].key, json_integer((json_int_t)run->n[c]));
	for (size_t i = 0; i < run->trace.losses; i++)
		json_object_set_new(losses, run->trace.loss[i].name,
		                    json_integer((json_int_t)run->trace.loss[i].count));
	json_object_set_new(out, "losses", losses);
	return out;
}

static int width_of(int c)
{
	int n = (int)strlen(sc_columns[c].title);

	return n < 7 ? 7 : n;
}

static void print_text(const struct sc_run *run)
{
	const char *sep = "  ";

	for (int c = 0; c < SC_COUNT && run->opts.header; c++) {
		if (!sc_columns[c].main)
			continue;
		printf("%*s", width_of(c) - (int)strlen(sc_columns[c].title), "");
		for (const char *t = sc_columns[c].title; *t; t++)
			putchar(toupper((unsigned char)*t));
		putchar(' ');
	}
	if (run->opts.header)
		printf("LABELS\n");
	for (int c = 0; c < SC_COUNT; c++)
		if (sc_columns[c].main)
			printf("%*llu ", width_of(c), (unsigned long long)run->n[c]);
	for (size_t i = 0; i < run->opts.label_count; i++)
		printf("%s%s", i ? " " : "", run->opts.labels[i]);
	printf("\n");
	for (int c = 0; c < SC_COUNT; c++) {
		if (sc_columns[c].main || !run->n[c])
			continue;
		printf("%s%s %llu", sep, sc_columns[c].title, (unsigned long long)run->n[c]);
		sep = ", ";
	}
	for (size_t i = 0; i < run->trace.losses; i++) {
		printf("%s%s %llu", sep, run->trace.loss[i].name,
		       (unsigned long long)run->trace.loss[i].count);
		sep = ", ";
	}
	printf("\n");
}

void sc_print_summary(const struct sc_run *run)
{
	json_t *out;

	if (run->bad > run->printed && run->opts.max_bad)
		printf("%u bad episodes more\n", run->bad - run->printed);
	if (!run->opts.json) {
		print_text(run);
		return;
	}
	out = sc_summary_json(run);
	json_dumpf(out, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(out);
}
