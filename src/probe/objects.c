/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include "probe/objects.h"
#include "shared.h"
#include "config.h"

#include "fentry.skel.h"
#include "fentry_v2.skel.h"
#include "kprobe.skel.h"
#include "kprobe_v2.skel.h"
#include "tracepoint.skel.h"
#include "tracepoint_v2.skel.h"

const void *e4d_object_bytes(enum e4d_tier tier, bool cmpxchg, size_t *size)
{
	switch (tier) {
	case E4D_TIER_FENTRY:
		return cmpxchg ? fentry__elf_bytes(size) : fentry_v2__elf_bytes(size);
	case E4D_TIER_KPROBE:
		return cmpxchg ? kprobe__elf_bytes(size) : kprobe_v2__elf_bytes(size);
	case E4D_TIER_TRACEPOINT:
		return cmpxchg ? tracepoint__elf_bytes(size) : tracepoint_v2__elf_bytes(size);
	default:
		return NULL;
	}
}
