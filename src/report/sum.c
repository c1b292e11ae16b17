/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exitcode.h"
#include "report/sum.h"
#include "verdict.h"

void e4d_rsum_init(struct e4d_rsum *sum, const struct e4d_rview *view, bool strict)
{
	memset(sum, 0, sizeof(*sum));
	sum->view = view;
	sum->strict = strict;
}

static void free_groups(struct e4d_rgroups *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->v[i].path);
	free(g->v);
	free(g->index);
}

void e4d_rsum_free(struct e4d_rsum *sum)
{
	for (size_t i = 0; i < sum->n_kept; i++)
		free(sum->findings[i].path);
	free(sum->findings);
	free_groups(&sum->files);
	free_groups(&sum->comms);
	memset(sum, 0, sizeof(*sum));
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

static uint64_t hash(const struct e4d_rgroup *g)
{
	uint64_t comm[2], h;

	memcpy(comm, g->comm, sizeof(comm));
	h = mix(mix(g->host, g->ino), (uint64_t)g->dev << 32 | g->gen);
	return mix(mix(h, comm[0]), comm[1]);
}

static bool same(const struct e4d_rgroup *a, const struct e4d_rgroup *b)
{
	return a->host == b->host && a->ino == b->ino && a->dev == b->dev && a->gen == b->gen &&
	       !memcmp(a->comm, b->comm, sizeof(a->comm));
}

/* The slot of the index where key is, or where it would go. */
static uint32_t *slot(const struct e4d_rgroups *g, const struct e4d_rgroup *key)
{
	size_t at = hash(key) & (g->index_size - 1);

	while (g->index[at] && !same(&g->v[g->index[at] - 1], key))
		at = (at + 1) & (g->index_size - 1);
	return &g->index[at];
}

/* Room for twice as many; at first for 64. */
static int grow(struct e4d_rgroups *g)
{
	size_t n = g->index_size ? g->index_size : 64;
	struct e4d_rgroup *v = realloc(g->v, n * sizeof(*v));
	uint32_t *old = g->index, *index = calloc(2 * n, sizeof(*index));

	if (v)
		g->v = v;
	if (!v || !index) {
		free(index);
		return -ENOMEM;
	}
	g->index = index;
	g->index_size = 2 * n;
	for (uint32_t i = 0; i < g->n; i++)
		*slot(g, &g->v[i]) = i + 1;
	free(old);
	return 0;
}

static int add_group(struct e4d_rgroups *g, const struct e4d_rgroup *key,
                     const struct e4d_trace_write *w, uint64_t real)
{
	struct e4d_rgroup *group;
	uint32_t *at;

	if (2 * g->n >= g->index_size && grow(g))
		return -ENOMEM;
	at = slot(g, key);
	if (!*at) {
		if (g->n == E4D_R_GROUPS) {
			g->rest++;
			return 0;
		}
		*at = (uint32_t)++g->n;
		g->v[*at - 1] = *key;
		g->v[*at - 1].first = real;
	}
	group = &g->v[*at - 1];
	if (!group->path && w->path && !key->comm[0]) {
		group->path = strdup(w->path);
		if (!group->path)
			return -ENOMEM;
	}
	group->findings++;
	group->past_eof += w->rec->past_eof;
	group->last = real;
	return 0;
}

static int keep(struct e4d_rsum *sum, const struct e4d_trace_write *w)
{
	struct e4d_rfinding *f;

	if (sum->n_kept == E4D_R_FINDINGS)
		return 0;
	if (!sum->findings)
		sum->findings = calloc(E4D_R_FINDINGS, sizeof(*sum->findings));
	if (!sum->findings)
		return -ENOMEM;
	f = &sum->findings[sum->n_kept];
	f->rec = *w->rec;
	f->host = w->host;
	f->end_ns = w->end_ns;
	f->path = w->path ? strdup(w->path) : NULL;
	if (w->path && !f->path)
		return -ENOMEM;
	sum->n_kept++;
	return 0;
}

static int add_finding(struct e4d_rsum *sum, const struct e4d_trace_write *w, uint64_t real)
{
	const struct e4d_record *r = w->rec;
	unsigned int host = sum->view->hosts[w->host].id;
	struct e4d_rgroup file = {.host = host, .ino = r->ino, .dev = r->dev, .gen = r->gen};
	struct e4d_rgroup comm = {.host = host};
	int err;

	/* what follows the end of the name is no part of it */
	memcpy(comm.comm, r->comm, strnlen(r->comm, sizeof(r->comm)));
	if (!comm.comm[0])
		comm.comm[0] = '?';
	sum->n_findings++;
	sum->past_eof += r->past_eof;
	err = keep(sum, w);
	if (!err)
		err = add_group(&sum->files, &file, w, real);
	if (!err)
		err = add_group(&sum->comms, &comm, w, real);
	return err;
}

static void add_size(struct e4d_rsum *sum, const struct e4d_record *r)
{
	struct e4d_rsize *s = &sum->size[e4d_rbucket(r->submitted)];
	uint64_t mask = (1ULL << (r->blkbits & 63)) - 1;
	uint64_t from = r->offset & ~mask, to = (r->offset + r->submitted + mask) & ~mask;
	uint64_t touched = to - from;

	s->writes++;
	s->submitted += r->submitted;
	s->mapped += r->mapped;
	s->less += r->mapped < touched;
	s->more += r->mapped > touched;
}

int e4d_rsum_add(struct e4d_rsum *sum, const struct e4d_trace_write *w)
{
	const struct e4d_record *r = w->rec;
	uint64_t real = e4d_rview_real(sum->view, w->host, w->end_ns);

	if (!sum->writes++)
		sum->first = real;
	sum->last = real;
	sum->extending += !!(r->flags & E4D_F_EXTEND);
	sum->unknown += r->verdict == E4D_UNKNOWN;
	sum->submitted += r->submitted;
	sum->mapped += r->mapped;
	if (r->seen & E4D_SEEN_RET) {
		sum->done += r->ret > 0 ? (uint64_t)r->ret : 0;
		sum->failed += r->ret < 0;
	}
	sum->verdict[r->verdict < E4D_VERDICT_COUNT ? r->verdict : E4D_UNKNOWN]++;
	sum->evidence[r->evidence < E4D_EVIDENCE_COUNT ? r->evidence : E4D_OBSERVED]++;
	for (unsigned int i = 0; r->doubt >> i && i < E4D_DOUBT_COUNT; i++)
		sum->doubt[i] += r->doubt >> i & 1;
	sum->latency.n[e4d_rbucket(r->latency_ns)]++;
	sum->by_submitted.n[e4d_rbucket(r->submitted)]++;
	sum->by_mapped.n[e4d_rbucket(r->mapped)]++;
	add_size(sum, r);
	return e4d_is_finding(r, sum->strict) ? add_finding(sum, w, real) : 0;
}

static int by_findings(const void *a, const void *b)
{
	const struct e4d_rgroup *x = a, *y = b;

	if (x->findings != y->findings)
		return x->findings < y->findings ? 1 : -1;
	if (x->past_eof != y->past_eof)
		return x->past_eof < y->past_eof ? 1 : -1;
	return x->first < y->first ? -1 : x->first > y->first;
}

/* The index is of no use afterwards: adding comes to its end with this. */
static void sort_groups(struct e4d_rgroups *g)
{
	if (g->n)
		qsort(g->v, g->n, sizeof(*g->v), by_findings);
	free(g->index);
	g->index = NULL;
	g->index_size = 0;
}

void e4d_rsum_sort(struct e4d_rsum *sum)
{
	sort_groups(&sum->files);
	sort_groups(&sum->comms);
}

int e4d_rsum_exit(const struct e4d_rsum *sum)
{
	const struct e4d_rview *v = sum->view;

	if (sum->n_findings)
		return E4D_EXIT_FINDING;
	if (v->bad)
		return E4D_EXIT_CORRUPT;
	if (v->n_losses || sum->unknown || v->stopped)
		return E4D_EXIT_BLIND;
	return sum->writes ? E4D_EXIT_CLEAN : E4D_EXIT_NOTHING;
}
