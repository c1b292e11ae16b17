/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include "util/escape.h"
#include "view/text.h"

#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))

static void scaled(char *out, double v, double base, const char *units)
{
	int unit = 0;

	if (v > 0 && v < 0.05) { /* seldom is not never */
		strcpy(out, "<0.1");
		return;
	}
	while (v >= 9999.5 && units[unit + 1]) {
		v /= base;
		unit++;
	}
	if (!unit)
		snprintf(out, E4D_FIGURE_MAX, v < 10 && v != floor(v) ? "%.1f" : "%.0f", v);
	else
		snprintf(out, E4D_FIGURE_MAX, v < 99.95 ? "%.1f%c" : "%.0f%c", v, units[unit]);
}

static void duration(char *out, double ns)
{
	static const struct {
		double ns;
		const char *unit;
	} table[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
	unsigned long long s = (unsigned long long)(ns / 1e9);

	if (s >= 100 * 3600ULL) {
		snprintf(out, E4D_FIGURE_MAX, "%llud", s / 86400);
	} else if (s >= 3600) {
		snprintf(out, E4D_FIGURE_MAX, "%lluh%02llum", s / 3600, s / 60 % 60);
	} else if (s >= 100) {
		snprintf(out, E4D_FIGURE_MAX, "%llum%02llus", s / 60, s % 60);
	} else {
		for (size_t i = 0; i < ARRAY(table); i++) {
			double v = ns / table[i].ns;

			if (v < 1)
				continue;
			snprintf(out, E4D_FIGURE_MAX, v < 9.95 ? "%.1f%s" : "%.0f%s", v,
			         table[i].unit);
			return;
		}
		snprintf(out, E4D_FIGURE_MAX, "%.0fns", ns);
	}
}

void e4d_figure(char out[E4D_FIGURE_MAX], enum e4d_figure_kind kind, enum e4d_units units, double v)
{
	switch (kind) {
	case E4D_FIG_NS:
		duration(out, v);
		return;
	case E4D_FIG_PERCENT:
		snprintf(out, E4D_FIGURE_MAX, v > 0 && v < 0.95 ? "<1%%" : "%.0f%%", v);
		return;
	case E4D_FIG_PLAIN:
		snprintf(out, E4D_FIGURE_MAX, "%.0f", v);
		return;
	case E4D_FIG_COUNT:
	case E4D_FIG_BYTES:
		break;
	}
	if (units == E4D_UNITS_EXACT)
		scaled(out, v, 1, " ");
	else if (units == E4D_UNITS_1024 && kind == E4D_FIG_BYTES)
		scaled(out, v, 1024, " KMGTPE");
	else
		scaled(out, v, 1000, " kMGTPE");
}

void e4d_time_of_day(int64_t boot_to_real_ns, uint64_t boot_ns, char *out, size_t len)
{
	time_t t = (time_t)(((int64_t)boot_ns + boot_to_real_ns) / 1000000000);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, len, "%H:%M:%S", &tm);
}

size_t e4d_view_unit(const char *s, size_t len, bool utf8, char *out, size_t *outlen,
                     unsigned int *cols)
{
	size_t used = e4d_text_unit(s, len, out, outlen, cols);
	__u32 cp = 0;
	int width;

	/* ASCII, or shown by ASCII */
	if (!((unsigned char)out[0] & 0x80))
		return used;
	e4d_utf8_decode(s, len, &cp);
	width = utf8 ? wcwidth((wchar_t)cp) : -1;
	if (width >= 0) {
		*cols = (unsigned int)width;
		return used;
	}
	/* its other bytes are no character by themselves: they follow one by one */
	return e4d_text_unit(s, 1, out, outlen, cols);
}

size_t e4d_view_cols(const char *s, size_t len, bool utf8)
{
	char unit[E4D_TEXT_UNIT_MAX];
	size_t total = 0, n;
	unsigned int cols;

	for (size_t i = 0; i < len; total += cols)
		i += e4d_view_unit(s + i, len - i, utf8, unit, &n, &cols);
	return total;
}

struct fit {
	char *dst;
	size_t cap, len, cols;
	bool utf8;
};

/* Appends what fits of s, whole units only. */
static void fit_put(struct fit *f, const char *s, size_t len, size_t cols)
{
	char unit[E4D_TEXT_UNIT_MAX];
	unsigned int w;
	size_t n, used = 0;

	for (size_t i = 0; i < len; used += w) {
		i += e4d_view_unit(s + i, len - i, f->utf8, unit, &n, &w);
		if (used + w > cols || n >= f->cap - f->len)
			break;
		memcpy(f->dst + f->len, unit, n);
		f->len += n;
		f->cols += w;
	}
}

/* Where the part of s begins that takes at most cols columns to its end. */
static size_t tail_of(const char *s, size_t len, size_t total, size_t cols, bool utf8)
{
	char unit[E4D_TEXT_UNIT_MAX];
	unsigned int w;
	size_t i = 0, n;

	while (i < len && total > cols) {
		i += e4d_view_unit(s + i, len - i, utf8, unit, &n, &w);
		total -= w;
	}
	return i;
}

size_t e4d_view_fit(char *dst, size_t cap, const char *s, size_t cols, bool middle, bool utf8)
{
	struct fit f = {.dst = dst, .cap = cap, .utf8 = utf8};
	size_t len = strlen(s), total, from;

	if (!cap)
		return 0;
	total = e4d_view_cols(s, len, utf8);
	if (total <= cols) {
		fit_put(&f, s, len, cols);
	} else if (!middle || cols < 6) {
		if (cols)
			fit_put(&f, s, len, cols - 1);
		if (cols)
			fit_put(&f, "+", 1, 1);
	} else {
		/* the end of a path tells more than its beginning */
		fit_put(&f, s, len, (cols - 2) / 3);
		fit_put(&f, utf8 ? "\u2026" : "..", utf8 ? 3 : 2, 2);
		from = tail_of(s, len, total, cols - f.cols, utf8);
		fit_put(&f, s + from, len - from, cols - f.cols);
	}
	dst[f.len] = 0;
	return f.cols;
}

void e4d_spark(char *dst, size_t cap, const double *v, size_t n, bool utf8)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};
	double most = 0;
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		most = v[i] > most ? v[i] : most;
	for (size_t i = 0; i < n; i++) {
		int step = most > 0 ? (int)ceil(v[i] * 8 / most) : 0;
		const char *c = utf8 ? blocks[step] : ascii[step];
		size_t len = strlen(c);

		if (len >= cap - at)
			break;
		memcpy(dst + at, c, len);
		at += len;
	}
	dst[at] = 0;
}
