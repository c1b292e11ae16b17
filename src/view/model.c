/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exitcode.h"
#include "path/handle.h"
#include "util/log.h"
#include "verdict.h"
#include "view/model.h"

#define ASK_AGAIN_NS 5000000000ULL /* a name that was not found */

static struct e4d_item_key file_key(const struct e4d_record *r)
{
	return (struct e4d_item_key){.id = r->ino, .dev = r->dev, .gen = r->gen};
}

int e4d_verdict_weight(uint8_t verdict)
{
	static const uint8_t by_verdict[E4D_VERDICT_COUNT] = {
		[E4D_CLEAN] = 0,   [E4D_PREALLOC] = 1, [E4D_REUSED] = 2, [E4D_TRIMMED] = 3,
		[E4D_UNKNOWN] = 4, [E4D_EXPOSED] = 5,  [E4D_LEAK] = 6,   [E4D_TRIM_FAILED] = 7,
	};

	return verdict < E4D_VERDICT_COUNT ? by_verdict[verdict] : 0;
}

static void note_write(struct e4d_item *row, const struct e4d_record *rec, bool finding)
{
	if (!row->recorded || e4d_verdict_weight(rec->verdict) > e4d_verdict_weight(row->worst))
		row->worst = rec->verdict;
	row->recorded = true;
	row->modes |= rec->flags;
	row->last = *rec;
	row->pid = rec->pid;
	e4d_item_wrote(row, rec->pid);
	memcpy(row->comm, rec->comm, sizeof(row->comm));
	if (finding)
		row->past_eof += rec->past_eof;
}

/* A row made here has no sums yet; the next refresh keeps or sweeps it. */
static void note_rows(struct e4d_model *m, const struct e4d_record *rec, bool finding)
{
	struct e4d_item_key key = file_key(rec), proc = {.id = rec->pid};
	struct e4d_item_key fs = {.id = rec->dev, .dev = rec->dev};
	struct {
		struct e4d_items *t;
		const struct e4d_item_key *key;
	} to[] = {{&m->files, &key}, {&m->procs, &proc}, {&m->fs, &fs}};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		struct e4d_item *row = e4d_items_get(to[i].t, to[i].key);

		if (!row)
			continue;
		if (!row->seen)
			row->seen = m->refresh;
		note_write(row, rec, finding);
	}
}

static void note_finding(struct e4d_model *m, const struct e4d_fed *w)
{
	const char *path = w->path;

	/* at once: the writer may be gone soon */
	if (!path && e4d_findings_is_new(&m->findings, w->rec))
		path = m->feed->ops->path(m->feed, w->rec);
	e4d_findings_add(&m->findings, w->rec, path);
}

static int on_write(void *ctx, const struct e4d_fed *w)
{
	struct e4d_model *m = ctx;
	const struct e4d_record *rec = w->rec;
	const char *path = w->path;
	bool finding = e4d_is_finding(rec, m->strict);

	if (m->filter) {
		if (!path && e4d_filter_needs_path(m->filter))
			path = m->feed->ops->path(m->feed, rec);
		if (!e4d_filter_match(m->filter, rec, path))
			return 0;
		m->matched = true;
	}
	if (m->on_write)
		m->on_write(m->on_write_ctx, w);
	if (w->watched) /* what matters of it comes by the main stream too */
		return 0;
	m->unknown += rec->verdict == E4D_UNKNOWN;
	m->writes[m->writes_n++ % E4D_VIEW_WRITES] = *rec;
	note_rows(m, rec, finding);
	if (finding)
		note_finding(m, &(struct e4d_fed){.rec = rec, .path = path});
	return 0;
}

/* All times are from here. */
static void begin(struct e4d_model *m)
{
	uint64_t now = m->feed->ops->now(m->feed), counted = e4d_model_counted(m, now);

	m->now_ns = m->before_ns = m->start_ns = m->zero_ns = now;
	m->procs_ns = (struct e4d_elapsed){counted, counted, counted};
}

int e4d_model_init(struct e4d_model *m, struct e4d_feed *feed, const struct e4d_filter *filter,
                   bool strict)
{
	int err;

	memset(m, 0, sizeof(*m));
	m->feed = feed;
	m->filter = filter;
	m->strict = strict;
	m->refresh = 1;
	m->unfiltered = !feed->replay && e4d_filter_rest(filter, 0);
	m->flights = calloc(E4D_VIEW_FLIGHTS, sizeof(*m->flights));
	m->writes = calloc(E4D_VIEW_WRITES, sizeof(*m->writes));
	err = m->flights && m->writes ? 0 : -ENOMEM;
	if (!err)
		err = e4d_findings_init(&m->findings);
	if (!err)
		err = e4d_items_init(&m->files, E4D_VIEW_FILES);
	if (!err)
		err = e4d_items_init(&m->procs, E4D_VIEW_PROCS);
	if (!err)
		err = e4d_items_init(&m->fs, E4D_VIEW_FS);
	if (err) {
		e4d_model_free(m);
		return err;
	}
	feed->on_write = on_write;
	feed->ctx = m;
	begin(m);
	return 0;
}

void e4d_model_free(struct e4d_model *m)
{
	free(m->flights);
	free(m->writes);
	e4d_findings_free(&m->findings);
	e4d_items_free(&m->files);
	e4d_items_free(&m->procs);
	e4d_items_free(&m->fs);
	memset(m, 0, sizeof(*m));
}

static void zero_table(struct e4d_items *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		t->row[i].base = t->row[i].now;
	t->other.base = t->other.now;
}

void e4d_model_zero(struct e4d_model *m)
{
	zero_table(&m->files);
	zero_table(&m->procs);
	zero_table(&m->fs);
	m->all.base = m->all.now;
	m->procs_all.base = m->procs_all.now;
	m->procs_ns.base = m->procs_ns.now;
	m->zero_ns = m->now_ns;
}

void e4d_model_forget(struct e4d_model *m)
{
	e4d_items_clear(&m->files);
	e4d_items_clear(&m->procs);
	e4d_items_clear(&m->fs);
	e4d_findings_clear(&m->findings);
	memset(&m->all, 0, sizeof(m->all));
	memset(&m->procs_all, 0, sizeof(m->procs_all));
	memset(m->history, 0, sizeof(m->history));
	m->writes_n = m->unknown = m->flight_n = 0;
	begin(m);
}

void e4d_model_mark(struct e4d_model *m, const char *text)
{
	struct e4d_mark *k;

	if (m->mark_n == E4D_VIEW_MARKS) /* the oldest makes room */
		memmove(m->mark, m->mark + 1, --m->mark_n * sizeof(*m->mark));
	k = &m->mark[m->mark_n++];
	k->ts_ns = m->feed->ops->now(m->feed);
	snprintf(k->text, sizeof(k->text), "%s", text);
}

void e4d_model_want(struct e4d_model *m, uint32_t what)
{
	bool processes = what & E4D_WANT_PROCESSES;
	uint64_t now = m->feed->ops->now(m->feed);

	if (!m->feed->ops->want || what == m->wants)
		return;
	m->feed->ops->want(m->feed, what);
	m->wants = what;
	if (processes == !!m->procs_since_ns)
		return;
	m->procs_past_ns = e4d_model_counted(m, now);
	m->procs_since_ns = processes ? now : 0;
}

uint64_t e4d_model_counted(const struct e4d_model *m, uint64_t now)
{
	if (!m->feed->ops->want) /* they always are */
		return now;
	return m->procs_past_ns + (m->procs_since_ns ? now - m->procs_since_ns : 0);
}

double e4d_model_interval(const struct e4d_model *m)
{
	double s = (double)(m->now_ns - m->before_ns) / 1e9;

	return s > 0.001 ? s : 0.001;
}

/* Is it time to look for a name that is not known? */
static bool ask_now(struct e4d_model *m, struct e4d_item *row)
{
	if (row->other || (row->asked_ns && m->now_ns < row->asked_ns + ASK_AGAIN_NS))
		return false;
	row->asked_ns = m->now_ns;
	return true;
}

bool e4d_model_name_file(struct e4d_model *m, struct e4d_item *row)
{
	struct e4d_record id = {
		.ino = row->key.id, .dev = row->key.dev, .gen = row->key.gen, .pid = row->pid};
	const char *path;

	if ((row->path && row->comm[0]) || !ask_now(m, row))
		return false;
	path = row->path ? NULL : m->feed->ops->path(m->feed, &id);
	if (path)
		row->path = strdup(path);
	if (m->feed->ops->comm && row->pid)
		m->feed->ops->comm(m->feed, row->pid, row->comm);
	return true;
}

void e4d_model_name_proc(struct e4d_model *m, struct e4d_item *row)
{
	char name[64], line[512];
	FILE *f;

	if ((row->path && row->comm[0]) || !ask_now(m, row))
		return;
	if (!m->feed->ops->comm) /* a replay: its processes are not this machine's */
		return;
	m->feed->ops->comm(m->feed, (uint32_t)row->key.id, row->comm);
	snprintf(name, sizeof(name), "/proc/%u/cgroup", (uint32_t)row->key.id);
	f = row->path ? NULL : fopen(name, "re");
	if (!f)
		return;
	/* the unified hierarchy's line is 0::/PATH */
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "0::", 3) && !row->path)
			row->path = strndup(line + 3, strcspn(line + 3, "\n"));
	fclose(f);
}

void e4d_model_name_fs(struct e4d_model *m, struct e4d_item *row)
{
	char point[PATH_MAX];

	if (row->path || m->feed->replay || !ask_now(m, row))
		return;
	if (!e4d_mount_point(row->key.dev, point))
		row->path = strdup(point);
}

int e4d_model_exit(const struct e4d_model *m)
{
	if (m->findings.count)
		return E4D_EXIT_FINDING;
	if (m->feed->corrupt) {
		e4d_warn("a part of the dump was not readable: that nothing was found proves "
		         "nothing");
		return E4D_EXIT_CORRUPT;
	}
	if (m->lost || m->unknown) {
		e4d_warn("events were lost: that nothing was found proves nothing");
		return E4D_EXIT_BLIND;
	}
	if (m->unfiltered ? !m->matched : !m->counters.v[E4D_C_WRITES])
		return E4D_EXIT_NOTHING;
	return E4D_EXIT_CLEAN;
}
