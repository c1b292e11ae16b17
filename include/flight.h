/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The ring of events, which is the flight recorder's when it overwrites: a mappable BPF
 * array of pages. The array is vmalloc'ed, so that a memory image has its pages anywhere:
 * each says of itself all that a reader needs, and no kernel address is in it.
 *
 *   row 0: `pages` pages | row 1: `pages` pages | ... | E4D_FLIGHT_USER pages of user space's
 *
 * A row is a CPU's; where there are more CPUs than rows, several share one. A page has a
 * number in its row, from 0. Who writes an event takes a slot or two by adding to the
 * row's cursor (struct e4d_ring_row: page's number << 16 | slot), writes it, at last the mark
 * in its header, and then adds the slots to the page's state:
 *
 *   state = number << 8 | slots committed
 *
 * Who finds no slot left takes the next page into use by a compare-and-swap of its state,
 * and then of the cursor: nobody waits for anybody. So:
 * - An event is whole if its mark is e4d_flight_mark() of the page's number and its
 *   slot: what an earlier lap left has another number, what is half written no mark.
 * - A page with E4D_FLIGHT_SLOTS committed changes no more until its next lap; slots
 *   without a mark in it are gaps. It is not taken anew before it is so full: who
 *   writes half an event and sleeps keeps its page, and nobody writes over it.
 * - Who copies a page in use reads the marks before the events, and the state before and
 *   after: another number means that it was taken anew meanwhile.
 *
 * Events are those of trace.h, E4D_EV_INSIDE and E4D_EV_WRITE, with the mark in
 * e4d_event.reserved. In the packet's header the times, content_size and packet_seq_num are
 * 0, and the room of struct e4d_packet_end is zeros: for who seals a page into a packet.
 * User space writes all but state and slots, once. The first of its own pages is such a
 * packet, sealed, with an E4D_EV_SESSION.
 */
#ifndef E4D_FLIGHT_PAGES_H
#define E4D_FLIGHT_PAGES_H

#include "trace.h"

#define E4D_FLIGHT_MAGIC 0x44344546u /* "FE4D" */
#define E4D_FLIGHT_MAJOR 1
#define E4D_FLIGHT_PAGE  4096u
#define E4D_FLIGHT_SLOT  96u /* E4D_EV_INSIDE takes one, E4D_EV_WRITE two */
#define E4D_FLIGHT_SLOTS 41u
#define E4D_FLIGHT_USER  8u /* pages: the session's, and of writes that user space settled */

/* stream_instance_id of the writes that user space settled; else the row */
#define E4D_STREAM_SETTLED 0xfffeu

struct e4d_flight_page {
	struct e4d_packet head; /* packet_size is 4096 * 8, stream_instance_id the row */
	__u8 slot[E4D_FLIGHT_SLOTS][E4D_FLIGHT_SLOT];
	__u64 state;
	__u32 magic;
	__u16 major;
	__u16 rows;
	__u32 pages; /* of each row: a power of two */
	__u32 reserved[11];
	struct e4d_packet_end end; /* zeros */
};

_Static_assert(sizeof(struct e4d_flight_page) == E4D_FLIGHT_PAGE, "a page of its own");
_Static_assert(sizeof(struct e4d_ev_inside) == E4D_FLIGHT_SLOT, "a slot");
_Static_assert(sizeof(struct e4d_ev_write) == 2 * E4D_FLIGHT_SLOT, "two slots");

/* Where the next event goes, on a line of its own. */
struct e4d_ring_row {
	__u64 cursor;
	__u64 released; /* pages with a lower number may be taken anew, where nothing is overwritten
	                 */
	__u64 pad[6];
};

static __always_inline __u32 e4d_flight_mark(__u64 page, __u32 slot)
{
	return (__u32)page << 8 | 0x80 | slot;
}

#endif
