/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The lines of one kill, brought together file by file. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"

static uint64_t number(const json_t *line, const char *key)
{
	long long v = jd_int(line, key, NULL);

	return v > 0 ? (uint64_t)v : 0;
}

static void text(char *to, size_t size, const json_t *line, const char *key)
{
	snprintf(to, size, "%s", jd_str(line, key));
}

/* By inode number, and whatever names the disk on this line. */
static struct file *by_ino(struct kill *k, const json_t *line)
{
	const char *disk = jd_str(line, "disk"), *dev = jd_str(line, "dev");
	uint64_t ino = number(line, "ino");

	for (size_t i = 0; i < k->count; i++) {
		struct file *f = &k->v[i];

		if (f->ino == ino && (disk[0] ? !strcmp(f->disk, disk) : !strcmp(f->dev, dev)))
			return f;
	}
	return NULL;
}

static void saw_time(struct kill *k, uint64_t ns)
{
	if (ns > k->last_ns)
		k->last_ns = ns;
}

static void on_write(struct kill *k, const json_t *line)
{
	struct file *f = &k->v[k->count++];
	const char *state = jd_str(line, "state");

	text(f->disk, sizeof(f->disk), line, "disk");
	text(f->dev, sizeof(f->dev), line, "dev");
	text(f->run, sizeof(f->run), line, "run");
	text(f->name, sizeof(f->name), line, "file");
	f->ino = number(line, "ino");
	f->held = !strcmp(state, "held");
	f->ended = !strcmp(state, "ended");
	f->skipped = !strcmp(state, "skipped");
	f->held_ns = number(line, "held_ns");
	f->end_ns = number(line, "end_ns");
	saw_time(k, f->end_ns);
}

static void on_end(struct kill *k, const json_t *line)
{
	struct file *f = by_ino(k, line);

	if (!f)
		return;
	f->ended = true;
	f->end_ns = number(line, "end_ns");
	saw_time(k, f->end_ns);
}

static void on_sync(struct kill *k, const json_t *line)
{
	uint64_t ns = number(line, "begin_ns");

	saw_time(k, ns);
	if (ns > k->synced_ns)
		k->synced_ns = ns;
}

static void on_misses(struct kill *k, const json_t *line)
{
	k->losses |= number(line, "count") != 0;
}

static void on_live(struct kill *k, const json_t *line)
{
	struct file *f = by_ino(k, line);

	if (!f)
		return;
	f->live = true;
	f->live_exposed = json_is_true(json_object_get(line, "exposed"));
	f->live_end = number(line, "live_end");
}

static void on_found(struct kill *k, const json_t *line)
{
	struct file *f = by_ino(k, line);

	/* the disk may know a file whose line was cut off by the kill */
	if (!f) {
		f = &k->v[k->count++];
		text(f->disk, sizeof(f->disk), line, "disk");
		text(f->run, sizeof(f->run), line, "run");
		text(f->name, sizeof(f->name), line, "file");
		f->ino = number(line, "ino");
	}
	f->found = true;
	f->past_eof = number(line, "past_eof");
	f->end = number(line, "end");
	f->written = number(line, "written");
}

static void on_fsck(struct kill *k, const json_t *line)
{
	struct file *f = by_ino(k, line);

	if (f)
		f->fsck = true;
}

static void on_record(struct kill *k, const json_t *line)
{
	const char *verdict = jd_str(line, "verdict");
	struct file *f = by_ino(k, line);

	saw_time(k, number(line, "ts_ns"));
	k->losses |= !strcmp(verdict, "unknown");
	if (!f)
		return;
	f->records++;
	f->exposed_ns += number(line, "exposed_ns");
	f->unknown |= !strcmp(verdict, "unknown");
	if (!strcmp(verdict, "leak") || !strcmp(verdict, "trim-failed")) {
		f->leak = true;
		f->left = number(line, "past_eof");
	}
}

typedef void (*on_line_fn)(struct kill *k, const json_t *line);

/* Files first, then what refers to them: the sources come in any order. */
static const struct {
	const char *name;
	unsigned int pass;
	on_line_fn on;
} kinds[] = {
	{"write", 0, on_write}, {"begin", 0, on_write}, {"end", 1, on_end},
	{"sync", 1, on_sync},   {"live", 1, on_live},   {"misses", 0, on_misses},
	{"found", 1, on_found}, {"fsck", 2, on_fsck},
};

static void one_line(struct kill *k, const json_t *line, unsigned int pass)
{
	const char *kind = jd_str(line, "crash");

	if (!kind[0]) {
		if (pass == 1 && jd_str(line, "verdict")[0])
			on_record(k, line);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].pass == pass && !strcmp(kinds[i].name, kind))
			kinds[i].on(k, line);
}

int kill_load(const char *path, struct kill *k)
{
	struct jd_lines lines = {0};
	int err = jd_load(path, &lines);

	memset(k, 0, sizeof(*k));
	if (!err) {
		k->v = calloc(lines.count + 1, sizeof(*k->v));
		err = k->v ? 0 : HOLD_CORRUPT;
	}
	for (unsigned int pass = 0; !err && pass < 3; pass++)
		for (size_t i = 0; i < lines.count; i++)
			one_line(k, lines.v[i], pass);
	jd_unload(&lines);
	return err ? HOLD_CORRUPT : 0;
}

void kill_free(struct kill *k)
{
	free(k->v);
	memset(k, 0, sizeof(*k));
}

const struct file *kill_find(const struct kill *k, const char *disk, const char *run,
                             const char *name)
{
	for (size_t i = 0; i < k->count; i++)
		if (!strcmp(k->v[i].disk, disk) && !strcmp(k->v[i].run, run) &&
		    !strcmp(k->v[i].name, name))
			return &k->v[i];
	return NULL;
}
