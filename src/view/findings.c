/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "view/findings.h"

int e4d_findings_init(struct e4d_findings *f)
{
	memset(f, 0, sizeof(*f));
	f->row = calloc(E4D_FINDINGS, sizeof(*f->row));
	return f->row ? 0 : -ENOMEM;
}

void e4d_findings_clear(struct e4d_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->row[i].path);
	f->n = 0;
	f->count = f->unseen = f->roomless = 0;
}

void e4d_findings_free(struct e4d_findings *f)
{
	e4d_findings_clear(f);
	free(f->row);
	f->row = NULL;
}

static struct e4d_finding *find(const struct e4d_findings *f, const struct e4d_record *rec)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct e4d_record *r = &f->row[i].last;

		if (r->ino == rec->ino && r->dev == rec->dev && r->gen == rec->gen &&
		    r->verdict == rec->verdict)
			return &f->row[i];
	}
	return NULL;
}

bool e4d_findings_is_new(const struct e4d_findings *f, const struct e4d_record *rec)
{
	return f->n < E4D_FINDINGS && !find(f, rec);
}

void e4d_findings_add(struct e4d_findings *f, const struct e4d_record *rec, const char *path)
{
	struct e4d_finding *row = find(f, rec);

	f->count++;
	if (!row && f->n == E4D_FINDINGS) {
		f->roomless++;
		return;
	}
	if (!row) {
		row = &f->row[f->n++];
		memset(row, 0, sizeof(*row));
		row->first = *rec;
	}
	row->last = *rec;
	row->count++;
	row->unseen++;
	row->past_eof += rec->past_eof;
	f->unseen++;
	if (path && !row->path)
		row->path = strdup(path);
}

void e4d_findings_acknowledge(struct e4d_findings *f, struct e4d_finding *row)
{
	f->unseen -= row->unseen;
	row->unseen = 0;
}

const struct e4d_finding *e4d_findings_latest(const struct e4d_findings *f)
{
	const struct e4d_finding *best = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct e4d_finding *x = &f->row[i];

		if (!best || !x->unseen < !best->unseen ||
		    (!x->unseen == !best->unseen && x->last.ts_ns > best->last.ts_ns))
			best = x;
	}
	return best;
}
