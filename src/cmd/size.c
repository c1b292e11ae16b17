/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "cmd/size.h"
#include "util/log.h"

struct unit {
	const char *word;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{"K", 1ULL << 10}, {"M", 1ULL << 20}, {"G", 1ULL << 30}, {"T", 1ULL << 40}, {NULL, 0},
};

static const struct unit times[] = {
	{"ms", 1000000ULL}, {"s", 1000000000ULL}, {"min", 60000000000ULL}, {"h", 3600000000000ULL},
	{NULL, 0},
};

/* The number at the beginning of text, above 0, and what follows. */
static int parse_begin(const char *text, uint64_t *v, const char **rest)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 10);
	*rest = end;
	return errno || !isdigit((unsigned char)*text) || !*v ? -EINVAL : 0;
}

static int by_unit(const struct unit *units, const char *word, uint64_t *v)
{
	for (; units->word; units++)
		if (!strcasecmp(units->word, word))
			return __builtin_mul_overflow(*v, units->factor, v) ? -EINVAL : 0;
	return -EINVAL;
}

int e4d_parse_size(const char *option, const char *text, uint64_t *bytes)
{
	const char *rest;

	if (!parse_begin(text, bytes, &rest) && (!*rest || !by_unit(sizes, rest, bytes)))
		return 0;
	e4d_err("%s wants a size such as 512K, 64M or 1G, not '%s'", option, text);
	return -EINVAL;
}

int e4d_parse_size_or_time(const char *option, const char *text, uint64_t *bytes, uint64_t *ns)
{
	const char *rest;

	*bytes = *ns = 0;
	if (!parse_begin(text, bytes, &rest)) {
		*ns = *bytes;
		if (!by_unit(sizes, rest, bytes)) {
			*ns = 0;
			return 0;
		}
		if (!by_unit(times, rest, ns)) {
			*bytes = 0;
			return 0;
		}
	}
	e4d_err("%s wants a size such as 64M or 1G, or a time such as 60s, 10min or 1h, not '%s'",
	        option, text);
	return -EINVAL;
}

int e4d_parse_time(const char *option, const char *text, uint64_t *ns)
{
	const char *rest;

	if (!parse_begin(text, ns, &rest) && !by_unit(times, rest, ns))
		return 0;
	e4d_err("%s wants a time such as 500ms, 10s or 1min, not '%s'", option, text);
	return -EINVAL;
}

int e4d_parse_number(const char *option, const char *text, unsigned int *out)
{
	const char *rest;
	uint64_t v;

	if (parse_begin(text, &v, &rest) || *rest || v > INT_MAX) {
		e4d_err("%s wants a number above 0, not '%s'", option, text);
		return -EINVAL;
	}
	*out = (unsigned int)v;
	return 0;
}
