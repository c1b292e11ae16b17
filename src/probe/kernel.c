/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "probe/kernel.h"

/* EXT4_STATE_* live in the upper half of i_flags on 64-bit (fs/ext4/ext4.h). */
#define STATE_SHIFT 32

static bool file_has(const char *path, const char *word)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, word) != NULL;
	fclose(f);
	return found;
}

/* BPF_CMPXCHG is 5.12, commit 5ffa25502b5a. 0 or negative errno. */
static int probe_cmpxchg(void)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1},
		{.code = BPF_STX | BPF_MEM | BPF_DW,
	         .dst_reg = BPF_REG_10,
	         .src_reg = BPF_REG_1,
	         .off = -8},
		{.code = BPF_STX | 0xc0 | BPF_DW,
	         .dst_reg = BPF_REG_10,
	         .src_reg = BPF_REG_1,
	         .off = -8,
	         .imm = 0xf1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "e4d_cmpxchg", "GPL", insns,
	                       sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* One pass: the file is large, and slow to make. */
static void read_kallsyms(struct e4d_kernel *k)
{
	char line[512], name[256];
	FILE *f = fopen("/proc/kallsyms", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %255s", name) != 1 || strncmp(name, "ext4_", 5))
			continue;
		for (const struct e4d_hook *h = e4d_hooks; h->prog; h++)
			if (!strcmp(h->target, name))
				k->ksyms[h - e4d_hooks] = true;
	}
	if (f)
		fclose(f);
	/* the functions that mark this write path */
	k->has_iomap_dio = true;
	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++)
		if (h->tier == E4D_TIER_KPROBE &&
		    (!strcmp(h->role, "mapping") || !strcmp(h->role, "end_io")))
			k->has_iomap_dio &= k->ksyms[h - e4d_hooks];
}

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	/* what libbpf calls an error is often a candidate that was tried */
	if (level <= LIBBPF_WARN && getenv("EXT4DIOTOP_DEBUG"))
		return vfprintf(stderr, fmt, args);
	return 0;
}

int e4d_kernel_probe(struct e4d_kernel *k)
{
	int err;

	libbpf_set_print(libbpf_print);
	memset(k, 0, sizeof(*k));
	k->vmlinux = btf__load_vmlinux_btf();
	if (libbpf_get_error(k->vmlinux))
		k->vmlinux = NULL;
	k->ext4_module = access("/sys/module/ext4/initstate", F_OK) == 0;
	if (k->vmlinux && k->ext4_module) {
		k->ext4 = btf__load_module_btf("ext4", k->vmlinux);
		if (libbpf_get_error(k->ext4))
			k->ext4 = NULL;
	}
	k->ext4_present = file_has("/proc/filesystems", "\text4\n");
	read_kallsyms(k);
	if (k->vmlinux)
		k->has_rdonly_cast =
			btf__find_by_name_kind(k->vmlinux, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;
	k->confidential = file_has("/sys/kernel/security/lockdown", "[confidentiality]");
	err = probe_cmpxchg();
	k->has_cmpxchg = !err;
	k->may_load = err != -EPERM;
	return 0;
}

void e4d_kernel_free_btf(struct e4d_kernel *k)
{
	btf__free(k->ext4);
	btf__free(k->vmlinux);
	k->ext4 = NULL;
	k->vmlinux = NULL;
}

void e4d_kernel_free(struct e4d_kernel *k)
{
	e4d_kernel_free_btf(k);
	memset(k, 0, sizeof(*k));
}

/* The value of an enumerator of an anonymous enum; -1 where it is not. */
static int enum_value(const struct btf *btf, const char *name)
{
	int n = btf ? (int)btf__type_cnt(btf) : 0;

	for (int id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !btf_is_enum(t))
			continue;
		for (int i = 0; i < btf_vlen(t); i++) {
			const char *s = btf__name_by_offset(btf, btf_enum(t)[i].name_off);

			if (s && !strcmp(s, name))
				return btf_enum(t)[i].val;
		}
	}
	return -1;
}

static bool btf_has(const struct btf *btf, const char *name, __u32 kind)
{
	return btf && btf__find_by_name_kind(btf, name, kind) > 0;
}

bool e4d_kernel_has(const struct e4d_kernel *k, const struct e4d_hook *hook)
{
	char name[128];

	switch (hook->kind) {
	case E4D_TP:
	case E4D_RAW_TP:
		snprintf(name, sizeof(name), "btf_trace_%s", hook->target);
		return btf_has(k->vmlinux, name, BTF_KIND_TYPEDEF) ||
		       btf_has(k->ext4, name, BTF_KIND_TYPEDEF);
	case E4D_FENTRY:
	case E4D_FEXIT:
		return btf_has(k->vmlinux, hook->target, BTF_KIND_FUNC) ||
		       btf_has(k->ext4, hook->target, BTF_KIND_FUNC);
	default:
		return k->ksyms[hook - e4d_hooks];
	}
}

void e4d_kernel_config(const struct e4d_kernel *k, struct e4d_config *cfg)
{
	int bit = enum_value(k->ext4 ? k->ext4 : k->vmlinux, "EXT4_STATE_ORPHAN_FILE");

	cfg->orphan_bit = bit < 0 ? -1 : bit + STATE_SHIFT;
	if (k->has_rdonly_cast && k->has_cmpxchg)
		cfg->inode_access = E4D_INODE_CAST;
	else if (k->confidential)
		cfg->inode_access = E4D_INODE_NONE;
	else
		cfg->inode_access = E4D_INODE_PROBE;
}

int e4d_kernel_check(const struct e4d_kernel *k, char *why, size_t len)
{
	if (!k->may_load) {
		snprintf(why, len,
		         "BPF programs may not be loaded as this user: run as root "
		         "(or with CAP_BPF and CAP_PERFMON)");
		return -EPERM;
	}
	if (!k->vmlinux) {
		snprintf(why, len,
		         "this kernel has no BTF (/sys/kernel/btf/vmlinux): use a kernel "
		         "with CONFIG_DEBUG_INFO_BTF=y");
		return -ENOTSUP;
	}
	if (!k->ext4_present) {
		snprintf(why, len,
		         "ext4 is not there: mount an ext4 file system, or 'modprobe ext4'");
		return -ENODEV;
	}
	if (!k->has_iomap_dio) {
		snprintf(why, len,
		         "this kernel's ext4 does not write through iomap: 5.5 or later is "
		         "needed (or kallsyms is hidden: run as root)");
		return -ENOTSUP;
	}
	return 0;
}
