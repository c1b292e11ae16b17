/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The flight recorder's ring: a mappable BPF array of pages, as memory holds them.
 * The array is vmalloc'ed, so that a memory image has its pages anywhere: each says
 * of itself all that a reader needs, and no kernel address is in it.
 *
 *   CPU 0: `pages` pages | CPU 1: `pages` pages | ... | E4D_FLIGHT_USER pages of user space's
 *
 * User space writes all but `state` and the slots before the programs are attached.
 * The kernel side takes a page into use by a compare-and-swap of `state`, and a slot or
 * two by adding to the CPU's cursor (e4d_counters.cursor: page's number << 16 | slot).
 * It writes the event, at last its mark, and then adds the slots to `state`:
 *
 *   state = number of the page on its CPU << 8 | slots committed
 *
 * - An event is whole if its mark is e4d_flight_mark() of the page's number and its
 *   slot: what an earlier lap left has another number, what is half written no mark.
 * - A page with E4D_FLIGHT_SLOTS committed changes no more until its next lap; slots
 *   without a mark in it are gaps. It is not taken anew before it is so full: who
 *   writes half an event and sleeps keeps its page, and nobody writes over it.
 * - Who copies a page while it is in use reads the marks before the events, and `state`
 *   before and after: another number means that it was taken anew meanwhile.
 *
 * Events are those of trace.h, E4D_EV_INSIDE and E4D_EV_WRITE, with the mark in
 * e4d_event.reserved; the packet's times, content_size, packet_seq_num are 0 and the
 * room of struct e4d_packet_end is zeros, for who seals a page into a packet. The first of
 * user space's own pages is such a packet, sealed, with an E4D_EV_SESSION.
 */
#ifndef E4D_FLIGHT_H
#define E4D_FLIGHT_H

#include "trace.h"

#define E4D_FLIGHT_MAGIC 0x44344546u /* "FE4D" */
#define E4D_FLIGHT_MAJOR 1
#define E4D_FLIGHT_PAGE  4096u
#define E4D_FLIGHT_SLOT  96u /* E4D_EV_INSIDE takes one, E4D_EV_WRITE two */
#define E4D_FLIGHT_SLOTS 41u
#define E4D_FLIGHT_USER  8u /* pages: the session's, and of writes that user space settled */

/* stream_instance of the writes that user space settled; else the CPU */
#define E4D_STREAM_SETTLED 0xfffeu

/* A cursor or a state before the first page, which has number 0. */
#define E4D_FLIGHT_CURSOR0 (~0ULL << 16 | E4D_FLIGHT_SLOTS)
#define E4D_FLIGHT_STATE0  (~0ULL << 8 | E4D_FLIGHT_SLOTS)

struct e4d_flight_page {
	struct e4d_packet head; /* packet_size is 4096 * 8, stream_instance the CPU */
	__u8 slot[E4D_FLIGHT_SLOTS][E4D_FLIGHT_SLOT];
	__u64 state;
	__u32 magic;
	__u16 major;
	__u16 rows;  /* CPUs that the ring has pages for */
	__u32 pages; /* of each CPU: a power of two */
	__u32 reserved[9];
	struct e4d_packet_end end; /* zeros */
};

_Static_assert(sizeof(struct e4d_flight_page) == E4D_FLIGHT_PAGE, "a page of its own");
_Static_assert(sizeof(struct e4d_ev_inside) == E4D_FLIGHT_SLOT, "a slot");
_Static_assert(sizeof(struct e4d_ev_write) == 2 * E4D_FLIGHT_SLOT, "two slots");

static __always_inline __u32 e4d_flight_mark(__u64 page, __u32 slot)
{
	return (__u32)page << 8 | 0x80 | slot;
}

#endif
