/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * JSON lines: one object for each write, every field, null where unknown.
 *
 * {"ts":"2026-05-04T13:02:11.123456789+02:00","ts_ns":81123456789,"seq":41,"cpu":1,
 *  "pid":4711,"tid":4711,"comm":"pwrite-tail","dev":"254:0","ino":131,"gen":77,
 *  "path":"/mnt/f","offset":0,"submitted":1048576,"mapped":1048576,
 *  "mapped_end":1048576,"alloc_end":1048576,"extents":1,"dio_size":7680,
 *  "dio_error":0,"ret":-1,"fallback":null,"isize_before":0,"isize_after":7680,
 *  "blksize":4096,"trim_from":null,"trim_ret":null,"past_eof":1040384,
 *  "prealloc":0,"orphan":false,"exposed_ns":0,"flags":["extend","sync","new"],
 *  "latency_ns":1234567,"verdict":"leak","doubt":[],"evidence":"observed",
 *  "tier":"fentry"}                                   (all of it on one line)
 * {"loss":"ring_full","count":12}
 * Of several hosts each begins with {"host":"db1",
 */
#include "record/fields.h"
#include "sink/sink.h"
#include "util/escape.h"

/* Room for all keys, numbers, lists and comm; the path comes on top. */
#define FIELD_ROOM (sizeof(((struct e4d_field *)0)->key) + E4D_TIME_MAX + 8)
#define LINE_ROOM  (E4D_FIELD_COUNT * FIELD_ROOM + 3 * PIECE_ROOM)

/*
 * A part of the line that records repeat, as it was written last for its key:
 * the command, the device, lengths and sizes, the lists and the words. Copied PIECE_STEP
 * bytes at a time; the longest, with every flag, has 159 bytes.
 */
#define PIECE_STEP 32
#define PIECE_ROOM 192
#define PIECES     8 /* for each part, by a hash of the key */

struct key {
	__u64 word[3];
};

struct piece {
	struct key key;
	size_t len; /* 0: not written yet */
	char text[PIECE_ROOM];
};

struct json {
	struct piece thread[PIECES], dev[PIECES], lengths[PIECES], done[PIECES], sizes[PIECES],
		past[PIECES], flags[PIECES], words[PIECES];
};

typedef char *(*piece_fn)(char *p, const struct e4d_record *rec);

#define LIT(p, s)  e4d_put_mem(p, s, sizeof(s) - 1)
#define KEY(m)     (p = LIT(p, ",\"" #m "\":"))
#define U(m)       (KEY(m), p = e4d_put_u64(p, r->m))
#define SEEN(s)    (r->seen & E4D_SEEN_##s)
#define U_IF(m, s) (KEY(m), p = SEEN(s) ? e4d_put_u64(p, r->m) : LIT(p, "null"))
#define S_IF(m, s) (KEY(m), p = SEEN(s) ? e4d_put_s64(p, r->m) : LIT(p, "null"))

static char *put_list(char *p, __u32 bits, const struct e4d_names *names)
{
	*p++ = '[';
	for (; bits; bits &= bits - 1) {
		*p++ = '"';
		p = stpcpy(p, e4d_name(names, (unsigned int)__builtin_ctz(bits)));
		*p++ = '"';
		*p++ = ',';
	}
	if (p[-1] == ',')
		p--;
	*p++ = ']';
	return p;
}

static char *put_thread(char *p, const struct e4d_record *r)
{
	U(pid);
	U(tid);
	p = LIT(p, ",\"comm\":\"");
	p = e4d_escape_json(p, r->comm, strnlen(r->comm, sizeof(r->comm)));
	*p++ = '"';
	return p;
}

static char *put_dev(char *p, const struct e4d_record *r)
{
	p = LIT(p, ",\"dev\":\"");
	p = e4d_put_u64(p, e4d_dev_major(r->dev));
	*p++ = ':';
	p = e4d_put_u64(p, e4d_dev_minor(r->dev));
	*p++ = '"';
	return p;
}

static char *put_flags(char *p, const struct e4d_record *r)
{
	__u32 words = r->flags & ((1u << E4D_FLAG_COUNT) - 1) & ~(__u32)E4D_F_ORPHAN;

	return put_list(KEY(flags), words, &e4d_flags);
}

static char *put_words(char *p, const struct e4d_record *r)
{
	p = LIT(p, ",\"verdict\":\"");
	p = stpcpy(p, e4d_verdict_name(r->verdict));
	p = LIT(p, "\",\"doubt\":");
	p = put_list(p, r->doubt & ((1u << E4D_DOUBT_COUNT) - 1), &e4d_doubts);
	p = LIT(p, ",\"evidence\":\"");
	p = stpcpy(p, e4d_evidence_name(r->evidence));
	p = LIT(p, "\",\"tier\":\"");
	p = stpcpy(p, e4d_tier_name(r->tier));
	return LIT(p, "\"}\n");
}

static inline bool same_key(const struct key *a, const struct key *b)
{
	return !((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]));
}

/* Appends what fn writes for the key, from the set where it is there. */
static inline char *put_piece(char *p, struct piece *set, struct key key,
                              const struct e4d_record *rec, piece_fn fn)
{
	__u64 mixed = key.word[0] + 31 * key.word[1] + 961 * key.word[2];
	struct piece *piece = &set[(mixed * 0x9e3779b97f4a7c15ULL) >> 61];

	if (!piece->len || !same_key(&piece->key, &key)) {
		piece->key = key;
		piece->len = (size_t)(fn(piece->text, rec) - piece->text);
	}
	for (size_t i = 0; i < piece->len; i += PIECE_STEP)
		memcpy(p + i, piece->text + i, PIECE_STEP);
	return p + piece->len;
}

static inline char *put_who(char *p, const struct e4d_record *r, struct json *json)
{
	struct key thread = {{0, 0, r->pid | (__u64)r->tid << 32}};

	memcpy(thread.word, r->comm, sizeof(r->comm));
	U(seq);
	U(cpu);
	p = put_piece(p, json->thread, thread, r, put_thread);
	p = put_piece(p, json->dev, (struct key){{r->dev}}, r, put_dev);
	U(ino);
	U(gen);
	return p;
}

static inline char *put_path(char *p, const char *path, size_t len)
{
	KEY(path);
	if (!path)
		return LIT(p, "null");
	*p++ = '"';
	p = e4d_escape_json(p, path, len);
	*p++ = '"';
	return p;
}

static char *put_lengths(char *p, const struct e4d_record *r)
{
	U(submitted);
	U(mapped);
	return p;
}

static char *put_done(char *p, const struct e4d_record *r)
{
	U(extents);
	U_IF(dio_size, DIO_SIZE);
	S_IF(dio_error, END_IO);
	S_IF(ret, RET);
	S_IF(fallback, FALLBACK);
	return p;
}

static char *put_sizes(char *p, const struct e4d_record *r)
{
	U(isize_before);
	U(isize_after);
	return p;
}

static char *put_past(char *p, const struct e4d_record *r)
{
	KEY(blksize);
	p = e4d_put_u64(p, 1ULL << (r->blkbits & 63));
	U_IF(trim_from, TRIM);
	S_IF(trim_ret, TRIM_RET);
	U(past_eof);
	U(prealloc);
	KEY(orphan);
	if (!SEEN(ORPHAN))
		p = LIT(p, "null");
	else
		p = r->flags & E4D_F_ORPHAN ? LIT(p, "true") : LIT(p, "false");
	U(exposed_ns);
	return p;
}

static inline char *put_write(char *p, const struct e4d_record *r, struct json *json)
{
	U(offset);
	p = put_piece(p, json->lengths, (struct key){{r->submitted, r->mapped}}, r, put_lengths);
	U(mapped_end);
	U(alloc_end);
	p = put_piece(p, json->done,
	              (struct key){{r->dio_size | (__u64)(__u32)r->ret << 32,
	                            (__u32)r->dio_error | (__u64)(__u32)r->fallback << 32,
	                            r->extents | (__u64)r->seen << 32}},
	              r, put_done);
	p = put_piece(p, json->sizes, (struct key){{r->isize_before, r->isize_after}}, r,
	              put_sizes);
	/* what a trim has left is for no key, and rare */
	if (r->trim_from | r->past_eof | r->prealloc | r->exposed_ns | (__u32)r->trim_ret)
		return put_past(p, r);
	return put_piece(p, json->past, (struct key){{r->blkbits, r->seen, r->flags}}, r, put_past);
}

static size_t host_len(const struct e4d_sink *sink)
{
	return sink->host ? strlen(sink->host) : 0;
}

/* The beginning of every line. */
static inline char *put_host(char *p, const struct e4d_sink *sink)
{
	*p++ = '{';
	if (!sink->host)
		return p;
	p = LIT(p, "\"host\":\"");
	p = e4d_escape_json(p, sink->host, strlen(sink->host));
	return LIT(p, "\",");
}

/* Straight through the record, in the order of e4d_fields (a unit test compares). */
static void json_write(struct e4d_sink *sink, const struct e4d_record *r, const char *path)
{
	size_t path_len = path ? strlen(path) : 0;
	char *p = e4d_ob_reserve(&sink->out,
	                         LINE_ROOM + E4D_ESCAPE_JSON_MAX * (path_len + host_len(sink)));
	struct json *json = sink->own;

	if (!p)
		return;
	p = put_host(p, sink);
	p = LIT(p, "\"ts\":\"");
	p += e4d_clock_format(sink->clock, r->ts_ns, p);
	*p++ = '"';
	U(ts_ns);
	p = put_who(p, r, json);
	p = put_path(p, path, path_len);
	p = put_write(p, r, json);
	p = put_piece(p, json->flags, (struct key){{r->flags}}, r, put_flags);
	U(latency_ns);
	p = put_piece(p, json->words,
	              (struct key){{r->doubt, r->verdict | r->evidence << 8, r->tier}}, r,
	              put_words);
	e4d_ob_advance(&sink->out, p);
}

static void json_loss(struct e4d_sink *sink, const char *name, __u64 count)
{
	size_t len = strlen(name);
	char *p = e4d_ob_reserve(&sink->out, E4D_ESCAPE_JSON_MAX * (len + host_len(sink)) + 64);

	if (!p)
		return;
	p = put_host(p, sink);
	p = stpcpy(p, "\"loss\":\"");
	p = e4d_escape_json(p, name, len);
	p = stpcpy(p, "\",\"count\":");
	p = e4d_put_u64(p, count);
	p = stpcpy(p, "}\n");
	e4d_ob_advance(&sink->out, p);
}

const struct e4d_sink_ops e4d_sink_json = {
	.name = "json",
	.own_size = sizeof(struct json),
	.write = json_write,
	.loss = json_loss,
};
