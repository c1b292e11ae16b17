/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* The command that is wrapped, and everything that it starts. */
#ifndef E4D_CHILD_H
#define E4D_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/types.h>

struct e4d_child {
	pid_t pid;
	bool ended;
	int status; /* waitpid()'s, once it has ended */
	/* what the command gets back: taken before e4d_loop_signals() */
	sigset_t mask;
	struct sigaction sigpipe;
};

/* Signals to wait for beside e4d_loop_signals()'s own. */
extern const int e4d_child_signals[2];

/* Takes the signal state that the command is to get. */
void e4d_child_init(struct e4d_child *c);

/* Can it be run, as execvp() would find it? 0 or -errno. */
int e4d_child_find(const char *name);

/*
 * Starts argv with this process's descriptors, directory and environment. From here on
 * what its processes leave behind becomes our child. 0, or -errno of fork or exec.
 */
int e4d_child_start(struct e4d_child *c, char **argv);

/* Takes notice of what has ended: true when no process is left. */
bool e4d_child_reap(struct e4d_child *c);

/* Passes a signal on, but one from the terminal, which the whole group got. */
void e4d_child_signal(const struct e4d_child *c, const struct signalfd_siginfo *si);

/* family.c: was a process started by the command, directly or not? */
enum e4d_kin { E4D_KIN_GONE, E4D_KIN_YES, E4D_KIN_NO };

#define E4D_KIN_CACHE 256

struct e4d_family {
	struct {
		uint32_t pid;
		enum e4d_kin kin;
		uint64_t until_ns; /* a pid may be another process's later */
	} cache[E4D_KIN_CACHE];
};

/* Pure but for /proc: now_ns is any clock's. GONE: it could not be asked any more. */
enum e4d_kin e4d_family_of(struct e4d_family *f, uint32_t pid, uint64_t now_ns);

#endif
