/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Values of a filter's terms: numbers with units, words, devices. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "filter/internal.h"

struct suffix {
	const char *text;
	__u64 factor;
};

static const struct suffix size_suffixes[] = {
	{"", 1},           {"K", 1ULL << 10}, {"M", 1ULL << 20},
	{"G", 1ULL << 30}, {"T", 1ULL << 40}, {NULL, 0},
};

static const struct suffix time_suffixes[] = {
	{"", 1}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0},
};

static const struct suffix no_suffixes[] = {{"", 1}, {NULL, 0}};

static const char *unit_help(const struct e4d_field *f)
{
	return f->unit == E4D_U_BYTES ? "a whole number with K, M, G or T, such as 64K"
	       : f->unit == E4D_U_NS  ? "a whole number with ns, us, ms or s, such as 10ms"
	                              : "a whole number";
}

static int too_large(struct e4d_parse *p, const struct e4d_field *f, const char *word, __u64 max)
{
	return e4d_filter_fail(p, "'%.40s' is too large; %s holds at most %llu", word, f->name,
	                       max);
}

/* Digits and a suffix, without a sign. */
static int parse_number(struct e4d_parse *p, const struct e4d_field *f, const char *word,
                        __u64 *out)
{
	const struct suffix *s = no_suffixes;
	const char *at = word;
	__u64 v = 0;

	if (f->unit == E4D_U_BYTES)
		s = size_suffixes;
	else if (f->unit == E4D_U_NS)
		s = time_suffixes;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *at - '0', &v))
			return too_large(p, f, word, ~0ULL);
	while (at != word && s->text && strcasecmp(s->text, at))
		s++;
	if (at == word || !s->text)
		return e4d_filter_fail(p, "'%.40s' is no value for %s; write %s", word, f->name,
		                       unit_help(f));
	if (__builtin_mul_overflow(v, s->factor, out))
		return too_large(p, f, word, ~0ULL);
	return 0;
}

/* A signed number; an errno may be written by name: -EFAULT. */
static int parse_signed(struct e4d_parse *p, const struct e4d_field *f, const char *word,
                        __s64 *out)
{
	bool minus = word[0] == '-';
	__u64 v;
	int err;

	if (minus && word[1] == 'E') {
		for (int e = 1; e < 4096; e++) {
			const char *name = strerrorname_np(e);

			if (name && !strcmp(name, word + 1)) {
				*out = -e;
				return 0;
			}
		}
		return e4d_filter_fail(p, "no error '%.40s'; write its number, such as -14",
		                       word + 1);
	}
	err = parse_number(p, f, word + minus, &v);
	if (err)
		return err;
	if (v > INT64_MAX)
		return too_large(p, f, word, INT64_MAX);
	*out = minus ? -(__s64)v : (__s64)v;
	return 0;
}

static int parse_word_value(struct e4d_parse *p, const struct e4d_field *f, const char *word,
                            __u64 *out)
{
	int v = e4d_name_value(f->names, word, strlen(word));
	char list[256];

	if (v >= 0) {
		*out = (__u64)v;
		return 0;
	}
	e4d_name_list(f->names, list, sizeof(list));
	return e4d_filter_fail(p, "%s has no '%.40s'; one of: %s", f->name, word, list);
}

static int parse_str(struct e4d_parse *p, const struct e4d_term *t, const char *word,
                     struct e4d_operand *out)
{
	const struct e4d_field *f = t->field;
	__u64 unused;
	int err;

	if (f->names && t->op != E4D_OP_GLOB) {
		err = parse_word_value(p, f, word, &unused);
		if (err)
			return err;
	}
	if (!strcmp(f->name, "comm") && t->op != E4D_OP_GLOB && strlen(word) >= E4D_COMM_LEN)
		return e4d_filter_fail(p, "a comm holds %d bytes; write comm=%.*s",
		                       E4D_COMM_LEN - 1, E4D_COMM_LEN - 1, word);
	out->str = strdup(word);
	return out->str ? 0 : -ENOMEM;
}

static int dev_numbers(const char *word, __u32 *dev)
{
	unsigned long ma, mi;
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return -ENOENT;
	ma = strtoul(word, &end, 10);
	if (*end != ':' || !isdigit((unsigned char)end[1]))
		return -ENOENT;
	mi = strtoul(end + 1, &end, 10);
	if (*end)
		return -ENOENT;
	if (ma > 0xfff || mi > 0xfffff)
		return -ERANGE;
	*dev = (__u32)(ma << 20 | mi);
	return 0;
}

/* /sys/class/block/NAME/dev: where /dev has no node (containers). */
static int dev_sysfs(const char *name, __u32 *dev)
{
	char path[300], buf[32];
	ssize_t n;
	int fd;

	if (strlen(name) > 255 || strchr(name, '/') || name[0] == '.')
		return -ENOENT;
	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -ENOENT;
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return dev_numbers(buf, dev);
}

/*
 * Is something mounted there? A directory where nothing is (yet) would mean another file
 * system than the one that is meant.
 */
static bool is_mount_point(const char *path, const struct stat *st)
{
	char up[E4D_FILTER_MAX + 16];
	struct statx stx;
	struct stat parent;

	if (!statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, 0, &stx) &&
	    (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)) /* from 5.8 on */
		return stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	snprintf(up, sizeof(up), "%s/..", path);
	return stat(up, &parent) || parent.st_dev != st->st_dev || parent.st_ino == st->st_ino;
}

int e4d_filter_dev(const char *word, __u32 *dev)
{
	char path[E4D_FILTER_MAX + 8];
	struct stat st;
	int err = dev_numbers(word, dev);

	if (err != -ENOENT)
		return err;
	snprintf(path, sizeof(path), "%s%s", word[0] == '/' ? "" : "/dev/", word);
	if (!stat(path, &st) && S_ISBLK(st.st_mode)) {
		*dev = (__u32)(major(st.st_rdev) << 20 | minor(st.st_rdev));
		return 0;
	}
	if (word[0] != '.' && !strchr(word, '/')) /* a name alone is a device's */
		return dev_sysfs(word, dev);
	if (!strncmp(word, "/dev/", 5) && !dev_sysfs(word + 5, dev))
		return 0;
	if (stat(word, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTBLK;
	if (!is_mount_point(word, &st))
		return -EXDEV;
	*dev = (__u32)(major(st.st_dev) << 20 | minor(st.st_dev));
	return 0;
}

static int parse_dev(struct e4d_parse *p, const char *word, struct e4d_operand *out)
{
	__u32 dev;
	int err = e4d_filter_dev(word, &dev);

	if (!err) {
		out->u = dev;
		return 0;
	}
	if (err == -EXDEV)
		return e4d_filter_fail(p,
		                       "nothing is mounted on %.200s; write the mount point or "
		                       "the device (df %.200s)",
		                       word, word);
	return e4d_filter_fail(p,
	                       "no device '%.100s' (%s); write major:minor, a name as in lsblk, "
	                       "or a mount point",
	                       word, strerror(-err));
}

static int parse_bool(struct e4d_parse *p, const struct e4d_field *f, const char *word,
                      struct e4d_operand *out)
{
	out->u = !strcmp(word, "true");
	if (out->u || !strcmp(word, "false"))
		return 0;
	return e4d_filter_fail(p, "'%.40s' is no value for %s; write true, false or null", word,
	                       f->name);
}

int e4d_filter_operand(struct e4d_parse *p, const struct e4d_term *t, const char *word, bool quoted,
                       struct e4d_operand *out)
{
	const struct e4d_field *f = t->field;

	if (!quoted && f->nullable && t->op != E4D_OP_GLOB && !strcmp(word, "null")) {
		out->null = true;
		if (t->op == E4D_OP_EQ || t->op == E4D_OP_NE)
			return 0;
		return e4d_filter_fail(p, "null has no order; write %s=null or %s!=null", f->name,
		                       f->name);
	}
	switch ((enum e4d_kind)f->kind) {
	case E4D_K_U64:
		if (word[0] == '-')
			return e4d_filter_fail(p, "%s is never negative; write %s", f->name,
			                       unit_help(f));
		return parse_number(p, f, word, &out->u);
	case E4D_K_S64:
		return parse_signed(p, f, word, &out->s);
	case E4D_K_STR:
		return parse_str(p, t, word, out);
	case E4D_K_LIST:
		if (t->op == E4D_OP_GLOB)
			return parse_str(p, t, word, out);
		return parse_word_value(p, f, word, &out->u);
	case E4D_K_BOOL:
		return parse_bool(p, f, word, out);
	case E4D_K_DEV:
		return parse_dev(p, word, out);
	case E4D_K_TIME:
		return e4d_filter_fail(p, "%s cannot be filtered; use ts_ns (time since boot)",
		                       f->name);
	}
	return -EINVAL;
}
