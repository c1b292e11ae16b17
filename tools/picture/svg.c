/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A terminal's screen as a picture: reads what `tmux capture-pane -e -p` prints (text and
 * SGR sequences, nothing else) and writes SVG.
 *   svg COLUMNS ROWS < screen > picture.svg
 */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define CELL_W 8.4
#define CELL_H 18
#define EDGE   10

static const char *const palette[] = {"#1c1f26", "#e05561", "#8cc265", "#d18f52",
                                      "#4aa5f0", "#c162de", "#42b3c2", "#d7dae0"};
#define BACK "#1c1f26"
#define TEXT "#c8ccd4"

struct pen {
	int fg, bg; /* of the palette; -1: the usual */
	bool bold, reverse;
};

/* One SGR sequence's parameters, separated by semicolons. */
static void set_pen(struct pen *p, const wchar_t *s)
{
	static const struct pen plain = {-1, -1, false, false};

	do {
		long v = wcstol(s, NULL, 10);

		if (v == 0)
			*p = plain;
		else if (v == 1)
			p->bold = true;
		else if (v == 7)
			p->reverse = true;
		else if (v >= 30 && v <= 37)
			p->fg = (int)v - 30;
		else if (v == 39)
			p->fg = -1;
		else if (v >= 40 && v <= 47)
			p->bg = (int)v - 40;
		else if (v == 49)
			p->bg = -1;
		s = wcschr(s, L';');
	} while (s++);
}

static void put_char(wchar_t c)
{
	if (c == L' ') /* blanks in a row would be one */
		fputs("&#160;", stdout);
	else if (c == L'&')
		fputs("&amp;", stdout);
	else if (c == L'<')
		fputs("&lt;", stdout);
	else if (c == L'>')
		fputs("&gt;", stdout);
	else
		printf("%lc", (wint_t)c);
}

/* What was written with one pen: a box behind it, and the text in its place. */
static void put_run(const struct pen *p, const wchar_t *s, size_t n, int col, int cols, int row)
{
	const char *fg = p->fg < 0 ? TEXT : palette[p->fg], *bg = p->bg < 0 ? BACK : palette[p->bg];
	double x = EDGE + col * CELL_W, y = EDGE + row * CELL_H;
	bool blank = true;

	if (p->reverse) {
		const char *t = fg;

		fg = bg;
		bg = t;
	}
	for (size_t i = 0; i < n; i++)
		blank &= s[i] == L' ';
	if (strcmp(bg, BACK))
		printf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
		       x, y, cols * CELL_W, CELL_H, bg);
	if (blank)
		return;
	printf("<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\" "
	       "fill=\"%s\"%s>",
	       x, y + 13.5, cols * CELL_W, fg, p->bold ? " font-weight=\"bold\"" : "");
	for (size_t i = 0; i < n; i++)
		put_char(s[i]);
	puts("</text>");
}

static void put_line(struct pen *pen, wchar_t *s, int row)
{
	wchar_t *from = s;
	int col = 0, at = 0;

	for (;; s++) {
		wchar_t *end;

		if (*s && *s != L'\n' && *s != 27) {
			int w = wcwidth(*s);

			at += w > 0 ? w : 0;
			continue;
		}
		if (s > from)
			put_run(pen, from, (size_t)(s - from), col, at - col, row);
		if (*s != 27)
			return;
		end = wcschr(s, L'm');
		if (s[1] != L'[' || !end)
			return;
		*end = 0;
		set_pen(pen, s + 2);
		s = end;
		from = s + 1;
		col = at;
	}
}

int main(int argc, char **argv)
{
	struct pen pen = {-1, -1, false, false};
	wchar_t line[8192];
	int cols, rows;

	if (argc != 3 || (cols = atoi(argv[1])) < 1 || (rows = atoi(argv[2])) < 1) {
		fprintf(stderr, "usage: svg COLUMNS ROWS < screen > picture.svg\n");
		return 2;
	}
	setlocale(LC_ALL, "C.UTF-8");
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%d\" "
	       "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\" "
	       ">\n<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"%s\"/>\n",
	       cols * CELL_W + 2 * EDGE, rows * CELL_H + 2 * EDGE, BACK);
	for (int row = 0; row < rows && fgetws(line, 8192, stdin); row++)
		put_line(&pen, line, row);
	puts("</svg>");
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
