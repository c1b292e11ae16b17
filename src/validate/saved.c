/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "validate/report.h"
#include "validate/saved.h"

#define SAVED_VERSION 1

__attribute__((format(printf, 3, 4))) static int bad(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static const char *text_or(const json_t *obj, const char *key, const char *other)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : other;
}

static uint64_t number_or_0(const json_t *obj, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(obj, key));

	return v > 0 ? (uint64_t)v : 0;
}

static bool kernel_of(const char *word, enum e4d_vkernel *out)
{
	for (enum e4d_vkernel k = E4D_V_PASS; k <= E4D_V_SKIP; k++)
		if (word && !strcmp(word, e4d_vkernel_word(k))) {
			*out = k;
			return true;
		}
	return false;
}

static bool tool_of(const char *word, enum e4d_vtool *out)
{
	for (enum e4d_vtool t = E4D_V_UNASKED; t <= E4D_V_DISAGREES; t++)
		if (word && !strcmp(word, e4d_vtool_word(t))) {
			*out = t;
			return true;
		}
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct e4d_vsaved_case *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int take_case(struct e4d_vsaved *s, const json_t *one, char *why, size_t len)
{
	struct e4d_vsaved_case *c = &s->cases[s->count];

	c->name = text_or(one, "name", "");
	c->why = text_or(one, "why", "");
	c->at = s->count;
	if (!c->name[0])
		return bad(why, len, "case %zu has no name", s->count + 1);
	if (!kernel_of(text_or(one, "result", NULL), &c->kernel))
		return bad(why, len, "case %.80s has no result of pass, fail or skip", c->name);
	s->passed += c->kernel == E4D_V_PASS;
	s->failed += c->kernel == E4D_V_FAIL;
	s->skipped += c->kernel == E4D_V_SKIP;
	c->not_run = c->kernel == E4D_V_SKIP && json_is_true(json_object_get(one, "not_run"));
	s->not_run += c->not_run;
	s->count++;
	return 0;
}

static int take_cases(struct e4d_vsaved *s, const json_t *list, char *why, size_t len)
{
	int err = 0;

	s->cases = calloc(json_array_size(list) + 1, sizeof(*s->cases));
	if (!s->cases)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(list) && !err; i++)
		err = take_case(s, json_array_get(list, i), why, len);
	if (err)
		return err;
	qsort(s->cases, s->count, sizeof(*s->cases), by_name);
	for (size_t i = 1; i < s->count; i++)
		if (!by_name(&s->cases[i - 1], &s->cases[i]))
			return bad(why, len, "case %.80s is there twice", s->cases[i].name);
	return 0;
}

static int take(struct e4d_vsaved *s, char *why, size_t len)
{
	const json_t *root = s->root, *list = json_object_get(root, "cases"), *tracer;
	json_int_t version = json_integer_value(json_object_get(root, "version"));

	s->program = text_or(root, "program", "");
	if (strncmp(s->program, "ext4diotop ", 11) || !json_is_array(list))
		return bad(why, len, "not a result of 'ext4diotop validate --format json'");
	if (version != SAVED_VERSION)
		return bad(why, len, "version %lld of the format; this program reads %d",
		           (long long)version, SAVED_VERSION);
	s->kernel = text_or(root, "kernel", "?");
	s->dir = text_or(root, "dir", "?");
	s->device = text_or(root, "device", "?");
	s->blksize = number_or_0(root, "blksize");
	s->unit = number_or_0(root, "unit");
	tracer = json_object_get(root, "tracer");
	/* that nobody was asked is a word too: without one, no exit code would be honest */
	if (!tool_of(text_or(tracer, "result", NULL), &s->tool))
		return bad(why, len, "tracer has no result of unasked, agrees, blind or disagrees");
	s->tool_why = text_or(tracer, "why", "");
	return take_cases(s, list, why, len);
}

int e4d_vsaved_parse(struct e4d_vsaved *s, const char *text, size_t len, char *why, size_t why_len)
{
	json_error_t at;
	int err;

	memset(s, 0, sizeof(*s));
	s->root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
	if (!s->root && json_error_code(&at) == json_error_out_of_memory)
		return -ENOMEM;
	if (!s->root)
		return bad(why, why_len, "no JSON: line %d: %s", at.line, at.text);
	err = take(s, why, why_len);
	if (err)
		e4d_vsaved_free(s);
	return err;
}

/* Reads at most cap bytes; the number, or -errno. */
static ssize_t read_all(int fd, char *buf, size_t cap)
{
	size_t len = 0;
	ssize_t n = 1;

	while (len < cap && n) {
		n = read(fd, buf + len, cap - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)len;
}

/* A pipe has no size: what is read decides. */
int e4d_vsaved_read(struct e4d_vsaved *s, const char *path, char *why, size_t why_len)
{
	const size_t cap = E4D_V_SAVED_BYTES + 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t len = fd < 0 ? -errno : 0;
	char *text = NULL;
	int err;

	memset(s, 0, sizeof(*s));
	if (fd >= 0) {
		text = malloc(cap);
		len = text ? read_all(fd, text, cap) : -ENOMEM;
		close(fd);
	}
	if (len < 0) {
		err = (int)len;
		snprintf(why, why_len, "%s", strerror(-err));
	} else if ((size_t)len == cap) {
		err = bad(why, why_len, "longer than %llu MiB: not a result of validate",
		          E4D_V_SAVED_BYTES / WL_MIB);
	} else {
		err = e4d_vsaved_parse(s, text, (size_t)len, why, why_len);
	}
	free(text);
	return err;
}

const struct e4d_vsaved_case *e4d_vsaved_find(const struct e4d_vsaved *s, const char *name)
{
	const struct e4d_vsaved_case key = {.name = name};

	return s->count ? bsearch(&key, s->cases, s->count, sizeof(key), by_name) : NULL;
}

void e4d_vsaved_free(struct e4d_vsaved *s)
{
	json_decref(s->root);
	free(s->cases);
	memset(s, 0, sizeof(*s));
}
