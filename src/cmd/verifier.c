/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * doctor --verifier: one line for each program of each tier that loads here:
 *   TIER PROGRAM INSTRUCTIONS VERIFIED
 * VERIFIED is what the verifier walked (5.16 and later; 0 before).
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "probe/attach.h"
#include "record/names.h"
#include "util/log.h"

static void print_tier(const struct e4d_attached *a)
{
	for (int i = 0; i < a->n; i++) {
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(a->prog_fds[i], &info, &len))
			continue;
		printf("%s %s %u %u\n", e4d_tier_name(a->tier), a->hooks[i]->prog,
		       info.xlated_prog_len / 8, info.verified_insns);
	}
}

int e4d_doctor_verifier(void)
{
	struct e4d_config cfg = {.self_tgid = getpid()};
	struct e4d_kernel k;
	int tiers = 0;

	e4d_kernel_probe(&k);
	for (enum e4d_tier t = E4D_TIER_FENTRY; t < E4D_TIER_COUNT; t++) {
		struct e4d_attached a;
		char why[512] = "";

		if (e4d_attach(&k, t, &cfg, NULL, &a, why, sizeof(why))) {
			e4d_warn("%s", why);
			continue;
		}
		print_tier(&a);
		e4d_detach(&a);
		tiers++;
	}
	e4d_kernel_free(&k);
	return tiers ? E4D_EXIT_CLEAN : E4D_EXIT_CANNOT;
}
