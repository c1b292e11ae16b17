/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Writes a trace dump: a directory with CTF metadata and one file for each CPU and
 * for the session, in whole packets, each by one pwrite(2). Bounded memory: one
 * packet for each CPU.
 */
#ifndef E4D_TRACE_WRITER_H
#define E4D_TRACE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "trace.h"

struct e4d_trace_writer;

/* A path, a mark or a name with its terminator; what is longer is cut. */
#define E4D_TRACE_TEXT 4097

struct e4d_trace_info { /* copied; what is longer than its field is cut */
	const char *host, *kernel, *program, *options;
	uint8_t tier;
	int64_t real_minus_boot_ns;
};

struct e4d_trace_limits {
	uint64_t rotate_bytes; /* 0: not by size; of all files of one rotation */
	uint64_t rotate_ns;    /* 0: not by time */
	/*
	 * 0: no bound; of the whole dump, on disk; at least E4D_TRACE_MIN. With keep the
	 * oldest rotations go, and the one being written ends early; without, it is the end.
	 */
	uint64_t max_bytes;
	unsigned int keep; /* rotations, that being written included; 0: all */
	bool zstd;         /* files that are complete are compressed */
	bool guard;        /* a process that cuts torn packets should this one be killed */
};

#define E4D_TRACE_MIN (1u << 20)

/* max_bytes was reached: no error, but no more writes are taken. */
#define E4D_TRACE_FULL 1

/*
 * Makes dir (0700; -EEXIST when it is there and not empty: nothing is overwritten)
 * with the metadata. 0, or negative errno with the reason in why.
 */
int e4d_trace_create(struct e4d_trace_writer **out, const char *dir,
                     const struct e4d_trace_info *info, const struct e4d_trace_limits *limits,
                     char *why, size_t why_len);

/*
 * Each of these returns 0 or negative errno; after the first error nothing more is
 * written, and every call returns that error: what is on disk stays whole packets.
 * These two return E4D_TRACE_FULL too.
 */
int e4d_trace_put(struct e4d_trace_writer *w, const struct e4d_record *rec);
/* n writes inside EOF, each with its CPU; head.reserved does not matter. *put: how many were. */
int e4d_trace_put_inside(struct e4d_trace_writer *w, const struct e4d_ev_inside *e, size_t n,
                         size_t *put);

/*
 * The path of a file, once in each rotation: what is there already, and a path that is
 * NULL, is left out. e4d_trace_has_file() tells whether the path need be found at all.
 * To be called after its write was put: that may begin a rotation, this does not.
 */
bool e4d_trace_has_file(const struct e4d_trace_writer *w, uint32_t dev, uint64_t ino, uint32_t gen);
int e4d_trace_put_file(struct e4d_trace_writer *w, uint32_t dev, uint64_t ino, uint32_t gen,
                       const char *path);
int e4d_trace_put_loss(struct e4d_trace_writer *w, const char *name, uint64_t count);
int e4d_trace_put_counters(struct e4d_trace_writer *w, const struct e4d_ev_counters *c);
int e4d_trace_put_mark(struct e4d_trace_writer *w, uint64_t boot_ns, const char *text);

/* Events lost so far, for events_discarded of the packets to come. */
void e4d_trace_set_discarded(struct e4d_trace_writer *w, uint64_t n);

/* Once a tick, now in CLOCK_BOOTTIME ns: writes packets a second old, rotates when due. */
int e4d_trace_tick(struct e4d_trace_writer *w, uint64_t now);

/* Writes all that is left. The first error of all, or 0. */
int e4d_trace_finish(struct e4d_trace_writer *w);

/* Bytes on disk, packets and events written so far. */
void e4d_trace_written(const struct e4d_trace_writer *w, uint64_t *bytes, uint64_t *packets,
                       uint64_t *events);

/* What the dump says of its session, as an event; its timestamp is the caller's. */
void e4d_trace_session_event(struct e4d_ev_session *e, const struct e4d_trace_info *info);
/* The rotation that is being written, from 0. */
unsigned int e4d_trace_rotation(const struct e4d_trace_writer *w);

/* Frees; writes nothing. NULL is allowed. */
void e4d_trace_writer_close(struct e4d_trace_writer *w);

#endif
