/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The trace: records reduced to structs, and sorted so that an episode is a slice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../judge/judge.h"
#include "record/names.h"
#include "score.h"

/* "7:0" */
int sc_dev(const char *text, uint64_t *dev)
{
	unsigned int major, minor;
	char end;

	if (sscanf(text, "%u:%u%c", &major, &minor, &end) != 2)
		return -EINVAL;
	*dev = (uint64_t)major << 32 | minor;
	return 0;
}

static int corrupt(const json_t *obj, const char *what)
{
	char *line = json_dumps(obj, JSON_COMPACT);

	fprintf(stderr, "score: a record without a good '%s': %s\n", what, line ? line : "");
	free(line);
	return SC_CORRUPT;
}

/* A member that is an unsigned number; false: absent, null or something else. */
static bool number(const json_t *obj, const char *key, uint64_t *out)
{
	bool have;
	long long v = jd_int(obj, key, &have);

	*out = have ? (uint64_t)v : 0;
	return have;
}

static int word(const json_t *obj, const char *key, const struct e4d_names *names)
{
	const char *s = jd_str(obj, key);

	return e4d_name_value(names, s, strlen(s));
}

static uint32_t flags_of(const json_t *obj)
{
	const json_t *list = json_object_get(obj, "flags"), *v;
	uint32_t bits = 0;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *s = json_string_value(v);
		int bit = s ? e4d_name_value(&e4d_flags, s, strlen(s)) : -1;

		if (bit >= 0)
			bits |= 1u << bit;
	}
	return bits;
}

static int parse(const json_t *obj, struct sc_rec *r)
{
	uint64_t latency, extents, pid, tid, ret;
	int verdict = word(obj, "verdict", &e4d_verdicts);
	int evidence = word(obj, "evidence", &e4d_evidences);

	memset(r, 0, sizeof(*r));
	if (sc_dev(jd_str(obj, "dev"), &r->dev))
		return corrupt(obj, "dev");
	if (!number(obj, "ino", &r->ino) || !number(obj, "ts_ns", &r->ts))
		return corrupt(obj, "ino, ts_ns");
	if (verdict < 0 || evidence < 0)
		return corrupt(obj, "verdict, evidence");
	if (!number(obj, "past_eof", &r->past_eof) || !number(obj, "isize_after", &r->isize_after))
		return corrupt(obj, "past_eof, isize_after");
	r->verdict = (uint8_t)verdict;
	r->evidence = (uint8_t)evidence;
	number(obj, "latency_ns", &latency);
	r->end = r->ts + latency;
	number(obj, "seq", &r->seq);
	number(obj, "offset", &r->offset);
	number(obj, "submitted", &r->submitted);
	number(obj, "isize_before", &r->isize_before);
	number(obj, "prealloc", &r->prealloc);
	r->has_trim = number(obj, "trim_from", &r->trim_from);
	r->trim_failed = jd_int(obj, "trim_ret", NULL) < 0 || verdict == E4D_TRIM_FAILED;
	r->has_ret = number(obj, "ret", &ret);
	r->ret = (int64_t)ret;
	number(obj, "extents", &extents);
	r->mapped = extents > 0;
	number(obj, "pid", &pid);
	number(obj, "tid", &tid);
	r->pid = (int32_t)pid;
	r->tid = (int32_t)tid;
	r->flags = flags_of(obj);
	r->write = -1;
	return 0;
}

static int add_loss(struct sc_trace *t, const json_t *obj)
{
	const char *name = jd_str(obj, "loss");
	uint64_t n = (uint64_t)jd_int(obj, "count", NULL);
	struct sc_loss *more;

	for (size_t i = 0; i < t->losses; i++) {
		if (strcmp(t->loss[i].name, name))
			continue;
		t->loss[i].count += n;
		return 0;
	}
	more = reallocarray(t->loss, t->losses + 1, sizeof(*more));
	if (!more)
		return SC_CORRUPT;
	t->loss = more;
	snprintf(more[t->losses].name, sizeof(more->name), "%s", name);
	more[t->losses++].count = n;
	return 0;
}

static int add(void *ctx, json_t *obj, long pos)
{
	struct sc_trace *t = ctx;
	int tier, err;

	if (json_object_get(obj, "loss"))
		return add_loss(t, obj);
	if (t->count == t->room) {
		size_t room = t->room ? t->room * 2 : 1024;
		struct sc_rec *more = reallocarray(t->rec, room, sizeof(*more));

		if (!more) {
			fprintf(stderr, "score: no memory for %zu records\n", room);
			return SC_CORRUPT;
		}
		t->rec = more;
		t->room = room;
	}
	err = parse(obj, &t->rec[t->count]);
	if (err)
		return err;
	t->rec[t->count++].pos = pos;
	tier = word(obj, "tier", &e4d_tiers);
	if (tier <= 0)
		return corrupt(obj, "tier");
	if (t->tier && t->tier != tier) {
		fprintf(stderr, "score: records of two tiers in one trace: give one trace\n");
		return SC_CORRUPT;
	}
	t->tier = tier;
	return 0;
}

static int order(const struct sc_rec *a, uint64_t dev, uint64_t ino, uint64_t ts)
{
	if (a->dev != dev)
		return a->dev < dev ? -1 : 1;
	if (a->ino != ino)
		return a->ino < ino ? -1 : 1;
	if (a->ts != ts)
		return a->ts < ts ? -1 : 1;
	return 0;
}

static int compare(const void *x, const void *y)
{
	const struct sc_rec *a = x, *b = y;
	int c = order(a, b->dev, b->ino, b->ts);

	return c ? c : (a->seq > b->seq) - (a->seq < b->seq);
}

int sc_trace_load(const char *path, struct sc_trace *t)
{
	int err;

	memset(t, 0, sizeof(*t));
	err = jd_each(path, true, add, t);
	if (err)
		return err;
	if (t->count)
		qsort(t->rec, t->count, sizeof(*t->rec), compare);
	t->file = fopen(path, "re");
	return t->file ? 0 : SC_USAGE;
}

void sc_trace_free(struct sc_trace *t)
{
	if (t->file)
		fclose(t->file);
	free(t->rec);
	free(t->loss);
}

/* The records of an episode; one that an earlier episode took is its. */
void sc_trace_slice(struct sc_trace *t, struct sc_episode *e)
{
	uint64_t from = e->t0 > SC_SLACK_NS ? e->t0 - SC_SLACK_NS : 0;
	size_t lo = 0, hi = t->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (order(&t->rec[mid], e->dev, e->ino, from) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo < t->count && t->rec[lo].joined &&
	       order(&t->rec[lo], e->dev, e->ino, e->t1 + SC_SLACK_NS) <= 0)
		lo++;
	e->rec = t->rec + lo;
	e->records = 0;
	while (lo < t->count && order(&t->rec[lo], e->dev, e->ino, e->t1 + SC_SLACK_NS) <= 0) {
		t->rec[lo++].joined = true;
		e->records++;
	}
}

/*
 * Losses of which each may have cost a record. half_seen and stack_full do not:
 * such a write has a record, an unknown one.
 */
uint64_t sc_excuses(const struct sc_trace *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->losses; i++)
		if (strcmp(t->loss[i].name, "half_seen") && strcmp(t->loss[i].name, "stack_full"))
			sum += t->loss[i].count;
	return sum;
}
