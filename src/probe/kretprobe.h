/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * kretprobes with room for many callers that sleep. A perf kretprobe has the
 * default number of instances (two on a machine with two CPUs before 6.4), and
 * a return without one is lost; an event of tracefs may ask for more.
 */
#ifndef E4D_KRETPROBE_H
#define E4D_KRETPROBE_H

#include <stdint.h>

struct bpf_link;
struct bpf_program;

/*
 * Attaches through tracefs where it is mounted and may be written, else through
 * perf. The link is the caller's. Returns NULL with errno set.
 */
struct bpf_link *e4d_kretprobe_attach(struct bpf_program *prog, const char *target);

/* Takes the events of this process out of tracefs, once their links are gone. */
void e4d_kretprobe_clean(void);

#endif
