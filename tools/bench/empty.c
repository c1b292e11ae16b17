/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "empty.h"

/* return 0 */
static const struct bpf_insn empty[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

static struct btf *vmlinux, *ext4;
static int ext4_fd;

/* A module's function is named by the BTF of the module. */
static int module_btf_fd(const char *module)
{
	struct bpf_btf_info info;
	char name[64] = "";
	__u32 id = 0, len;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		memset(&info, 0, sizeof(info));
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		len = sizeof(info);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
		    !strcmp(name, module))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

int empty_load(enum e4d_hook_kind kind, const char *target)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	char name[128];
	int id;

	snprintf(name, sizeof(name), "%s%s", kind == E4D_TP ? "btf_trace_" : "", target);
	opts.expected_attach_type = kind == E4D_FENTRY  ? BPF_TRACE_FENTRY
	                            : kind == E4D_FEXIT ? BPF_TRACE_FEXIT
	                                                : BPF_TRACE_RAW_TP;
	id = btf__find_by_name_kind(vmlinux, name,
	                            kind == E4D_TP ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
	if (id < 0 && ext4) {
		id = btf__find_by_name_kind(ext4, name,
		                            kind == E4D_TP ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
		opts.attach_btf_obj_fd = ext4_fd;
	}
	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", empty,
	                     sizeof(empty) / sizeof(empty[0]), &opts);
}

static int attach_typed(enum e4d_hook_kind kind, const char *target)
{
	int fd = empty_load(kind, target);

	return fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
}

static int read_int(const char *path, const char *format)
{
	FILE *f = fopen(path, "r");
	int v = -1;

	if (f && fscanf(f, format, &v) != 1)
		v = -1;
	if (f)
		fclose(f);
	return v;
}

static int attach_kprobe(bool ret, const char *target)
{
	const char *dir = "/sys/bus/event_source/devices/kprobe";
	struct perf_event_attr attr = {.size = sizeof(attr)};
	char path[128];
	int prog, fd;

	snprintf(path, sizeof(path), "%s/type", dir);
	attr.type = read_int(path, "%d");
	snprintf(path, sizeof(path), "%s/format/retprobe", dir);
	attr.config = ret ? 1ULL << read_int(path, "config:%d") : 0;
	attr.kprobe_func = (uintptr_t)target;
	fd = (int)syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "floor", "GPL", empty,
	                     sizeof(empty) / sizeof(empty[0]), NULL);
	if (prog < 0)
		return prog;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return fd;
}

static int attach_raw(const char *target)
{
	int prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "floor", "GPL", empty,
	                         sizeof(empty) / sizeof(empty[0]), NULL);

	return prog < 0 ? prog : bpf_raw_tracepoint_open(target, prog);
}

int empty_open(void)
{
	vmlinux = btf__load_vmlinux_btf();
	if (libbpf_get_error(vmlinux))
		return -ENOTSUP;
	ext4_fd = module_btf_fd("ext4");
	ext4 = ext4_fd ? btf__load_module_btf("ext4", vmlinux) : NULL;
	return 0;
}

int empty_attach(enum e4d_hook_kind kind, const char *target)
{
	if (kind == E4D_KPROBE || kind == E4D_KRETPROBE)
		return attach_kprobe(kind == E4D_KRETPROBE, target);
	if (kind == E4D_RAW_TP)
		return attach_raw(target);
	return attach_typed(kind, target);
}
