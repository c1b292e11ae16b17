/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A file, packet by packet: plain or zstd, whole or damaged. It is read and never
 * mapped, so one that shrinks meanwhile ends early and kills nobody. What is
 * no packet is skipped to the next thing that looks like one, at any byte.
 * Memory: a packet, and of zstd at most its window of 8 MiB.
 */
#ifndef E4D_TRACE_INPUT_H
#define E4D_TRACE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "trace/verify.h"

#define E4D_ZSTD_MAGIC 0xfd2fb528u

struct e4d_unzstd;
struct e4d_image;

struct e4d_input {
	/* The next bytes to dst: how many, 0 at the end, or negative errno. */
	ssize_t (*read)(struct e4d_input *in, uint8_t *dst, size_t cap);
	int fd;
	uint64_t at;   /* bytes of the file that were read */
	uint64_t size; /* of the file */
	struct e4d_unzstd *zstd;
	struct e4d_image *image;
	/* for salvage, or NULL: after each read; and is it something else (its size, or 0)? */
	void (*progress)(struct e4d_input *in);
	size_t (*also)(const void *buf, size_t n);
	void *ctx;
	uint8_t *buf; /* E4D_PACKET_MAX, aligned */
	size_t from, to;
	bool end, junk;
	/* since the caller zeroed them; NONE: runs of bytes that are no packet */
	uint64_t count[E4D_PACKET_STATES];
	uint64_t bad_bytes, got; /* of the content, after decompression: skipped, and all */
};

/* Frees nothing of `in` before: zero it first, or close it. The name ends the choice of a format:
 * .zst. */
int e4d_input_open(struct e4d_input *in, int dirfd, const char *name);

/*
 * The next whole packet, valid until the next call: 1, 0 at the end, or negative errno;
 * -EPROTO: one of a newer major version was passed. 2: what in->also knows.
 */
int e4d_input_packet(struct e4d_input *in, const struct e4d_packet **p);

/*
 * Of a plain file that was just opened: passes packets that end before ns by their
 * headers alone, but for the last one.
 */
void e4d_input_skip_before(struct e4d_input *in, uint64_t ns);

/* Closes the file; buf and the counts stay for the next one. */
void e4d_input_close(struct e4d_input *in);
void e4d_input_free(struct e4d_input *in);

/* Packets that were there and are not believed; runs of other bytes count as one each. */
uint64_t e4d_input_bad(const struct e4d_input *in);

/* The file's bytes at in->at, EIO read as zeros; input.c and unzstd.c only. */
ssize_t e4d_input_bytes(struct e4d_input *in, uint8_t *dst, size_t cap);

/*
 * zstd: any frames one after the other. After damage it goes on at the next frame:
 * read returns 0 there and *more is set.
 */
int e4d_unzstd_open(struct e4d_unzstd **out);
ssize_t e4d_unzstd_read(struct e4d_input *in, uint8_t *dst, size_t cap);
bool e4d_unzstd_more(struct e4d_input *in);
void e4d_unzstd_close(struct e4d_unzstd *z);

/* A compressed kdump, by libkdumpfile: its pages one after the other. */
bool e4d_image_is_one(int fd);
/*
 * in is open: what it reads is the memory from now on. tmp is an empty file, for a dump
 * that must be unpacked first, and stays the caller's. 0 or negative errno, the reason in why.
 */
int e4d_image_open(struct e4d_input *in, int tmp, char *why, size_t why_len);
void e4d_image_close(struct e4d_image *image);

#endif
