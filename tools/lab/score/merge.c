/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Many summaries in one Markdown table: a row for each set of labels, sums of
 * those with the same labels, and a row of totals.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"

/* Labels in the order of the columns; one that no summary has is left out. */
static const char *const label_keys[] = {
	"kernel", "tier", "mistake", "kind", "profile", "workload", "loss",
};
#define LABELS (sizeof(label_keys) / sizeof(label_keys[0]))

struct row {
	char label[LABELS][32];
	uint64_t n[SC_COUNT];
	json_t *losses;
};

struct table {
	struct row *row;
	size_t count;
	bool has[LABELS];
	const char *by; /* labels that make a row, separated by commas; NULL: all */
};

static bool wanted(const struct table *t, const char *label)
{
	size_t len = strlen(label);

	for (const char *at = t->by; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, label, len) && (!at[len] || at[len] == ','))
			return true;
	}
	return !t->by;
}

static int compare(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	int c = 0;

	for (size_t i = 0; i < LABELS && !c; i++)
		c = strverscmp(a->label[i], b->label[i]);
	return c;
}

static void add_losses(json_t *to, const json_t *from)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)from, name, v)
	{
		json_int_t sum = json_integer_value(json_object_get(to, name));

		json_object_set_new(to, name, json_integer(sum + json_integer_value(v)));
	}
}

static void add_row(struct row *to, const struct row *from)
{
	for (int c = 0; c < SC_COUNT; c++)
		to->n[c] += from->n[c];
	add_losses(to->losses, from->losses);
}

static int take(struct table *t, const json_t *obj)
{
	const json_t *labels = json_object_get(obj, "labels");
	struct row row = {0}, *more;

	if (!json_is_object(labels) || !json_is_integer(json_object_get(obj, "misses")))
		return -EINVAL;
	for (size_t i = 0; i < LABELS; i++) {
		const char *v = json_string_value(json_object_get(labels, label_keys[i]));

		if (!wanted(t, label_keys[i]))
			continue;
		snprintf(row.label[i], sizeof(row.label[i]), "%s", v ? v : "");
		t->has[i] |= v != NULL;
	}
	for (int c = 0; c < SC_COUNT; c++)
		row.n[c] = (uint64_t)json_integer_value(json_object_get(obj, sc_columns[c].key));
	row.losses = json_object();
	add_losses(row.losses, json_object_get(obj, "losses"));
	for (size_t i = 0; i < t->count; i++) {
		if (compare(&t->row[i], &row))
			continue;
		add_row(&t->row[i], &row);
		json_decref(row.losses);
		return 0;
	}
	more = reallocarray(t->row, t->count + 1, sizeof(*more));
	if (!more) {
		json_decref(row.losses);
		return -ENOMEM;
	}
	t->row = more;
	more[t->count++] = row;
	return 0;
}

/* Summaries stand alone in a line, or after "# score " in a log. */
static int read_file(struct table *t, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!f) {
		fprintf(stderr, "score: %s: %s\n", path, strerror(errno));
		return SC_USAGE;
	}
	while (!err && getline(&line, &size, f) >= 0) {
		char *at = strncmp(line, "# score ", 8) ? line : line + 8;
		json_t *obj;

		if (*at != '{')
			continue;
		obj = json_loads(at, 0, NULL);
		if (!obj || take(t, obj)) {
			fprintf(stderr, "score: %s: a line is no summary: %.60s\n", path, at);
			err = SC_CORRUPT;
		}
		json_decref(obj);
	}
	free(line);
	fclose(f);
	return err;
}

static void print_head(const struct table *t)
{
	for (size_t i = 0; i < LABELS; i++)
		if (t->has[i])
			printf("| %s ", label_keys[i]);
	for (int c = 0; c < SC_COUNT; c++) {
		if (sc_columns[c].main)
			printf("| %s ", sc_columns[c].title);
		if (c == SC_UNKNOWN)
			printf("| unknown /1000 ");
	}
	printf("| mismatch | lost data hit/miss |\n");
	for (size_t i = 0; i < LABELS; i++)
		if (t->has[i])
			printf("|---");
	for (int c = 0; c < SC_COUNT; c++)
		if (sc_columns[c].main)
			printf("|---:");
	printf("|---:|---:|---:|\n");
}

static void print_row(const struct table *t, const struct row *row, const char *lead)
{
	const uint64_t *n = row->n;

	for (size_t i = 0; i < LABELS; i++) {
		if (!t->has[i])
			continue;
		printf("| %s ", lead ? lead : row->label[i]);
		if (lead)
			lead = "";
	}
	for (int c = 0; c < SC_COUNT; c++) {
		if (sc_columns[c].main)
			printf("| %llu ", (unsigned long long)n[c]);
		if (c == SC_UNKNOWN)
			printf("| %.2f ", n[SC_RECORDS] ? 1000.0 * (double)n[SC_UNKNOWN_RECORDS] /
			                                          (double)n[SC_RECORDS]
			                                : 0.0);
	}
	printf("| %llu | %llu/%llu |\n", (unsigned long long)n[SC_MISMATCH],
	       (unsigned long long)n[SC_LOST_DATA_HITS],
	       (unsigned long long)n[SC_LOST_DATA_MISSES]);
}

/* What the numbers allow to say, and what they leave open. */
static void print_words(const struct row *all)
{
	const uint64_t *n = all->n;
	const char *name, *sep = "";
	json_t *v;

	printf("\n%llu writes in %llu episodes. The disk held new blocks past EOF after %llu: "
	       "%llu hits, %llu misses. %llu false alarms.\n",
	       (unsigned long long)n[SC_WRITES], (unsigned long long)n[SC_EPISODES],
	       (unsigned long long)n[SC_DISK_LEAKS], (unsigned long long)n[SC_HITS],
	       (unsigned long long)n[SC_MISSES], (unsigned long long)n[SC_FALSE_ALARMS]);
	printf("Not decided by the disk: %llu healed, %llu unclear, %llu episodes with lost "
	       "records.\n",
	       (unsigned long long)n[SC_HEALED], (unsigned long long)n[SC_UNCLEAR],
	       (unsigned long long)n[SC_LOST_EPISODES]);
	printf("Flag overtrim: %llu false, %llu unchecked. Wrong data in mapped blocks: %llu. "
	       "Stray records: %llu.\n",
	       (unsigned long long)n[SC_OVERTRIM_FALSE],
	       (unsigned long long)n[SC_OVERTRIM_UNCHECKED], (unsigned long long)n[SC_CORRUPT_DATA],
	       (unsigned long long)n[SC_STRAY]);
	if (!json_object_size(all->losses))
		return;
	printf("Losses counted:");
	json_object_foreach(all->losses, name, v)
	{
		printf("%s %s %lld", sep, name, (long long)json_integer_value(v));
		sep = ",";
	}
	printf(".\n");
}

static json_t *row_json(const struct row *row)
{
	json_t *out = json_object(), *labels = json_object();

	for (size_t i = 0; i < LABELS; i++)
		if (row->label[i][0])
			json_object_set_new(labels, label_keys[i], json_string(row->label[i]));
	json_object_set_new(out, "labels", labels);
	for (int c = 0; c < SC_COUNT; c++)
		json_object_set_new(out, sc_columns[c].key, json_integer((json_int_t)row->n[c]));
	json_object_set(out, "losses", row->losses);
	return out;
}

static int write_json(const struct table *t, const struct row *all, const char *path)
{
	json_t *out = json_object(), *rows = json_array();
	int err;

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(rows, row_json(&t->row[i]));
	json_object_set_new(out, "rows", rows);
	json_object_set_new(out, "total", row_json(all));
	err = json_dump_file(out, path, JSON_INDENT(1));
	json_decref(out);
	if (err)
		fprintf(stderr, "score: cannot write %s\n", path);
	return err ? SC_USAGE : 0;
}

int sc_merge(char **files, int count, const char *json_path, const char *by)
{
	struct row all = {.losses = json_object()};
	struct table t = {.by = by};
	int err = 0;

	for (int i = 0; i < count && !err; i++)
		err = read_file(&t, files[i]);
	if (!err && !t.count) {
		fprintf(stderr, "score: no summary in these files\n");
		err = SC_NOTHING;
	}
	if (!err) {
		qsort(t.row, t.count, sizeof(*t.row), compare);
		print_head(&t);
		for (size_t i = 0; i < t.count; i++) {
			print_row(&t, &t.row[i], NULL);
			add_row(&all, &t.row[i]);
		}
		print_row(&t, &all, "**all**");
		print_words(&all);
		if (json_path)
			err = write_json(&t, &all, json_path);
	}
	for (size_t i = 0; i < t.count; i++)
		json_decref(t.row[i].losses);
	json_decref(all.losses);
	free(t.row);
	return err;
}
