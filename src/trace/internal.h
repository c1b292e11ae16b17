/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The writer's parts: writer.c (events), packet.c, rotate.c, files.c (packets on disk),
 * metadata.c; worker.c, compress.c and guard.c do their work beside.
 */
#ifndef E4D_TRACE_INTERNAL_H
#define E4D_TRACE_INTERNAL_H

#include <dirent.h>
#include <sys/types.h>
#include "trace/guard.h"
#include "trace/known.h"
#include "trace/packet.h"
#include "trace/writer.h"

/* Streams of CPUs; those beyond share the last. */
#define E4D_TRACE_CPUS 4096

/* "cpu4095-000000" and the terminator, ".zst" and a dot before it fit. */
#define E4D_TRACE_NAME 40

/* A stream: its packet in memory, and its file of this rotation. */
struct e4d_stream {
	struct e4d_packet_buf packet;
	uint64_t instance; /* of the packet's header */
	uint64_t seq;      /* of the next packet */
	uint64_t floor;    /* after the last packet's timestamp_end: no event may be before */
	uint64_t since;    /* when the packet's first event came, CLOCK_BOOTTIME ns */
	int fd;            /* -1: no packet in this rotation yet */
	off_t size;        /* of the file: whole packets */
};

/* The dump on disk. */
struct e4d_dump {
	int dir;
	bool made;             /* the directory was not there before */
	unsigned int rotation; /* that is being written */
	uint64_t bytes;        /* of all files there are; a thread changes it too */
	uint64_t current;      /* written in this rotation */
};

/* The directory, new or empty. 0 or negative errno with the reason in why. */
int e4d_dump_create(struct e4d_dump *d, const char *path, char *why, size_t why_len);
/* A new file in it, for writing. A descriptor or negative errno. */
int e4d_dump_new(const struct e4d_dump *d, const char *name);
/*
 * Appends a sealed packet to the stream's file, which it makes. What fails leaves
 * whole packets. 0 or negative errno.
 */
int e4d_dump_append(struct e4d_dump *d, struct e4d_stream *s, const void *packet, size_t size);
/*
 * Closes the stream's file, if it has one, and says its name; the next packet makes one
 * of the rotation then.
 */
bool e4d_dump_end_file(const struct e4d_dump *d, struct e4d_stream *s, char name[E4D_TRACE_NAME]);
/* What is in it, for closedir(); NULL and errno. */
DIR *e4d_dump_list(const struct e4d_dump *d);
/* Removes a file; its bytes count no longer. */
void e4d_dump_remove(struct e4d_dump *d, const char *name);
/* As it was before e4d_dump_create(): what was begun there in vain goes. */
void e4d_dump_undo(struct e4d_dump *d, const char *path);
void e4d_dump_close(struct e4d_dump *d);

static inline void e4d_dump_count(struct e4d_dump *d, uint64_t more)
{
	__atomic_fetch_add(&d->bytes, more, __ATOMIC_RELAXED);
}

static inline uint64_t e4d_dump_bytes(const struct e4d_dump *d)
{
	return __atomic_load_n(&d->bytes, __ATOMIC_RELAXED);
}

/* Writes the TSDL text. Adds its bytes to d->bytes. 0 or negative errno. */
int e4d_metadata_write(struct e4d_dump *d, const struct e4d_trace_info *info,
                       const uint8_t uuid[16]);

struct e4d_trace_writer {
	struct e4d_dump dump;
	struct e4d_trace_limits limits;
	struct e4d_ev_session session; /* begins each file of the session stream */
	uint8_t uuid[16];
	struct e4d_stream own; /* of the session */
	struct e4d_stream **cpu;
	unsigned int cpus; /* cpu[] has */
	int err;
	bool full; /* max_bytes: no more writes */
	struct e4d_worker *worker;
	struct e4d_guard guard;
	uint64_t now;         /* of the last tick */
	uint64_t began;       /* the rotation, */
	uint64_t held;        /* and what is in memory: bytes of events, */
	unsigned int streams; /* in so many packets at most */
	unsigned int oldest;  /* rotation that is not to be removed */
	uint64_t discarded, packets, events;
	struct e4d_known known; /* paths that are in this rotation */
};

/* Each returns 0 or w->err. */
int e4d_flush(struct e4d_trace_writer *w, struct e4d_stream *s);
void e4d_flush_cpus(struct e4d_trace_writer *w);
/* The event that each file of the session's stream begins with. */
int e4d_put_session(struct e4d_trace_writer *w);

/* New files for all streams; those that were are complete. */
bool e4d_rotation_is_due(const struct e4d_trace_writer *w);
int e4d_rotate(struct e4d_trace_writer *w);
void e4d_end_files(struct e4d_trace_writer *w);

/*
 * May the dump not grow by an event, or was there an error? It is made smaller ahead of
 * its bound, beside the recording; at the bound that waits for it.
 */
bool e4d_is_full(struct e4d_trace_writer *w);

#endif
