/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* Opens, configures, loads and attaches a tier; tries hooks one by one. */
#ifndef E4D_ATTACH_H
#define E4D_ATTACH_H

#include "config.h"
#include "probe/kernel.h"

#define E4D_MAX_HOOKS 32

struct bpf_object;
struct bpf_link;

/* Sizes of the maps; 0: the default. */
struct e4d_limits {
	uint32_t ring_bytes; /* rounded up to a power of two of at least four pages */
	uint32_t in_flight;  /* writes followed at a time */
};

struct e4d_attached {
	enum e4d_tier tier;
	struct bpf_object *obj;
	int n;
	const struct e4d_hook *hooks[E4D_MAX_HOOKS];
	struct bpf_link *links[E4D_MAX_HOOKS];
	int prog_fds[E4D_MAX_HOOKS];
	uint32_t ring_rows, ring_pages;      /* see flight.h */
	int ring_fd, shared_fd, inflight_fd; /* the maps */
};

/*
 * A ring of so many bytes (a power of two): a row for each CPU, but pages enough in each.
 */
void e4d_ring_shape(uint32_t bytes, int cpus, uint32_t *rows, uint32_t *pages);

/*
 * Attaches one tier with the first candidates that really attach. cfg gives the
 * filter; what the kernel decides is filled in. limits may be NULL. On failure a
 * negative errno and the reason with its remedy in why.
 */
int e4d_attach(const struct e4d_kernel *k, enum e4d_tier tier, const struct e4d_config *cfg,
               const struct e4d_limits *limits, struct e4d_attached *out, char *why,
               size_t why_len);
/* The best tier that attaches, in the order fentry, kprobe, tracepoint. */
int e4d_attach_best(const struct e4d_kernel *k, const struct e4d_config *cfg,
                    const struct e4d_limits *limits, struct e4d_attached *out, char *why,
                    size_t why_len);
void e4d_detach(struct e4d_attached *a);

#define E4D_PIN_LINK "link-%d-%s" /* tier, program */

/*
 * What another process attached and pinned in dir: obj is NULL, and ring_rows and
 * ring_pages are 0. 0 or negative errno.
 */
int e4d_attach_pinned(int dir, struct e4d_attached *out);

/* Loads and attaches one hook alone, then lets go: 0 or negative errno. */
int e4d_hook_trial(const struct e4d_kernel *k, const struct e4d_hook *hook);

#endif
