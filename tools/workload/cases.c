/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The table of cases. What a kernel makes of each depends on its version (see
 * docs): from 6.12 on the "efault" cases that end off a block boundary leave
 * blocks past EOF on a stock kernel.
 */
#include <fcntl.h>

#include "cases.h"

/* Off the block boundary for every block size above 512: 7.5 KiB. */
#define OFF_BLOCK  7680ULL
#define HALF       (512 * WL_KIB)
#define EFAULT_OFF .len = WL_MIB, .readable = OFF_BLOCK, .flags = WL_FAULT

const struct wl_case wl_cases[] = {
	{"append-1m", "1 MiB append to an empty file", .len = WL_MIB},
	{"overwrite", "512 KiB over written blocks inside EOF", .written = WL_MIB, .len = HALF},
	{"hole-inside", "1 MiB over a hole inside i_size", .size = 4 * WL_MIB, .offset = WL_MIB,
         .len = WL_MIB},
	{"append-512tail", "append of 1 MiB and 512 bytes", .len = WL_MIB + 512},
	{"libaio-append", "1 MiB append through io_submit", .len = WL_MIB, .submit = wl_submit_aio},
	{"libaio-overwrite", "512 KiB inside EOF through io_submit", .written = WL_MIB, .len = HALF,
         .submit = wl_submit_aio},
	{"io-uring-append", "1 MiB append through io_uring", .len = WL_MIB,
         .submit = wl_submit_uring, .flags = WL_WORKER},
	{"io-uring-overwrite", "512 KiB inside EOF through io_uring", .written = WL_MIB,
         .len = HALF, .submit = wl_submit_uring, .flags = WL_WORKER},
	{"osync-append", "1 MiB append with O_SYNC", .len = WL_MIB, .oflags = O_SYNC},
	{"odsync-append", "1 MiB append with O_DSYNC", .len = WL_MIB, .oflags = O_DSYNC},
	{"efault-block", "buffer ends at a block boundary (524288 bytes)", .len = WL_MIB,
         .readable = HALF, .flags = WL_FAULT},
	{"efault-off", "buffer ends off a block boundary (7680 bytes)", EFAULT_OFF},
	{"efault-head", "buffer fails at byte 0, file offset 512", .offset = 512, .len = WL_MIB,
         .flags = WL_FAULT},
	{"efault-head-past", "buffer fails at byte 0, file offset 1049088", .offset = 1049088,
         .len = WL_MIB, .flags = WL_FAULT},
	{"efault-off-aio", "efault-off through io_submit", EFAULT_OFF, .submit = wl_submit_aio},
	{"efault-off-osync", "efault-off with O_SYNC", EFAULT_OFF, .oflags = O_SYNC},
	{"efault-off-across", "efault-off from below EOF to past it", EFAULT_OFF, .written = 4096},
	{"efault-off-past", "efault-off at 1 MiB of an empty file", EFAULT_OFF, .offset = WL_MIB},
	{"efault-off-keepsize", "efault-off over fallocate KEEP_SIZE 4 MiB", EFAULT_OFF,
         .keepsize = 4 * WL_MIB},
	{"efault-off-inside", "efault-off over a hole inside i_size", EFAULT_OFF,
         .size = 4 * WL_MIB},
	{"efault-off-deep", "efault-off behind 1200 extents", EFAULT_OFF | WL_AT_EOF,
         .setup = wl_setup_many_extents},
	{"iovec-vvar", "second iovec is the [vvar] page, which cannot be pinned", .len = WL_MIB,
         .run = wl_run_iovec_vvar},
	{"iovec-odd", "second iovec at an odd address", .len = WL_MIB, .readable = HALF,
         .run = wl_run_iovec_odd},
	{"iovec-odd-later", "the same, far enough behind for a later bio", .len = 4 * WL_MIB,
         .readable = 2 * WL_MIB + 512, .run = wl_run_iovec_odd},
	{"misaligned-length", "length is no multiple of 512", .len = WL_MIB + 100},
	{"misaligned-memory", "buffer at an odd address", .len = WL_MIB, .skew = 1},
	{"rlimit-fsize", "RLIMIT_FSIZE cuts the write to 524288 bytes", .len = WL_MIB,
         .fsize = HALF},
	{"rlimit-fsize-odd", "RLIMIT_FSIZE cuts the write to 524388 bytes", .len = WL_MIB,
         .fsize = HALF + 100},
	{"keepsize-write", "1 MiB into fallocate KEEP_SIZE 4 MiB", .keepsize = 4 * WL_MIB,
         .len = WL_MIB},
	{"keepsize-efault-block", "efault-block over fallocate KEEP_SIZE 4 MiB",
         .keepsize = 4 * WL_MIB, .len = WL_MIB, .readable = HALF, .flags = WL_FAULT},
	{"enospc", "16 MiB where 8 to 12 MiB are free", .len = 16 * WL_MIB,
         .setup = wl_setup_nearly_full},
	{"nowait-extend", "RWF_NOWAIT append: -EAGAIN", .len = WL_MIB, .submit = wl_submit_nowait},
	{"past-eof-hole", "1 MiB at 8 MiB of an empty file", .offset = 8 * WL_MIB, .len = WL_MIB},
	{"rewrite-twice", "an overwrite, then a write that extends", .written = WL_MIB,
         .offset = HALF, .len = WL_MIB, .run = wl_run_twice},
};

const size_t wl_case_count = sizeof(wl_cases) / sizeof(wl_cases[0]);
