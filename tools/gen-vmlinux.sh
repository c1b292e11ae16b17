#!/usr/bin/env bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Makes the trimmed kernel types of the BPF side from a BTF file:
#   tools/gen-vmlinux.sh x86|arm64 BTF_FILE 'KERNEL DESCRIPTION' > vmlinux/ARCH/vmlinux.h
# Which types and members is said in vmlinux/types.list. Members that a kernel
# keeps in anonymous unions are flattened: CO-RE finds them by name.
set -euo pipefail

usage() {
	sed -n '3,6s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
[ $# -eq 3 ] || usage
case $1 in x86 | arm64) ;; *) usage ;; esac
arch=$1 btf=$2 from=$3
here=$(cd "$(dirname "$0")/.." && pwd)
command -v bpftool >/dev/null || { echo "bpftool is missing: apt-get install bpftool" >&2; exit 3; }
full=$(mktemp)
trap 'rm -f "$full"' EXIT
bpftool btf dump file "$btf" format c >"$full"

cat <<HEAD
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Made by tools/gen-vmlinux.sh from the BTF of: $from. Do not edit. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include "../base.h"

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

HEAD
awk -v arch="$arch" '
FNR == NR { # the list
	if ($1 ~ /^[a-z0-9]+:$/) { if ($1 != arch ":") next; sub(/^[^ ]+ /, "") }
	if ($0 !~ /^#/ && NF) { kind[$2] = $1; order[++n] = $2; want[$2] = $0 }
	next
}
/^(struct|enum) [a-z0-9_]+ \{/ {
	name = ($2 in kind && kind[$2] == $1) ? $2 : ""
	if (name != "" && !(name in got)) { split(want[name], w, " "); delete need
		for (i in w) if (i + 0 > 2) need[w[i]] = 1 }
	else name = ""
	got[name] = 1; next
}
/^\};|^\} / { name = ""; next }
name != "" && kind[name] == "enum" {
	m = $1; sub(/,$/, "", m)
	if (m in need) body[name] = body[name] "\t" m " = " $3 (/,$/ ? "" : ",") "\n"
	next
}
name != "" && /;$/ {
	m = $0; sub(/;$/, "", m); sub(/:.*/, "", m); sub(/\[.*\]$/, "", m)
	if (m ~ /\(\*[a-z_]+\)/) { sub(/.*\(\*/, "", m); sub(/\).*/, "", m) }
	else sub(/.*[ *]/, "", m)
	if (m in need) {
		line = $0; sub(/^[\t ]+/, "", line)
		if (line ~ /\(\*/) line = "void *" m ";" # a callback: only its presence counts
		body[name] = body[name] "\t" line "\n"; delete need[m]
		if (match(line, /struct [a-z0-9_]+ \*/)) {
			p = substr(line, RSTART + 7, RLENGTH - 9); ptr[p] = 1 }
	}
}
END {
	for (p in ptr) print "struct " p ";"
	print ""
	for (i = 1; i <= n; i++) {
		if (!(order[i] in body)) { print "gen-vmlinux: " order[i] " is not in this BTF" > "/dev/stderr"; exit 1 }
		gsub(/,\n/, ",\n", body[order[i]])
		printf "%s %s {\n%s};\n\n", kind[order[i]], order[i], body[order[i]]
	}
}' "$here/vmlinux/types.list" "$full"
cat <<'TAIL'

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif
TAIL
