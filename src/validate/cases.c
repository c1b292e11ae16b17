/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The safe tier's cases: each way to write, in each place, with a buffer that
 * is whole and one that is not. What 6.12 and later make of the faults off a
 * block boundary: docs/validate.md.
 */
#include <fcntl.h>

#include "validate/validate.h"

#define LEN  (256 * WL_KIB)
#define HALF (LEN / 2)
/* Off the block boundary for every block size above 512: 7.5 KiB. */
#define OFF_BLOCK 7680ULL

#define ROW(name_, what_, want_, ...)                                                              \
	{                                                                                          \
		{.name = (name_), .what = (what_), .len = LEN, __VA_ARGS__}, want_                 \
	}

#define FAULT_AT(bytes, flags_) .readable = (bytes), .flags = WL_FAULT | (flags_)
#define FAULT(flags_)           FAULT_AT(OFF_BLOCK, flags_)

/* The five places of a way to write; what follows flags_ is the way itself. */
#define WAY(way, by, flags_, ...)                                                                  \
	ROW(way "/append", by ": append to an empty file", E4D_V_ALL, .flags = (flags_),           \
	    __VA_ARGS__),                                                                          \
		ROW(way "/append-fault", by ": the same, buffer ends after 7680 bytes",            \
	            E4D_V_SHORT, FAULT(flags_), __VA_ARGS__),                                      \
		ROW(way "/hole", by ": at 1 MiB of an empty file", E4D_V_ALL, .offset = WL_MIB,    \
	            .flags = (flags_), __VA_ARGS__),                                               \
		ROW(way "/hole-fault", by ": the same, buffer ends after 7680 bytes", E4D_V_SHORT, \
	            .offset = WL_MIB, FAULT(flags_), __VA_ARGS__),                                 \
		ROW(way "/across", by ": from below EOF to past it", E4D_V_ALL, .written = 4096,   \
	            .flags = (flags_), __VA_ARGS__),                                               \
		ROW(way "/across-fault", by ": the same, buffer ends after 7680 bytes",            \
	            E4D_V_SHORT, .written = 4096, FAULT(flags_), __VA_ARGS__),                     \
		ROW(way "/prealloc", by ": into fallocate KEEP_SIZE", E4D_V_ALL,                   \
	            .keepsize = 2 * LEN, .flags = (flags_), __VA_ARGS__),                          \
		ROW(way "/prealloc-fault", by ": the same, buffer ends after 7680 bytes",          \
	            E4D_V_SHORT, .keepsize = 2 * LEN, FAULT(flags_), __VA_ARGS__),                 \
		ROW(way "/unaligned", by ": append at file offset 512", E4D_V_ODD, .offset = 512,  \
	            .flags = (flags_), __VA_ARGS__),                                               \
		ROW(way "/unaligned-fault", by ": the same, buffer ends after 7168 bytes",         \
	            E4D_V_SHORT, .offset = 512, FAULT_AT(OFF_BLOCK - 512, flags_), __VA_ARGS__)

const struct e4d_vcase e4d_vcases[] = {
	WAY("pwrite", "pwrite", 0, .submit = wl_submit_sync),
	WAY("pwritev2", "pwritev2 of two halves", 0, .submit = wl_submit_pwritev2),
	WAY("libaio", "io_submit", 0, .submit = wl_submit_aio),
	WAY("io_uring", "io_uring", WL_WORKER, .submit = wl_submit_uring),
	WAY("dsync", "pwrite with O_DSYNC", 0, .oflags = O_DSYNC),
	WAY("sync", "pwrite with O_SYNC", 0, .oflags = O_SYNC),
	ROW("fault/block", "append, buffer ends at a block boundary", E4D_V_SHORT, .readable = HALF,
            .flags = WL_FAULT),
	ROW("fault/head", "append, no byte of the buffer can be read", E4D_V_SHORT,
            .flags = WL_FAULT),
	ROW("fault/head-unaligned", "the same at file offset 512", E4D_V_SHORT, .offset = 512,
            .flags = WL_FAULT),
	ROW("fault/tail", "append, the buffer's last page but 512 bytes is unreadable", E4D_V_SHORT,
            .readable = LEN - WL_PAGE + 512, .flags = WL_FAULT),
	ROW("fault/prealloc-block", "into fallocate KEEP_SIZE, buffer ends at a block boundary",
            E4D_V_SHORT, .keepsize = 2 * LEN, .readable = HALF, .flags = WL_FAULT),
	ROW("fault/inside", "over a hole inside i_size, buffer ends after 7680 bytes", E4D_V_SHORT,
            .size = WL_MIB, FAULT(0)),
	ROW("inside/overwrite", "over written blocks inside EOF", E4D_V_ALL, .written = LEN),
	ROW("inside/hole", "over a hole inside i_size", E4D_V_ALL, .size = WL_MIB),
	ROW("inside/twice", "an overwrite, then a write that extends", E4D_V_ALL, .written = LEN,
            .offset = HALF, .run = wl_run_twice),
	ROW("limit/fsize", "append that RLIMIT_FSIZE cuts at a block boundary", E4D_V_ALL,
            .fsize = HALF),
	ROW("limit/fsize-odd", "append that RLIMIT_FSIZE cuts 100 bytes later", E4D_V_ODD,
            .fsize = HALF + 100),
	ROW("odd/memory", "append from an odd address", E4D_V_ODD, .skew = 1),
	ROW("nowait/append", "append with RWF_NOWAIT", E4D_V_AGAIN, .submit = wl_submit_nowait),
};

const size_t e4d_vcase_count = sizeof(e4d_vcases) / sizeof(e4d_vcases[0]);

uint64_t e4d_vcase_bytes(const struct e4d_vcase *c)
{
	uint64_t setup = c->w.written > c->w.keepsize ? c->w.written : c->w.keepsize;

	return setup + c->w.len * e4d_vcase_writes(c);
}

unsigned int e4d_vcase_writes(const struct e4d_vcase *c)
{
	return c->w.run == wl_run_twice ? 2 : 1;
}
