/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The detail as text. At 100 columns, for a mail, figures are exact:
 *
 * /mnt/scratch/f
 * dev 7:1  ino 15  generation 2913612345  last written by workload (5072)
 * i_size 7680  allocated 1048576  block 4096  links 1
 * TIME               OFFSET    SUBM     MAP   ENDIO     RET   ISIZE FROM           TO TRIM VERDICT
 * 13:02:12.123            0 1048576 1048576    7680  EFAULT            0         7680    - !leak
 */
#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "record/fields.h"
#include "record/names.h"
#include "util/escape.h"
#include "util/plural.h"
#include "verdict.h"
#include "view/detail.h"
#include "view/text.h"

#define FS_INLINE_DATA 0x10000000 /* FS_INLINE_DATA_FL, which older headers lack */
#define BAR            24

struct out {
	struct e4d_outbuf *ob;
	size_t seen; /* columns of the screen, at most E4D_DETAIL_COLS */
	bool utf8, exact;
};

static void line(const struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line of ASCII that we made; what is too long goes on in the next one. */
static void line(const struct out *o, const char *fmt, ...)
{
	size_t len, n, room = E4D_DETAIL_COLS;
	char text[512], *at = text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		len--;
	for (; len > room; room = E4D_DETAIL_COLS - 2) {
		for (n = room; n && at[n] != ' '; n--)
			;
		n = n ? n : room;
		e4d_ob_mem(o->ob, at, n);
		e4d_ob_str(o->ob, "\n  ");
		n += at[n] == ' ';
		at += n;
		len -= n;
	}
	e4d_ob_mem(o->ob, at, len);
	e4d_ob_char(o->ob, '\n');
}

/* All of a path, in as many lines as it takes. */
static void put_path(const struct out *o, const char *path)
{
	char unit[E4D_TEXT_UNIT_MAX];
	size_t len = strlen(path), cols = 0, n;
	unsigned int w;

	for (size_t at = 0; at < len;) {
		at += e4d_view_unit(path + at, len - at, o->utf8, unit, &n, &w);
		if (cols + w > o->seen) {
			e4d_ob_char(o->ob, '\n');
			cols = 0;
		}
		e4d_ob_mem(o->ob, unit, n);
		cols += w;
	}
	e4d_ob_char(o->ob, '\n');
}

static void put_identity(const struct out *o, const struct e4d_detail *d)
{
	const struct e4d_record *last = e4d_detail_last(d);
	char comm[4 * E4D_COMM_LEN + 1];

	if (d->path)
		put_path(o, d->path);
	else
		line(o, "(path not known)");
	e4d_view_fit(comm, sizeof(comm), last->comm[0] ? last->comm : "?", 32, false, o->utf8);
	line(o, "dev %u:%u  ino %llu  generation %u  last written by %s (%u)",
	     e4d_dev_major(d->id.dev), e4d_dev_minor(d->id.dev), (unsigned long long)d->id.ino,
	     d->id.gen, comm, last->pid);
	line(o, "kernel %s  host %s  ext4diotop " E4D_VERSION "  tier %s", d->m->feed->kernel,
	     d->m->feed->host, e4d_tier_name(d->m->feed->tier));
}

static size_t time_text(const struct e4d_model *m, uint64_t boot_ns, char *out, size_t size)
{
	int64_t real = (int64_t)boot_ns + m->feed->boot_to_real_ns;
	size_t n;

	e4d_time_of_day(m->feed->boot_to_real_ns, boot_ns, out, size);
	n = strlen(out);
	return n + (size_t)snprintf(out + n, size - n, ".%03d", (int)(real / 1000000 % 1000));
}

static void put_facts(const struct out *o, const struct e4d_detail *d)
{
	const struct e4d_facts *f = &d->facts;
	char when[32];

	if (!f->there) {
		line(o, "asking the file system ...");
		return;
	}
	if (f->err == -EREMOTE) {
		line(o, "a replay: the file itself is not asked");
		return;
	}
	if (f->err)
		line(o, "the file cannot be asked%s: %s", f->at_ns ? " any more" : "",
		     strerror(-f->err));
	if (!f->at_ns)
		return;
	time_text(d->m, f->at_ns, when, sizeof(when));
	line(o, "i_size %llu  allocated %llu  block %u  links %u  at %.8s",
	     (unsigned long long)f->size, (unsigned long long)f->allocated, f->blksize, f->links,
	     when);
	line(o, "flags: %s%s%s%s", f->flags & FS_EXTENT_FL ? "extents" : "no extents (indirect)",
	     f->cluster_err            ? ", bigalloc not known"
	     : f->cluster > f->blksize ? ", bigalloc"
	                               : "",
	     f->flags & FS_INLINE_DATA ? ", inline" : "", f->dax ? ", dax" : "");
	if (f->past_err == -ESTALE)
		line(o, "blocks past EOF at first sight: not known, it grows");
	else if (f->past_err)
		line(o, "blocks past EOF at first sight: not known (%s)", strerror(-f->past_err));
	else
		line(o, "blocks past EOF at first sight: %llu bytes written, %llu preallocated%s",
		     (unsigned long long)f->written, (unsigned long long)f->unwritten,
		     f->written ? " !" : "");
}

/* What can be seen of the file's writes, and since when. */
static void put_reach(const struct out *o, const struct e4d_detail *d)
{
	const struct e4d_timeline *t = &d->shown;
	uint64_t all = t->count, n = t->kept < E4D_DETAIL_WRITES ? t->kept : E4D_DETAIL_WRITES;
	char since[32];

	e4d_ob_char(o->ob, '\n');
	time_text(d->m, d->since_ns, since, sizeof(since));
	if (d->watching)
		line(o, "WRITES: the last %llu of %llu. Before %.8s only those that extend or are",
		     (unsigned long long)n, (unsigned long long)all, since);
	else
		line(o, "WRITES: the last %llu of %llu. Only those that %s", (unsigned long long)n,
		     (unsigned long long)all,
		     d->m->feed->replay ? "the dump has." : "extend or are");
	if (!d->m->feed->replay)
		line(o, "suspicious are there%s%s", d->watching ? "." : ": ",
		     d->watching ? "" : d->why);
	if (d->m->lost)
		line(o, "! %llu events were lost: what is not here may have been.",
		     (unsigned long long)d->m->lost);
	if (t->lost) {
		line(o, "! %llu events of this file were lost: %s.", (unsigned long long)t->lost,
		     t->losses);
		line(o, "  What extends or is suspicious comes another way; the header says what "
		        "of that was lost.");
	}
}

/*
 * The timeline's columns: widths with exact figures, and else. With the time before
 * them and the longest verdict behind they make 100, and 80.
 */
static const struct column {
	const char *title;
	int wide, narrow;
} columns[] = {
	{"OFFSET", 12, 7}, {"SUBM", 7, 6},        {"MAP", 7, 6}, {"ENDIO", 7, 6},
	{"RET", 7, 7},     {"ISIZE FROM", 12, 6}, {"TO", 12, 6}, {"TRIM", 4, 4},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A word, or where it is NULL a number, or "-"; right-aligned after a blank. */
static void put_cell(const struct out *o, char **at, char *end, size_t col, const char *word,
                     bool known, double v)
{
	char text[E4D_FIGURE_MAX] = "-";
	int w = o->exact ? columns[col].wide : columns[col].narrow;

	if (!word && known)
		e4d_figure(text, E4D_FIG_BYTES, o->exact ? E4D_UNITS_EXACT : E4D_UNITS_1024, v);
	if (!word && known && strlen(text) > (size_t)w) /* an exact one that is too long */
		e4d_figure(text, E4D_FIG_BYTES, E4D_UNITS_1024, v);
	*at += snprintf(*at, (size_t)(end - *at), " %*.*s", w, w, word ? word : text);
}

/* Did a truncate run for the write, and did it do its work? */
static const char *trim_word(const struct e4d_record *r)
{
	if (!(r->seen & E4D_SEEN_TRIM))
		return "-";
	if ((r->seen & E4D_SEEN_TRIM_BAD) || ((r->seen & E4D_SEEN_TRIM_RET) && r->trim_ret < 0))
		return "FAIL";
	return r->seen & (E4D_SEEN_TRIM_CUT | E4D_SEEN_TRIM_RET) ? "ok" : "yes";
}

static void day_text(const struct e4d_model *m, uint64_t boot_ns, char out[16])
{
	time_t t = (time_t)(((int64_t)boot_ns + m->feed->boot_to_real_ns) / 1000000000);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, 16, "%Y-%m-%d", &tm);
}

/* A day that begins, or is not today. */
static void put_day(const struct out *o, const struct e4d_detail *d, uint64_t before, uint64_t ns)
{
	char was[16], is[16];

	day_text(d->m, before, was);
	day_text(d->m, ns, is);
	if (strcmp(was, is))
		line(o, "%s ---", is);
}

static void put_write(const struct out *o, const struct e4d_detail *d, const struct e4d_record *r)
{
	const char *error =
		(r->seen & E4D_SEEN_RET) && r->ret < 0 ? strerrorname_np(-r->ret) : NULL;
	const struct {
		const char *word;
		bool known;
		double v;
	} cell[COLUMNS] = {
		{NULL, true, (double)r->offset},
		{NULL, true, r->submitted},
		{NULL, true, r->mapped},
		{NULL, r->seen & E4D_SEEN_DIO_SIZE, r->dio_size},
		{error, r->seen & E4D_SEEN_RET, r->ret},
		{NULL, true, (double)r->isize_before},
		{NULL, true, (double)r->isize_after},
		{trim_word(r), true, 0},
	};
	char text[256], *at = text, *end = text + sizeof(text);

	at += time_text(d->m, r->ts_ns, text, sizeof(text));
	for (size_t i = 0; i < COLUMNS; i++)
		put_cell(o, &at, end, i, cell[i].word, cell[i].known, cell[i].v);
	snprintf(at, (size_t)(end - at), " %s%s", e4d_is_finding(r, d->m->strict) ? "!" : "",
	         e4d_verdict_name(r->verdict));
	line(o, "%s", text);
}

static void put_marks(const struct out *o, const struct e4d_detail *d, uint64_t from, uint64_t to)
{
	char when[32], name[E4D_DETAIL_COLS * 4];

	for (size_t i = 0; i < d->m->mark_n; i++) {
		const struct e4d_mark *k = &d->m->mark[i];

		if (k->ts_ns <= from || k->ts_ns > to)
			continue;
		time_text(d->m, k->ts_ns, when, sizeof(when));
		e4d_view_fit(name, sizeof(name), k->text, E4D_DETAIL_COLS - 20, false, o->utf8);
		e4d_ob_str(o->ob, when);
		e4d_ob_str(o->ob, " --- ");
		e4d_ob_str(o->ob, name);
		e4d_ob_char(o->ob, '\n');
	}
}

static void put_timeline(const struct out *o, const struct e4d_detail *d)
{
	const struct e4d_timeline *t = &d->shown;
	char titles[128], *at = titles;
	uint64_t before = 0;

	at += snprintf(titles, sizeof(titles), "%-12s", "TIME");
	for (size_t i = 0; i < COLUMNS; i++)
		put_cell(o, &at, titles + sizeof(titles), i, columns[i].title, true, 0);
	line(o, "%s VERDICT", titles);
	for (uint64_t i = t->kept > E4D_DETAIL_WRITES ? t->kept - E4D_DETAIL_WRITES : 0;
	     i < t->kept; i++) {
		const struct e4d_record *r = &t->write[i % E4D_DETAIL_WRITES].rec;

		put_day(o, d, before ? before : d->m->now_ns, r->ts_ns);
		put_marks(o, d, before, r->ts_ns);
		put_write(o, d, r);
		before = r->ts_ns;
	}
	put_marks(o, d, before, UINT64_MAX);
}

static const char *bar(uint64_t n, uint64_t most, char *room)
{
	size_t len = most ? (size_t)((n * BAR + most - 1) / most) : 0;

	memset(room, '#', len);
	room[len] = 0;
	return room;
}

static uint64_t most_of(const uint64_t *v, size_t n)
{
	uint64_t most = 0;

	for (size_t i = 0; i < n; i++)
		most = v[i] > most ? v[i] : most;
	return most;
}

static void put_sizes(const struct out *o, const struct e4d_timeline *t)
{
	uint64_t s = most_of(t->submitted, E4D_DETAIL_LOG2),
		 m = most_of(t->mapped, E4D_DETAIL_LOG2);
	char a[BAR + 1], b[BAR + 1], from[E4D_FIGURE_MAX];

	line(o, "%8s %9s  %-*s %9s", "BYTES >=", "SUBMITTED", BAR, "", "MAPPED");
	for (int i = 0; i < E4D_DETAIL_LOG2; i++) {
		if (!t->submitted[i] && !t->mapped[i])
			continue;
		e4d_figure(from, E4D_FIG_BYTES, E4D_UNITS_1024, i ? (double)(1ULL << (i - 1)) : 0);
		line(o, "%8s %9llu  %-*s %9llu  %s", from, (unsigned long long)t->submitted[i], BAR,
		     bar(t->submitted[i], s, a), (unsigned long long)t->mapped[i],
		     bar(t->mapped[i], m, b));
	}
}

static void put_latencies(const struct out *o, const struct e4d_timeline *t)
{
	uint64_t most = most_of(t->latency, E4D_LATENCIES);
	char a[BAR + 1], from[E4D_FIGURE_MAX];

	line(o, "%8s %9s", "TOOK >=", "WRITES");
	for (int i = 0; i < E4D_LATENCIES; i++) {
		if (!t->latency[i])
			continue;
		if (i)
			e4d_figure(from, E4D_FIG_NS, E4D_UNITS_1024, (double)(1ULL << i));
		else
			strcpy(from, "unknown");
		line(o, "%8s %9llu  %s", from, (unsigned long long)t->latency[i],
		     bar(t->latency[i], most, a));
	}
}

/* Of all writes since the start, from the sums: also those that left no record. */
static void put_totals(const struct out *o, const struct e4d_detail *d)
{
	struct e4d_item_key key = {.id = d->id.ino, .dev = d->id.dev, .gen = d->id.gen};
	const struct e4d_item *i = e4d_items_find(&d->m->files, &key);
	char subm[E4D_FIGURE_MAX], p50[E4D_FIGURE_MAX], p99[E4D_FIGURE_MAX];

	if (!i || !i->now.writes)
		return;
	e4d_figure(subm, E4D_FIG_BYTES, E4D_UNITS_1024, (double)i->now.submitted);
	e4d_figure(p50, E4D_FIG_NS, E4D_UNITS_1024, e4d_figures_latency(&i->now, 500));
	e4d_figure(p99, E4D_FIG_NS, E4D_UNITS_1024, e4d_figures_latency(&i->now, 990));
	line(o, "since the start: %llu write%s, %s, p50 %s, p99 %s",
	     (unsigned long long)i->now.writes, e4d_s(i->now.writes), subm, p50, p99);
	line(o, "  of these %llu extending, %llu short, %llu failed",
	     (unsigned long long)i->now.extending, (unsigned long long)i->now.shorts,
	     (unsigned long long)i->now.errors);
}

void e4d_detail_text(const struct e4d_detail *d, size_t cols, bool utf8, struct e4d_outbuf *ob)
{
	struct out o = {
		.ob = ob,
		.seen = cols < E4D_DETAIL_COLS ? cols : E4D_DETAIL_COLS,
		.utf8 = utf8,
		.exact = cols >= E4D_DETAIL_COLS,
	};

	put_identity(&o, d);
	put_facts(&o, d);
	put_totals(&o, d);
	put_reach(&o, d);
	put_timeline(&o, d);
	e4d_ob_char(ob, '\n');
	put_sizes(&o, &d->shown);
	e4d_ob_char(ob, '\n');
	put_latencies(&o, &d->shown);
}
