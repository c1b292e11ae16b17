/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The trace dump, to the byte: CTF 1.8 in packets whose layout is fixed, so that
 * the reader needs no TSDL and a flight ring can hold the same events. Little-endian.
 * docs/format.md has the directory, the rules and the metadata.
 *
 *   packet  = struct e4d_packet, events, zeros, struct e4d_packet_end
 *   event   = struct e4d_event, its payload, zeros to a multiple of 8
 */
#ifndef E4D_TRACE_H
#define E4D_TRACE_H

#include "plain.h"
#include "record.h"

/* Raised when an old reader would misread; it refuses. Minor: when it only misses something. */
#define E4D_TRACE_MAJOR 1
#define E4D_TRACE_MINOR 0

#define E4D_PACKET_MAGIC     0xc1fc1fc1u /* of CTF */
#define E4D_PACKET_END_MAGIC 0x44344543u /* "CE4D" */
#define E4D_PACKET_ALIGN     4096u       /* sizes are multiples */
#define E4D_PACKET_MAX       (256u << 10)

/* stream_instance_id of what user space says itself; else the CPU */
#define E4D_STREAM_SESSION 0xffffu

/* packet.header and packet.context of the metadata. */
struct e4d_packet {
	__u32 magic;
	__u32 stream_id;          /* always 0: one class of streams */
	__u8 uuid[16];            /* of the trace */
	__u64 stream_instance_id; /* a CPU, or E4D_STREAM_SESSION */
	__u64 timestamp_begin;    /* CLOCK_BOOTTIME ns, of the first event */
	__u64 timestamp_end;      /* of the last; never before, also between packets */
	__u64 content_size;       /* bits, this header included */
	__u64 packet_size;        /* bits */
	__u64 packet_seq_num;     /* from 0 in each stream instance, no gap */
	__u64 events_discarded;   /* of the session so far, in its own stream; 0 in the others */
};

_Static_assert(sizeof(struct e4d_packet) == 80, "on disk");

/* The packet's last bytes, in the padding: CTF does not look there. */
struct e4d_packet_end {
	__u32 magic;
	__u16 major, minor;
	__u32 events;
	__u32 crc; /* CRC32C (RFC 3720) of all bytes of the packet before it */
};

_Static_assert(sizeof(struct e4d_packet_end) == 16, "on disk");

/* Values are stored: never renumber. A reader skips an id it does not know, by size. */
enum e4d_event_id {
	E4D_EV_PAD = 0,      /* in a flight ring only: nothing */
	E4D_EV_WRITE = 1,    /* struct e4d_ev_write */
	E4D_EV_INSIDE = 2,   /* struct e4d_ev_inside */
	E4D_EV_FILE = 3,     /* struct e4d_ev_file; in the session stream, as all that follow */
	E4D_EV_LOSS = 4,     /* struct e4d_ev_loss */
	E4D_EV_COUNTERS = 5, /* struct e4d_ev_counters */
	E4D_EV_MARK = 6,     /* struct e4d_ev_mark */
	E4D_EV_SESSION = 7,  /* struct e4d_ev_session */
	E4D_EV_END = 8,      /* struct e4d_event: recording ended well; the last of all */
	E4D_EV_COUNT,
};

/* stream.event.header, and from size on stream.event.context */
struct e4d_event {
	__u64 timestamp; /* CLOCK_BOOTTIME ns; of a write: when it ended, or was known to */
	__u16 id;
	__u16 size;     /* bytes, this header and the padding included; a multiple of 8 */
	__u32 reserved; /* 0 */
};

_Static_assert(sizeof(struct e4d_event) == 16, "on disk");

/*
 * A write, as the record has it. ts_ns is the entry; the event's timestamp is
 * ts_ns + latency_ns, or later where the stream had gone on before.
 */
struct e4d_ev_write {
	struct e4d_event head;
	struct e4d_record rec;
};

_Static_assert(sizeof(struct e4d_ev_write) == 192, "three cache lines");

/*
 * A write inside EOF that came through as a whole: a brief. What it does not say
 * follows: ts_ns = timestamp - latency_ns (a write for which that is not exact is
 * an E4D_EV_WRITE), the rest as in e4d_inside_expand(). The order, and the two
 * big-endian numbers, put the bytes that vary side by side, those of the next event's
 * timestamp included: it compresses better by a sixth.
 */
struct e4d_ev_inside {
	struct e4d_event head;
	char comm[E4D_COMM_LEN];
	__u32 pid;
	__u32 tid;
	__u64 seq_be; /* big-endian */
	__u32 latency_ns;
	__u8 extents;
	__u8 blkbits;
	__u8 tier;
	__u8 version; /* E4D_RECORD_VERSION */
	__u32 submitted;
	__u32 mapped;
	__u32 ino;
	__u32 dev;
	__u64 isize;
	__u32 gen;
	__u16 flags;
	__u16 cpu;
	__u64 offset_be; /* big-endian */
};

_Static_assert(sizeof(struct e4d_ev_inside) == 96, "a cache line and a half");

/* The path of a file, as it was last known; once for each file in each rotated file. */
struct e4d_ev_file {
	struct e4d_event head;
	__u64 ino;
	__u32 dev;
	__u32 gen;
	char path[]; /* ends with NUL */
};

/* A loss counter that changed; the count is the session's total. */
struct e4d_ev_loss {
	struct e4d_event head;
	__u64 count;
	char name[]; /* ends with NUL */
};

/* The session's totals (enum e4d_counter), once a second and at the end. */
struct e4d_ev_counters {
	struct e4d_event head;
	__u64 writes, done, extending, submitted, mapped;
	__u64 verdict[E4D_VERDICT_COUNT];
};

_Static_assert(sizeof(struct e4d_ev_counters) == 16 + 8 * 13, "on disk");

/* A word from outside: a key in the live view, "run fstests generic/091", ... */
struct e4d_ev_mark {
	struct e4d_event head;
	char text[]; /* ends with NUL */
};

/*
 * What `env` of the metadata says, for who finds packets without it. First in
 * each file of the session stream.
 */
struct e4d_ev_session {
	struct e4d_event head;
	__u64 real_minus_boot_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	__u16 major, minor;       /* E4D_TRACE_* */
	__u8 tier;
	__u8 pad[3];
	char host[64]; /* each ends with NUL */
	char kernel[64];
	char program[32]; /* "ext4diotop 0.1.0" */
	char options[256];
};

_Static_assert(sizeof(struct e4d_ev_session) == 16 + 16 + 416, "on disk");

/* The whole record of one that says half. */
static __always_inline void e4d_inside_expand(struct e4d_record *r, const struct e4d_ev_inside *e)
{
	r->ts_ns = e->head.timestamp > e->latency_ns ? e->head.timestamp - e->latency_ns : 0;
	r->seq = __builtin_bswap64(e->seq_be);
	r->ino = e->ino;
	r->offset = __builtin_bswap64(e->offset_be);
	r->mapped_end = e4d_block(r->offset, e->blkbits) + e->mapped;
	r->alloc_end = 0;
	r->isize_before = e->isize;
	r->isize_after = e->isize;
	r->trim_from = 0;
	r->past_eof = 0;
	r->prealloc = 0;
	r->exposed_ns = 0;
	r->latency_ns = e->latency_ns;
	r->submitted = e->submitted;
	r->mapped = e->mapped;
	r->dio_size = e->submitted;
	r->ret = (__s32)e->submitted;
	r->fallback = 0;
	r->pid = e->pid;
	r->tid = e->tid;
	r->dev = e->dev;
	r->gen = e->gen;
	r->flags = e->flags;
	__builtin_memcpy(r->comm, e->comm, sizeof(r->comm));
	r->dio_error = 0;
	r->trim_ret = 0;
	r->extents = e->extents;
	r->cpu = e->cpu;
	r->seen = E4D_BRIEF_SEEN | E4D_SEEN_RET;
	r->doubt = 0;
	r->blkbits = e->blkbits;
	r->tier = e->tier;
	r->verdict = E4D_CLEAN;
	r->evidence = E4D_OBSERVED;
	r->version = e->version;
}

#endif
