/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "trace/input.h"

#define IN_BYTES   (128u << 10)
#define WINDOW_LOG 23 /* 8 MiB: what RFC 8878 wants of each decoder */

/* Records compress 10 to 100 times. What goes far beyond that is there to hurt. */
#define MOST_TIMES 2048u
#define MOST_EXTRA (64u << 20)

/* A frame that fails is left behind; what was fed to the decoder in vain is bounded. */
#define MOST_FED 16u

struct e4d_unzstd {
	ZSTD_DStream *stream;
	ZSTD_inBuffer in; /* of data */
	uint64_t base;    /* offset in the file of data[0] */
	uint64_t frame;   /* offset where the frame began */
	uint64_t fed, made, frame_made;
	bool in_frame, failed;
	uint8_t data[IN_BYTES];
};

int e4d_unzstd_open(struct e4d_unzstd **out)
{
	struct e4d_unzstd *z = malloc(sizeof(*z));

	*out = z;
	if (!z)
		return -ENOMEM;
	memset(z, 0, offsetof(struct e4d_unzstd, data));
	z->in.src = z->data;
	z->stream = ZSTD_createDStream();
	if (z->stream &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, WINDOW_LOG)))
		return 0;
	e4d_unzstd_close(z);
	*out = NULL;
	return -ENOMEM;
}

void e4d_unzstd_close(struct e4d_unzstd *z)
{
	if (!z)
		return;
	ZSTD_freeDStream(z->stream);
	free(z);
}

/* More of the file to data: 1, 0 at its end, or negative errno. */
static int feed(struct e4d_input *in, struct e4d_unzstd *z)
{
	ssize_t n;

	z->base = in->at;
	z->in.pos = z->in.size = 0;
	n = e4d_input_bytes(in, z->data, IN_BYTES);
	if (n < 0)
		return (int)n;
	z->in.size = (size_t)n;
	z->fed += (size_t)n;
	return n > 0;
}

static ssize_t failed(struct e4d_unzstd *z)
{
	z->failed = true;
	return 0;
}

static bool too_much(const struct e4d_unzstd *z)
{
	uint64_t frame = z->base + z->in.pos - z->frame;

	return z->frame_made > MOST_EXTRA && (z->frame_made - MOST_EXTRA) / MOST_TIMES > frame;
}

ssize_t e4d_unzstd_read(struct e4d_input *in, uint8_t *dst, size_t cap)
{
	struct e4d_unzstd *z = in->zstd;
	ZSTD_outBuffer out = {dst, cap, 0};

	while (!out.pos) {
		size_t left;
		bool full = z->in_frame; /* it may hold back output that needs no input */

		if (z->in.pos == z->in.size && !full) {
			int got = feed(in, z);

			if (got <= 0)
				return got;
			z->frame = z->base;
		}
		left = ZSTD_decompressStream(z->stream, &out, &z->in);
		if (ZSTD_isError(left))
			return failed(z);
		z->in_frame = left;
		z->frame_made = left ? z->frame_made + out.pos : 0;
		if (too_much(z))
			return failed(z);
		if (!left)
			z->frame = z->base + z->in.pos;
		if (left && !out.pos && z->in.pos == z->in.size) {
			int got = feed(in, z);

			if (got < 0)
				return got;
			if (!got)
				return failed(z); /* the frame is cut */
		}
	}
	return (ssize_t)out.pos;
}

/* The next frame's magic at or after offset; false when there is none. */
static bool find_frame(struct e4d_input *in, struct e4d_unzstd *z, uint64_t offset)
{
	static const __u32 magic = E4D_ZSTD_MAGIC;

	for (;;) {
		const uint8_t *at;

		in->at = offset;
		if (feed(in, z) <= 0 || z->in.size < sizeof(magic))
			return false;
		at = memmem(z->data, z->in.size, &magic, sizeof(magic));
		if (at) {
			z->in.pos = (size_t)(at - z->data);
			z->frame = z->base + z->in.pos;
			return true;
		}
		offset = z->base + z->in.size - sizeof(magic) + 1;
	}
}

bool e4d_unzstd_more(struct e4d_input *in)
{
	struct e4d_unzstd *z = in->zstd;

	if (!z->failed)
		return false;
	z->failed = z->in_frame = false;
	z->frame_made = 0;
	if (!in->junk)
		in->count[E4D_PACKET_TORN]++;
	in->junk = true;
	ZSTD_DCtx_reset(z->stream, ZSTD_reset_session_only);
	if (z->fed / MOST_FED > in->size)
		return false;
	return find_frame(in, z, z->frame + 1);
}
