/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <errno.h>
#include <string.h>
#include "flight/page.h"

static bool power_of_two(uint32_t v)
{
	return v && !(v & (v - 1));
}

int e4d_flight_page_info(const struct e4d_flight_page *p, const uint8_t *uuid,
                         struct e4d_flight_info *out)
{
	uint64_t state = p->state;

	if (p->head.magic != E4D_PACKET_MAGIC || p->magic != E4D_FLIGHT_MAGIC ||
	    p->major != E4D_FLIGHT_MAJOR || p->head.packet_size != E4D_FLIGHT_PAGE * 8 ||
	    p->head.stream_id || (uuid && memcmp(p->head.uuid, uuid, 16)) ||
	    !power_of_two(p->rows) || !power_of_two(p->pages) ||
	    (state & 0xff) > E4D_FLIGHT_SLOTS ||
	    (p->head.stream_instance_id >= p->rows &&
	     p->head.stream_instance_id != E4D_STREAM_SETTLED))
		return -EINVAL;
	memcpy(out->uuid, p->head.uuid, 16);
	out->stream = p->head.stream_instance_id;
	out->number = state >> 8;
	out->final = (state & 0xff) == E4D_FLIGHT_SLOTS;
	out->rows = p->rows;
	out->pages = p->pages;
	return 0;
}

int e4d_flight_page_scan(const struct e4d_flight_page *p,
                         int (*fn)(void *ctx, const struct e4d_event *e), void *ctx)
{
	uint64_t number = p->state >> 8;

	for (uint32_t slot = 0; slot < E4D_FLIGHT_SLOTS;) {
		const struct e4d_event *e = e4d_flight_event(p, number, slot);
		int err = e ? fn(ctx, e) : 0;

		if (err)
			return err;
		slot += e ? e->size / E4D_FLIGHT_SLOT : 1;
	}
	return 0;
}

int e4d_flight_page_copy(const struct e4d_flight_page *from, struct e4d_flight_page *to)
{
	uint64_t state = __atomic_load_n(&from->state, __ATOMIC_ACQUIRE), number = state >> 8;
	bool whole[E4D_FLIGHT_SLOTS] = {false};

	for (uint32_t slot = 0; slot < E4D_FLIGHT_SLOTS; slot++)
		whole[slot] = e4d_flight_event(from, number, slot) != NULL;
	memcpy(to, from, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&from->state, __ATOMIC_RELAXED) >> 8 != number)
		return -EAGAIN;
	to->state = state;
	for (uint32_t slot = 0; slot < E4D_FLIGHT_SLOTS;) {
		struct e4d_event *e = (struct e4d_event *)to->slot[slot];

		if (whole[slot] && e->size > E4D_FLIGHT_SLOT) {
			slot += 2; /* the second holds no header */
			continue;
		}
		if (!whole[slot])
			e->reserved = 0;
		slot++;
	}
	return 0;
}

void e4d_flight_record(const struct e4d_event *e, struct e4d_record *rec)
{
	if (e->id == E4D_EV_WRITE)
		*rec = ((const struct e4d_ev_write *)e)->rec;
	else
		e4d_inside_expand(rec, (const struct e4d_ev_inside *)e);
}
