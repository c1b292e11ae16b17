/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The dump's description in TSDL (CTF 1.8, section 7): what include/trace.h says, for
 * readers that do not know us. Fields have the names of the record's.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "record/names.h"
#include "trace/internal.h"
#include "util/outbuf.h"

static const char types[] =
	"typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
	"typealias integer { size = 16; align = 8; signed = false; } := u16;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
	"typealias integer { size = 64; align = 8; signed = false; byte_order = be; } := be64;\n"
	"typealias integer { size = 16; align = 8; signed = true; } := s16;\n"
	"typealias integer { size = 32; align = 8; signed = true; } := s32;\n"
	"typealias integer { size = 16; align = 8; signed = false; base = 16; } := x16;\n"
	"typealias integer { size = 32; align = 8; signed = false; base = 16; } := x32;\n"
	"typealias integer { size = 8; align = 8; signed = false; base = 16; } := x8;\n"
	"typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := char_t;\n"
	"typealias struct { } align(64) := end_t;\n\n";

static const char streams[] =
	"typealias integer { size = 64; align = 8; signed = false; map = clock.boottime.value; } "
	":= time_t;\n"
	"typealias integer { size = 64; align = 64; signed = false; map = clock.boottime.value; } "
	":= event_time_t;\n\n"
	"stream {\n"
	"\tid = 0;\n"
	"\tpacket.context := struct {\n"
	"\t\ttime_t timestamp_begin;\n"
	"\t\ttime_t timestamp_end;\n"
	"\t\tu64 content_size;\n"
	"\t\tu64 packet_size;\n"
	"\t\tu64 packet_seq_num;\n"
	"\t\tu64 events_discarded;\n"
	"\t};\n"
	"\tevent.header := struct {\n"
	"\t\tevent_time_t timestamp;\n"
	"\t\tu16 id;\n"
	"\t} align(64);\n"
	"\tevent.context := struct {\n"
	"\t\tu16 size;\n"
	"\t\tu32 reserved;\n"
	"\t};\n"
	"};\n\n";

struct field {
	const char *type;
	const char *name;
};

static const struct field write_fields[] = {
	{"u64", "ts_ns"},         {"u64", "seq"},
	{"u64", "ino"},           {"u64", "offset"},
	{"u64", "mapped_end"},    {"u64", "alloc_end"},
	{"u64", "isize_before"},  {"u64", "isize_after"},
	{"u64", "trim_from"},     {"u64", "past_eof"},
	{"u64", "prealloc"},      {"u64", "exposed_ns"},
	{"u64", "latency_ns"},    {"u32", "submitted"},
	{"u32", "mapped"},        {"u32", "dio_size"},
	{"s32", "ret"},           {"s32", "fallback"},
	{"u32", "pid"},           {"u32", "tid"},
	{"u32", "dev"},           {"u32", "gen"},
	{"x32", "flags"},         {"char_t", "comm[16]"},
	{"s16", "dio_error"},     {"s16", "trim_ret"},
	{"u16", "extents"},       {"u16", "cpu"},
	{"x16", "seen"},          {"x8", "doubt"},
	{"u8", "blkbits"},        {"tier_t", "tier"},
	{"verdict_t", "verdict"}, {"evidence_t", "evidence"},
	{"u8", "version"},        {NULL, NULL},
};

static const struct field inside_fields[] = {
	{"char_t", "comm[16]"}, {"u32", "pid"},       {"u32", "tid"},    {"be64", "seq"},
	{"u32", "latency_ns"},  {"u8", "extents"},    {"u8", "blkbits"}, {"tier_t", "tier"},
	{"u8", "version"},      {"u32", "submitted"}, {"u32", "mapped"}, {"u32", "ino"},
	{"u32", "dev"},         {"u64", "isize"},     {"u32", "gen"},    {"x16", "flags"},
	{"u16", "cpu"},         {"be64", "offset"},   {NULL, NULL},
};

static const struct field file_fields[] = {
	{"u64", "ino"},     {"u32", "dev"},   {"u32", "gen"},
	{"string", "path"}, {"end_t", "end"}, {NULL, NULL},
};

static const struct field loss_fields[] = {
	{"u64", "count"},
	{"string", "name"},
	{"end_t", "end"},
	{NULL, NULL},
};

/* the counts of the verdicts follow */
static const struct field counters_fields[] = {
	{"u64", "writes"},    {"u64", "done"},   {"u64", "extending"},
	{"u64", "submitted"}, {"u64", "mapped"}, {NULL, NULL},
};

static const struct field mark_fields[] = {
	{"string", "text"},
	{"end_t", "end"},
	{NULL, NULL},
};

static const struct field session_fields[] = {
	{"u64", "real_minus_boot_ns"},
	{"u16", "major"},
	{"u16", "minor"},
	{"tier_t", "tier"},
	{"u8", "pad[3]"},
	{"char_t", "host[64]"},
	{"char_t", "kernel[64]"},
	{"char_t", "program[32]"},
	{"char_t", "options[256]"},
	{NULL, NULL},
};

static const struct field end_fields[] = {{NULL, NULL}};

static const struct {
	const char *name;
	enum e4d_event_id id;
	const struct field *fields;
} events[] = {
	{"write", E4D_EV_WRITE, write_fields},
	{"inside", E4D_EV_INSIDE, inside_fields},
	{"file", E4D_EV_FILE, file_fields},
	{"loss", E4D_EV_LOSS, loss_fields},
	{"counters", E4D_EV_COUNTERS, counters_fields},
	{"mark", E4D_EV_MARK, mark_fields},
	{"session", E4D_EV_SESSION, session_fields},
	{"end", E4D_EV_END, end_fields},
};

/* A word, where TSDL wants an identifier. */
static void put_identifier(struct e4d_outbuf *ob, const char *word)
{
	for (; *word; word++)
		e4d_ob_char(ob, *word == '-' ? '_' : *word);
}

static void put_enum(struct e4d_outbuf *ob, const struct e4d_names *names)
{
	const char *comma = " ";

	e4d_ob_str(ob, "typealias enum : u8 {");
	for (unsigned int i = 0; i < names->count; i++) {
		if (!names->word[i])
			continue;
		e4d_ob_str(ob, comma);
		e4d_ob_char(ob, '"');
		e4d_ob_str(ob, names->word[i]);
		e4d_ob_str(ob, "\" = ");
		e4d_ob_u64(ob, i);
		comma = ", ";
	}
	e4d_ob_str(ob, " } := ");
	e4d_ob_str(ob, names->what);
	e4d_ob_str(ob, "_t;\n");
}

/* A string literal; what is no printable ASCII is an octal escape, of three digits. */
static void put_string(struct e4d_outbuf *ob, const char *s)
{
	char octal[5];

	e4d_ob_char(ob, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			e4d_ob_char(ob, '\\');
		if (c >= 0x20 && c < 0x7f) {
			e4d_ob_char(ob, *s);
		} else {
			snprintf(octal, sizeof(octal), "\\%03o", c);
			e4d_ob_str(ob, octal);
		}
	}
	e4d_ob_char(ob, '"');
}

static void put_trace(struct e4d_outbuf *ob, const uint8_t uuid[16])
{
	char text[40], *p = text;

	for (int i = 0; i < 16; i++)
		p += sprintf(p, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		             uuid[i]);
	e4d_ob_str(ob, "trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"");
	e4d_ob_str(ob, text);
	e4d_ob_str(ob, "\";\n\tbyte_order = le;\n"
	               "\tpacket.header := struct {\n"
	               "\t\tu32 magic;\n"
	               "\t\tu32 stream_id;\n"
	               "\t\tu8 uuid[16];\n"
	               "\t\tu64 stream_instance_id;\n"
	               "\t};\n};\n\n");
}

static void put_env(struct e4d_outbuf *ob, const struct e4d_trace_info *info)
{
	const struct {
		const char *name, *value;
	} strings[] = {
		{"hostname", info->host},       {"kernel", info->kernel},
		{"tracer_name", info->program}, {"tier", e4d_tier_name(info->tier)},
		{"options", info->options},
	};

	e4d_ob_str(ob, "env {\n");
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		e4d_ob_char(ob, '\t');
		e4d_ob_str(ob, strings[i].name);
		e4d_ob_str(ob, " = ");
		put_string(ob, strings[i].value);
		e4d_ob_str(ob, ";\n");
	}
	e4d_ob_str(ob, "\te4d_major = ");
	e4d_ob_u64(ob, E4D_TRACE_MAJOR);
	e4d_ob_str(ob, ";\n\te4d_minor = ");
	e4d_ob_u64(ob, E4D_TRACE_MINOR);
	e4d_ob_str(ob, ";\n};\n\n");
}

/* CTF: time = offset_s + (offset + value) / freq. */
static void put_clock(struct e4d_outbuf *ob, int64_t offset_ns)
{
	int64_t s = offset_ns / 1000000000, ns = offset_ns % 1000000000;

	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	e4d_ob_str(ob, "clock {\n\tname = \"boottime\";\n"
	               "\tdescription = \"CLOCK_BOOTTIME\";\n"
	               "\tfreq = 1000000000;\n\toffset_s = ");
	e4d_ob_s64(ob, s);
	e4d_ob_str(ob, ";\n\toffset = ");
	e4d_ob_s64(ob, ns);
	e4d_ob_str(ob, ";\n\tabsolute = true; /* since 1970: of several hosts, by their clocks */\n"
	               "};\n\n");
}

static void put_field(struct e4d_outbuf *ob, const char *type, const char *name)
{
	e4d_ob_str(ob, "\t\t");
	e4d_ob_str(ob, type);
	e4d_ob_char(ob, ' ');
	put_identifier(ob, name);
	e4d_ob_str(ob, ";\n");
}

static void put_events(struct e4d_outbuf *ob)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		e4d_ob_str(ob, "event {\n\tname = \"");
		e4d_ob_str(ob, events[i].name);
		e4d_ob_str(ob, "\";\n\tid = ");
		e4d_ob_u64(ob, events[i].id);
		e4d_ob_str(ob, ";\n\tstream_id = 0;\n\tfields := struct {\n");
		for (const struct field *f = events[i].fields; f->type; f++)
			put_field(ob, f->type, f->name);
		for (int v = 0; events[i].id == E4D_EV_COUNTERS && v < E4D_VERDICT_COUNT; v++)
			put_field(ob, "u64", e4d_verdict_name(v));
		e4d_ob_str(ob, "\t};\n};\n\n");
	}
}

int e4d_metadata_write(struct e4d_dump *d, const struct e4d_trace_info *info,
                       const uint8_t uuid[16])
{
	struct e4d_outbuf ob = {0};
	int fd = e4d_dump_new(d, "metadata"), err;

	if (fd < 0)
		return fd;
	e4d_ob_str(&ob, "/* CTF 1.8 */\n");
	e4d_ob_str(&ob, types);
	put_enum(&ob, &e4d_verdicts);
	put_enum(&ob, &e4d_evidences);
	put_enum(&ob, &e4d_tiers);
	e4d_ob_char(&ob, '\n');
	put_trace(&ob, uuid);
	put_env(&ob, info);
	put_clock(&ob, info->real_minus_boot_ns);
	e4d_ob_str(&ob, streams);
	put_events(&ob);
	d->bytes += ob.len;
	err = e4d_ob_flush(&ob, fd);
	e4d_ob_free(&ob);
	close(fd);
	return err;
}
