/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Is it a packet? The one place that decides what of a file is believed. */
#ifndef E4D_TRACE_VERIFY_H
#define E4D_TRACE_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include "trace.h"

enum e4d_packet_state {
	E4D_PACKET_WHOLE,
	E4D_PACKET_NONE,   /* no header that could be one */
	E4D_PACKET_SHORT,  /* the header is good; more bytes are needed */
	E4D_PACKET_TORN,   /* the header is good, what should be its end is not */
	E4D_PACKET_CRC,    /* header and end are good, what is between is not */
	E4D_PACKET_EVENTS, /* the CRC is right, the events are not what they may be */
	E4D_PACKET_NEWER,  /* the CRC is right, the major version is above ours */
	E4D_PACKET_STATES,
};

/*
 * Judges the packet that buf (n bytes, aligned to 8) begins with. *bytes is its
 * size, 0 where the header tells of none. Of a whole one every event can be walked
 * with e4d_packet_events() and read by its struct: sizes, order in time and the NUL
 * of each string are checked, values are not.
 */
enum e4d_packet_state e4d_packet_check(const void *buf, size_t n, size_t *bytes);

static inline size_t e4d_packet_bytes(const struct e4d_packet *p)
{
	return (size_t)(p->packet_size / 8);
}

static inline const struct e4d_packet_end *e4d_packet_end_of(const struct e4d_packet *p)
{
	return (const void *)((const char *)p + e4d_packet_bytes(p) -
	                      sizeof(struct e4d_packet_end));
}

/* Of a whole packet: its first event, and where the last one ends. */
static inline const struct e4d_event *e4d_packet_events(const struct e4d_packet *p,
                                                        const void **end)
{
	*end = (const char *)p + p->content_size / 8;
	return (const void *)(p + 1);
}

static inline const struct e4d_event *e4d_event_next(const struct e4d_event *e)
{
	return (const void *)((const char *)e + e->size);
}

#endif
