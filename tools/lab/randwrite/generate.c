/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A change of any number here changes every seed's program: findings are kept
 * as text (tests/lab), never as seeds alone.
 */
#include <string.h>

#include "generate.h"
#include "profile.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)

/* No write begins past this, so that a file stays below 16 MiB. */
#define TOP_LIMIT (11 * MIB)

/* Of the steps in a group. */
static const unsigned int group_weights[RW_VERBS + 1] = {
	[RW_WRITE] = 620,   [RW_FALLOC] = 30,   [RW_PUNCH] = 40,
	[RW_COLLAPSE] = 20, [RW_TRUNCATE] = 60, [RW_BUFFERED] = 90,
	[RW_MMAP] = 60,     [RW_FSYNC] = 30,    [RW_READ] = 50,
};

static const unsigned int via_weights[RW_VIAS] = {
	[RW_PWRITE] = 35, [RW_PWRITEV] = 12,    [RW_PWRITEV2] = 13,    [RW_AIO] = 16,
	[RW_URING] = 12,  [RW_URING_FIXED] = 5, [RW_URING_LINKED] = 7,
};

struct gen {
	uint64_t state;
	const struct rw_kind *kind;
	const struct rw_profile *profile;
	uint64_t top; /* i_size is not above this */
	bool full;    /* the filler is there */
	unsigned int actor;
	bool collapsed; /* one for each group */
};

/* splitmix64 (public domain): small, and the same everywhere. */
static uint64_t next(struct gen *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint64_t below(struct gen *g, uint64_t n)
{
	return n ? next(g) % n : 0;
}

static bool chance(struct gen *g, unsigned int percent)
{
	return below(g, 100) < percent;
}

static unsigned int pick(struct gen *g, const unsigned int *weights, unsigned int count)
{
	uint64_t sum = 0, at;
	unsigned int i = 0;

	for (unsigned int k = 0; k < count; k++)
		sum += weights[k];
	for (at = below(g, sum); at >= weights[i]; i++)
		at -= weights[i];
	return i;
}

/* Mostly what direct I/O can take: whole blocks or sectors; else any byte. */
static uint64_t round_some(struct gen *g, uint64_t n)
{
	static const unsigned int weights[] = {48, 46, 6};
	static const uint64_t units[] = {RW_PAGE, RW_SECTOR, 1};
	uint64_t unit = units[pick(g, weights, 3)];

	return n / unit * unit;
}

/* Each magnitude is equally likely, from 512 bytes to 1024 << shift. */
static uint64_t magnitude(struct gen *g, unsigned int shift)
{
	uint64_t n = RW_SECTOR << below(g, shift + 1);

	return n + below(g, n + 1);
}

static uint64_t some_len(struct gen *g)
{
	uint64_t len = magnitude(g, g->profile->shift);

	if (!g->actor && below(g, 1000) < g->profile->big)
		len = MIB + below(g, 3 * MIB + 1);
	len = round_some(g, len);
	return len ? len : RW_SECTOR;
}

static void note_top(struct gen *g, struct rw_pos off, uint64_t len)
{
	uint64_t end = rw_pos_at(off, g->top) + len;

	if (off.base == RW_AEOF)
		end += RW_PAGE;
	if (end > g->top)
		g->top = end;
}

static struct rw_pos pos_extending(struct gen *g, uint64_t len)
{
	static const unsigned int weights[] = {40, 14, 16, 14, 8, 4, 4};
	uint64_t far = magnitude(g, g->profile->shift);

	switch (pick(g, weights, 7)) {
	case 0:
		return (struct rw_pos){RW_AEOF, 0};
	case 1:
		return (struct rw_pos){RW_EOF, 0};
	case 2: /* from below EOF to past it */
		far = round_some(g, far < len ? far : len - 1);
		return (struct rw_pos){chance(g, 60) ? RW_AEOF : RW_EOF, -(int64_t)far};
	case 3: /* past a hole */
		return (struct rw_pos){RW_AEOF, (int64_t)round_some(g, far)};
	case 4:
		return (struct rw_pos){RW_EOF, (int64_t)(far / RW_SECTOR * RW_SECTOR)};
	case 5:
		return (struct rw_pos){RW_EOF, (int64_t)far};
	}
	return (struct rw_pos){RW_ABS, (int64_t)round_some(g, g->top + below(g, len))};
}

static struct rw_pos pos_inside(struct gen *g, uint64_t len)
{
	uint64_t limit = g->top < TOP_LIMIT ? g->top : TOP_LIMIT;
	uint64_t back = len + magnitude(g, g->profile->shift);

	if (chance(g, 35))
		return (struct rw_pos){chance(g, 60) ? RW_AEOF : RW_EOF,
		                       -(int64_t)round_some(g, back)};
	return (struct rw_pos){RW_ABS, (int64_t)round_some(g, below(g, limit + 1))};
}

static struct rw_pos some_pos(struct gen *g, uint64_t len, unsigned int extending)
{
	if (g->top < TOP_LIMIT && chance(g, extending))
		return pos_extending(g, len);
	return pos_inside(g, len);
}

/* After how many of `total` bytes the buffer fails. */
static uint64_t some_fail(struct gen *g, uint64_t total)
{
	static const unsigned int weights[] = {10, 25, 55, 10};

	switch (pick(g, weights, 4)) {
	case 0:
		return 0;
	case 1:
		return below(g, total) / RW_PAGE * RW_PAGE;
	case 2:
		return below(g, total) / RW_SECTOR * RW_SECTOR;
	}
	return below(g, total);
}

static void choose_vector(struct gen *g, struct rw_step *s)
{
	uint64_t most = s->len / RW_SECTOR;

	if (s->count > 1 || !rw_vias[s->via].vector || most < 2)
		return;
	if (s->via == RW_PWRITEV || chance(g, 25))
		s->iov = 1 + below(g, most < 8 ? most : 8);
	if (chance(g, 6) && s->len >= 4 * RW_PAGE)
		s->vvar = 1;
	if (chance(g, 6))
		s->odd = 1;
}

static void choose_buffer(struct gen *g, struct rw_step *s)
{
	uint64_t total = s->len * s->count;
	bool vector;

	choose_vector(g, s);
	vector = s->iov > 1 || s->odd || s->vvar;
	if (!s->vvar && s->via != RW_URING_FIXED && chance(g, 37)) {
		s->fail = some_fail(g, total);
		s->mem = vector ? 0 : (RW_PAGE - s->fail % RW_PAGE) % RW_PAGE;
		return;
	}
	if (chance(g, 25))
		s->mem = below(g, RW_PAGE / RW_SECTOR) * RW_SECTOR;
	else if (chance(g, 7))
		s->mem = below(g, RW_PAGE);
}

static void choose_flags(struct gen *g, struct rw_step *s)
{
	static const unsigned int weights[] = {76, 8, 6, 5, 5};
	static const unsigned int flags[] = {0, RW_DSYNC, RW_SYNC, RW_NOWAIT, RW_APPEND};

	s->flags = flags[pick(g, weights, 5)];
	if (s->flags == RW_NOWAIT && !rw_vias[s->via].rwf)
		s->flags = RW_DSYNC;
	if (chance(g, 3))
		s->flags |= RW_DSYNC;
	/* Nobody could say where each of several appends went. */
	if (s->count > 1)
		s->flags &= ~(uint64_t)RW_APPEND;
}

/* A big buffer whose pages are not there yet, and a writer that is killed. */
static void make_killed(struct gen *g, struct rw_step *s)
{
	static const unsigned int weights[RW_VIAS] = {
		[RW_PWRITE] = 50, [RW_PWRITEV] = 15, [RW_PWRITEV2] = 15, [RW_AIO] = 20};

	s->via = pick(g, weights, RW_VIAS);
	s->len = (MIB + below(g, 4 * MIB)) / RW_SECTOR * RW_SECTOR;
	if (s->via == RW_PWRITEV)
		s->iov = 1 + below(g, 4);
	s->mem = chance(g, 80) ? below(g, RW_PAGE / RW_SECTOR) * RW_SECTOR : 0;
	s->signal = 10 + below(g, 20ULL << below(g, 8));
	s->off = some_pos(g, s->len, 85);
}

static void make_write(struct gen *g, struct rw_step *s)
{
	if (below(g, 1000) < g->profile->signal) {
		make_killed(g, s);
		note_top(g, s->off, s->len);
		return;
	}
	s->via = pick(g, via_weights, RW_VIAS);
	s->len = some_len(g);
	if (rw_vias[s->via].batch && s->len <= 256 * KIB && chance(g, 45))
		s->count = 2 + below(g, 5);
	choose_buffer(g, s);
	choose_flags(g, s);
	s->off = some_pos(g, s->len * s->count, 42);
	if (chance(g, 3))
		s->fsize = round_some(g, below(g, g->top + s->len));
	note_top(g, s->off, s->len * s->count);
}

static void make_truncate(struct gen *g, struct rw_step *s)
{
	static const unsigned int weights[] = {35, 30, 20, 15};
	uint64_t far = round_some(g, magnitude(g, g->profile->shift));
	unsigned int how = pick(g, weights, 4);

	if (how == 1)
		s->off = (struct rw_pos){RW_EOF, -(int64_t)far};
	else if (how == 2 && g->top < TOP_LIMIT)
		s->off = (struct rw_pos){RW_EOF, (int64_t)far};
	else
		s->off = (struct rw_pos){
			RW_ABS, how == 3 ? 0 : (int64_t)round_some(g, below(g, g->top + 1))};
	/* In a group others may extend after it. */
	if (s->off.base == RW_ABS && !g->actor)
		g->top = (uint64_t)s->off.add;
	note_top(g, s->off, 0);
}

static void make_range(struct gen *g, struct rw_step *s)
{
	uint64_t unit = s->verb == RW_COLLAPSE ? g->kind->cluster : g->kind->block;
	uint64_t room = g->top < TOP_LIMIT ? g->top : TOP_LIMIT;

	s->len = magnitude(g, g->profile->shift + 1);
	if (s->verb == RW_COLLAPSE || chance(g, 75))
		s->len = (s->len / unit + 1) * unit;
	if (s->verb == RW_FALLOC) {
		s->off = some_pos(g, s->len, 75);
		return; /* KEEP_SIZE */
	}
	s->off = (struct rw_pos){RW_ABS, (int64_t)below(g, room + unit)};
	if (s->verb == RW_COLLAPSE)
		s->off.add = (int64_t)below(g, room / 2 + 1);
	if (s->verb == RW_COLLAPSE || chance(g, 60))
		s->off.add -= s->off.add % (int64_t)unit;
}

static void make_cached(struct gen *g, struct rw_step *s)
{
	s->len = magnitude(g, 6);
	if (s->verb == RW_READ)
		s->len = (s->len + RW_SECTOR - 1) / RW_SECTOR * RW_SECTOR;
	if (s->verb != RW_BUFFERED) {
		s->off = pos_inside(g, s->len);
		return;
	}
	s->off = some_pos(g, s->len, 40);
	note_top(g, s->off, s->len);
}

static void make_fill(struct gen *g, struct rw_step *s)
{
	s->leave = below(g, 4) ? below(g, 2 * MIB) : below(g, 256 * KIB);
	g->full = true;
}

static void make_unfill(struct gen *g, struct rw_step *s)
{
	(void)s;
	g->full = false;
}

static void make_nothing(struct gen *g, struct rw_step *s)
{
	(void)g;
	(void)s;
}

static void (*const makers[RW_VERBS])(struct gen *g, struct rw_step *s) = {
	[RW_WRITE] = make_write,    [RW_FALLOC] = make_range,      [RW_PUNCH] = make_range,
	[RW_COLLAPSE] = make_range, [RW_TRUNCATE] = make_truncate, [RW_BUFFERED] = make_cached,
	[RW_MMAP] = make_cached,    [RW_FSYNC] = make_nothing,     [RW_READ] = make_cached,
	[RW_FILL] = make_fill,      [RW_UNFILL] = make_unfill,
};

/* The weights, without what cannot be done now. */
static unsigned int some_verb(struct gen *g, const unsigned int *from)
{
	unsigned int weights[RW_VERBS + 1];

	memcpy(weights, from, sizeof(weights));
	if (!g->kind->ranges)
		weights[RW_FALLOC] = weights[RW_PUNCH] = weights[RW_COLLAPSE] = 0;
	if (g->collapsed)
		weights[RW_COLLAPSE] = 0;
	weights[g->full ? RW_FILL : RW_UNFILL] = 0;
	return pick(g, weights, RW_VERBS + 1);
}

static int add(struct gen *g, unsigned int verb, struct rw_program *out)
{
	struct rw_step step = rw_step_new(verb);

	step.actor = g->actor;
	makers[verb](g, &step);
	g->collapsed |= g->actor && verb == RW_COLLAPSE;
	return rw_program_add(out, &step);
}

/* Something to write over, in most programs: else nearly all writes extend. */
static int add_base(struct gen *g, struct rw_program *out)
{
	static const unsigned int weights[] = {50, 25, 25};
	static const enum rw_verb verbs[] = {RW_WRITE, RW_BUFFERED, RW_TRUNCATE};
	struct rw_step step = rw_step_new(verbs[pick(g, weights, 3)]);
	uint64_t size = round_some(g, (64 * KIB << below(g, 4)) + below(g, 64 * KIB));

	step.via = RW_PWRITE;
	if (step.verb == RW_TRUNCATE)
		step.off.add = (int64_t)size;
	else
		step.len = size;
	g->top = size;
	return rw_program_add(out, &step);
}

/* The first actor begins with a direct write; the rest is chance. */
static int add_group(struct gen *g, struct rw_program *out)
{
	static const unsigned int weights[] = {60, 25, 15};
	unsigned int actors = 2 + pick(g, weights, 3);
	int err = 0;

	for (g->actor = 1; g->actor <= actors; g->actor++) {
		unsigned int steps = 1 + (unsigned int)below(g, 3);

		for (unsigned int i = 0; i < steps && !err; i++)
			err = add(g,
			          g->actor == 1 && i == 0 ? RW_WRITE : some_verb(g, group_weights),
			          out);
	}
	g->actor = 0;
	g->collapsed = false;
	return err;
}

/* Two groups next to each other would be one: a step goes in between. */
static bool ends_with_group(const struct rw_program *prog)
{
	return prog->count && prog->steps[prog->count - 1].actor;
}

int rw_generate(uint64_t seed, const struct rw_kind *kind, const struct rw_profile *profile,
                struct rw_program *out)
{
	struct gen g = {.state = seed, .kind = kind, .profile = profile};
	size_t steps = profile->min + below(&g, profile->max - profile->min + 1);
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (chance(&g, 65))
		err = add_base(&g, out);
	while (out->count < steps && !err) {
		unsigned int verb = some_verb(&g, profile->weights);

		if (g.top > TOP_LIMIT && !ends_with_group(out))
			verb = RW_TRUNCATE;
		if (verb == RW_GROUP_WEIGHT && ends_with_group(out))
			verb = RW_FSYNC;
		err = verb == RW_GROUP_WEIGHT ? add_group(&g, out) : add(&g, verb, out);
	}
	if (err)
		rw_program_free(out);
	return err;
}
