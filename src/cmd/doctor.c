/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* ext4diotop doctor: what can be attached here, and how to mend what cannot. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "probe/attach.h"
#include "record/names.h"
#include "util/escape.h"

static const char help[] =
	"Usage: ext4diotop doctor [--json] [DIR]\n"
	"       ext4diotop doctor --verifier\n"
	"Says what can be attached on this machine, tries each hook for real, makes one\n"
	"direct write on an unnamed file of an ext4 (DIR, or the first that is found),\n"
	"and checks that its record came back. Each line is PASS, WARN or FAIL; what can\n"
	"be mended says how. --verifier prints each program's size and verifier work.\n"
	"\n"
	"Examples:\n"
	"  ext4diotop doctor\n"
	"  ext4diotop doctor --json /mnt/data\n"
	"\n"
	"Exit: 0 a tier works and its record came back, 2 usage, 3 cannot run here.\n";

static void json_text(const char *key, const char *text, const char *end)
{
	char escaped[6 * 1024 + 1];
	size_t len = strnlen(text, 1024);

	*e4d_escape_json(escaped, text, len) = 0;
	printf("\"%s\":\"%s\"%s", key, escaped, end);
}

void e4d_report_line(struct e4d_report *rep, enum e4d_level level, const char *check,
                     const char *remedy, const char *fmt, ...)
{
	static const char *const names[] = {"PASS", "WARN", "FAIL"};
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rep->failed += level == E4D_FAIL;
	rep->warned += level == E4D_WARN;
	if (rep->json) {
		printf("{\"result\":\"%s\",", names[level]);
		json_text("check", check, ",");
		json_text("found", text, ",");
		if (remedy)
			json_text("remedy", remedy, "}\n");
		else
			printf("\"remedy\":null}\n");
	} else {
		printf("%s  %-26s %s\n", names[level], check, text);
		if (remedy && (!rep->last || strcmp(rep->last, remedy)))
			printf("      remedy: %s\n", remedy);
		rep->last = remedy; /* said once for lines that follow each other */
	}
	fflush(stdout);
}

static void check_privilege(struct e4d_report *rep)
{
	static const struct {
		int cap;
		const char *name;
	} caps[] = {{39, "CAP_BPF"}, {38, "CAP_PERFMON"}, {21, "CAP_SYS_ADMIN"}};
	cap_t mine = cap_get_proc();
	struct rlimit lim = {0};

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		cap_flag_value_t on = CAP_CLEAR;

		if (mine)
			cap_get_flag(mine, caps[i].cap, CAP_EFFECTIVE, &on);
		e4d_report_line(rep, on == CAP_SET ? E4D_PASS : E4D_WARN, caps[i].name,
		                on == CAP_SET ? NULL
		                              : "run as root, or grant it (setcap, systemd "
		                                "AmbientCapabilities)",
		                on == CAP_SET ? "held" : "not held");
	}
	if (mine)
		cap_free(mine);
	getrlimit(RLIMIT_MEMLOCK, &lim);
	if (lim.rlim_cur == RLIM_INFINITY)
		e4d_report_line(rep, E4D_PASS, "memlock", NULL, "unlimited");
	else
		e4d_report_line(rep, E4D_PASS, "memlock", NULL,
		                "%llu KiB (counts for BPF only before 5.11)",
		                (unsigned long long)lim.rlim_cur / 1024);
}

static void check_lockdown(struct e4d_report *rep, const struct e4d_kernel *k)
{
	char line[128] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = 0;
	if (!k->confidential)
		e4d_report_line(rep, E4D_PASS, "lockdown", NULL, "%s",
		                line[0] ? line : "no lockdown file");
	else if (k->has_rdonly_cast)
		e4d_report_line(rep, E4D_WARN, "lockdown",
		                "use fentry or tracepoint, which read without the helper", "%s",
		                line);
	else
		e4d_report_line(rep, E4D_WARN, "lockdown",
		                "boot without lockdown=confidentiality for orphan and exposure",
		                "%s: the ext4 inode cannot be read", line);
}

/* false: no tier can work, and the reason was printed. */
static bool check_kernel(struct e4d_report *rep, const struct e4d_kernel *k)
{
	struct utsname u = {0};
	int failed = rep->failed;

	uname(&u);
	e4d_report_line(rep, E4D_PASS, "kernel", NULL, "%s %s", u.release, u.machine);
	if (k->may_load)
		e4d_report_line(rep, E4D_PASS, "user", NULL, "uid %u may load BPF", geteuid());
	else
		e4d_report_line(
			rep, E4D_FAIL, "user",
			"run as root: sudo ext4diotop doctor (or grant CAP_BPF and CAP_PERFMON)",
			"uid %u may not load BPF", geteuid());
	if (k->vmlinux)
		e4d_report_line(rep, E4D_PASS, "BTF", NULL, "/sys/kernel/btf/vmlinux");
	else
		e4d_report_line(rep, E4D_FAIL, "BTF", "use a kernel with CONFIG_DEBUG_INFO_BTF=y",
		                "this kernel has no BTF");
	if (!k->ext4_present)
		e4d_report_line(rep, E4D_FAIL, "ext4", "mount an ext4, or 'modprobe ext4'",
		                "ext4 is not registered");
	else if (k->ext4_module && !k->ext4)
		e4d_report_line(rep, E4D_FAIL, "ext4",
		                "use a kernel with module BTF (5.11), or with ext4 built in",
		                "a module without BTF");
	else
		e4d_report_line(rep, E4D_PASS, "ext4", NULL,
		                k->ext4_module ? "a module, with BTF" : "built in");
	if (!k->has_iomap_dio && k->ext4_present)
		e4d_report_line(rep, E4D_FAIL, "write path",
		                "use kernel 5.5 or later; if kallsyms is hidden, run as root",
		                "ext4's direct writes do not go through iomap");
	check_lockdown(rep, k);
	check_privilege(rep);
	return rep->failed == failed;
}

static const char *hook_remedy(const struct e4d_kernel *k, const struct e4d_hook *h, int err)
{
	bool kprobe = h->kind == E4D_KPROBE || h->kind == E4D_KRETPROBE;

	if (kprobe && k->confidential)
		return "lockdown=confidentiality allows no kprobes; use another tier";
	if (err == -EPERM || err == -EACCES)
		return "a security policy or a missing capability refuses it; use another tier";
	return kprobe ? "a kernel with CONFIG_KPROBES, or another tier" : "use another tier";
}

static void check_hook(struct e4d_report *rep, const struct e4d_kernel *k, const struct e4d_hook *h,
                       bool *ok)
{
	char name[96], check[40];
	int err;

	snprintf(check, sizeof(check), "%s/%s", e4d_tier_name(h->tier), h->role);
	snprintf(name, sizeof(name), "%s %s", e4d_hook_kind_name(h->kind), h->target);
	*ok = false;
	if (!e4d_kernel_has(k, h)) {
		e4d_report_line(rep, E4D_WARN, check, NULL, "%s: inlined or missing", name);
		return;
	}
	err = e4d_hook_trial(k, h);
	*ok = !err;
	if (!err)
		e4d_report_line(rep, E4D_PASS, check, NULL, "%s: attaches", name);
	else
		e4d_report_line(rep, E4D_WARN, check, hook_remedy(k, h, err), "%s: %s", name,
		                err == -EPERM || err == -EACCES ? "refused" : strerror(-err));
}

/* A tier works when each needed role has a candidate that attached whole. */
static bool check_tier(struct e4d_report *rep, const struct e4d_kernel *k, enum e4d_tier tier)
{
	const struct e4d_hook *first = NULL;
	bool works = true, role_ok = false, cand_ok = true;
	int roles = 0;

	for (const struct e4d_hook *h = e4d_hooks; h->prog; h++) {
		bool ok;

		if (h->tier != tier)
			continue;
		if (!first || strcmp(first->role, h->role)) {
			if (first && first->needed && !(role_ok || cand_ok))
				works = false;
			first = h;
			role_ok = false;
			cand_ok = true;
			roles++;
		} else if (h->candidate != h[-1].candidate) {
			role_ok |= cand_ok;
			cand_ok = true;
		}
		check_hook(rep, k, h, &ok);
		cand_ok &= ok;
	}
	if (first && first->needed && !(role_ok || cand_ok))
		works = false;
	return works && roles;
}

static int run(struct e4d_report *rep, const char *dir)
{
	struct e4d_kernel k;
	int works = 0;

	e4d_kernel_probe(&k);
	if (check_kernel(rep, &k)) {
		for (enum e4d_tier t = E4D_TIER_FENTRY; t < E4D_TIER_COUNT; t++) {
			char check[40];
			bool ok = check_tier(rep, &k, t);

			snprintf(check, sizeof(check), "tier %s", e4d_tier_name(t));
			e4d_report_line(rep, ok ? E4D_PASS : E4D_WARN, check, NULL,
			                ok ? "works" : "does not work here");
			works += ok;
		}
		if (works)
			e4d_doctor_live(rep, dir);
		else
			e4d_report_line(rep, E4D_FAIL, "tiers",
			                "run as root on a kernel with fentry, kprobes or tp_btf",
			                "no tier works here");
	}
	e4d_kernel_free(&k);
	return rep->failed ? E4D_EXIT_CANNOT : E4D_EXIT_CLEAN;
}

int e4d_cmd_doctor(int argc, char **argv)
{
	static const struct option longopts[] = {{"json", no_argument, NULL, 'j'},
	                                         {"verifier", no_argument, NULL, 'v'},
	                                         {"help", no_argument, NULL, 'h'},
	                                         {NULL, 0, NULL, 0}};
	struct e4d_report rep = {0};
	bool verifier = false;
	int c;

	optind = 0;
	while ((c = e4d_getopt(argc, argv, "h", longopts)) != -1) {
		if (c == 'j') {
			rep.json = true;
		} else if (c == 'v') {
			verifier = true;
		} else if (c == 'h') {
			fputs(help, stdout);
			return E4D_EXIT_CLEAN;
		} else {
			fputs("Try 'ext4diotop doctor --help'.\n", stderr);
			return E4D_EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		fputs("ext4diotop: doctor takes one directory at most\n", stderr);
		return E4D_EXIT_USAGE;
	}
	return verifier ? e4d_doctor_verifier() : run(&rep, argv[optind]);
}
