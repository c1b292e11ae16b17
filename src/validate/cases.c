/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The cases: each way to write, in each place, with a buffer that is whole and one
 * that is not, and with trouble from elsewhere. What 6.12 and later make of the
 * faults off a block boundary: docs/validate.md.
 */
#include <fcntl.h>

#include "validate/validate.h"

#define LEN   (256 * WL_KIB)
#define HALF  (LEN / 2)
#define BLOCK 4096ULL /* a boundary for every block size in use */
/* Off the block boundary for every block size above 512: 7.5 KiB. */
#define OFF_BLOCK 7680ULL
#define HOLE      WL_MIB

#define ROW(name_, what_, want_, ...)                                                              \
	{                                                                                          \
		{.name = (name_), .what = (what_), .len = LEN, __VA_ARGS__}, want_, E4D_V_SAFE,    \
			E4D_V_NO_TROUBLE                                                           \
	}
#define LAB(name_, what_, want_, medium_, trouble_, ...)                                           \
	{                                                                                          \
		{.name = (name_), .what = (what_), .len = LEN, __VA_ARGS__}, want_, medium_,       \
			trouble_                                                                   \
	}
#define DISK(name_, what_, want_, ...)                                                             \
	LAB(name_, what_, want_, E4D_V_DISK, E4D_V_NO_TROUBLE, __VA_ARGS__)

/* `bytes` are counted from the block in which the write begins. */
#define FAULT_AT(bytes, off, flags_)                                                               \
	.readable = (bytes) - (off) % BLOCK, .flags = WL_FAULT | (flags_)
#define HELD(off, how, flags_)                                                                     \
	.readable = OFF_BLOCK - (off) % BLOCK, .flags = (flags_), .held = (how), .run = wl_run_held

/*
 * A way in a place. full_: what is due when the file system is full. What follows
 * flags_ is the place's setup, and the way itself.
 */
#define CELL(n, w, want_, full_, off, flags_, ...)                                                 \
	ROW(n, w, want_, .offset = (off), .flags = (flags_), __VA_ARGS__),                         \
		ROW(n "-fault", w "; the buffer ends off a block boundary, at its head",           \
	            E4D_V_SHORT, .offset = (off), FAULT_AT(OFF_BLOCK, off, flags_), __VA_ARGS__),  \
		DISK(n "-fault-mid", w "; the same in its middle", E4D_V_SHORT, .offset = (off),   \
	             FAULT_AT(HALF + 512, off, flags_), __VA_ARGS__),                              \
		DISK(n "-fault-end", w "; the same in its last block", E4D_V_SHORT,                \
	             .offset = (off), FAULT_AT(LEN - BLOCK + 512, off, flags_), __VA_ARGS__),      \
		DISK(n "-edge-head", w "; the buffer ends at a block boundary, at its head",       \
	             E4D_V_SHORT, .offset = (off), FAULT_AT(BLOCK, off, flags_), __VA_ARGS__),     \
		DISK(n "-edge-mid", w "; the same in its middle", E4D_V_SHORT, .offset = (off),    \
	             FAULT_AT(HALF, off, flags_), __VA_ARGS__),                                    \
		DISK(n "-edge-end", w "; the same before its last block", E4D_V_SHORT,             \
	             .offset = (off), FAULT_AT(LEN - BLOCK, off, flags_), __VA_ARGS__),            \
		DISK(n "-limit", w "; RLIMIT_FSIZE cuts it in half", want_, .offset = (off),       \
	             .fsize = (off) + HALF, .flags = (flags_), __VA_ARGS__),                       \
		DISK(n "-signal", w "; a signal while it waits for a page", want_,                 \
	             .offset = (off), HELD(off, WL_HELD_SIGNAL, flags_), __VA_ARGS__),             \
		DISK(n "-kill", w "; SIGKILL while it waits for a page", E4D_V_KILLED,             \
	             .offset = (off), HELD(off, WL_HELD_KILL, flags_), __VA_ARGS__),               \
		LAB(n "-shutdown", w "; a shutdown while it waits, then a mount", E4D_V_CRASH,     \
	            E4D_V_DISK, E4D_V_REMOUNT, .offset = (off),                                    \
	            HELD(off, WL_HELD_SHUTDOWN, flags_), __VA_ARGS__),                             \
		LAB(n "-full", w "; room for half of it in the file system", full_, E4D_V_TMPFS,   \
	            E4D_V_NO_TROUBLE, .offset = (off), .flags = (flags_),                          \
	            .setup = wl_setup_nearly_full, __VA_ARGS__),                                   \
		LAB(n "-nospc", w "; room for half of it on the device", E4D_V_LESS, E4D_V_TMPFS,  \
	            E4D_V_NOSPC, .offset = (off), .flags = (flags_), __VA_ARGS__),                 \
		LAB(n "-eio", w "; the device fails every write", E4D_V_LESS, E4D_V_DM, E4D_V_EIO, \
	            .offset = (off), .flags = (flags_), __VA_ARGS__)

/* The five places of a way to write; what follows flags_ is the way itself. */
#define WAY(way, by, flags_, ...)                                                                  \
	CELL(way "/append", by ": append to an empty file", E4D_V_ALL, E4D_V_LESS, 0ULL, flags_,   \
	     __VA_ARGS__),                                                                         \
		CELL(way "/hole", by ": at 1 MiB of an empty file", E4D_V_ALL, E4D_V_LESS, HOLE,   \
	             flags_, __VA_ARGS__),                                                         \
		CELL(way "/across", by ": from below EOF to past it", E4D_V_ALL, E4D_V_LESS, 0ULL, \
	             flags_, .written = BLOCK, __VA_ARGS__),                                       \
		CELL(way "/prealloc", by ": into fallocate KEEP_SIZE", E4D_V_ALL, E4D_V_ALL, 0ULL, \
	             flags_, .keepsize = 2 * LEN, __VA_ARGS__),                                    \
		CELL(way "/unaligned", by ": append at file offset 512", E4D_V_ODD, E4D_V_LESS,    \
	             512ULL, flags_, __VA_ARGS__)

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
            .size = WL_MIB, FAULT_AT(OFF_BLOCK, 0, 0)),
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
	LAB("shutdown/fallback",
            "append; a shutdown while the buffered fallback waits, then a mount", E4D_V_CRASH,
            E4D_V_DISK, E4D_V_REMOUNT, .readable = OFF_BLOCK, .held = WL_HELD_SHUTDOWN,
            .run = wl_run_held_vvar),
	LAB("e2fsck", "what e2fsck -fn says of an image, and of no case's file", E4D_V_CRASH,
            E4D_V_FSCK, E4D_V_NO_TROUBLE),
	LAB("eio/middle", "into fallocate KEEP_SIZE, the device fails in the middle of it",
            E4D_V_LESS, E4D_V_DM, E4D_V_EIO_MIDDLE, .keepsize = 2 * LEN),
};

const size_t e4d_vcase_count = sizeof(e4d_vcases) / sizeof(e4d_vcases[0]);

uint64_t e4d_vcase_bytes(const struct e4d_vcase *c)
{
	uint64_t setup = c->w.written > c->w.keepsize ? c->w.written : c->w.keepsize;

	return setup + c->w.len * e4d_vcase_writes(c);
}

/* The units that the setup or the write touches, an inode's own, and indirect blocks. */
uint64_t e4d_vcase_room(const struct e4d_vcase *c, const struct e4d_vfs *fs)
{
	uint64_t setup = c->w.written > c->w.keepsize ? c->w.written : c->w.keepsize;
	uint64_t to = (c->w.offset + c->w.len + fs->unit - 1) / fs->unit;
	uint64_t from = c->w.offset / fs->unit, units = (setup + fs->unit - 1) / fs->unit;

	from = from < units ? units : from; /* there already */
	units += to > from ? to - from : 0;
	return fs->base + units * fs->unit + (fs->extents ? 0 : 4 * fs->blksize);
}

unsigned int e4d_vcase_writes(const struct e4d_vcase *c)
{
	return c->w.run == wl_run_twice ? 2 : 1;
}
