/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>
#include <string.h>
#include "view/actions.h"
#include "view/keys.h"

#define LIST   (1u << E4D_SHOW_LIST)
#define DETAIL (1u << E4D_SHOW_DETAIL)
#define HELP   (1u << E4D_SHOW_HELP)
#define ALL    (LIST | DETAIL | HELP)

struct binding {
	int key[4];
	unsigned int where;
	bool replay; /* only there */
	void (*act)(struct e4d_view *v, int arg);
	int arg;
	const char *keys, *help; /* NULL: told by another line */
};

static const struct binding bindings[] = {
	{{'q', E4D_KEY_F10}, LIST, false, e4d_act_quit, 0, "q F10", "quit"},
	{{'q', 27, E4D_KEY_F10},
         DETAIL | HELP,
         false,
         e4d_act_back,
         0,
         "q Esc",
         "back (from detail, from help)"},
	{{'?', 'h', E4D_KEY_F1}, ALL, false, e4d_act_help, 0, "? h F1", "this help"},
	{{'\t'}, ALL, false, e4d_act_next_pane, 1, "Tab 1-5", "next pane; the panes by number"},
	{{E4D_KEY_BACK_TAB}, ALL, false, e4d_act_next_pane, -1, NULL, NULL},
	{{'1'}, ALL, false, e4d_act_pane, E4D_PANE_FILES, NULL, NULL},
	{{'2'}, ALL, false, e4d_act_pane, E4D_PANE_PROCS, NULL, NULL},
	{{'3'}, ALL, false, e4d_act_pane, E4D_PANE_FS, NULL, NULL},
	{{'4'}, ALL, false, e4d_act_pane, E4D_PANE_FLIGHTS, NULL, NULL},
	{{'5'}, ALL, false, e4d_act_pane, E4D_PANE_FINDINGS, NULL, NULL},
	{{'j', E4D_KEY_DOWN},
         ALL,
         false,
         e4d_act_move,
         1,
         "arrows j k",
         "by a line; left and right in a text"},
	{{'k', E4D_KEY_UP}, ALL, false, e4d_act_move, -1, NULL, NULL},
	{{E4D_KEY_PAGE_DOWN, 6},
         ALL,
         false,
         e4d_act_page,
         1,
         "PgDn PgUp",
         "by a page; Home and End: to the ends"},
	{{E4D_KEY_PAGE_UP, 2}, ALL, false, e4d_act_page, -1, NULL, NULL},
	{{E4D_KEY_HOME}, ALL, false, e4d_act_end, -1, NULL, NULL},
	{{E4D_KEY_END, 'G'}, ALL, false, e4d_act_end, 1, NULL, NULL},
	{{E4D_KEY_LEFT}, DETAIL | HELP, false, e4d_act_sideways, -8, NULL, NULL},
	{{E4D_KEY_RIGHT}, DETAIL | HELP, false, e4d_act_sideways, 8, NULL, NULL},
	{{'\n', '\r'},
         LIST,
         false,
         e4d_act_enter,
         0,
         "Enter",
         "one file in detail; a new finding: it is seen"},
	{{'A'}, LIST, false, e4d_act_seen, 0, "A", "all findings are seen"},
	{{'p'},
         DETAIL,
         false,
         e4d_act_print,
         0,
         "p",
         "in the detail: write it to a file, for a mail"},
	{{'>', E4D_KEY_F6},
         LIST,
         false,
         e4d_act_sort,
         1,
         "< > F6",
         "sort by the column to the left, to the right"},
	{{'<'}, LIST, false, e4d_act_sort, -1, NULL, NULL},
	{{'r'}, LIST, false, e4d_act_reverse, 0, "r", "the other way round"},
	{{'/'},
         LIST,
         false,
         e4d_act_prompt,
         E4D_PROMPT_SEARCH,
         "/ n F3",
         "search in names; the next one"},
	{{'n', E4D_KEY_F3}, LIST, false, e4d_act_find_next, 0, NULL, NULL},
	{{'\\', E4D_KEY_F4},
         LIST,
         false,
         e4d_act_prompt,
         E4D_PROMPT_FILTER,
         "\\ F4",
         "show what matches, as --filter; empty: all"},
	{{27}, LIST, false, e4d_act_unfilter, 0, "Esc", "in a list: all are shown again"},
	{{'o'}, LIST, false, e4d_act_active, 0, "o", "only what is active"},
	{{'a'}, LIST, false, e4d_act_mode, 0, "a", "rates; totals; averages since z or the start"},
	{{'u'}, LIST, false, e4d_act_units, 0, "u", "units: 1024, 1000, exact"},
	{{'d'}, LIST, false, e4d_act_prompt, E4D_PROMPT_INTERVAL, "d", "seconds between refreshes"},
	{{'z'}, LIST, false, e4d_act_zero, 0, "z", "totals and averages begin anew"},
	{{' '},
         ALL,
         false,
         e4d_act_pause,
         0,
         "Space",
         "stand still and go on; all keys still work"},
	{{'m'},
         LIST | DETAIL,
         false,
         e4d_act_prompt,
         E4D_PROMPT_MARK,
         "m",
         "mark this moment with a word, for w"},
	{{'w'},
         LIST | DETAIL,
         false,
         e4d_act_prompt,
         E4D_PROMPT_SAVE,
         "w",
         "save the writes seen as a trace dump"},
	{{'.'}, LIST | DETAIL, true, e4d_act_step, 0, ".", "replay: one interval on"},
	{{'+', '='}, LIST | DETAIL, true, e4d_act_speed, 1, "+ -", "replay: twice, half as fast"},
	{{'-'}, LIST | DETAIL, true, e4d_act_speed, -1, NULL, NULL},
	{{'f'},
         LIST | DETAIL,
         true,
         e4d_act_next_finding,
         0,
         "f",
         "replay: on to the next finding"},
	{{'g'}, LIST | DETAIL, true, e4d_act_prompt, E4D_PROMPT_TIME, "g", "replay: to a time"},
};

#define BINDINGS (sizeof(bindings) / sizeof(bindings[0]))

/* A line of input: what is typed goes to v->input, Enter takes it, Esc leaves it. */
static void key_in_prompt(struct e4d_view *v, int key)
{
	size_t len = strlen(v->input), n;
	char utf8[4];

	switch (key) {
	case '\n':
	case '\r':
		e4d_act_input(v);
		return;
	case 27:
		v->prompt = E4D_PROMPT_NONE;
		return;
	case 21: /* Ctrl-U */
		v->input[0] = 0;
		return;
	case 8:
	case 127:
	case E4D_KEY_BACKSPACE:
		while (len && ((unsigned char)v->input[--len] & 0xc0) == 0x80)
			;
		v->input[len] = 0;
		return;
	}
	if (key < ' ' || key >= E4D_KEY_UP)
		return;
	if (key < 0x80) {
		utf8[0] = (char)key;
		n = 1;
	} else if (key < 0x800) {
		utf8[0] = (char)(0xc0 | key >> 6);
		utf8[1] = (char)(0x80 | (key & 0x3f));
		n = 2;
	} else if (key < 0x10000) {
		utf8[0] = (char)(0xe0 | key >> 12);
		utf8[1] = (char)(0x80 | (key >> 6 & 0x3f));
		utf8[2] = (char)(0x80 | (key & 0x3f));
		n = 3;
	} else {
		utf8[0] = (char)(0xf0 | key >> 18);
		utf8[1] = (char)(0x80 | (key >> 12 & 0x3f));
		utf8[2] = (char)(0x80 | (key >> 6 & 0x3f));
		utf8[3] = (char)(0x80 | (key & 0x3f));
		n = 4;
	}
	if (len + n < sizeof(v->input)) {
		memcpy(v->input + len, utf8, n);
		v->input[len + n] = 0;
	}
}

void e4d_key(struct e4d_view *v, int key)
{
	if (v->prompt) {
		key_in_prompt(v, key);
		return;
	}
	v->message[0] = 0;
	for (size_t i = 0; i < BINDINGS; i++) {
		const struct binding *b = &bindings[i];

		if (!(b->where & 1u << v->showing) || (b->replay && !v->m->feed->replay))
			continue;
		for (size_t k = 0; k < sizeof(b->key) / sizeof(b->key[0]) && b->key[k]; k++)
			if (b->key[k] == key) {
				b->act(v, b->arg);
				return;
			}
	}
}

void e4d_keys_help(const struct e4d_view *v, struct e4d_outbuf *ob)
{
	static const char *const more[] = {
		"",
		"FILE      a name twice: the file was removed and made again",
		"W/s       writes a second",
		"SUBM MAP  bytes submitted; mapped (inside EOF: taken as submitted)",
		"OVER      bytes mapped beyond the blocks asked for",
		"EXT%      share of writes that extended the file",
		"SHORT ERR writes that wrote less than asked for; that failed",
		"INFL      writes under way; p50 p99: latency of those that ended",
		"PASTEOF   bytes of blocks that findings left past the end of the file",
		"MODE      s sync q queued d O_DSYNC n nowait a append t atomic",
		"          u unaligned x dax",
		"VERDICT   the worst seen; !leak and !trim-failed are findings: blocks",
		"          that a write allocated lie past EOF and nothing trims them",
	};
	char line[160];

	for (size_t i = 0; i < BINDINGS; i++) {
		const struct binding *b = &bindings[i];

		if (!b->help || (b->replay && !v->m->feed->replay))
			continue;
		snprintf(line, sizeof(line), "%-11s %s\n", b->keys, b->help);
		e4d_ob_str(ob, line);
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		snprintf(line, sizeof(line), "%s\n", more[i]);
		e4d_ob_str(ob, line);
	}
}

void e4d_keys_line(const struct e4d_view *v, struct e4d_frame *f, size_t y)
{
	static const char *const list[] = {"? help",   "q quit",   "Tab pane",  "Enter detail",
	                                   "< > sort", "/ search", "\\ filter", "Space pause",
	                                   "a totals", "w save"};
	static const char *const findings[] = {
		"? help", "q quit", "Tab pane", "Enter seen, then detail", "/ search", "w save"};
	static const char *const replay[] = {"? help",   "q quit",         "Space play/stop",
	                                     ". step",   "f next finding", "g go to",
	                                     "+ - speed"};
	static const char *const detail[] = {"q back", "p write as text", "arrows scroll",
	                                     "Space pause"};
	static const char *const help[] = {"q back", "arrows scroll"};
	const char *const *hint = list;
	size_t n = sizeof(list) / sizeof(list[0]);

#define USE(t) (hint = (t), n = sizeof(t) / sizeof((t)[0]))
	if (v->showing == E4D_SHOW_HELP)
		USE(help);
	else if (v->showing == E4D_SHOW_DETAIL)
		USE(detail);
	else if (v->m->feed->replay)
		USE(replay);
	else if (v->pane == E4D_PANE_FINDINGS)
		USE(findings);
#undef USE
	for (size_t i = 0; i < n; i++) {
		if (e4d_frame_left(f, y) < strlen(hint[i]) + 2)
			break;
		e4d_frame_put(f, y, E4D_A_DIM, hint[i]);
		e4d_frame_put(f, y, E4D_A_NORMAL, "  ");
	}
}
