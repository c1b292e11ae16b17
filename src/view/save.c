/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "trace/writer.h"
#include "view/lookup.h"
#include "view/save.h"

/* How many of all writes are no more there. */
static uint64_t first_of(const struct e4d_model *m)
{
	return m->writes_n > E4D_VIEW_WRITES ? m->writes_n - E4D_VIEW_WRITES : 0;
}

static struct e4d_item_key key_of(const struct e4d_record *r)
{
	return (struct e4d_item_key){.id = r->ino, .dev = r->dev, .gen = r->gen};
}

/* The files of the writes, with the names that the view has, or that are found now. */
static int name_files(const struct e4d_model *m, struct e4d_items *files)
{
	int err = e4d_items_init(files, E4D_VIEW_WRITES);

	for (uint64_t i = first_of(m); i < m->writes_n && !err; i++) {
		const struct e4d_record *r = &m->writes[i % E4D_VIEW_WRITES];
		struct e4d_item_key key = key_of(r);
		const struct e4d_item *known = e4d_items_find(&m->files, &key);
		struct e4d_item *file = e4d_items_get(files, &key);

		file->last = *r;
		if (known && known->path && !file->path)
			file->path = strdup(known->path);
	}
	if (!err)
		e4d_lookup(m->feed, files);
	return err;
}

struct saved {
	uint64_t writes, nameless;
};

static int put_writes(struct e4d_view *v, struct e4d_trace_writer *w, struct saved *n)
{
	const struct e4d_model *m = v->m;
	struct e4d_items files = {0};
	int err = name_files(m, &files);

	for (uint64_t i = first_of(m); i < m->writes_n && !err; i++) {
		const struct e4d_record *r = &m->writes[i % E4D_VIEW_WRITES];
		struct e4d_item_key key = key_of(r);
		const char *path = e4d_items_find(&files, &key)->path;

		if (!e4d_filter_match(v->filter, r, path))
			continue;
		if (path)
			err = e4d_trace_put_file(w, r->dev, r->ino, r->gen, path);
		if (!err)
			err = e4d_trace_put(w, r);
		n->writes++;
		n->nameless += !path;
	}
	e4d_items_free(&files);
	return err;
}

static int put_rest(const struct e4d_model *m, struct e4d_trace_writer *w)
{
	struct e4d_ev_counters c = {
		.writes = m->counters.v[E4D_C_WRITES],
		.done = m->counters.v[E4D_C_DONE],
		.extending = m->counters.v[E4D_C_EXTEND],
		.submitted = m->counters.v[E4D_C_SUBMITTED],
		.mapped = m->counters.v[E4D_C_MAPPED],
	};
	int err = 0;

	for (int i = 0; i < E4D_VERDICT_COUNT; i++)
		c.verdict[i] = m->counters.v[E4D_C_VERDICT0 + i];
	for (size_t i = 0; i < m->findings.n && !err; i++) {
		const struct e4d_finding *f = &m->findings.row[i];

		if (f->path)
			err = e4d_trace_put_file(w, f->last.dev, f->last.ino, f->last.gen, f->path);
	}
	for (size_t i = 0; i < m->mark_n && !err; i++)
		err = e4d_trace_put_mark(w, m->mark[i].ts_ns, m->mark[i].text);
	for (size_t i = 0; i < m->loss_n && !err; i++)
		err = e4d_trace_put_loss(w, m->loss[i].name, m->loss[i].n);
	if (!err)
		err = e4d_trace_put_counters(w, &c);
	return err ? err : e4d_trace_finish(w);
}

void e4d_view_save(struct e4d_view *v, const char *name)
{
	const struct e4d_feed *feed = v->m->feed;
	struct e4d_trace_info info = {
		.host = feed->host,
		.kernel = feed->kernel,
		.program = "ext4diotop " E4D_VERSION,
		.options = e4d_filter_text(v->filter),
		.tier = (uint8_t)feed->tier,
		.real_minus_boot_ns = feed->boot_to_real_ns,
	};
	struct e4d_trace_limits limits = {0};
	struct e4d_trace_writer *w = NULL;
	char why[256] = "";
	char nameless[48] = "";
	struct saved n = {0};
	int err;

	err = e4d_trace_create(&w, name, &info, &limits, why, sizeof(why));
	if (err) {
		e4d_view_say(v, true, "not saved: %s", why);
		return;
	}
	err = put_writes(v, w, &n);
	if (!err)
		err = put_rest(v->m, w);
	e4d_trace_writer_close(w);
	if (n.nameless)
		snprintf(nameless, sizeof(nameless), ", %llu of them without a path",
		         (unsigned long long)n.nameless);
	if (err)
		e4d_view_say(v, true, "%s: saved in part only: %s", name, strerror(-err));
	else
		e4d_view_say(v, false,
		             "%llu writes saved in %s%s; 'ext4diotop report %s' reads them",
		             (unsigned long long)n.writes, name, nameless, name);
}
