/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The one table of the record's fields, in the order of every output. JSON,
 * CSV, the filter and later formats walk it: a new field is a new row.
 */
#ifndef E4D_FIELDS_H
#define E4D_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "record.h"
#include "record/names.h"
#include "util/clock.h"

enum e4d_kind {
	E4D_K_U64,
	E4D_K_S64,
	E4D_K_STR,  /* bytes that anybody may have chosen; or an enum's word */
	E4D_K_LIST, /* words of a bit set */
	E4D_K_BOOL,
	E4D_K_DEV,  /* "major:minor" */
	E4D_K_TIME, /* u: CLOCK_BOOTTIME ns, printed as RFC 3339 */
};

enum e4d_unit { E4D_U_NONE, E4D_U_BYTES, E4D_U_NS };

/* A field of one record; str points into the record, the path or a table. */
struct e4d_value {
	enum e4d_kind kind;
	const char *str;
	size_t len;
	union {
		__u64 u; /* U64, TIME; LIST: the bits; BOOL: 0 or 1; DEV: dev_t */
		__s64 s; /* S64 */
	};
};

struct e4d_field {
	const char *name;
	char key[24]; /* ,"name":  ready to be copied as a whole */
	__u8 key_len;
	__u8 kind;  /* enum e4d_kind */
	__u8 unit;  /* enum e4d_unit */
	__u8 width; /* bytes in the record; 0: only get() knows */
	__u16 off;  /* offset in the record */
	__u16 seen; /* null unless these bits of `seen` are set; 0: never null */
	bool nullable;
	const struct e4d_names *names; /* enum words (STR) or list words (LIST) */
	bool (*get)(const struct e4d_record *rec, const char *path, struct e4d_value *v);
};

#define E4D_FIELD_COUNT 36
extern const struct e4d_field e4d_fields[E4D_FIELD_COUNT];

/* The row of a name of len bytes, NULL when there is none. */
const struct e4d_field *e4d_field_find(const char *name, size_t len);

/* Writes all names to buf, separated by spaces; truncated to size. */
void e4d_field_list(char *buf, size_t size);

static inline __u64 e4d_field_load(const void *p, unsigned int width)
{
	switch (width) {
	case 1:
		return *(const __u8 *)p;
	case 2:
		return *(const __u16 *)p;
	case 4:
		return *(const __u32 *)p;
	default:
		return *(const __u64 *)p;
	}
}

static inline __s64 e4d_field_load_signed(const void *p, unsigned int width)
{
	switch (width) {
	case 1:
		return *(const __s8 *)p;
	case 2:
		return *(const __s16 *)p;
	case 4:
		return *(const __s32 *)p;
	default:
		return *(const __s64 *)p;
	}
}

/*
 * Reads a field of rec (path: NULL when it was not resolved) into v. Returns
 * false when it is null; v->kind is set in any case.
 */
static inline bool e4d_field_get(const struct e4d_field *f, const struct e4d_record *rec,
                                 const char *path, struct e4d_value *v)
{
	const char *p = (const char *)rec + f->off;

	v->kind = (enum e4d_kind)f->kind;
	if (f->seen && (rec->seen & f->seen) != f->seen)
		return false;
	if (f->get)
		return f->get(rec, path, v);
	if (f->kind == E4D_K_S64) {
		v->s = e4d_field_load_signed(p, f->width);
		return true;
	}
	v->u = e4d_field_load(p, f->width);
	if (f->kind == E4D_K_STR) {
		v->str = e4d_name(f->names, (unsigned int)v->u);
		v->len = strlen(v->str);
	}
	return true;
}

/* Kernel dev_t, as the record stores it. */
static inline __u32 e4d_dev_major(__u32 dev)
{
	return dev >> 20;
}

static inline __u32 e4d_dev_minor(__u32 dev)
{
	return dev & 0xfffff;
}

#endif
