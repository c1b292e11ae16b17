/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/span.h"

#define NSEC 1000000000ULL

/* Exactly n digits, within [least, most]. */
static bool take(const char **s, int n, int least, int most, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return v >= least && v <= most;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.fraction */
static bool take_clock(const char **s, struct tm *tm, uint32_t *ns)
{
	uint32_t unit = NSEC / 10;

	tm->tm_sec = 0;
	*ns = 0;
	if (!take(s, 2, 0, 23, &tm->tm_hour) || !skip(s, ':') || !take(s, 2, 0, 59, &tm->tm_min))
		return false;
	if (!skip(s, ':'))
		return true;
	if (!take(s, 2, 0, 60, &tm->tm_sec))
		return false;
	if (!skip(s, '.'))
		return true;
	if (!isdigit((unsigned char)**s))
		return false;
	for (; isdigit((unsigned char)**s); (*s)++, unit /= 10)
		*ns += (uint32_t)(**s - '0') * unit;
	return true;
}

/* Z, +HH:MM or nothing: local. Seconds since the epoch, -1 where the text is wrong. */
static time_t take_zone(const char **s, struct tm *tm)
{
	int sign = **s == '-' ? -1 : 1, hours, minutes;

	if (!**s) {
		tm->tm_isdst = -1;
		return mktime(tm);
	}
	if (skip(s, 'Z') || skip(s, 'z'))
		return timegm(tm);
	if (!skip(s, '+') && !skip(s, '-'))
		return -1;
	if (!take(s, 2, 0, 23, &hours) || !skip(s, ':') || !take(s, 2, 0, 59, &minutes))
		return -1;
	return timegm(tm) - sign * (hours * 3600 + minutes * 60);
}

static int parse_date(const char *s, uint64_t *out)
{
	struct tm tm = {0};
	uint32_t ns;
	time_t t;

	if (!take(&s, 4, 1970, 2500, &tm.tm_year) || !skip(&s, '-') ||
	    !take(&s, 2, 1, 12, &tm.tm_mon) || !skip(&s, '-') || !take(&s, 2, 1, 31, &tm.tm_mday))
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if ((!skip(&s, 'T') && !skip(&s, 't') && !skip(&s, ' ')) || !take_clock(&s, &tm, &ns))
		return -EINVAL;
	t = take_zone(&s, &tm);
	if (t < 0 || *s)
		return -EINVAL;
	*out = (uint64_t)t * NSEC + ns;
	return 0;
}

/* The wall clock's time on the local day of `at`, that many days later. */
static uint64_t on_day(uint64_t at, int days, const struct tm *wall, uint32_t ns)
{
	time_t t = (time_t)(at / NSEC);
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_hour = wall->tm_hour;
	tm.tm_min = wall->tm_min;
	tm.tm_sec = wall->tm_sec;
	tm.tm_mday += days;
	tm.tm_isdst = -1;
	t = mktime(&tm);
	return t < 0 ? 0 : (uint64_t)t * NSEC + ns;
}

static int parse_clock(const char *s, uint64_t first, uint64_t last, uint64_t *out)
{
	struct tm tm = {0};
	uint64_t before;
	uint32_t ns;

	if (!take_clock(&s, &tm, &ns) || *s)
		return -EINVAL;
	*out = on_day(last, 0, &tm, ns);
	before = on_day(last, -1, &tm, ns);
	if (*out > last && before >= first)
		*out = before;
	return 0;
}

static int parse_back(const char *s, uint64_t last, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"ms", NSEC / 1000}, {"s", NSEC},         {"m", 60 * NSEC},
		{"h", 3600 * NSEC},  {"d", 86400 * NSEC},
	};
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	n = strtoull(s, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t back;

		if (errno || strcmp(end, units[i].name))
			continue;
		if (__builtin_mul_overflow(n, units[i].ns, &back) || back > last)
			back = last;
		*out = last - back;
		return 0;
	}
	return -EINVAL;
}

int e4d_span_parse(const char *text, uint64_t first, uint64_t last, uint64_t *out)
{
	if (*text == '-')
		return parse_back(text + 1, last, out);
	if (strlen(text) > 2 && text[2] == ':')
		return parse_clock(text, first, last, out);
	return parse_date(text, out);
}
