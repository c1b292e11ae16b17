/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <stdio.h>

#include "record/fields.h"

static bool get_path(const struct e4d_record *rec, const char *path, struct e4d_value *v)
{
	(void)rec;
	if (!path)
		return false;
	v->str = path;
	v->len = strlen(path);
	return true;
}

static bool get_comm(const struct e4d_record *rec, const char *path, struct e4d_value *v)
{
	(void)path;
	v->str = rec->comm;
	v->len = strnlen(rec->comm, sizeof(rec->comm));
	return true;
}

static bool get_blksize(const struct e4d_record *rec, const char *path, struct e4d_value *v)
{
	(void)path;
	v->u = 1ULL << (rec->blkbits & 63);
	return true;
}

static bool get_orphan(const struct e4d_record *rec, const char *path, struct e4d_value *v)
{
	(void)path;
	v->u = !!(rec->flags & E4D_F_ORPHAN);
	return true;
}

static bool get_flags(const struct e4d_record *rec, const char *path, struct e4d_value *v)
{
	(void)path;
	v->u = rec->flags & ((1u << E4D_FLAG_COUNT) - 1) & ~(__u32)E4D_F_ORPHAN;
	return true;
}

static bool get_doubt(const struct e4d_record *rec, const char *path, struct e4d_value *v)
{
	(void)path;
	v->u = rec->doubt & ((1u << E4D_DOUBT_COUNT) - 1);
	return true;
}

#define R       struct e4d_record
#define KEY(n)  .name = n, .key = ",\"" n "\":", .key_len = sizeof(n) + 3
#define AT(m)   .off = offsetof(R, m), .width = sizeof(((R *)0)->m)
#define SEEN(s) .seen = E4D_SEEN_##s, .nullable = true
#define BYTES   .unit = E4D_U_BYTES
#define NS      .unit = E4D_U_NS
#define U(m, ...)                                                                                  \
	{                                                                                          \
		KEY(#m), .kind = E4D_K_U64, AT(m), ##__VA_ARGS__                                   \
	}
#define S(m, ...)                                                                                  \
	{                                                                                          \
		KEY(#m), .kind = E4D_K_S64, AT(m), ##__VA_ARGS__                                   \
	}
#define ENUM(m, t)                                                                                 \
	{                                                                                          \
		KEY(#m), .kind = E4D_K_STR, AT(m), .names = &t                                     \
	}
#define GET(n, k, g, ...)                                                                          \
	{                                                                                          \
		KEY(n), .kind = k, .get = g, ##__VA_ARGS__                                         \
	}

const struct e4d_field e4d_fields[E4D_FIELD_COUNT] = {
	{KEY("ts"), .kind = E4D_K_TIME, AT(ts_ns)},
	U(ts_ns, NS),
	U(seq),
	U(cpu),
	U(pid),
	U(tid),
	GET("comm", E4D_K_STR, get_comm),
	{KEY("dev"), .kind = E4D_K_DEV, AT(dev)},
	U(ino),
	U(gen),
	GET("path", E4D_K_STR, get_path, .nullable = true),
	U(offset, BYTES),
	U(submitted, BYTES),
	U(mapped, BYTES),
	U(mapped_end, BYTES),
	U(alloc_end, BYTES),
	U(extents),
	U(dio_size, BYTES, SEEN(DIO_SIZE)),
	S(dio_error, SEEN(END_IO)),
	S(ret, BYTES, SEEN(RET)),
	S(fallback, BYTES, SEEN(FALLBACK)),
	U(isize_before, BYTES),
	U(isize_after, BYTES),
	GET("blksize", E4D_K_U64, get_blksize, BYTES),
	U(trim_from, BYTES, SEEN(TRIM)),
	S(trim_ret, SEEN(TRIM_RET)),
	U(past_eof, BYTES),
	U(prealloc, BYTES),
	GET("orphan", E4D_K_BOOL, get_orphan, SEEN(ORPHAN)),
	U(exposed_ns, NS),
	GET("flags", E4D_K_LIST, get_flags, .names = &e4d_flags),
	U(latency_ns, NS),
	ENUM(verdict, e4d_verdicts),
	GET("doubt", E4D_K_LIST, get_doubt, .names = &e4d_doubts),
	ENUM(evidence, e4d_evidences),
	ENUM(tier, e4d_tiers),
};

const struct e4d_field *e4d_field_find(const char *name, size_t len)
{
	for (size_t i = 0; i < E4D_FIELD_COUNT; i++)
		if (strlen(e4d_fields[i].name) == len && !memcmp(e4d_fields[i].name, name, len))
			return &e4d_fields[i];
	return NULL;
}

void e4d_field_list(char *buf, size_t size)
{
	size_t len = 0;

	if (size)
		buf[0] = 0;
	for (size_t i = 0; i < E4D_FIELD_COUNT && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? " " : "",
		                        e4d_fields[i].name);
}
