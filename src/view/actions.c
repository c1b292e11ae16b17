/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "view/actions.h"
#include "view/columns.h"
#include "view/save.h"

void e4d_act_quit(struct e4d_view *v, int arg)
{
	v->quit = true;
}

void e4d_act_back(struct e4d_view *v, int arg)
{
	if (v->showing == E4D_SHOW_HELP && v->detail.open) {
		v->showing = E4D_SHOW_DETAIL;
	} else {
		e4d_detail_close(&v->detail);
		v->showing = E4D_SHOW_LIST;
	}
	v->text_top = v->text_left = 0;
}

void e4d_act_help(struct e4d_view *v, int arg)
{
	if (v->showing == E4D_SHOW_HELP) {
		e4d_act_back(v, 0);
		return;
	}
	v->showing = E4D_SHOW_HELP;
	v->text_top = v->text_left = 0;
}

void e4d_act_pane(struct e4d_view *v, int pane)
{
	e4d_detail_close(&v->detail);
	v->showing = E4D_SHOW_LIST;
	v->text_top = v->text_left = 0;
	v->pane = (enum e4d_pane)pane;
	for (size_t i = 0; i < v->m->findings.n; i++)
		v->m->findings.row[i].held = false;
}

void e4d_act_next_pane(struct e4d_view *v, int by)
{
	e4d_act_pane(v, ((int)v->pane + by + E4D_PANE_COUNT) % E4D_PANE_COUNT);
}

static void scroll(struct e4d_view *v, long by)
{
	if (by < 0)
		v->text_top = v->text_top > (size_t)-by ? v->text_top - (size_t)-by : 0;
	else
		v->text_top += (size_t)by; /* drawing keeps it within the text */
}

void e4d_act_move(struct e4d_view *v, int by)
{
	if (v->showing == E4D_SHOW_LIST)
		e4d_view_move(v, by);
	else
		scroll(v, by);
}

void e4d_act_page(struct e4d_view *v, int by)
{
	long page = v->list_rows > 1 ? (long)v->list_rows - 1 : 1;

	if (v->showing == E4D_SHOW_LIST)
		e4d_view_move(v, by * page);
	else
		scroll(v, by * page);
}

void e4d_act_end(struct e4d_view *v, int by)
{
	const long far = 1L << 40;

	if (v->showing == E4D_SHOW_LIST)
		e4d_view_move(v, by * far);
	else
		scroll(v, by * far);
}

void e4d_act_sideways(struct e4d_view *v, int by)
{
	if (by < 0)
		v->text_left = v->text_left > (size_t)-by ? v->text_left - (size_t)-by : 0;
	else if (v->text_left + (size_t)by < E4D_DETAIL_COLS)
		v->text_left += (size_t)by;
}

static void open_detail(struct e4d_view *v, const struct e4d_record *id, const char *path)
{
	e4d_detail_open(&v->detail, v->m, id, path);
	v->showing = E4D_SHOW_DETAIL;
	v->text_top = v->text_left = 0;
}

static void enter_item(struct e4d_view *v, const struct e4d_item *i)
{
	struct e4d_record id = i->last;

	if (i->other) {
		e4d_view_say(v, false, "these writes have no line of their own");
		return;
	}
	id.ino = i->key.id;
	id.dev = i->key.dev;
	id.gen = i->key.gen;
	id.pid = i->pid;
	memcpy(id.comm, i->comm, sizeof(id.comm));
	open_detail(v, &id, i->path);
}

/* From a process or a file system to its files: by the filter that says so. */
static void enter_group(struct e4d_view *v, const struct e4d_item *i)
{
	char text[64];

	if (i->other)
		return;
	if (v->pane == E4D_PANE_PROCS)
		snprintf(text, sizeof(text), "pid=%llu", (unsigned long long)i->key.id);
	else
		snprintf(text, sizeof(text), "dev=%u:%u", i->key.dev >> 20, i->key.dev & 0xfffff);
	if (!e4d_view_set_filter(v, text)) {
		e4d_act_pane(v, E4D_PANE_FILES);
		e4d_view_say(
			v, false, "%s %s, with all that is written to them; Esc shows all again",
			v->pane == E4D_PANE_PROCS ? "files seen written by" : "files with", text);
	}
}

void e4d_act_unfilter(struct e4d_view *v, int arg)
{
	if (v->filter && !e4d_view_set_filter(v, ""))
		e4d_view_say(v, false, "no filter: all are shown");
}

void e4d_act_enter(struct e4d_view *v, int arg)
{
	const void *p = e4d_view_at_cursor(v);
	const struct e4d_flight *flight = p;
	struct e4d_finding *finding = (struct e4d_finding *)p; /* the model's own */
	struct e4d_record id = {0};

	if (!p)
		return;
	switch (v->pane) {
	case E4D_PANE_FILES:
		enter_item(v, p);
		break;
	case E4D_PANE_FLIGHTS:
		if (!(flight->known & E4D_FLIGHT_FILE))
			break;
		id.ino = flight->ino;
		id.dev = flight->dev;
		id.gen = flight->gen;
		id.pid = flight->pid;
		open_detail(v, &id, NULL);
		break;
	case E4D_PANE_FINDINGS:
		if (finding->unseen) {
			e4d_findings_acknowledge(&v->m->findings, finding);
			finding->held = true;
			e4d_view_say(v, false, "seen; Enter again shows its file");
		} else {
			open_detail(v, &finding->last, finding->path);
		}
		break;
	default:
		enter_group(v, p);
	}
}

void e4d_act_seen(struct e4d_view *v, int arg)
{
	struct e4d_findings *f = &v->m->findings;

	for (size_t i = 0; i < f->n; i++)
		e4d_findings_acknowledge(f, &f->row[i]);
	f->unseen = 0; /* those without a row too */
	e4d_view_say(v, false, "all findings seen");
}

void e4d_act_print(struct e4d_view *v, int arg)
{
	char name[80];
	int err = e4d_detail_save(&v->detail, name, sizeof(name));

	if (err)
		e4d_view_say(v, true, "not written: %s: %s", strerror(-err), name);
	else
		e4d_view_say(v, false, "written to %s", name);
}

void e4d_act_sort(struct e4d_view *v, int by)
{
	struct e4d_place *p = &v->place[v->pane];
	uint16_t cols[E4D_COLUMNS_MAX];
	unsigned int n = e4d_panes[v->pane].columns, at = p->sort;

	/* among those that are seen */
	e4d_columns_fit(v, v->pane, v->width, cols);
	do
		at = (at + n + (unsigned int)by) % n;
	while (!cols[at] && at != p->sort);
	p->sort = at;
	p->reverse = false;
	p->follow = false;
	p->cursor = p->top = 0;
}

void e4d_act_reverse(struct e4d_view *v, int arg)
{
	v->place[v->pane].reverse = !v->place[v->pane].reverse;
	v->place[v->pane].follow = false;
	v->place[v->pane].cursor = v->place[v->pane].top = 0;
}

void e4d_act_prompt(struct e4d_view *v, int what)
{
	time_t now = time(NULL);
	struct tm tm;

	v->prompt = (enum e4d_prompt)what;
	if (what == E4D_PROMPT_FILTER && v->mistaken)
		return; /* to be mended */
	v->mistaken = false;
	v->input[0] = 0;
	if (what == E4D_PROMPT_FILTER) {
		snprintf(v->input, sizeof(v->input), "%s", e4d_filter_text(v->filter));
	} else if (what == E4D_PROMPT_SAVE) {
		localtime_r(&now, &tm);
		strftime(v->input, sizeof(v->input), "ext4diotop-%Y%m%d-%H%M%S", &tm);
	}
}

static void say_not_found(struct e4d_view *v)
{
	const struct e4d_items *t = &v->m->files;
	uint32_t unknown = 0;

	for (uint32_t i = 0; v->pane == E4D_PANE_FILES && i < t->n; i++)
		unknown += !t->row[i].path && !t->row[i].asked_ns;
	if (unknown)
		e4d_view_say(v, false, "not found so far: %s; n looks up more of %u names",
		             v->search, unknown);
	else
		e4d_view_say(v, false, "not found: %s", v->search);
}

void e4d_act_find_next(struct e4d_view *v, int arg)
{
	if (!v->search[0])
		e4d_act_prompt(v, E4D_PROMPT_SEARCH);
	else if (!e4d_view_find(v, false))
		say_not_found(v);
}

void e4d_act_active(struct e4d_view *v, int arg)
{
	v->active_only = !v->active_only;
}

void e4d_act_mode(struct e4d_view *v, int arg)
{
	v->mode = (v->mode + 1) % E4D_MODE_COUNT;
}

void e4d_act_units(struct e4d_view *v, int arg)
{
	v->units = (v->units + 1) % E4D_UNITS_COUNT;
}

void e4d_act_zero(struct e4d_view *v, int arg)
{
	e4d_model_zero(v->m);
	e4d_view_say(v, false, "totals and averages begin here");
}

void e4d_act_pause(struct e4d_view *v, int arg)
{
	if (v->m->feed->replay)
		v->playing = !v->playing;
	else
		v->m->paused = !v->m->paused;
}

/* A replay goes on by ns of the dump's time, and is shown. */
static int advance(struct e4d_view *v, uint64_t ns)
{
	int err;

	v->m->feed->ops->advance(v->m->feed, ns);
	err = v->m->feed->ops->tick(v->m->feed);
	if (!err)
		err = e4d_model_refresh(v->m);
	if (err < 0)
		e4d_view_say(v, true, "the dump cannot be read on: %s", strerror(-err));
	return err;
}

void e4d_act_step(struct e4d_view *v, int arg)
{
	v->playing = false;
	advance(v, (uint64_t)(v->interval * 1e9));
}

void e4d_act_speed(struct e4d_view *v, int by)
{
	v->speed = ldexp(v->speed, by);
	v->speed = fmin(fmax(v->speed, 1.0 / 64), 4096);
	e4d_view_say(v, false, "replay at %g times its speed", v->speed);
}

void e4d_act_next_finding(struct e4d_view *v, int arg)
{
	uint64_t before = v->m->findings.count;
	int err = 0;

	v->playing = false;
	while (err >= 0 && v->m->findings.count == before && !v->m->feed->ended)
		err = advance(v, (uint64_t)(v->interval * 1e9));
	if (v->m->findings.count != before)
		v->pane = E4D_PANE_FINDINGS;
	else if (err >= 0)
		e4d_view_say(v, false, "no finding from here to the end");
}

/* HH:MM[:SS] of the day on which the dump begins, or of the next; or +SECONDS from its start. */
static int parse_time(const struct e4d_feed *feed, const char *text, uint64_t *ns)
{
	int64_t start = (int64_t)feed->first_ns + feed->boot_to_real_ns;
	time_t begin = (time_t)(start / 1000000000), t;
	time_t last = (time_t)(((int64_t)feed->last_ns + feed->boot_to_real_ns) / 1000000000);
	struct tm day, tm;
	const char *end;
	char *rest;
	double add;

	if (text[0] == '+') {
		add = strtod(text + 1, &rest);
		if (rest == text + 1 || *rest || !(add >= 0 && add < 1e9))
			return -EINVAL;
		*ns = feed->first_ns + (uint64_t)(add * 1e9);
		return 0;
	}
	localtime_r(&begin, &day);
	tm = day;
	end = strptime(text, "%H:%M:%S", &tm);
	if (!end) {
		tm = day;
		tm.tm_sec = 0;
		end = strptime(text, "%H:%M", &tm);
	}
	if (!end || *end)
		return -EINVAL;
	tm.tm_isdst = -1;
	t = mktime(&tm);
	if (t < begin && t + 86400 <= last) /* after midnight */
		t += 86400;
	*ns = (uint64_t)((int64_t)t * 1000000000 - feed->boot_to_real_ns);
	return 0;
}

static void go_to(struct e4d_view *v)
{
	struct e4d_feed *feed = v->m->feed;
	char first[16], last[16];
	uint64_t ns;
	int err;

	if (parse_time(feed, v->input, &ns)) {
		e4d_view_say(v, true, "a time is HH:MM:SS or +SECONDS, not '%s'", v->input);
		return;
	}
	/* a whole second may begin before the first write in it */
	if (ns + 1000000000 <= feed->first_ns || ns > feed->last_ns) {
		e4d_time_of_day(feed->boot_to_real_ns, feed->first_ns, first, sizeof(first));
		e4d_time_of_day(feed->boot_to_real_ns, feed->last_ns, last, sizeof(last));
		e4d_view_say(v, true, "the dump is from %s to %s", first, last);
		return;
	}
	err = feed->ops->seek(feed, ns);
	e4d_model_forget(v->m);
	e4d_detail_forget(&v->detail);
	if (!err)
		err = e4d_model_refresh(v->m);
	if (err < 0)
		e4d_view_say(v, true, "cannot go there: %s", strerror(-err));
}

static void take_interval(struct e4d_view *v)
{
	char *end;
	double s = strtod(v->input, &end);

	if (end == v->input || *end || !(s >= 0.1 && s <= 3600))
		e4d_view_say(v, true, "seconds are from 0.1 to 3600, not '%s'", v->input);
	else
		v->interval = s;
}

void e4d_act_input(struct e4d_view *v)
{
	enum e4d_prompt what = v->prompt;

	v->prompt = E4D_PROMPT_NONE;
	v->message[0] = 0;
	switch (what) {
	case E4D_PROMPT_SEARCH:
		snprintf(v->search, sizeof(v->search), "%.*s", (int)sizeof(v->search) - 1,
		         v->input);
		if (v->search[0] && !e4d_view_find(v, true))
			say_not_found(v);
		break;
	case E4D_PROMPT_FILTER:
		v->mistaken = e4d_view_set_filter(v, v->input) != 0;
		break;
	case E4D_PROMPT_INTERVAL:
		take_interval(v);
		break;
	case E4D_PROMPT_MARK:
		if (!v->input[0])
			snprintf(v->input, sizeof(v->input), "mark %zu", v->m->mark_n + 1);
		e4d_model_mark(v->m, v->input);
		e4d_view_say(v, false, "marked: %s", v->input);
		break;
	case E4D_PROMPT_SAVE:
		e4d_view_save(v, v->input);
		break;
	case E4D_PROMPT_TIME:
		go_to(v);
		break;
	case E4D_PROMPT_NONE:
		break;
	}
}
