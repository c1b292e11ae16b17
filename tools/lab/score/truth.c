/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The truth: one episode a line, between a header and an end that counts them. */
#include <stdlib.h>
#include <string.h>

#include "../../judge/judge.h"
#include "score.h"

#define TRUTH_VERSION 1

struct reader {
	struct sc_run *run;
	int (*fn)(struct sc_run *run, struct sc_episode *e);
	const char *path;
	unsigned long long episodes, writes;
	bool begun, ended;
};

static int corrupt(const struct reader *rd, long pos, const char *what)
{
	fprintf(stderr, "score: %s, at byte %ld: %s\n", rd->path, pos, what);
	return SC_CORRUPT;
}

static bool number(const json_t *obj, const char *key, uint64_t *out)
{
	bool have;
	long long v = jd_int(obj, key, &have);

	*out = have ? (uint64_t)v : 0;
	return have && v >= 0;
}

/* A size as the steps spell it: 4096, 64K, 1M; what is no number is 0. */
static uint64_t size_of(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 0);

	if (*end == 'K')
		return v << 10;
	return *end == 'M' ? v << 20 : v;
}

/* The value of key= in one step of len bytes, or NULL. */
static const char *value(const char *step, size_t len, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i + n < len; i++)
		if (!strncmp(step + i, key, n) && step[i + n] == '=' && i && step[i - 1] == ' ')
			return step + i + n + 1;
	return NULL;
}

static void read_step(struct sc_steps *s, const char *step, size_t len)
{
	const struct {
		const char *verb;
		bool *flag;
	} verbs[] = {
		{"falloc", &s->falloc},     {"punch", &s->punch},       {"collapse", &s->collapse},
		{"truncate", &s->truncate}, {"buffered", &s->buffered}, {"mmap", &s->mmap},
	};
	const char *v;

	while (len && *step == ' ')
		step++, len--;
	s->count += len > 0;
	if (len && *step == '@') {
		while (len && *step != ' ')
			step++, len--;
		while (len && *step == ' ')
			step++, len--;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t n = strlen(verbs[i].verb);

		if (n <= len && !strncmp(step, verbs[i].verb, n) && (n == len || step[n] == ' '))
			*verbs[i].flag = true;
	}
	v = value(step, len, "fsize");
	if (v && s->limits < SC_LIMITS)
		s->fsize[s->limits++] = size_of(v);
	v = value(step, len, "len");
	if (v && !strncmp(step, "collapse", 8))
		s->collapsed += size_of(v);
	v = value(step, len, "flags");
	if (v) {
		size_t n = strcspn(v, " ;\n");

		s->append |= memmem(v, n, "append", 6) != NULL;
	}
}

static void read_steps(struct sc_steps *s, const char *text)
{
	memset(s, 0, sizeof(*s));
	while (*text) {
		size_t len = strcspn(text, ";\n");

		read_step(s, text, len);
		text += len + (text[len] != '\0');
	}
}

static bool read_write(const json_t *obj, struct sc_write *w)
{
	uint64_t pid, tid, ret;

	memset(w, 0, sizeof(*w));
	if (!number(obj, "pid", &pid) || !number(obj, "tid", &tid) ||
	    !number(obj, "offset", &w->offset) || !number(obj, "submitted", &w->submitted))
		return false;
	w->pid = (int32_t)pid;
	w->tid = (int32_t)tid;
	w->has_ret = json_is_integer(json_object_get(obj, "ret"));
	number(obj, "ret", &ret);
	w->ret = (int64_t)ret;
	w->uring = !strncmp(jd_str(obj, "via"), "uring", 5);
	w->async = w->uring || !strcmp(jd_str(obj, "via"), "aio");
	w->append = json_is_true(json_object_get(obj, "append"));
	w->nowait = json_is_true(json_object_get(obj, "nowait"));
	return true;
}

static bool read_numbers(const json_t *obj, struct sc_episode *e)
{
	const struct {
		const char *key;
		uint64_t *to;
	} all[] = {
		{"ino", &e->ino},
		{"t0_ns", &e->t0},
		{"t1_ns", &e->t1},
		{"isize_before", &e->isize_before},
		{"isize_after", &e->isize_after},
		{"blksize", &e->blksize},
		{"past_eof", &e->past_eof},
		{"past_eof_unwritten", &e->past_eof_unwritten},
		{"prealloc", &e->prealloc},
		{"falloc", &e->falloc},
		{"lost", &e->lost},
		{"cut", &e->cut},
		{"eof_hole", &e->eof_hole},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!number(obj, all[i].key, all[i].to))
			return false;
	return e->t0 <= e->t1 && e->blksize > 0;
}

static int read_episode(const struct reader *rd, const json_t *obj, long pos, struct sc_episode *e)
{
	const json_t *writes = json_object_get(obj, "writes"), *w;
	bool have_step, have_actors;
	size_t i;

	memset(e, 0, sizeof(*e));
	e->obj = obj;
	e->pos = pos;
	e->seed = jd_str(obj, "seed");
	e->text = jd_str(obj, "steps");
	e->step = jd_int(obj, "step", &have_step);
	e->actors = jd_int(obj, "actors", &have_actors);
	if (!e->seed[0] || !e->text[0] || !have_step || !have_actors || !json_is_array(writes))
		return corrupt(rd, pos, "no seed, step, steps, actors or writes");
	if (sc_dev(jd_str(obj, "dev"), &e->dev) || !read_numbers(obj, e))
		return corrupt(rd, pos, "a number of the episode is absent or negative");
	e->killed = json_is_true(json_object_get(obj, "killed"));
	e->data_bad = json_is_false(json_object_get(obj, "data_ok"));
	read_steps(&e->steps, e->text);
	e->writes = json_array_size(writes);
	e->write = calloc(e->writes + 1, sizeof(*e->write));
	if (!e->write)
		return corrupt(rd, pos, "no memory");
	json_array_foreach(writes, i, w) if (!read_write(w, &e->write[i])) return corrupt(
		rd, pos, "a write without pid, tid, offset or submitted");
	return 0;
}

static int check_header(struct reader *rd, const json_t *obj, long pos)
{
	if (strcmp(jd_str(obj, "format"), "e4d-truth"))
		return corrupt(rd, pos, "no truth of randwrite: the first line is no header");
	if (jd_int(obj, "version", NULL) != TRUTH_VERSION)
		return corrupt(rd, pos, "another version of the format: rebuild both programs");
	rd->begun = true;
	return 0;
}

static int check_end(struct reader *rd, const json_t *obj, long pos)
{
	uint64_t episodes, writes;

	rd->ended = true;
	if (number(obj, "episodes", &episodes) && episodes != rd->episodes)
		return corrupt(rd, pos, "the end counts other episodes than there are lines");
	if (number(obj, "writes", &writes) && writes != rd->writes)
		return corrupt(rd, pos, "the end counts other writes than there are");
	return 0;
}

/* Blocks past EOF that were there before: from the line before, of that file. */
static void remember(struct sc_run *run, const struct sc_episode *e)
{
	snprintf(run->prev_seed, sizeof(run->prev_seed), "%s", e->seed);
	run->prev_past = e->past_eof + e->prealloc;
}

static int line(void *ctx, json_t *obj, long pos)
{
	struct reader *rd = ctx;
	struct sc_episode e;
	int err;

	if (!rd->begun)
		return check_header(rd, obj, pos);
	if (rd->ended)
		return corrupt(rd, pos, "a line after the end");
	if (json_object_get(obj, "end"))
		return check_end(rd, obj, pos);
	err = read_episode(rd, obj, pos, &e);
	if (!err) {
		rd->episodes++;
		rd->writes += e.writes;
		if (!strcmp(rd->run->prev_seed, e.seed))
			e.past_before = rd->run->prev_past;
		err = rd->fn(rd->run, &e);
		remember(rd->run, &e);
	}
	free(e.write);
	return err;
}

int sc_truth_each(const char *path, struct sc_run *run,
                  int (*fn)(struct sc_run *run, struct sc_episode *e))
{
	struct reader rd = {.run = run, .fn = fn, .path = path};
	int err;

	run->truth = fopen(path, "re");
	if (!run->truth) {
		fprintf(stderr, "score: %s cannot be read\n", path);
		return SC_USAGE;
	}
	err = jd_each(path, false, line, &rd);
	if (!err && !rd.ended) {
		fprintf(stderr, "score: %s has no last line: randwrite did not finish\n", path);
		err = SC_CORRUPT;
	}
	return err;
}
