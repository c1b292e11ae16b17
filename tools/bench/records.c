/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <string.h>
#include "records.h"

void make_record(struct e4d_record *r, unsigned int i)
{
	memset(r, 0, sizeof(*r));
	r->ts_ns = 81123456789ULL + i * 5417;
	r->seq = 100000 + i;
	r->ino = 131 + i % 7;
	r->offset = (__u64)i * 4096;
	r->submitted = r->mapped = r->dio_size = 4096;
	r->ret = 4096;
	r->mapped_end = r->offset + 4096;
	r->isize_before = i % 2 ? r->offset : 1ULL << 30;
	r->isize_after = i % 2 ? r->mapped_end : 1ULL << 30;
	r->alloc_end = i % 2 ? r->mapped_end : 0;
	r->latency_ns = 4000 + i * 7;
	r->pid = 4711;
	r->tid = 4711 + i % 4;
	r->dev = 254u << 20;
	r->gen = 2863311530u + i % 7;
	r->flags = E4D_F_SYNC | (i % 2 ? E4D_F_EXTEND | E4D_F_NEW : 0);
	memcpy(r->comm, "postgres", 9);
	r->extents = 1;
	r->cpu = i % 2;
	r->seen =
		E4D_SEEN_END_IO | E4D_SEEN_DIO_SIZE | E4D_SEEN_RET | E4D_SEEN_MAP | E4D_SEEN_ORPHAN;
	r->blkbits = 12;
	r->tier = E4D_TIER_FENTRY;
	r->verdict = E4D_CLEAN;
	r->version = E4D_RECORD_VERSION;
}
