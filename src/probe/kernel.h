/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the running kernel offers, found by probing, never by its version. */
#ifndef E4D_KERNEL_H
#define E4D_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include "config.h"
#include "probe/hooks.h"

struct btf;

struct e4d_kernel {
	struct btf *vmlinux; /* NULL: no BTF */
	struct btf *ext4;    /* of the module; NULL: built in, or none */
	bool ext4_present;   /* registered in /proc/filesystems */
	bool ext4_module;
	bool has_iomap_dio; /* 5.5 and later: ext4 writes through iomap */
	bool may_load;      /* BPF programs are not refused outright */
	bool has_cmpxchg;
	bool has_rdonly_cast;
	bool confidential;         /* lockdown=confidentiality */
	bool ksyms[E4D_HOOK_ROWS]; /* by row of the hook table: in /proc/kallsyms */
};

/*
 * Fills k; 0. What is absent is absent in k; never fails as a whole. From here
 * on libbpf's own lines are shown only with EXT4DIOTOP_DEBUG set.
 */
int e4d_kernel_probe(struct e4d_kernel *k);
void e4d_kernel_free(struct e4d_kernel *k);
/* Gives back the BTF alone; what was probed stays. */
void e4d_kernel_free_btf(struct e4d_kernel *k);

/* 0, or negative errno with the reason that ends every tier, and its remedy, in why. */
int e4d_kernel_check(const struct e4d_kernel *k, char *why, size_t len);

/* The inode access and orphan bit that this kernel allows. */
void e4d_kernel_config(const struct e4d_kernel *k, struct e4d_config *cfg);

/* Is the hook's target there, by BTF or by /proc/kallsyms? */
bool e4d_kernel_has(const struct e4d_kernel *k, const struct e4d_hook *hook);

#endif
