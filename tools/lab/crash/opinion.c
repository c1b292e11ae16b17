/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Is what the tracer said of a file what the disk holds after the crash? */
#include <string.h>

#include "judge.h"

/* A record comes some time after its write; the tracepoint tier waits longest. */
#define REPORT_NS 3000000000ULL

/*
 * A write that was held for a while was exposed for about that while, or not
 * at all: what lies between is no answer.
 */
static enum claim claim_of_hold(const struct kill *k, const struct file *f)
{
	if (!f->records)
		return k->losses ? CLAIM_UNKNOWN : CLAIM_NONE;
	if (f->unknown)
		return CLAIM_UNKNOWN;
	if (f->leak || f->exposed_ns >= f->held_ns / 2)
		return CLAIM_YES;
	return f->exposed_ns <= f->held_ns / 10 ? CLAIM_NO : CLAIM_UNCLEAR;
}

/* A write that is over leaves blocks, or it does not. */
static enum claim claim_of_end(const struct file *f)
{
	if (!f->records)
		return CLAIM_NONE;
	if (f->unknown)
		return CLAIM_UNKNOWN;
	return f->leak ? CLAIM_YES : CLAIM_NO;
}

static void disagree(struct opinion *o, const char *why)
{
	o->outcome = OUT_DISAGREE;
	o->why = why;
}

/* At the kill: by the table, or by a record if the tracer thought that it was over. */
static enum claim claim_at_kill(const struct kill *k, const struct file *f)
{
	if (f->live)
		return f->live_exposed ? CLAIM_YES : CLAIM_NO;
	if (f->records)
		return claim_of_end(f);
	return k->losses ? CLAIM_UNKNOWN : CLAIM_NONE;
}

static void judge_held(const struct kill *k, const struct file *f, struct opinion *o)
{
	const struct file *twin = kill_find(k, f->disk, "twin", f->name);
	enum claim truth = f->past_eof ? CLAIM_YES : CLAIM_NO;

	o->record = twin && twin->held_ns ? claim_of_hold(k, twin) : CLAIM_NONE;
	o->live = claim_at_kill(k, f);
	if (o->live == CLAIM_NONE && truth == CLAIM_NO)
		o->live = CLAIM_NO; /* inside EOF: no state, for nothing is at stake */
	o->bytes_differ = f->live_exposed && f->past_eof && f->live_end != f->end;
	if (!f->found)
		disagree(o, "the file is gone");
	else if (!twin || !twin->held_ns)
		disagree(o, "its twin was not held");
	else if (o->record != truth && o->record != CLAIM_UNKNOWN)
		disagree(o, "its twin's record says something else");
	else if (o->live != truth && o->live != CLAIM_UNKNOWN)
		disagree(o, "the table at the kill says something else");
	else if (o->record != o->live)
		o->outcome = OUT_UNKNOWN;
}

/* Before the kill and on the disk: the record must be right both ways. */
static void judge_ended(const struct kill *k, const struct file *f, struct opinion *o)
{
	bool synced = f->end_ns < k->synced_ns;

	o->record = claim_of_end(f);
	o->bytes_differ = synced && f->leak && f->past_eof && f->left != f->past_eof;
	if (o->record == CLAIM_UNKNOWN)
		o->outcome = OUT_UNKNOWN;
	else if (f->past_eof && o->record == CLAIM_NO && (synced || !f->exposed_ns))
		disagree(o, "blocks past EOF, and its record says none");
	else if (synced && !f->found)
		disagree(o, "the file is gone");
	else if (synced && !f->past_eof && o->record == CLAIM_YES)
		disagree(o, "no blocks past EOF, and its record says leak");
	else if (!synced && (!f->past_eof == (o->record == CLAIM_YES)))
		o->outcome = OUT_OPEN; /* allowed, and says nothing */
}

/*
 * The tracer saw nothing of a write that is long over: so it says that there is
 * nothing; but for the events that it knows to have missed.
 */
static void judge_unseen(const struct kill *k, const struct file *f, struct opinion *o)
{
	o->record = k->losses ? CLAIM_UNKNOWN : CLAIM_NO;
	if (k->losses)
		o->outcome = OUT_UNKNOWN;
	else if (f->past_eof)
		disagree(o, "blocks past EOF, and no record");
	else if (f->end_ns < k->synced_ns && !f->found)
		disagree(o, "the file is gone");
}

/*
 * Nobody can say, for the write had no end. But what it was at, others of its
 * kind went through to the end: if none of them was exposed, nor can it be.
 */
static void judge_open(const struct kill *k, const struct file *f, struct opinion *o)
{
	size_t len = strcspn(f->name, ".");
	unsigned int peers = 0;

	o->outcome = OUT_OPEN;
	if (!f->past_eof)
		return;
	for (size_t i = 0; i < k->count; i++) {
		const struct file *p = &k->v[i];

		if (strcmp(p->disk, f->disk) || strncmp(p->name, f->name, len + 1) || !p->records ||
		    p->unknown)
			continue;
		if (p->leak || p->exposed_ns)
			return;
		peers++;
	}
	if (peers)
		disagree(o, "blocks past EOF in flight, and no other of its kind was exposed");
}

void kill_judge(const struct kill *k, const struct file *f, struct opinion *o)
{
	memset(o, 0, sizeof(*o));
	o->why = "";
	if (f->skipped)
		o->outcome = OUT_SKIPPED;
	else if (f->held)
		judge_held(k, f, o);
	else if (f->ended && f->records)
		judge_ended(k, f, o);
	else if (f->ended && (strcmp(f->run, "loop") || f->end_ns + REPORT_NS < k->last_ns))
		judge_unseen(k, f, o);
	else
		judge_open(k, f, o);
	/* e2fsck is half blind, but it does not see what is not there */
	if (f->fsck && f->found && !f->past_eof && o->outcome != OUT_SKIPPED)
		disagree(o, "e2fsck finds blocks past EOF, FIEMAP does not");
}
