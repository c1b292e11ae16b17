/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "report/view.h"

#define LOOK_EVERY 4096 /* writes between two looks at signals and the progress */

static void add_loss(void *ctx, unsigned int host, const char *name, uint64_t n)
{
	struct e4d_rview *v = ctx;
	struct e4d_rloss *all, *loss;

	if (!n || v->err)
		return;
	all = realloc(v->losses, (v->n_losses + 1) * sizeof(*all));
	if (!all) {
		v->err = -ENOMEM;
		return;
	}
	v->losses = all;
	loss = &all[v->n_losses++];
	loss->host = host;
	loss->count = n;
	strncpy(loss->name, name, sizeof(loss->name) - 1);
	loss->name[sizeof(loss->name) - 1] = 0;
}

/* What a dump lacks is a loss as those that the recorder counted. */
static void add_gaps(struct e4d_rview *v, unsigned int host)
{
	const struct e4d_trace_host *d = e4d_trace_host(v->reader, host); /* counts anew */
	uint64_t named = 0;

	for (size_t i = 0; i < v->n_losses; i++)
		if (v->losses[i].host == host)
			named += v->losses[i].count;
	/* killed between the loss and its name */
	if (d->discarded > named)
		add_loss(v, host, "discarded", d->discarded - named);
	add_loss(v, host, "bad_packets", d->bad_packets);
	add_loss(v, host, "missing_packets", d->missing_packets);
	add_loss(v, host, "no_end", d->no_end);
	v->bad |= d->bad_packets != 0;
}

int e4d_rview_open(struct e4d_rview *v, const char *const *dirs, unsigned int n, char *why,
                   size_t why_len)
{
	int err = e4d_trace_open(&v->reader, dirs, n, why, why_len);

	if (err)
		return err;
	v->n_hosts = e4d_trace_hosts(v->reader);
	v->hosts = calloc(v->n_hosts, sizeof(*v->hosts));
	if (!v->hosts)
		return -ENOMEM;
	for (unsigned int i = 0; i < v->n_hosts; i++) {
		struct e4d_rhost *h = &v->hosts[i];

		h->dump = e4d_trace_host(v->reader, i);
		h->name = h->dump->host[0] ? h->dump->host : h->dump->dir;
		h->clock.boot_to_real_ns = h->dump->real_minus_boot_ns;
		while (strcmp(v->hosts[h->id].name, h->name))
			h->id++;
	}
	e4d_trace_losses(v->reader, add_loss, v);
	return v->err;
}

int e4d_rview_gaps(struct e4d_rview *v)
{
	for (unsigned int i = 0; i < v->n_hosts; i++)
		add_gaps(v, i);
	return v->err;
}

void e4d_rview_close(struct e4d_rview *v)
{
	if (v->reader)
		e4d_trace_close(v->reader);
	free(v->hosts);
	free(v->losses);
	v->reader = NULL;
	v->hosts = NULL;
	v->losses = NULL;
}

static bool signalled(const struct e4d_rview *v)
{
	struct signalfd_siginfo info;

	return v->signals >= 0 && read(v->signals, &info, sizeof(info)) == sizeof(info);
}

int e4d_rview_walk(struct e4d_rview *v, e4d_rwalk_fn fn, void *ctx)
{
	uint64_t first, last, read = 0, given = 0;
	struct e4d_trace_write w;
	int err;

	e4d_trace_span(v->reader, &first, &last);
	if (v->since > first)
		first = v->since;
	if (v->until && v->until < last)
		last = v->until;
	err = e4d_trace_seek(v->reader, v->since);
	e4d_progress_begin(&v->progress, "reading", v->quiet);
	v->stopped = false;
	while (!err && (err = e4d_trace_next(v->reader, &w)) == 1) {
		uint64_t real = e4d_rview_real(v, w.host, w.end_ns);

		err = 0;
		if (v->until && real > v->until)
			break;
		if (++read % LOOK_EVERY == 0) {
			v->stopped = signalled(v);
			if (v->stopped)
				break;
			e4d_progress_show(&v->progress, real > first ? real - first : 0,
			                  last > first ? last - first : 0, read);
		}
		if (!e4d_filter_match(v->filter, w.rec, w.path))
			continue;
		err = fn(ctx, &w);
		if (v->limit && ++given >= v->limit)
			break;
	}
	e4d_progress_end(&v->progress);
	return err;
}
