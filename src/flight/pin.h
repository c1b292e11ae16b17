/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A recorder that outlives its process: its maps and links pinned in a bpffs,
 *
 *   BPFFS/ext4diotop/ID/{ring,shared,inflight,link-TIER-PROGRAM...}
 *
 * in directories that root made (0700), and that are looked at before they are trusted:
 * a bpffs may be world-writable. The recorder holds a lock (flock) on ID while it lives.
 */
#ifndef E4D_FLIGHT_PIN_H
#define E4D_FLIGHT_PIN_H

#include <stdbool.h>
#include <stddef.h>

#define E4D_BPFFS "/sys/fs/bpf"

struct e4d_session;

struct e4d_pins {
	int top; /* BPFFS/ext4diotop; 0: nothing is pinned */
	int dir; /* of this recorder */
	char id[16];
};

/* Pins the session's maps and links. 0, or negative errno with the reason in why: nothing stays. */
int e4d_pins_make(struct e4d_pins *p, const char *bpffs, struct e4d_session *s, char *why,
                  size_t why_len);

/*
 * Opens those of another recorder: of the id, or (NULL) of the only one there is. -ENOENT:
 * there is none; -E2BIG: several, named in why.
 */
int e4d_pins_open(struct e4d_pins *p, const char *bpffs, const char *id, char *why, size_t why_len);

/* Does the recorder live? */
bool e4d_pins_alive(const struct e4d_pins *p);

/* Calls fn for each recorder: 0, or negative errno with the reason in why. */
int e4d_pins_list(const char *bpffs, void (*fn)(void *ctx, const char *id, bool alive), void *ctx,
                  char *why, size_t why_len);

/* Takes the pins away: what nobody else holds ends. */
void e4d_pins_remove(struct e4d_pins *p);
void e4d_pins_close(struct e4d_pins *p);

#endif
