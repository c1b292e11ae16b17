/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A database: hosts, writes (the record's fields as columns, by their names), losses,
 * marks. ts is UTC, so that it sorts; lists are "a+b"; a byte that may not stand in a
 * text is \xNN, as in the CSV. What 63 bits do not hold is stored as their most.
 */
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "record/names.h"
#include "report/export.h"
#include "report/print.h"
#include "util/outbuf.h"

struct sqlite {
	sqlite3 *db;
	sqlite3_stmt *write;
	struct e4d_clock *clocks; /* of the hosts, in UTC */
};

static const char schema[] =
	"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
	"BEGIN;"
	"CREATE TABLE hosts (id INTEGER PRIMARY KEY, host TEXT, dir TEXT, kernel TEXT,"
	" program TEXT, options TEXT, tier TEXT, real_minus_boot_ns INTEGER, packets INTEGER,"
	" bad_packets INTEGER, bad_bytes INTEGER, missing_packets INTEGER, discarded INTEGER,"
	" ended_well INTEGER, counted INTEGER);"
	"CREATE TABLE losses (host INTEGER REFERENCES hosts, loss TEXT, count INTEGER);"
	"CREATE TABLE marks (host INTEGER REFERENCES hosts, ts TEXT, ts_ns INTEGER, text TEXT);";

/* After the rows: an index that grows with each costs more. */
static const char indexes[] = "CREATE INDEX writes_ts ON writes (ts);"
			      "CREATE INDEX writes_file ON writes (dev, ino, offset);"
			      "CREATE INDEX writes_verdict ON writes (verdict);"
			      "CREATE INDEX writes_latency ON writes (latency_ns);"
			      "COMMIT;";

static int failed(struct e4d_rexport *x, int rc)
{
	struct sqlite *q = x->own;

	snprintf(x->why, sizeof(x->why), "sqlite: %s",
	         q->db ? sqlite3_errmsg(q->db) : sqlite3_errstr(rc));
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static int exec(struct e4d_rexport *x, const char *sql)
{
	int rc = sqlite3_exec(((struct sqlite *)x->own)->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : failed(x, rc);
}

static bool is_number(const struct e4d_field *f)
{
	return f->kind == E4D_K_U64 || f->kind == E4D_K_S64 || f->kind == E4D_K_BOOL;
}

/* The table's columns are the record's fields. */
static int make_writes(struct e4d_rexport *x)
{
	struct sqlite *q = x->own;
	struct e4d_outbuf create = {0}, insert = {0};
	int err = -ENOMEM, rc;

	e4d_ob_str(&create, "CREATE TABLE writes (host INTEGER REFERENCES hosts");
	e4d_ob_str(&insert, "INSERT INTO writes VALUES (?");
	for (size_t i = 0; i < E4D_FIELD_COUNT; i++) {
		e4d_ob_str(&create, ", \"");
		e4d_ob_str(&create, e4d_fields[i].name);
		e4d_ob_str(&create, is_number(&e4d_fields[i]) ? "\" INTEGER" : "\" TEXT");
		e4d_ob_str(&insert, ", ?");
	}
	e4d_ob_mem(&create, ");", 3);
	e4d_ob_mem(&insert, ")", 2);
	if (!create.err && !insert.err)
		err = exec(x, create.data);
	if (!err) {
		rc = sqlite3_prepare_v2(q->db, insert.data, -1, &q->write, NULL);
		err = rc == SQLITE_OK ? 0 : failed(x, rc);
	}
	e4d_ob_free(&create);
	e4d_ob_free(&insert);
	return err;
}

static int64_t fit(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static void bind_text(sqlite3_stmt *st, int at, const char *escaped)
{
	sqlite3_bind_text(st, at, escaped, -1, SQLITE_TRANSIENT);
}

static int step(struct e4d_rexport *x, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		return failed(x, rc);
	sqlite3_reset(st);
	return 0;
}

static int add_host(struct e4d_rexport *x, sqlite3_stmt *st, unsigned int i)
{
	const struct e4d_rhost *h = &x->view->hosts[i];
	const struct e4d_trace_host *d = h->dump;
	const uint64_t n[] = {d->packets,   d->bad_packets, d->bad_bytes,  d->missing_packets,
	                      d->discarded, !d->no_end,     d->last.writes};
	const char *text[] = {h->name,    d->dir,     d->kernel,
	                      d->program, d->options, e4d_tier_name(d->tier)};
	int at = 1;

	sqlite3_bind_int64(st, at++, i);
	for (size_t k = 0; k < sizeof(text) / sizeof(text[0]); k++)
		bind_text(st, at++, e4d_rtext(text[k]));
	sqlite3_bind_int64(st, at++, d->real_minus_boot_ns);
	for (size_t k = 0; k < sizeof(n) / sizeof(n[0]); k++)
		sqlite3_bind_int64(st, at++, fit(n[k]));
	return step(x, st);
}

static int add_loss(struct e4d_rexport *x, sqlite3_stmt *st, unsigned int i)
{
	const struct e4d_rloss *l = &x->view->losses[i];

	sqlite3_bind_int64(st, 1, l->host);
	bind_text(st, 2, e4d_rtext(l->name));
	sqlite3_bind_int64(st, 3, fit(l->count));
	return step(x, st);
}

/* One statement, run for 0 to n - 1. */
static int fill(struct e4d_rexport *x, const char *sql, size_t n,
                int (*add)(struct e4d_rexport *, sqlite3_stmt *, unsigned int))
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(((struct sqlite *)x->own)->db, sql, -1, &st, NULL);
	int err = rc == SQLITE_OK ? 0 : failed(x, rc);

	for (unsigned int i = 0; !err && i < n; i++)
		err = add(x, st, i);
	sqlite3_finalize(st);
	return err;
}

struct marks {
	struct e4d_rexport *x;
	sqlite3_stmt *st;
	int err;
};

static void add_mark(void *ctx, unsigned int host, uint64_t boot_ns, const char *text)
{
	struct marks *m = ctx;
	struct sqlite *q = m->x->own;
	char ts[E4D_TIME_MAX];

	if (m->err)
		return;
	e4d_clock_format(&q->clocks[host], boot_ns, ts);
	sqlite3_bind_int64(m->st, 1, host);
	bind_text(m->st, 2, ts);
	sqlite3_bind_int64(m->st, 3, fit(boot_ns));
	bind_text(m->st, 4, e4d_rtext(text));
	m->err = step(m->x, m->st);
}

static int add_marks(struct e4d_rexport *x)
{
	struct sqlite *q = x->own;
	struct marks m = {.x = x};
	int rc =
		sqlite3_prepare_v2(q->db, "INSERT INTO marks VALUES (?, ?, ?, ?)", -1, &m.st, NULL);

	if (rc != SQLITE_OK)
		return failed(x, rc);
	e4d_trace_marks(x->view->reader, add_mark, &m);
	sqlite3_finalize(m.st);
	return m.err;
}

static int sqlite_begin(struct e4d_rexport *x)
{
	struct sqlite *q = x->own;
	/* whole, so that no name (":memory:", "file:x") means something to sqlite */
	char *path = realpath(x->file, NULL);
	int rc, err;

	if (!path)
		return -errno;
	rc = sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
	free(path);
	if (rc != SQLITE_OK)
		return failed(x, rc);
	q->clocks = calloc(x->view->n_hosts, sizeof(*q->clocks));
	if (!q->clocks)
		return -ENOMEM;
	for (unsigned int i = 0; i < x->view->n_hosts; i++) {
		q->clocks[i] = x->view->hosts[i].clock;
		q->clocks[i].utc = true;
	}
	err = exec(x, schema);
	return err ? err : make_writes(x);
}

static int sqlite_write(struct e4d_rexport *x, const struct e4d_trace_write *w)
{
	struct sqlite *q = x->own;
	char ts[E4D_TIME_MAX];
	struct e4d_value v;

	sqlite3_bind_int64(q->write, 1, w->host);
	for (int i = 0; i < E4D_FIELD_COUNT; i++) {
		const struct e4d_field *f = &e4d_fields[i];
		int at = i + 2;

		if (!e4d_field_get(f, w->rec, w->path, &v)) {
			sqlite3_bind_null(q->write, at);
		} else if (v.kind == E4D_K_TIME) {
			e4d_clock_format(&q->clocks[w->host], v.u, ts);
			bind_text(q->write, at, ts);
		} else if (is_number(f)) {
			sqlite3_bind_int64(q->write, at, v.kind == E4D_K_S64 ? v.s : fit(v.u));
		} else {
			bind_text(q->write, at, e4d_rvalue(f, &v));
		}
	}
	return step(x, q->write);
}

static int sqlite_end(struct e4d_rexport *x, const struct e4d_rsum *sum)
{
	struct sqlite *q = x->own;
	int err;

	(void)sum;
	sqlite3_finalize(q->write);
	q->write = NULL;
	err = fill(x, "INSERT INTO hosts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", x->view->n_hosts,
	           add_host);
	if (!err)
		err = fill(x, "INSERT INTO losses VALUES (?, ?, ?)", x->view->n_losses, add_loss);
	if (!err)
		err = add_marks(x);
	return err ? err : exec(x, indexes);
}

static void sqlite_free(struct e4d_rexport *x)
{
	struct sqlite *q = x->own;

	sqlite3_finalize(q->write);
	sqlite3_close(q->db);
	free(q->clocks);
}

const struct e4d_rexport_ops e4d_rexport_sqlite = {
	.name = "sqlite",
	.own_size = sizeof(struct sqlite),
	.begin = sqlite_begin,
	.write = sqlite_write,
	.end = sqlite_end,
	.free = sqlite_free,
};
