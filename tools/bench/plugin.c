/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * A TCG plugin: counts every instruction that the machine executes between two
 * markers of the writer (marker.h), and with profile= writes how often each
 * block of code ran in between.
 *
 *   -plugin plugin.so,out=FILE[,profile=FILE]
 *
 * out:      "WINDOW INSTRUCTIONS" for each stop marker
 * profile:  "WINDOW ADDRESS INSTRUCTIONS EXECUTIONS" for each block
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "marker.h"

/*
 * QEMU's plugin interface, version 1 (QEMU 4.2 to 8.2; Debian 12 has 7.2). No
 * Debian 12 package holds qemu-plugin.h; these are the few names used.
 */
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
                                              void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*cb)(unsigned int vcpu, void *data), int flags,
                                            void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

struct block {
	uint64_t addr, insns;
	uint64_t run;  /* instructions so far; the translated code adds to it */
	uint64_t mark; /* run at the last start marker */
	struct block *next;
};

static struct block *blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *out, *profile;
static uint64_t window;

static void start(void)
{
	for (struct block *b = blocks; b; b = b->next)
		b->mark = b->run;
}

static void stop(void)
{
	uint64_t sum = 0;

	for (struct block *b = blocks; b; b = b->next) {
		uint64_t n = b->run - b->mark;

		sum += n;
		if (profile && n)
			fprintf(profile, "%" PRIu64 " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
			        window, b->addr, n, n / b->insns);
	}
	fprintf(out, "%" PRIu64 " %" PRIu64 "\n", window, sum);
	fflush(out);
	if (profile)
		fflush(profile);
	window++;
}

static void on_marker(unsigned int vcpu, void *data)
{
	(void)vcpu;
	pthread_mutex_lock(&lock);
	if ((uintptr_t)data == E4D_MARK_START)
		start();
	else
		stop();
	pthread_mutex_unlock(&lock);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	static const unsigned char start_bytes[] = {E4D_MARK_BYTES(E4D_MARK_START)};
	static const unsigned char stop_bytes[] = {E4D_MARK_BYTES(E4D_MARK_STOP)};
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b = calloc(1, sizeof(*b));

	(void)id;
	if (!b)
		abort();
	b->addr = qemu_plugin_tb_vaddr(tb);
	b->insns = n;
	pthread_mutex_lock(&lock);
	b->next = blocks;
	blocks = b;
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->run, n);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const void *bytes = qemu_plugin_insn_data(insn);
		uintptr_t mark = 0;

		if (qemu_plugin_insn_size(insn) != sizeof(start_bytes))
			continue;
		if (!memcmp(bytes, start_bytes, sizeof(start_bytes)))
			mark = E4D_MARK_START;
		else if (!memcmp(bytes, stop_bytes, sizeof(stop_bytes)))
			mark = E4D_MARK_STOP;
		if (mark)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, 0, (void *)mark);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "profile=", 8))
			profile = fopen(argv[i] + 8, "w");
	}
	if (!out) {
		fprintf(stderr, "bench plugin: out=FILE is missing or cannot be written\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
