/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Leak or not: what the disk holds after the episode against what its records
 * say. rules.md has the rules in words.
 */
#include "score.h"

struct claims {
	size_t leaks;
	size_t unknown;
	size_t told;    /* records that stand for a write */
	uint64_t bytes; /* sum of the claims */
	/* what nothing later can have undone: all of it, the most and the least of one claim */
	uint64_t firm;
	uint64_t most;
	uint64_t least;
	size_t unwritten; /* claims with unwritten blocks, which a later write may claim too */
};

static struct claims read_claims(const struct sc_run *run, const struct sc_episode *e)
{
	struct claims c = {0};

	for (size_t i = 0; i < e->records; i++) {
		const struct sc_rec *r = &e->rec[i];
		uint64_t firm;

		c.unknown += r->verdict == E4D_UNKNOWN;
		c.told += sc_counts(e, r);
		if (!sc_is_leak(r))
			continue;
		c.leaks++;
		c.bytes += r->past_eof;
		c.unwritten += !!(r->flags & E4D_F_UNWRITTEN);
		firm = sc_firm(run, e, r);
		c.firm += firm;
		if (firm > c.most)
			c.most = firm;
		if (firm && (!c.least || firm < c.least))
			c.least = firm;
	}
	return c;
}

/*
 * Unwritten blocks that a fallocate of the group put past EOF are not in
 * past_eof, but where a collapse has moved them.
 */
static bool foreign(const struct sc_episode *e)
{
	return e->steps.falloc && e->steps.collapse && e->past_eof == e->past_eof_unwritten;
}

/*
 * A claim that nothing later can have undone must be on disk. One that is one too
 * many, for the others explain all that is there, is a false alarm.
 */
static void judge_firm(const struct sc_episode *e, const struct claims *c, struct sc_result *res)
{
	uint64_t room = e->past_eof + e->falloc, firm = c->firm;

	/* trimmed by another, and allocated again at the same place: looks old */
	if (e->writes > 1 && e->past_before)
		room += e->prealloc;
	if (c->leaks > 1 && c->unwritten)
		firm = c->most;
	if (firm <= room)
		return;
	sc_say(res,
	       firm > c->most && c->bytes - c->least >= e->past_eof ? SC_FALSE_ALARMS : SC_INEXACT,
	       "expected %llu bytes past EOF, got claims of %llu", (unsigned long long)e->past_eof,
	       (unsigned long long)firm);
}

/*
 * A new block past EOF was past EOF, too, when the write that allocated it was
 * over: a truncate that moved EOF below it would have freed it. So the claims
 * together are at least what is on disk.
 */
static void judge_bytes(const struct sc_episode *e, const struct claims *c, struct sc_result *res)
{
	if (e->steps.collapse)
		return;
	if (e->past_eof > c->bytes && !c->unknown && !e->lost_writes) {
		if (e->writes > 1)
			res->set &= ~(1ULL << SC_HITS);
		sc_say(res, e->writes > 1 ? SC_MISSES : SC_INEXACT,
		       "expected claims of at least the %llu bytes past EOF on disk, got %llu",
		       (unsigned long long)e->past_eof, (unsigned long long)c->bytes);
	}
	judge_firm(e, c, res);
}

static void judge_dirty(const struct sc_episode *e, const struct claims *c, struct sc_result *res)
{
	unsigned long long disk = e->past_eof;

	sc_set(res, SC_DISK_LEAKS);
	if (foreign(e)) {
		sc_set(res, SC_UNCLEAR);
	} else if (c->leaks) {
		sc_set(res, SC_HITS);
		judge_bytes(e, c, res);
	} else if (c->unknown) {
		sc_say(res, SC_UNKNOWN, "expected leak of %llu bytes, got unknown", disk);
	} else if (e->lost_writes) {
		sc_set(res, SC_LOST_EPISODES);
	} else {
		sc_say(res, SC_MISSES, "expected leak of %llu bytes, got %s", disk,
		       c->told ? "no leak" : "no record");
	}
}

static void judge_tidy(const struct sc_run *run, const struct sc_episode *e, const struct claims *c,
                       struct sc_result *res)
{
	if (!c->leaks && c->unknown) {
		sc_say(res, SC_UNKNOWN, "expected no leak, got unknown");
	} else if (!c->leaks) {
		if (c->told)
			sc_set(res, SC_AGREE);
		else if (e->lost_writes)
			sc_set(res, SC_LOST_EPISODES);
	} else if (!c->firm) {
		sc_set(res, SC_HEALED);
	} else {
		for (size_t i = 0; i < e->records; i++)
			if (sc_is_leak(&e->rec[i]) && sc_firm(run, e, &e->rec[i]))
				sc_say(res, SC_FALSE_ALARMS,
				       "expected nothing past EOF, got a claim of %llu bytes "
				       "(record %llu)",
				       (unsigned long long)e->rec[i].past_eof,
				       (unsigned long long)e->rec[i].seq);
	}
}

/* An episode without a direct write has no record; a leak least of all. */
static void judge_idle(const struct sc_episode *e, struct sc_result *res)
{
	for (size_t i = 0; i < e->records; i++)
		if (sc_is_leak(&e->rec[i]))
			sc_say(res, SC_FALSE_ALARMS, "expected no write at all, got a leak of one");
}

void sc_judge(struct sc_run *run, struct sc_episode *e, struct sc_result *res)
{
	struct claims c;

	sc_match(run, e, res);
	if (!e->writes) {
		judge_idle(e, res);
		return;
	}
	c = read_claims(run, e);
	if (e->past_eof)
		judge_dirty(e, &c, res);
	else
		judge_tidy(run, e, &c, res);
	sc_check_fields(e, res);
	sc_check_data(e, res);
}
