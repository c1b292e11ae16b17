/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The summary as one JSON object:
 * {"hosts":[{"host":"db1","dir":"/var/tmp/db1","kernel":"6.12.118","program":"ext4diotop 0.1.0",
 *   "options":"--all","tier":"fentry","packets":1204,"bad_packets":0,"bad_bytes":0,
 *   "missing_packets":0,"discarded":0,"ended_well":true,"counted":12400}],
 *  "first":"2026-...","last":"2026-...","writes":12345,"extending":300,"failed":2,
 *  "submitted":1,"mapped":1,"returned":1,"verdicts":{"clean":12343,"leak":2,...},
 *  "doubts":{"lost":0,...},"evidence":{"observed":12345,...},"stopped":false,
 *  "losses":[{"host":"db1","loss":"ring_full","count":12}],
 *  "findings":2,"past_eof":1040384,"findings_by_file":[{"host":"db1","dev":"8:1","ino":131,
 *   "gen":7,"path":"/f","findings":2,"past_eof":1040384,"first":"2026-...","last":"2026-..."}],
 *  "findings_by_command":[{"host":"db1","comm":"dd",...}],"findings_elsewhere":0,
 *  "histograms":{"latency_ns":[{"from":65536,"below":131072,"writes":1204}],
 *   "submitted":[...],"mapped":[...]},
 *  "sizes":[{"from":4096,"below":8192,"writes":12345,"submitted":1,"mapped":1,
 *   "mapped_less":0,"mapped_more":0}]}
 */
#include <string.h>

#include "record/fields.h"
#include "report/json.h"
#include "report/print.h"

static void put_host(struct e4d_outbuf *ob, const struct e4d_rhost *h)
{
	const struct e4d_trace_host *d = h->dump;

	e4d_j_open(ob, NULL, '{');
	e4d_j_str(ob, "host", h->name);
	e4d_j_str(ob, "dir", d->dir);
	e4d_j_str(ob, "kernel", d->kernel[0] ? d->kernel : NULL);
	e4d_j_str(ob, "program", d->program[0] ? d->program : NULL);
	e4d_j_str(ob, "options", d->options);
	e4d_j_str(ob, "tier", e4d_tier_name(d->tier));
	e4d_j_u64(ob, "packets", d->packets);
	e4d_j_u64(ob, "bad_packets", d->bad_packets);
	e4d_j_u64(ob, "bad_bytes", d->bad_bytes);
	e4d_j_u64(ob, "missing_packets", d->missing_packets);
	e4d_j_u64(ob, "discarded", d->discarded);
	e4d_j_bool(ob, "ended_well", !d->no_end);
	e4d_j_u64(ob, "counted", d->last.writes);
	e4d_j_close(ob, '}');
}

static void put_words(struct e4d_outbuf *ob, const char *name, const uint64_t *n,
                      const struct e4d_names *names)
{
	e4d_j_open(ob, name, '{');
	for (unsigned int i = 0; i < names->count; i++)
		if (names->word[i])
			e4d_j_u64(ob, names->word[i], n[i]);
	e4d_j_close(ob, '}');
}

static void put_totals(struct e4d_outbuf *ob, const struct e4d_rsum *sum)
{
	e4d_j_str(ob, "first", sum->writes ? e4d_rtime(sum->first) : NULL);
	e4d_j_str(ob, "last", sum->writes ? e4d_rtime(sum->last) : NULL);
	e4d_j_u64(ob, "writes", sum->writes);
	e4d_j_u64(ob, "extending", sum->extending);
	e4d_j_u64(ob, "failed", sum->failed);
	e4d_j_u64(ob, "submitted", sum->submitted);
	e4d_j_u64(ob, "mapped", sum->mapped);
	e4d_j_u64(ob, "returned", sum->done);
	put_words(ob, "verdicts", sum->verdict, &e4d_verdicts);
	put_words(ob, "doubts", sum->doubt, &e4d_doubts);
	put_words(ob, "evidence", sum->evidence, &e4d_evidences);
	e4d_j_bool(ob, "stopped", sum->view->stopped);
}

static void put_losses(struct e4d_outbuf *ob, const struct e4d_rview *v)
{
	e4d_j_open(ob, "losses", '[');
	for (size_t i = 0; i < v->n_losses; i++) {
		e4d_j_open(ob, NULL, '{');
		e4d_j_str(ob, "host", v->hosts[v->losses[i].host].name);
		e4d_j_str(ob, "loss", v->losses[i].name);
		e4d_j_u64(ob, "count", v->losses[i].count);
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
}

static void put_groups(struct e4d_outbuf *ob, const char *name, const struct e4d_rview *v,
                       const struct e4d_rgroups *groups)
{
	char comm[E4D_COMM_LEN + 1] = "", dev[32];

	e4d_j_open(ob, name, '[');
	for (size_t i = 0; i < groups->n; i++) {
		const struct e4d_rgroup *g = &groups->v[i];

		e4d_j_open(ob, NULL, '{');
		e4d_j_str(ob, "host", v->hosts[g->host].name);
		if (g->comm[0]) {
			memcpy(comm, g->comm, E4D_COMM_LEN);
			e4d_j_str(ob, "comm", comm);
		} else {
			snprintf(dev, sizeof(dev), "%u:%u", e4d_dev_major(g->dev),
			         e4d_dev_minor(g->dev));
			e4d_j_str(ob, "dev", dev);
			e4d_j_u64(ob, "ino", g->ino);
			e4d_j_u64(ob, "gen", g->gen);
			e4d_j_str(ob, "path", g->path);
		}
		e4d_j_u64(ob, "findings", g->findings);
		e4d_j_u64(ob, "past_eof", g->past_eof);
		e4d_j_str(ob, "first", e4d_rtime(g->first));
		e4d_j_str(ob, "last", e4d_rtime(g->last));
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
}

/* "below" of the last bucket, 2^64, is null. */
static void put_bucket(struct e4d_outbuf *ob, unsigned int b)
{
	e4d_j_open(ob, NULL, '{');
	e4d_j_u64(ob, "from", b ? 1ULL << (b - 1) : 0);
	if (b < 64)
		e4d_j_u64(ob, "below", 1ULL << b);
	else
		e4d_j_str(ob, "below", NULL);
}

static void put_hist(struct e4d_outbuf *ob, const char *name, const struct e4d_rhist *h)
{
	e4d_j_open(ob, name, '[');
	for (unsigned int i = 0; i < E4D_R_BUCKETS; i++) {
		if (!h->n[i])
			continue;
		put_bucket(ob, i);
		e4d_j_u64(ob, "writes", h->n[i]);
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
}

static void put_sizes(struct e4d_outbuf *ob, const struct e4d_rsum *sum)
{
	e4d_j_open(ob, "sizes", '[');
	for (unsigned int i = 0; i < E4D_R_BUCKETS; i++) {
		const struct e4d_rsize *s = &sum->size[i];

		if (!s->writes)
			continue;
		put_bucket(ob, i);
		e4d_j_u64(ob, "writes", s->writes);
		e4d_j_u64(ob, "submitted", s->submitted);
		e4d_j_u64(ob, "mapped", s->mapped);
		e4d_j_u64(ob, "mapped_less", s->less);
		e4d_j_u64(ob, "mapped_more", s->more);
		e4d_j_close(ob, '}');
	}
	e4d_j_close(ob, ']');
}

int e4d_rprint_object(const struct e4d_rsum *sum, int fd)
{
	const struct e4d_rview *v = sum->view;
	struct e4d_outbuf ob = {0};
	int err;

	e4d_ob_char(&ob, '{');
	e4d_j_open(&ob, "hosts", '[');
	for (unsigned int i = 0; i < v->n_hosts; i++)
		put_host(&ob, &v->hosts[i]);
	e4d_j_close(&ob, ']');
	put_totals(&ob, sum);
	put_losses(&ob, v);
	e4d_j_u64(&ob, "findings", sum->n_findings);
	e4d_j_u64(&ob, "past_eof", sum->past_eof);
	put_groups(&ob, "findings_by_file", v, &sum->files);
	put_groups(&ob, "findings_by_command", v, &sum->comms);
	e4d_j_u64(&ob, "findings_elsewhere", sum->files.rest);
	e4d_j_open(&ob, "histograms", '{');
	put_hist(&ob, "latency_ns", &sum->latency);
	put_hist(&ob, "submitted", &sum->by_submitted);
	put_hist(&ob, "mapped", &sum->by_mapped);
	e4d_j_close(&ob, '}');
	put_sizes(&ob, sum);
	e4d_ob_str(&ob, "}\n");
	err = e4d_ob_flush(&ob, fd);
	e4d_ob_free(&ob);
	return err;
}
