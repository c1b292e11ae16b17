/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "probe/attach.h"
#include "probe/kretprobe.h"
#include "probe/objects.h"
#include "record/names.h"
#include "shared.h"

#define ROW_PAGES 64 /* at least, where there are more CPUs than that leaves rows for */

static uint32_t ring_size(uint32_t bytes)
{
	uint32_t size = 4 * E4D_FLIGHT_PAGE;

	while (size < bytes && size < 1u << 30)
		size <<= 1;
	return size;
}

void e4d_ring_shape(uint32_t bytes, int cpus, uint32_t *rows, uint32_t *pages)
{
	uint32_t all = bytes / E4D_FLIGHT_PAGE;

	*rows = 1;
	while ((int)*rows < cpus && *rows < E4D_ROWS && all / *rows > ROW_PAGES)
		*rows <<= 1;
	*pages = all / *rows;
}

/* The array of slots has a fixed size: pending.c takes what is too much. */
static void set_sizes(const struct e4d_kernel *k, struct bpf_object *obj,
                      const struct e4d_limits *limits, struct e4d_config *cfg)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(obj, "ring");
	struct bpf_map *inflight = bpf_object__find_map_by_name(obj, "inflight");
	uint32_t bytes =
		ring_size(limits && limits->ring_bytes ? limits->ring_bytes : E4D_RING_BYTES);

	e4d_ring_shape(bytes, libbpf_num_possible_cpus(), &cfg->ring_rows, &cfg->ring_pages);
	if (ring)
		bpf_map__set_max_entries(ring, k->has_cmpxchg ? cfg->ring_rows * cfg->ring_pages +
		                                                        E4D_FLIGHT_USER
		                                              : bytes);
	if (limits && limits->in_flight && inflight && !k->has_cmpxchg)
		bpf_map__set_max_entries(inflight, limits->in_flight);
}

/* The programs' own copy. libbpf 1.1 returns const and means "before load, write here". */
static struct e4d_config *config_of(const struct bpf_object *obj)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata.cfg");
	size_t size = 0;
	void *ro = map ? (void *)bpf_map__initial_value(map, &size) : NULL;

	return size < sizeof(struct e4d_config) ? NULL : ro;
}

static struct bpf_object *open_tier(const struct e4d_kernel *k, enum e4d_tier tier,
                                    const struct e4d_config *cfg, const struct e4d_limits *limits)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "ext4diotop");
	struct e4d_config *ro;
	struct bpf_object *obj;
	size_t size = 0;
	const void *elf = e4d_object_bytes(tier, k->has_cmpxchg, &size);

	obj = bpf_object__open_mem(elf, size, &opts);
	if (libbpf_get_error(obj))
		return NULL;
	ro = config_of(obj);
	if (!ro) {
		bpf_object__close(obj);
		errno = EINVAL;
		return NULL;
	}
	*ro = *cfg;
	if (!cfg->extend_only && !cfg->dev && !cfg->ino && !cfg->tgid && !cfg->comm_mask[0])
		ro->begin = cfg->all ? E4D_BEGIN_ALL : E4D_BEGIN_FAST;
	e4d_kernel_config(k, ro);
	set_sizes(k, obj, limits, ro);
	return obj;
}

/* With sums for each file some hooks have a program of their own. */
static struct bpf_program *program_of(const struct bpf_object *obj, const struct e4d_hook *hook,
                                      const struct e4d_config *cfg)
{
	struct bpf_program *timed = NULL;
	char name[64];

	if (cfg->files && !cfg->all) {
		snprintf(name, sizeof(name), "%s_timed", hook->prog);
		timed = bpf_object__find_program_by_name(obj, name);
	}
	return timed ? timed : bpf_object__find_program_by_name(obj, hook->prog);
}

static struct bpf_link *attach_hook(struct bpf_program *prog, const struct e4d_hook *hook)
{
	if (hook->kind == E4D_KRETPROBE)
		return e4d_kretprobe_attach(prog, hook->target);
	return bpf_program__attach(prog);
}

int e4d_hook_trial(const struct e4d_kernel *k, const struct e4d_hook *hook)
{
	struct e4d_config cfg = {.self_tgid = getpid(), .dev = ~0u};
	struct bpf_object *obj = open_tier(k, hook->tier, &cfg, NULL);
	struct bpf_program *prog;
	struct bpf_link *link;
	int err;

	if (!obj)
		return -errno;
	prog = bpf_object__find_program_by_name(obj, hook->prog);
	err = prog ? bpf_program__set_autoload(prog, true) : -ENOENT;
	if (!err)
		err = bpf_object__load(obj);
	if (!err) {
		link = attach_hook(prog, hook);
		err = link ? 0 : -errno;
		bpf_link__destroy(link);
	}
	bpf_object__close(obj);
	if (hook->kind == E4D_KRETPROBE)
		e4d_kretprobe_clean();
	return err;
}

static void explain(enum e4d_tier tier, const struct e4d_hook *h, int err, char *why, size_t len)
{
	const char *tier_name = e4d_tier_name(tier);

	if (err == -EPERM || err == -EACCES)
		snprintf(why, len,
		         "%s: %s on %s was refused (%s): a security policy or missing "
		         "CAP_BPF and CAP_PERFMON; run as root, or use another --tier",
		         tier_name, e4d_hook_kind_name(h->kind), h->target, strerror(-err));
	else if (err == -ENOENT || err == -ESRCH)
		snprintf(why, len,
		         "%s: this kernel has no %s %s: inlined, compiled out or older; "
		         "use another --tier",
		         tier_name, e4d_hook_kind_name(h->kind), h->target);
	else
		snprintf(why, len, "%s: %s on %s failed: %s; 'ext4diotop doctor' tries each hook",
		         tier_name, e4d_hook_kind_name(h->kind), h->target, strerror(-err));
}

static bool candidate_present(const struct e4d_kernel *k, const struct e4d_hook *c)
{
	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++)
		if (h->tier == c->tier && !strcmp(h->role, c->role) &&
		    h->candidate == c->candidate && !e4d_kernel_has(k, h))
			return false;
	return true;
}

static bool candidate_attaches(const struct e4d_kernel *k, const struct e4d_hook *c, int *err,
                               const struct e4d_hook **failed)
{
	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++) {
		if (h->tier != c->tier || strcmp(h->role, c->role) || h->candidate != c->candidate)
			continue;
		*err = e4d_hook_trial(k, h);
		if (*err) {
			*failed = h;
			return false;
		}
	}
	return true;
}

/*
 * Chooses a candidate for each role. By presence at first; with trial set each
 * is loaded and attached alone, which is slow and certain.
 */
static int choose(const struct e4d_kernel *k, enum e4d_tier tier, bool trial, bool files,
                  struct e4d_attached *out, char *why, size_t len)
{
	const struct e4d_hook *failed = NULL;
	const char *role = NULL;
	bool have = true, needed = false;
	int chosen = -1, err = -ENOENT;

	out->n = 0;
	for (const struct e4d_hook *h = e4d_hooks;; h++) {
		bool new_role = !h->prog || h->tier != tier || !role || strcmp(h->role, role);

		if (new_role && role && !have && needed) {
			explain(tier, failed, err, why, len);
			return err;
		}
		if (!h->prog)
			break;
		if (h->tier != tier || (!files && e4d_hook_for_files(h))) {
			role = NULL;
			continue;
		}
		if (new_role) {
			role = h->role;
			have = false;
			needed = h->needed;
			chosen = -1;
			err = -ENOENT;
			failed = h;
		}
		if (!have && candidate_present(k, h) &&
		    (!trial || candidate_attaches(k, h, &err, &failed))) {
			have = true;
			chosen = h->candidate;
		}
		if (have && h->candidate == chosen && out->n < E4D_MAX_HOOKS)
			out->hooks[out->n++] = h;
	}
	return 0;
}

static int load_and_attach(const struct e4d_kernel *k, const struct e4d_config *cfg,
                           const struct e4d_limits *limits, struct e4d_attached *a, int *failed)
{
	int err;

	*failed = 0;
	a->obj = open_tier(k, a->tier, cfg, limits);
	if (!a->obj)
		return -errno;
	a->ring_rows = config_of(a->obj)->ring_rows;
	a->ring_pages = config_of(a->obj)->ring_pages;
	for (int i = 0; i < a->n; i++) {
		struct bpf_program *p = program_of(a->obj, a->hooks[i], cfg);

		if (!p)
			return -ENOENT;
		bpf_program__set_autoload(p, true);
	}
	err = bpf_object__load(a->obj);
	if (err)
		return err;
	a->ring_fd = bpf_object__find_map_fd_by_name(a->obj, "ring");
	a->shared_fd = bpf_object__find_map_fd_by_name(a->obj, ".bss");
	a->inflight_fd = bpf_object__find_map_fd_by_name(a->obj, "inflight");
	/* last first: the begin of a write is armed when all the rest is */
	for (int i = a->n - 1; i >= 0; i--) {
		struct bpf_program *p = program_of(a->obj, a->hooks[i], cfg);

		a->prog_fds[i] = bpf_program__fd(p);
		a->links[i] = attach_hook(p, a->hooks[i]);
		if (!a->links[i]) {
			*failed = i;
			return -errno;
		}
	}
	return 0;
}

int e4d_attach(const struct e4d_kernel *k, enum e4d_tier tier, const struct e4d_config *cfg,
               const struct e4d_limits *limits, struct e4d_attached *out, char *why, size_t why_len)
{
	int err, failed;

	for (int trial = 0; trial < 2; trial++) {
		memset(out, 0, sizeof(*out));
		out->tier = tier;
		err = choose(k, tier, trial, cfg->files, out, why, why_len);
		if (err)
			return err;
		err = load_and_attach(k, cfg, limits, out, &failed);
		if (!err)
			return 0;
		explain(tier, out->hooks[failed], err, why, why_len);
		e4d_detach(out);
	}
	return err;
}

int e4d_attach_best(const struct e4d_kernel *k, const struct e4d_config *cfg,
                    const struct e4d_limits *limits, struct e4d_attached *out, char *why,
                    size_t why_len)
{
	static const enum e4d_tier order[] = {E4D_TIER_FENTRY, E4D_TIER_KPROBE,
	                                      E4D_TIER_TRACEPOINT};
	size_t used = 0;
	int err = -ENOENT;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		char one[256] = "";

		err = e4d_attach(k, order[i], cfg, limits, out, one, sizeof(one));
		if (!err)
			return 0;
		if (used < why_len)
			used += snprintf(why + used, why_len - used, "%s%s", used ? "; " : "", one);
	}
	return err;
}

static int open_pinned(int dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	return bpf_obj_get(path);
}

static int prog_of_link(int link_fd)
{
	struct bpf_link_info info = {0};
	__u32 len = sizeof(info);

	if (link_fd < 0 || bpf_obj_get_info_by_fd(link_fd, &info, &len))
		return -1;
	return bpf_prog_get_fd_by_id(info.prog_id);
}

/* Several rows of the table have the same program: any of them tells what a miss does. */
static bool has_prog(const struct e4d_attached *a, const char *prog)
{
	for (int i = 0; i < a->n; i++)
		if (!strcmp(a->hooks[i]->prog, prog))
			return true;
	return false;
}

static void open_pinned_hook(int dir, const struct e4d_hook *h, struct e4d_attached *a)
{
	char path[128];
	struct bpf_link *link;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" E4D_PIN_LINK, dir, h->tier, h->prog);
	if (a->n == E4D_MAX_HOOKS || has_prog(a, h->prog) || access(path, F_OK))
		return;
	link = bpf_link__open(path);
	if (libbpf_get_error(link))
		return;
	a->links[a->n] = link;
	a->prog_fds[a->n] = prog_of_link(bpf_link__fd(a->links[a->n]));
	a->hooks[a->n++] = h;
	a->tier = h->tier;
}

int e4d_attach_pinned(int dir, struct e4d_attached *out)
{
	memset(out, 0, sizeof(*out));
	out->ring_fd = open_pinned(dir, "ring");
	out->shared_fd = open_pinned(dir, "shared");
	out->inflight_fd = open_pinned(dir, "inflight");
	if (out->ring_fd < 0 || out->shared_fd < 0 || out->inflight_fd < 0)
		return -ENOENT;
	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++)
		open_pinned_hook(dir, h, out);
	return out->n ? 0 : -ENOENT;
}

static void close_pinned(const struct e4d_attached *a)
{
	for (int i = 0; i < a->n; i++)
		if (a->prog_fds[i] > 0)
			close(a->prog_fds[i]);
	if (a->ring_fd > 0)
		close(a->ring_fd);
	if (a->shared_fd > 0)
		close(a->shared_fd);
	if (a->inflight_fd > 0)
		close(a->inflight_fd);
}

void e4d_detach(struct e4d_attached *a)
{
	/* the begin of a write first, so that none starts half seen */
	for (int i = 0; i < a->n; i++)
		bpf_link__destroy(a->links[i]);
	if (!a->obj)
		close_pinned(a);
	bpf_object__close(a->obj);
	if (a->tier == E4D_TIER_KPROBE)
		e4d_kretprobe_clean();
	memset(a, 0, sizeof(*a));
}
