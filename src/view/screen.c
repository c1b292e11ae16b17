/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include "view/keys.h"
#include "view/screen.h"

/* What a crash needs, ready beforehand: a handler may call next to nothing. */
static struct {
	char reset[256];
	size_t len;
	struct termios before;
	bool open;
} term;

static bool colored;

/* All that end a process and are nobody's else: not what the loop takes, nor SIGPIPE. */
static const int crashes[] = {SIGQUIT,   SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,   SIGABRT,
                              SIGSYS,    SIGTRAP, SIGUSR1, SIGUSR2, SIGALRM,  SIGXCPU,
                              SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT};

/* The default action is back already (SA_RESETHAND): what is raised again kills. */
static void on_crash(int sig)
{
	ssize_t n = write(STDOUT_FILENO, term.reset, term.len);

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	raise(sig);
}

static void watch_crashes(bool on)
{
	static char stack[16384]; /* of its own: the usual one may be what overflowed */
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = on ? 0 : SS_DISABLE};
	struct sigaction sa = {.sa_handler = SIG_DFL};

	if (on) {
		sa.sa_handler = on_crash;
		sa.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK | SA_NODEFER);
		sigaltstack(&ss, NULL);
	}
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &sa, NULL);
	if (!on)
		sigaltstack(&ss, NULL);
}

static int keep(int c)
{
	if (term.len < sizeof(term.reset))
		term.reset[term.len++] = (char)c;
	return c;
}

/* What leaves the alternate screen, and all that was switched on. */
static void prepare_reset(void)
{
	static const char *const caps[] = {"sgr0", "op", "cnorm", "rmkx", "rmcup"};

	term.len = 0;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		char *s = tigetstr(caps[i]);

		if (s && s != (char *)-1)
			tputs(s, 1, keep);
	}
}

bool e4d_screen_possible(void)
{
	const char *name = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && name && *name &&
	       strcmp(name, "dumb");
}

bool e4d_screen_known(void)
{
	int rc;

	if (setupterm(NULL, STDOUT_FILENO, &rc) != OK)
		return false;
	del_curterm(cur_term);
	return true;
}

static bool want_color(enum e4d_color color)
{
	const char *no = getenv("NO_COLOR");

	if (color == E4D_COLOR_NEVER || (color == E4D_COLOR_AUTO && no && *no))
		return false;
	return has_colors();
}

static void init_colors(void)
{
	start_color();
	use_default_colors();
	init_pair(E4D_A_BAR, COLOR_BLACK, COLOR_GREEN);
	init_pair(E4D_A_SORT, COLOR_BLACK, COLOR_CYAN);
	init_pair(E4D_A_CURSOR, COLOR_BLACK, COLOR_CYAN);
	init_pair(E4D_A_WARN, COLOR_YELLOW, -1);
	init_pair(E4D_A_ALERT, COLOR_WHITE, COLOR_RED);
}

int e4d_screen_open(enum e4d_color color)
{
	SCREEN *s;

	if (tcgetattr(STDIN_FILENO, &term.before))
		return -errno;
	s = newterm(NULL, stdout, stdin);
	if (!s)
		return -ENOTTY;
	set_term(s);
	term.open = true;
	prepare_reset();
	watch_crashes(true);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	keyok(KEY_MOUSE, FALSE); /* an earlier program may have left the mouse on: is_escaped() */
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	leaveok(stdscr, TRUE);
	curs_set(0);
	colored = want_color(color);
	if (colored)
		init_colors();
	return 0;
}

void e4d_screen_close(void)
{
	if (!term.open)
		return;
	term.open = false;
	endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	watch_crashes(false);
}

void e4d_screen_size(size_t *rows, size_t *cols)
{
	*rows = (size_t)LINES;
	*cols = (size_t)COLS;
}

static attr_t attribute(enum e4d_attr a)
{
	static const attr_t plain[E4D_A_COUNT] = {
		[E4D_A_BOLD] = A_BOLD,      [E4D_A_DIM] = A_NORMAL,
		[E4D_A_BAR] = A_REVERSE,    [E4D_A_SORT] = A_REVERSE | A_BOLD,
		[E4D_A_CURSOR] = A_REVERSE, [E4D_A_WARN] = A_BOLD,
		[E4D_A_ALERT] = A_BOLD,
	};

	if (!colored || a < E4D_A_BAR)
		return plain[a];
	return (attr_t)COLOR_PAIR(a) | (a == E4D_A_ALERT || a == E4D_A_WARN ? A_BOLD : A_NORMAL);
}

void e4d_screen_show(const struct e4d_frame *f)
{
	for (size_t y = 0; y < f->rows; y++) {
		const struct e4d_frame_line *l = &f->line[y];

		move((int)y, 0);
		for (size_t i = 0; i < l->run_n; i++) {
			size_t end = i + 1 < l->run_n ? l->run[i + 1].from : l->len;

			attrset(attribute(l->run[i].attr));
			addnstr(l->text + l->run[i].from, (int)(end - l->run[i].from));
		}
		attrset(A_NORMAL);
		if (l->cols < f->cols)
			clrtoeol();
	}
	refresh();
}

/* The bytes of a key that terminfo does not know (ECMA-48): no keys of ours. */
static bool is_escaped(wint_t c, bool at_once)
{
	static enum { NONE, ESCAPE, SS3, CSI, CSI_FIRST, MOUSE_BUTTON, MOUSE_X, MOUSE_Y } in;
	int was = in;

	switch (was) {
	case MOUSE_BUTTON: /* X10's: ESC [ M and three bytes of any kind */
	case MOUSE_X:
	case MOUSE_Y:
		in = was == MOUSE_Y ? NONE : was + 1;
		return true;
	case SS3:
		in = c >= '0' && c <= '9' ? SS3 : NONE;
		return true;
	case CSI_FIRST: /* the console's function keys have one byte more: ESC [ [ A */
	case CSI:
		in = (was == CSI_FIRST && c == '[') || c < '@' || c > '~' ? CSI : NONE;
		if (was == CSI_FIRST && c == 'M')
			in = MOUSE_BUTTON;
		return true;
	case ESCAPE:
		in = c == '[' ? CSI_FIRST : c == 'O' ? SS3 : c == 27 ? ESCAPE : NONE;
		return in == SS3 || in == CSI_FIRST || (at_once && c != 27); /* Alt and a key */
	default:
		in = c == 27 ? ESCAPE : NONE;
		return false;
	}
}

int e4d_screen_key(void)
{
	static const struct {
		int curses, key;
	} table[] = {
		{KEY_UP, E4D_KEY_UP},
		{KEY_DOWN, E4D_KEY_DOWN},
		{KEY_LEFT, E4D_KEY_LEFT},
		{KEY_RIGHT, E4D_KEY_RIGHT},
		{KEY_PPAGE, E4D_KEY_PAGE_UP},
		{KEY_NPAGE, E4D_KEY_PAGE_DOWN},
		{KEY_HOME, E4D_KEY_HOME},
		{KEY_END, E4D_KEY_END},
		{KEY_BTAB, E4D_KEY_BACK_TAB},
		{KEY_BACKSPACE, E4D_KEY_BACKSPACE},
		{KEY_ENTER, '\n'},
		{KEY_F(1), E4D_KEY_F1},
		{KEY_F(3), E4D_KEY_F3},
		{KEY_F(4), E4D_KEY_F4},
		{KEY_F(6), E4D_KEY_F6},
		{KEY_F(10), E4D_KEY_F10},
	};
	bool escape = false; /* Esc itself, or the first of more bytes */
	wint_t c = 0;
	int rc;

	while ((rc = get_wch(&c)) != ERR) {
		if (rc == OK) {
			bool part = is_escaped(c, escape);

			escape = !part && c == 27;
			if (escape || part)
				continue;
			return (int)c;
		}
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			if ((int)c == table[i].curses)
				return table[i].key;
		/* KEY_RESIZE and what has no meaning here */
	}
	return escape ? 27 : 0;
}

void e4d_screen_resized(void)
{
	struct winsize ws;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_row && ws.ws_col)
		resizeterm(ws.ws_row, ws.ws_col);
	erase();
}

void e4d_screen_suspend(void)
{
	endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &term.before);
	/* SIGTSTP itself is blocked here: it came through the signalfd */
	raise(SIGSTOP);
}

void e4d_screen_continued(void)
{
	reset_prog_mode();
	keypad(stdscr, TRUE); /* endwin() switched it off; else it comes on with the first key */
	clearok(stdscr, TRUE);
	e4d_screen_resized();
	refresh();
}
