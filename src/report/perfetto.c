/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A trace for ui.perfetto.dev: each write is a slice of its thread, named by its
 * verdict, with the record's fields as its arguments; findings stand on a track of
 * their own as well; counters say the rate, and what was left past EOF. Times are
 * CLOCK_BOOTTIME of the first host.
 *
 * Writes of one thread overlap when they are queued, slices of one track may not: what
 * does not fit after the last of a track goes to the next one ("in flight 2", ...).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/export.h"
#include "report/perfetto.pb-c.h"
#include "report/print.h"
#include "util/escape.h"
#include "util/outbuf.h"
#include "verdict.h"

#define FLUSH_AT (256u << 10)
#define BIN_NS   100000000ULL /* of the counters */
#define BINS_S   (1000000000ULL / BIN_NS)
#define SEQUENCE 1
#define CLEARED  1 /* SEQ_INCREMENTAL_STATE_CLEARED */
#define NEEDS    2 /* SEQ_NEEDS_INCREMENTAL_STATE */

typedef E4d__Pf__TracePacket packet_t;
typedef E4d__Pf__TrackDescriptor track_t;
typedef E4d__Pf__TrackEvent event_t;
typedef E4d__Pf__DebugAnnotation note_t;

/* A host, a process of it or a thread: where its tracks are. */
struct row {
	unsigned int host;
	uint32_t pid, tid; /* tid 0: the process; both 0: the host */
	uint64_t uuid;
	uint64_t *lanes; /* of a thread: end of the last slice of each; the uuids follow */
	uint64_t *uuids;
	size_t n_lanes;
};

struct rate { /* of a host */
	uint64_t bin, writes, bytes, past_eof;
	uint64_t writes_uuid, bytes_uuid, past_uuid, findings_uuid;
};

struct perfetto {
	struct e4d_outbuf out;
	uint64_t last_uuid;
	struct row *rows;
	size_t n_rows;
	uint32_t *index; /* hash table of 1 + place in rows */
	size_t index_size;
	struct rate *rates;
	note_t notes[E4D_FIELD_COUNT];
	note_t *note_list[E4D_FIELD_COUNT];
};

static int put(struct e4d_rexport *x, packet_t *p)
{
	struct perfetto *pf = x->own;
	size_t size, n;
	char *at;

	p->has_trusted_packet_sequence_id = 1;
	p->trusted_packet_sequence_id = SEQUENCE;
	size = e4d__pf__trace_packet__get_packed_size(p);
	at = e4d_ob_reserve(&pf->out, size + 11);
	if (!at)
		return -ENOMEM;
	*at++ = 1 << 3 | 2; /* Trace.packet, as bytes */
	for (n = size; n > 0x7f; n >>= 7)
		*at++ = (char)(n | 0x80);
	*at++ = (char)n;
	e4d__pf__trace_packet__pack(p, (uint8_t *)at);
	e4d_ob_advance(&pf->out, at + size);
	return pf->out.len < FLUSH_AT ? 0 : e4d_ob_flush(&pf->out, x->fd);
}

static int put_track(struct e4d_rexport *x, track_t *t, uint64_t *uuid)
{
	packet_t p = E4D__PF__TRACE_PACKET__INIT;
	struct perfetto *pf = x->own;

	*uuid = ++pf->last_uuid;
	t->has_uuid = 1;
	t->uuid = *uuid;
	t->has_parent_uuid = t->parent_uuid != 0;
	p.track_descriptor = t;
	return put(x, &p);
}

static int put_event(struct e4d_rexport *x, uint64_t time, event_t *e,
                     E4d__Pf__TrackEvent__Type type, uint64_t track)
{
	packet_t p = E4D__PF__TRACE_PACKET__INIT;

	p.has_timestamp = 1;
	p.timestamp = time;
	p.has_sequence_flags = e->n_debug_annotations != 0;
	p.sequence_flags = NEEDS;
	p.track_event = e;
	e->has_type = 1;
	e->type = type;
	e->has_track_uuid = 1;
	e->track_uuid = track;
	return put(x, &p);
}

static int put_counter(struct e4d_rexport *x, uint64_t time, uint64_t track, uint64_t value)
{
	event_t e = E4D__PF__TRACK_EVENT__INIT;

	e.has_counter_value = 1;
	e.counter_value = value < INT64_MAX ? (int64_t)value : INT64_MAX;
	return put_event(x, time, &e, E4D__PF__TRACK_EVENT__TYPE__TYPE_COUNTER, track);
}

/* The names of the arguments, once; later packets say a number. */
static int put_names(struct e4d_rexport *x)
{
	static E4d__Pf__DebugAnnotationName names[E4D_FIELD_COUNT];
	E4d__Pf__DebugAnnotationName *list[E4D_FIELD_COUNT];
	E4d__Pf__InternedData data = E4D__PF__INTERNED_DATA__INIT;
	packet_t p = E4D__PF__TRACE_PACKET__INIT;

	for (size_t i = 0; i < E4D_FIELD_COUNT; i++) {
		e4d__pf__debug_annotation_name__init(&names[i]);
		names[i].has_iid = 1;
		names[i].iid = i + 1;
		names[i].name = (char *)e4d_fields[i].name;
		list[i] = &names[i];
	}
	data.n_debug_annotation_names = E4D_FIELD_COUNT;
	data.debug_annotation_names = list;
	p.interned_data = &data;
	p.has_sequence_flags = 1;
	p.sequence_flags = CLEARED | NEEDS;
	return put(x, &p);
}

static uint32_t *slot(const struct perfetto *pf, const struct row *key)
{
	uint64_t h = (key->host * 0x9e3779b97f4a7c15ULL) ^ ((uint64_t)key->pid << 32 | key->tid);
	size_t at = (h * 0x9e3779b97f4a7c15ULL >> 32) & (pf->index_size - 1);
	const struct row *r;

	for (; pf->index[at]; at = (at + 1) & (pf->index_size - 1)) {
		r = &pf->rows[pf->index[at] - 1];
		if (r->host == key->host && r->pid == key->pid && r->tid == key->tid)
			break;
	}
	return &pf->index[at];
}

static int grow(struct perfetto *pf)
{
	size_t n = pf->index_size ? pf->index_size : 256;
	struct row *rows = realloc(pf->rows, n * sizeof(*rows));
	uint32_t *index = calloc(2 * n, sizeof(*index));

	if (rows)
		pf->rows = rows;
	if (!rows || !index) {
		free(index);
		return -ENOMEM;
	}
	free(pf->index);
	pf->index = index;
	pf->index_size = 2 * n;
	for (uint32_t i = 0; i < pf->n_rows; i++)
		*slot(pf, &rows[i]) = i + 1;
	return 0;
}

/*
 * Process ids say nothing across hosts: with several, processes and threads are plain
 * tracks below their host's.
 */
static int describe(struct e4d_rexport *x, const struct row *key, const char *comm, uint64_t parent,
                    uint64_t *uuid)
{
	E4d__Pf__ProcessDescriptor process = E4D__PF__PROCESS_DESCRIPTOR__INIT;
	E4d__Pf__ThreadDescriptor thread = E4D__PF__THREAD_DESCRIPTOR__INIT;
	track_t t = E4D__PF__TRACK_DESCRIPTOR__INIT;
	char name[E4D_ESCAPE_TEXT_MAX * E4D_COMM_LEN + 16];

	snprintf(name, sizeof(name), "%s %u", comm, key->tid ? key->tid : key->pid);
	t.parent_uuid = parent;
	if (x->view->n_hosts > 1) {
		t.name = name;
	} else if (key->tid) {
		thread.has_pid = thread.has_tid = 1;
		thread.pid = (int32_t)key->pid;
		thread.tid = (int32_t)key->tid;
		thread.thread_name = (char *)comm;
		t.thread = &thread;
	} else {
		process.has_pid = 1;
		process.pid = (int32_t)key->pid;
		process.process_name = (char *)comm;
		t.process = &process;
	}
	return put_track(x, &t, uuid);
}

/* The place of a process (tid 0) or a thread in rows; made at the first time. */
static int find_row(struct e4d_rexport *x, const struct row *key, const char *comm, uint64_t parent,
                    size_t *place)
{
	struct perfetto *pf = x->own;
	struct row row = *key;
	uint32_t *at;
	int err;

	if (2 * pf->n_rows >= pf->index_size && grow(pf))
		return -ENOMEM;
	at = slot(pf, key);
	if (!*at) {
		err = describe(x, key, comm, parent, &row.uuid);
		if (err)
			return err;
		pf->rows[pf->n_rows++] = row;
		*at = (uint32_t)pf->n_rows;
	}
	*place = *at - 1;
	return 0;
}

static int add_lane(struct e4d_rexport *x, struct row *row)
{
	track_t t = E4D__PF__TRACK_DESCRIPTOR__INIT;
	size_t n = row->n_lanes + 1;
	uint64_t *lanes = realloc(row->lanes, n * sizeof(*lanes)), *uuids;
	char name[40];

	if (!lanes)
		return -ENOMEM;
	row->lanes = lanes;
	uuids = realloc(row->uuids, n * sizeof(*uuids));
	if (!uuids)
		return -ENOMEM;
	row->uuids = uuids;
	lanes[n - 1] = 0;
	uuids[n - 1] = row->uuid;
	row->n_lanes = n;
	if (n == 1)
		return 0;
	snprintf(name, sizeof(name), "in flight %zu", n);
	t.name = name;
	t.parent_uuid = row->uuid;
	return put_track(x, &t, &uuids[n - 1]);
}

/* The track of the thread of w that is free from `from` on; taken until `to`. */
static int find_track(struct e4d_rexport *x, const struct e4d_trace_write *w, const char *comm,
                      uint64_t from, uint64_t to, uint64_t *track)
{
	struct perfetto *pf = x->own;
	unsigned int host = x->view->hosts[w->host].id;
	struct row process = {.host = host, .pid = w->rec->pid};
	struct row thread = {
		.host = host, .pid = w->rec->pid, .tid = w->rec->tid ? w->rec->tid : 1};
	size_t place, lane = 0;
	struct row *row;
	int err;

	err = find_row(x, &process, comm, x->view->n_hosts > 1 ? pf->rates[host].findings_uuid : 0,
	               &place);
	if (!err)
		err = find_row(x, &thread, comm, x->view->n_hosts > 1 ? pf->rows[place].uuid : 0,
		               &place);
	if (err)
		return err;
	row = &pf->rows[place];
	while (lane < row->n_lanes && row->lanes[lane] > from)
		lane++;
	if (lane == row->n_lanes)
		err = add_lane(x, row);
	if (err)
		return err;
	row->lanes[lane] = to;
	*track = row->uuids[lane];
	return 0;
}

/* The fields of the write that are not null, as arguments; ts says the slice's place. */
static void set_notes(struct perfetto *pf, const struct e4d_trace_write *w, event_t *e)
{
	struct e4d_value v;

	e->debug_annotations = pf->note_list;
	for (size_t i = 0; i < E4D_FIELD_COUNT; i++) {
		const struct e4d_field *f = &e4d_fields[i];
		note_t *n = &pf->notes[e->n_debug_annotations];

		if (f->kind == E4D_K_TIME || !e4d_field_get(f, w->rec, w->path, &v))
			continue;
		e4d__pf__debug_annotation__init(n);
		n->has_name_iid = 1;
		n->name_iid = i + 1;
		n->has_uint_value = v.kind == E4D_K_U64;
		n->has_int_value = v.kind == E4D_K_S64;
		n->has_bool_value = v.kind == E4D_K_BOOL;
		if (n->has_uint_value)
			n->uint_value = v.u;
		else if (n->has_int_value)
			n->int_value = v.s;
		else if (n->has_bool_value)
			n->bool_value = (protobuf_c_boolean)v.u;
		else
			n->string_value = (char *)e4d_rvalue(f, &v);
		pf->note_list[e->n_debug_annotations++] = n;
	}
}

/* The rate of the last bin of a host, and zero after it where nothing followed. */
static int put_rate(struct e4d_rexport *x, struct rate *r, bool quiet_after)
{
	uint64_t at = r->bin * BIN_NS, after = at + BIN_NS;
	int err = put_counter(x, at, r->writes_uuid, r->writes * BINS_S);

	if (!err)
		err = put_counter(x, at, r->bytes_uuid, r->bytes * BINS_S);
	if (!err && quiet_after)
		err = put_counter(x, after, r->writes_uuid, 0);
	if (!err && quiet_after)
		err = put_counter(x, after, r->bytes_uuid, 0);
	return err;
}

static int add_rate(struct e4d_rexport *x, struct rate *r, const struct e4d_record *rec,
                    uint64_t end)
{
	uint64_t bin = end / BIN_NS;
	int err = 0;

	if (bin > r->bin) {
		if (r->writes)
			err = put_rate(x, r, bin > r->bin + 1);
		r->bin = bin;
		r->writes = r->bytes = 0;
	}
	r->writes++;
	r->bytes += rec->ret > 0 && (rec->seen & E4D_SEEN_RET) ? (uint64_t)rec->ret : 0;
	return err;
}

static int put_finding(struct e4d_rexport *x, struct rate *r, const struct e4d_record *rec,
                       uint64_t end)
{
	event_t e = E4D__PF__TRACK_EVENT__INIT;
	int err;

	e.name = (char *)e4d_verdict_name(rec->verdict);
	err = put_event(x, end, &e, E4D__PF__TRACK_EVENT__TYPE__TYPE_INSTANT, r->findings_uuid);
	r->past_eof += rec->past_eof;
	return err ? err : put_counter(x, end, r->past_uuid, r->past_eof);
}

static int perfetto_write(struct e4d_rexport *x, const struct e4d_trace_write *w)
{
	static char category[] = "ext4";
	char *categories[] = {category};
	const struct e4d_record *rec = w->rec;
	struct perfetto *pf = x->own;
	const struct e4d_rhost *hosts = x->view->hosts;
	struct rate *rate = &pf->rates[hosts[w->host].id];
	/* on the first host's clock */
	uint64_t shift = (uint64_t)hosts[w->host].dump->real_minus_boot_ns -
	                 (uint64_t)hosts[0].dump->real_minus_boot_ns;
	uint64_t from = rec->ts_ns + shift, to = from + rec->latency_ns, track;
	event_t begin = E4D__PF__TRACK_EVENT__INIT, end = E4D__PF__TRACK_EVENT__INIT;
	char comm[E4D_COMM_LEN + 1] = "";
	int err;

	memcpy(comm, rec->comm, E4D_COMM_LEN);
	err = find_track(x, w, e4d_rtext(comm), from, to, &track);
	if (err)
		return err;
	set_notes(pf, w, &begin);
	begin.name = (char *)e4d_verdict_name(rec->verdict);
	begin.n_categories = 1;
	begin.categories = categories;
	err = put_event(x, from, &begin, E4D__PF__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN, track);
	if (!err)
		err = put_event(x, to, &end, E4D__PF__TRACK_EVENT__TYPE__TYPE_SLICE_END, track);
	if (!err)
		err = add_rate(x, rate, rec, w->end_ns + shift);
	if (!err && e4d_is_finding(rec, x->strict))
		err = put_finding(x, rate, rec, to);
	return err;
}

static int begin_host(struct e4d_rexport *x, unsigned int host)
{
	static const struct {
		const char *name;
		E4d__Pf__CounterDescriptor__Unit unit;
	} counters[] = {
		{"direct writes a second", E4D__PF__COUNTER_DESCRIPTOR__UNIT__UNIT_COUNT},
		{"bytes written a second", E4D__PF__COUNTER_DESCRIPTOR__UNIT__UNIT_SIZE_BYTES},
		{"left past EOF by findings", E4D__PF__COUNTER_DESCRIPTOR__UNIT__UNIT_SIZE_BYTES},
	};
	struct rate *r = &((struct perfetto *)x->own)->rates[host];
	uint64_t *uuids[] = {&r->writes_uuid, &r->bytes_uuid, &r->past_uuid};
	track_t top = E4D__PF__TRACK_DESCRIPTOR__INIT;
	const char *name = e4d_rtext(x->view->hosts[host].name);
	char text[512];
	int err;

	snprintf(text, sizeof(text), "findings on %s", name);
	top.name = text;
	err = put_track(x, &top, &r->findings_uuid);
	for (size_t i = 0; !err && i < sizeof(counters) / sizeof(counters[0]); i++) {
		E4d__Pf__CounterDescriptor c = E4D__PF__COUNTER_DESCRIPTOR__INIT;
		track_t t = E4D__PF__TRACK_DESCRIPTOR__INIT;

		c.has_unit = 1;
		c.unit = counters[i].unit;
		t.counter = &c;
		snprintf(text, sizeof(text), "%s, %s", counters[i].name, name);
		t.name = text;
		err = put_track(x, &t, uuids[i]);
	}
	return err;
}

static int perfetto_begin(struct e4d_rexport *x)
{
	struct perfetto *pf = x->own;
	int err;

	pf->rates = calloc(x->view->n_hosts, sizeof(*pf->rates));
	if (!pf->rates)
		return -ENOMEM;
	err = put_names(x);
	for (unsigned int i = 0; !err && i < x->view->n_hosts; i++)
		if (x->view->hosts[i].id == i)
			err = begin_host(x, i);
	return err;
}

static int perfetto_end(struct e4d_rexport *x, const struct e4d_rsum *sum)
{
	struct perfetto *pf = x->own;
	int err = 0;

	(void)sum;
	for (unsigned int i = 0; !err && i < x->view->n_hosts; i++)
		if (pf->rates[i].writes)
			err = put_rate(x, &pf->rates[i], true);
	return err ? err : e4d_ob_flush(&pf->out, x->fd);
}

static void perfetto_free(struct e4d_rexport *x)
{
	struct perfetto *pf = x->own;

	for (size_t i = 0; i < pf->n_rows; i++) {
		free(pf->rows[i].lanes);
		free(pf->rows[i].uuids);
	}
	free(pf->rows);
	free(pf->index);
	free(pf->rates);
	e4d_ob_free(&pf->out);
}

const struct e4d_rexport_ops e4d_rexport_perfetto = {
	.name = "perfetto",
	.own_size = sizeof(struct perfetto),
	.begin = perfetto_begin,
	.write = perfetto_write,
	.end = perfetto_end,
	.free = perfetto_free,
};
