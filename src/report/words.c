/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Strings, times and sizes as the report prints them. */
#include <limits.h>
#include <string.h>

#include "record/fields.h"
#include "report/print.h"
#include "util/escape.h"

#define RING 16 /* a write has eight strings */
#define LONG (E4D_ESCAPE_TEXT_MAX * PATH_MAX + 1)

/* The next of the buffers: what was given out RING calls ago is gone. */
static char *next(void)
{
	static char ring[RING][LONG];
	static unsigned int at;

	return ring[at++ % RING];
}

const char *e4d_rtext(const char *s)
{
	char *buf = next();

	e4d_escape_text(buf, LONG, s, strlen(s));
	return buf;
}

const char *e4d_rtime(uint64_t real_ns)
{
	struct e4d_clock clock = {0};
	char *buf = next();

	e4d_clock_format(&clock, real_ns, buf);
	return buf;
}

struct unit {
	uint64_t size;
	const char *name;
};

static const struct unit lengths[] = {
	{86400ULL * 1000000000, "d"},
	{3600ULL * 1000000000, "h"},
	{60ULL * 1000000000, "min"},
	{1000000000, "s"},
	{1000000, "ms"},
	{1000, "us"},
	{1, "ns"},
};

static const struct unit sizes[] = {
	{1ULL << 60, "EiB"},
	{1ULL << 50, "PiB"},
	{1ULL << 40, "TiB"},
	{1ULL << 30, "GiB"},
	{1ULL << 20, "MiB"},
	{1ULL << 10, "KiB"},
	{1, "B"},
};

/* The largest unit of which v has one; the last where v is 0. */
static const struct unit *unit_of(const struct unit *u, uint64_t v)
{
	while (u->size > v && u->size > 1)
		u++;
	return u;
}

static const char *in_unit(const struct unit *units, uint64_t v)
{
	const struct unit *u = unit_of(units, v);
	double x = (double)v / (double)u->size;
	char *buf = next();

	snprintf(buf, LONG,
	         x < 10 && v % u->size ? "%.2f %s"
	         : v % u->size         ? "%.1f %s"
	                               : "%.0f %s",
	         x, u->name);
	return buf;
}

const char *e4d_rlength(uint64_t ns)
{
	return in_unit(lengths, ns);
}

const char *e4d_rbytes(uint64_t bytes)
{
	return in_unit(sizes, bytes);
}

const char *e4d_rbucket_name(unsigned int bucket, bool bytes)
{
	uint64_t from = bucket ? 1ULL << (bucket - 1) : 0;
	const struct unit *u = unit_of(bytes ? sizes : lengths, from);
	char *buf = next();

	/* 2^17 ns is 131 us: a whole number is enough to name a bucket */
	snprintf(buf, LONG, "%llu %s", (unsigned long long)(from / u->size), u->name);
	return buf;
}

const char *e4d_rfile(const char *path, uint32_t dev, uint64_t ino)
{
	char *buf;

	if (path)
		return e4d_rtext(path);
	buf = next();
	snprintf(buf, LONG, "dev %u:%u ino %llu", e4d_dev_major(dev), e4d_dev_minor(dev),
	         (unsigned long long)ino);
	return buf;
}

static const char *list(uint64_t bits, const struct e4d_names *names)
{
	char *buf = next(), *p = buf;

	*p = 0;
	for (; bits; bits &= bits - 1) {
		if (p > buf)
			*p++ = '+';
		p = stpcpy(p, e4d_name(names, (unsigned int)__builtin_ctzll(bits)));
	}
	return buf;
}

const char *e4d_rvalue(const struct e4d_field *f, const struct e4d_value *v)
{
	char *buf;

	if (v->kind == E4D_K_LIST)
		return list(v->u, f->names);
	if (f->names)
		return v->str;
	buf = next();
	if (v->kind == E4D_K_DEV)
		snprintf(buf, LONG, "%u:%u", e4d_dev_major((__u32)v->u),
		         e4d_dev_minor((__u32)v->u));
	else
		e4d_escape_text(buf, LONG, v->str, v->len);
	return buf;
}
