/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "trace/writer.h"
#include "view/save.h"

static int put_writes(struct e4d_view *v, struct e4d_trace_writer *w, uint64_t *n)
{
	const struct e4d_model *m = v->m;
	uint64_t first = m->writes_n > E4D_VIEW_WRITES ? m->writes_n - E4D_VIEW_WRITES : 0;
	int err = 0;

	*n = 0;
	for (uint64_t i = first; i < m->writes_n && !err; i++) {
		const struct e4d_record *r = &m->writes[i % E4D_VIEW_WRITES];
		struct e4d_item_key key = {.id = r->ino, .dev = r->dev, .gen = r->gen};
		const struct e4d_item *file = e4d_items_find(&m->files, &key);
		const char *path = file ? file->path : NULL;

		if (!e4d_filter_match(v->filter, r, path))
			continue;
		if (path)
			err = e4d_trace_put_file(w, r->dev, r->ino, r->gen, path);
		if (!err)
			err = e4d_trace_put(w, r);
		++*n;
	}
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
	uint64_t n = 0;
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
	if (err)
		e4d_view_say(v, true, "%s: saved in part only: %s", name, strerror(-err));
	else
		e4d_view_say(v, false, "%llu writes saved in %s; 'ext4diotop report %s' reads them",
		             (unsigned long long)n, name, name);
}
