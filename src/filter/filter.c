/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filter/internal.h"

/* comm is not terminated when it is full, and fnmatch wants a string. */
static const char *terminated(const struct e4d_value *v, char buf[E4D_COMM_LEN + 1])
{
	if (v->str[v->len] == 0)
		return v->str;
	memcpy(buf, v->str, v->len);
	buf[v->len] = 0;
	return buf;
}

static bool str_equal(const struct e4d_term *t, const struct e4d_operand *o,
                      const struct e4d_value *v, const char *str)
{
	/* a path is compared as a pattern in any case; flags 0: "*" crosses "/" */
	if (t->op == E4D_OP_GLOB || (!t->field->names && !t->field->width && t->field->nullable))
		return fnmatch(o->str, str, 0) == 0;
	return strlen(o->str) == v->len && !memcmp(o->str, v->str, v->len);
}

static bool list_equal(const struct e4d_term *t, const struct e4d_operand *o, __u64 bits)
{
	if (t->op != E4D_OP_GLOB)
		return bits >> o->u & 1;
	for (; bits; bits &= bits - 1)
		if (!fnmatch(o->str, e4d_name(t->field->names, (unsigned int)__builtin_ctzll(bits)),
		             0))
			return true;
	return false;
}

/* Is any of the term's alternatives equal to v (NULL: the field is null)? */
static bool equal_any(const struct e4d_term *t, const struct e4d_value *v)
{
	char buf[E4D_COMM_LEN + 1];
	const char *str = v && v->kind == E4D_K_STR ? v->str : NULL;

	if (str && !t->field->width && !t->field->nullable)
		str = terminated(v, buf);
	for (unsigned int i = 0; i < t->count; i++) {
		const struct e4d_operand *o = &t->val[i];

		if (o->null || !v) {
			if (o->null && !v)
				return true;
			continue;
		}
		if (v->kind == E4D_K_STR    ? str_equal(t, o, v, str)
		    : v->kind == E4D_K_LIST ? list_equal(t, o, v->u)
		                            : o->u == v->u)
			return true;
	}
	return false;
}

static bool compare(const struct e4d_term *t, const struct e4d_value *v)
{
	const struct e4d_operand *o = &t->val[0];
	bool is_signed = v->kind == E4D_K_S64;
	bool less = is_signed ? v->s < o->s : v->u < o->u;
	bool more = is_signed ? v->s > o->s : v->u > o->u;

	switch (t->op) {
	case E4D_OP_LT:
		return less;
	case E4D_OP_LE:
		return !more;
	case E4D_OP_GT:
		return more;
	default:
		return !less;
	}
}

static bool term_match(const struct e4d_term *t, const struct e4d_record *rec, const char *path)
{
	struct e4d_value v;
	bool have = e4d_field_get(t->field, rec, path, &v);

	switch (t->op) {
	case E4D_OP_EQ:
	case E4D_OP_GLOB:
		return equal_any(t, have ? &v : NULL);
	case E4D_OP_NE:
		/* null is neither equal nor unequal: it never matches here */
		return have && !equal_any(t, &v);
	default:
		return have && compare(t, &v);
	}
}

bool e4d_filter_match(const struct e4d_filter *f, const struct e4d_record *rec, const char *path)
{
	for (unsigned int i = 0; f && i < f->count; i++)
		if (!term_match(&f->term[i], rec, path))
			return false;
	return true;
}

bool e4d_filter_match_rest(const struct e4d_filter *f, const struct e4d_record *rec,
                           const char *path)
{
	for (unsigned int i = 0; f && i < f->count; i++)
		if (!f->term[i].pushed && !term_match(&f->term[i], rec, path))
			return false;
	return true;
}

const char *e4d_filter_rest(const struct e4d_filter *f, unsigned int n)
{
	for (unsigned int i = 0; f && i < f->count; i++)
		if (!f->term[i].pushed && !n--)
			return f->term[i].text;
	return NULL;
}

static bool asks_for(const struct e4d_filter *f, const char *field)
{
	for (unsigned int i = 0; f && i < f->count; i++)
		if (!strcmp(f->term[i].field->name, field))
			return true;
	return false;
}

bool e4d_filter_needs_path(const struct e4d_filter *f)
{
	return asks_for(f, "path");
}

bool e4d_filter_needs_comm(const struct e4d_filter *f)
{
	return asks_for(f, "comm");
}

const char *e4d_filter_text(const struct e4d_filter *f)
{
	return f ? f->text : "";
}

static void push_comm(const char *name, struct e4d_config *cfg)
{
	size_t len = strnlen(name, E4D_COMM_LEN - 1);

	memcpy(cfg->comm, name, len);
	memset(cfg->comm_mask, 0xff, len + 1);
}

void e4d_filter_pushdown(const struct e4d_filter *f, struct e4d_config *cfg)
{
	for (unsigned int i = 0; f && i < f->count; i++) {
		const struct e4d_term *t = &f->term[i];
		const char *name = t->field->name;
		__u64 u;

		if (t->op != E4D_OP_EQ || t->count != 1 || t->val[0].null)
			continue;
		u = t->val[0].u;
		if (!strcmp(name, "dev") && !cfg->dev)
			cfg->dev = (__u32)u;
		else if (!strcmp(name, "ino") && !cfg->ino)
			cfg->ino = u;
		else if (!strcmp(name, "pid") && !cfg->tgid && u <= UINT32_MAX)
			cfg->tgid = (__u32)u;
		else if (!strcmp(name, "comm") && !cfg->comm_mask[0])
			push_comm(t->val[0].str, cfg);
		else if (!strcmp(name, "flags") && 1u << u == E4D_F_EXTEND)
			cfg->extend_only = 1;
	}
}

/* Each term by itself: it is taken if it changes what was taken before. */
void e4d_filter_mark(struct e4d_filter *f)
{
	struct e4d_config cfg, before;

	memset(&cfg, 0, sizeof(cfg));
	for (unsigned int i = 0; i < f->count; i++) {
		struct e4d_filter one = {.count = 1, .term = &f->term[i]};

		memcpy(&before, &cfg, sizeof(cfg));
		e4d_filter_pushdown(&one, &cfg);
		f->term[i].pushed = memcmp(&before, &cfg, sizeof(cfg)) != 0;
	}
}

void e4d_filter_free(struct e4d_filter *f)
{
	if (!f)
		return;
	for (unsigned int i = 0; i < f->count; i++) {
		for (unsigned int j = 0; j < f->term[i].count; j++)
			free(f->term[i].val[j].str);
		free(f->term[i].val);
		free(f->term[i].text);
	}
	free(f->term);
	free(f->text);
	free(f);
}
