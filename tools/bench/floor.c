/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Attaches programs that do nothing: what any tracer on the same hooks costs at
 * the least. Prints "ready" and waits for SIGINT or SIGTERM.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "empty.h"
#include "record/names.h"

static const char usage[] =
	"usage: floor HOOK...\n"
	"  fe:FUNCTION fx:FUNCTION   fentry, fexit\n"
	"  kp:FUNCTION kr:FUNCTION   kprobe, kretprobe\n"
	"  tp:TRACEPOINT             tp_btf\n"
	"  hooks:TIER                every hook that ext4diotop attaches in that tier\n"
	"example: floor fe:ext4_file_write_iter fx:ext4_file_write_iter\n";

static int attached;

static int attach(enum e4d_hook_kind kind, const char *target)
{
	int fd = empty_attach(kind, target);

	attached += fd >= 0;
	return fd;
}

/* The first candidate of each role that attaches, as the tracer takes it. */
static int attach_tier(const char *name)
{
	int tier = e4d_name_value(&e4d_tiers, name, strlen(name));
	const char *role = "", *done = "";
	int chosen = -1;

	if (tier <= 0)
		return -EINVAL;
	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++) {
		if (h->tier != (enum e4d_tier)tier)
			continue;
		if (strcmp(role, h->role))
			chosen = -1;
		role = h->role;
		if (!strcmp(done, role) && chosen != h->candidate)
			continue;
		if (attach(h->kind, h->target) >= 0) {
			printf("%s:%s\n", e4d_hook_kind_name(h->kind), h->target);
			chosen = h->candidate;
			done = role;
		}
	}
	return 0;
}

static int attach_word(const char *word)
{
	static const struct {
		const char *prefix;
		enum e4d_hook_kind kind;
	} kinds[] = {{"fe:", E4D_FENTRY},
	             {"fx:", E4D_FEXIT},
	             {"kp:", E4D_KPROBE},
	             {"kr:", E4D_KRETPROBE},
	             {"tp:", E4D_TP}};

	if (!strncmp(word, "hooks:", 6))
		return attach_tier(word + 6);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(word, kinds[i].prefix, 3))
			return attach(kinds[i].kind, word + 3);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	sigset_t set;
	int sig, err;

	if (argc < 2) {
		fputs(usage, stderr);
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (empty_open()) {
		fprintf(stderr, "floor: this kernel has no BTF\n");
		return 3;
	}
	for (int i = 1; i < argc; i++) {
		err = attach_word(argv[i]);
		if (err < 0) {
			fprintf(stderr, "floor: %s: %s\n", argv[i], strerror(-err));
			return 3;
		}
	}
	printf("ready: %d hooks\n", attached);
	fflush(stdout);
	sigwait(&set, &sig);
	return 0;
}
