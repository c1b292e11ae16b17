/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Text to terms: field OP value[,value...], separated by whitespace. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/internal.h"

/* In the order of matching: the longer first. */
static const struct {
	const char *text;
	enum e4d_op op;
} ops[] = {
	{"!=", E4D_OP_NE}, {"<=", E4D_OP_LE}, {">=", E4D_OP_GE},  {"=", E4D_OP_EQ},
	{"<", E4D_OP_LT},  {">", E4D_OP_GT},  {"~", E4D_OP_GLOB},
};

int e4d_filter_fail(struct e4d_parse *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!p->errlen)
		return -EINVAL;
	n = snprintf(p->err, p->errlen, "filter, column %zu: ", (size_t)(p->mark - p->text) + 1);
	if (n > 0 && (size_t)n < p->errlen) {
		va_start(ap, fmt);
		vsnprintf(p->err + n, p->errlen - (size_t)n, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

static int parse_field(struct e4d_parse *p, struct e4d_term *t)
{
	size_t len = 0;
	char list[512];

	while (isalnum((unsigned char)p->at[len]) || p->at[len] == '_')
		len++;
	p->mark = p->at;
	t->field = e4d_field_find(p->at, len);
	if (t->field) {
		p->at += len;
		return 0;
	}
	e4d_field_list(list, sizeof(list));
	if (!len)
		return e4d_filter_fail(p, "a field name is missing before '%.1s'; fields: %s",
		                       p->at, list);
	return e4d_filter_fail(p, "no field '%.*s'; fields: %s", (int)(len < 64 ? len : 64), p->at,
	                       list);
}

static bool op_allowed(const struct e4d_field *f, enum e4d_op op)
{
	switch (op) {
	case E4D_OP_EQ:
	case E4D_OP_NE:
		return true;
	case E4D_OP_GLOB:
		return f->kind == E4D_K_STR || f->kind == E4D_K_LIST;
	default:
		return f->kind == E4D_K_U64 || f->kind == E4D_K_S64;
	}
}

static int parse_op(struct e4d_parse *p, struct e4d_term *t)
{
	const char *use;

	p->mark = p->at;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		size_t len = strlen(ops[i].text);

		if (strncmp(p->at, ops[i].text, len))
			continue;
		t->op = ops[i].op;
		p->at += len;
		if (op_allowed(t->field, t->op))
			return 0;
		use = op_allowed(t->field, E4D_OP_GLOB) ? "=, != or ~"
		      : op_allowed(t->field, E4D_OP_LT) ? "=, !=, <, <=, > or >="
		                                        : "= or !=";
		return e4d_filter_fail(p, "'%s' does not go with %s; use %s", ops[i].text,
		                       t->field->name, use);
	}
	return e4d_filter_fail(p, "an operator is missing after '%s'; use one of = != < <= > >= ~",
	                       t->field->name);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After a backslash in quotes: \" \\ and \xNN, as the text output shows bytes. */
static int parse_escape(struct e4d_parse *p, char *c)
{
	int hi, lo;

	p->mark = p->at - 1;
	if (*p->at == '"' || *p->at == '\\') {
		*c = *p->at++;
		return 0;
	}
	hi = *p->at == 'x' ? hex_digit(p->at[1]) : -1;
	lo = hi >= 0 ? hex_digit(p->at[2]) : -1;
	if (lo < 0)
		return e4d_filter_fail(p, "unknown escape; write \\\", \\\\ or \\xNN");
	if (!hi && !lo)
		return e4d_filter_fail(p, "a NUL byte cannot match; leave it out");
	p->at += 3;
	*c = (char)(hi << 4 | lo);
	return 0;
}

/* One alternative, quotes removed, into word (at least as long as the text). */
static int parse_word(struct e4d_parse *p, bool split, char *word, bool *quoted)
{
	const char *start = p->at, *quote = NULL;
	size_t n = 0;
	int err;

	*quoted = false;
	while (*p->at) {
		char c = *p->at;

		if (!quote && (isspace((unsigned char)c) || (split && c == ',')))
			break;
		p->at++;
		if (c == '"') {
			quote = quote ? NULL : p->at - 1;
			*quoted = true;
			continue;
		}
		if (quote && c == '\\') {
			err = parse_escape(p, &c);
			if (err)
				return err;
		}
		word[n++] = c;
	}
	word[n] = 0;
	p->mark = quote ? quote : start;
	if (quote)
		return e4d_filter_fail(p, "this quote is not closed; add '\"'");
	if (!n)
		return e4d_filter_fail(p, "a value is missing; write field=value, no spaces around "
		                          "the operator (null for none)");
	return 0;
}

static int parse_values(struct e4d_parse *p, struct e4d_term *t)
{
	bool split = t->op == E4D_OP_EQ || t->op == E4D_OP_NE, quoted;
	char word[E4D_FILTER_MAX + 1];
	int err;

	do {
		struct e4d_operand *val;

		if (t->count)
			p->at++; /* the comma */
		err = parse_word(p, split, word, &quoted);
		if (err)
			return err;
		val = reallocarray(t->val, t->count + 1, sizeof(*val));
		if (!val)
			return -ENOMEM;
		t->val = val;
		memset(&val[t->count], 0, sizeof(*val));
		err = e4d_filter_operand(p, t, word, quoted, &val[t->count]);
		if (err)
			return err;
		t->count++;
	} while (*p->at == ',');
	return 0;
}

static int parse_terms(struct e4d_parse *p, struct e4d_filter *f)
{
	int err;

	for (;;) {
		struct e4d_term *t;
		const char *start;

		while (isspace((unsigned char)*p->at))
			p->at++;
		if (!*p->at)
			return 0;
		t = reallocarray(f->term, f->count + 1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		f->term = t;
		t += f->count++;
		memset(t, 0, sizeof(*t));
		start = p->at;
		err = parse_field(p, t);
		if (!err)
			err = parse_op(p, t);
		if (!err)
			err = parse_values(p, t);
		if (err)
			return err;
		t->text = strndup(start, (size_t)(p->at - start));
		if (!t->text)
			return -ENOMEM;
	}
}

int e4d_filter_parse(const char *text, struct e4d_filter **out, char *err, size_t errlen)
{
	struct e4d_parse p = {text, text, text, err, errlen};
	struct e4d_filter *f;
	int ret;

	*out = NULL;
	if (errlen)
		err[0] = 0;
	if (strnlen(text, E4D_FILTER_MAX + 1) > E4D_FILTER_MAX) {
		p.mark = text + E4D_FILTER_MAX;
		return e4d_filter_fail(&p, "longer than %d bytes; give several --filter",
		                       E4D_FILTER_MAX);
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->text = strdup(text);
	ret = f->text ? parse_terms(&p, f) : -ENOMEM;
	if (!ret && !f->count)
		ret = e4d_filter_fail(&p, "empty; write for example dev=sda1 verdict=leak");
	if (ret) {
		e4d_filter_free(f);
		if (ret == -ENOMEM && errlen)
			snprintf(err, errlen, "filter: out of memory; free some and try again");
		return ret;
	}
	e4d_filter_mark(f);
	*out = f;
	return 0;
}

int e4d_filter_add(struct e4d_filter *f, const char *text, char *err, size_t errlen)
{
	struct e4d_filter *more;
	struct e4d_term *term;
	char *both;
	int ret = e4d_filter_parse(text, &more, err, errlen);

	if (ret)
		return ret;
	term = reallocarray(f->term, f->count + more->count, sizeof(*term));
	if (term)
		f->term = term;
	if (!term || asprintf(&both, "%s %s", f->text, more->text) < 0) {
		e4d_filter_free(more);
		return -ENOMEM;
	}
	free(f->text);
	f->text = both;
	memcpy(term + f->count, more->term, more->count * sizeof(*term));
	f->count += more->count;
	more->count = 0; /* the values have moved */
	e4d_filter_free(more);
	e4d_filter_mark(f);
	return 0;
}
