#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Where the instructions of a boot go, by kernel function and BPF program: what each row adds to
# `base`, for each overwrite. bench.sh --profile calls it.
#   profile.sh DIRECTORY BOOT [MODE [LINES]]
set -euo pipefail
dir=$1 boot=$2 mode=${3:-overwrite} lines=${4:-30}

# Sorted by address: symbols of the kernel, then of each row, and blocks are looked up in them.
tr -d '\0' <"$dir/$boot.symbols" | awk '$2 ~ /^[tTwW]$/ && !/\[bpf\]/ && length($1) == 16 { print $1, $3 }' | sort >"$dir/kernel"
awk -v dir="$dir" -v mode="$mode" -v lines="$lines" '
function find(a, count, addr, lo, hi, mid) {
	lo = 1
	hi = count
	while (lo < hi) {
		mid = int((lo + hi + 1) / 2)
		if (addr < a[mid]) hi = mid - 1; else lo = mid
	}
	return lo
}
# 16 hex digits compare as text
function symbol(row, addr, i, n, a) {
	if (addr < "8")
		return "user"
	if (row in n_bpf && addr >= "ffffffffa0000000") {
		n = n_bpf[row]
		for (i = 1; i <= n; i++) a[i] = bpf[row, i]
		i = find(a, n, addr)
		if (addr >= a[i] && substr(addr, 1, 12) == substr(a[i], 1, 12))
			return bpf_name[row, i]
	}
	return kernel_name[find(kernel, n_kernel, addr)]
}
FILENAME ~ /kernel$/ { kernel[++n_kernel] = $1; kernel_name[n_kernel] = $2; next }
FILENAME ~ /log$/ {
	sub(/\r$/, "")
	if ($1 == "row") row = $2
	if ($1 == "symbol") {
		bpf[$2, ++n_bpf[$2]] = $3
		sub(/bpf_prog_[0-9a-f]*_/, "program ", $4)
		bpf_name[$2, n_bpf[$2]] = $4
	}
	if ($1 == "warm") at++
	if ($1 == "window") { window_row[at] = row; window_mode[at] = $2; window_n[at++] = $3 }
	next
}
!($1 in window_row) || window_mode[$1] != mode { next }
{
	r = window_row[$1]
	if (!(r in seen)) { seen[r] = 1; order[++n_rows] = r }
	if (!($1 in counted)) { counted[$1] = 1; ops[r] += window_n[$1] }
	addr = sprintf("%16s", $2)
	gsub(/ /, "0", addr)
	if (!((r, addr) in cache)) cache[r, addr] = symbol(r, addr)
	s = cache[r, addr]
	sum[r, s] += $3
	names[s] = 1
}
END {
	for (i = 1; i <= n_rows; i++) {
		r = order[i]
		if (r == "base") continue
		printf "\n%s\n", r
		cmd = "sort -rn | head -n " lines
		for (s in names) {
			d = sum[r, s] / ops[r] - sum["base", s] / ops["base"]
			if (d >= 0.5 || d <= -0.5) printf "  %9.1f  %s\n", d, s | cmd
		}
		close(cmd)
	}
}' "$dir/kernel" "$dir/$boot.log" "$dir/$boot.profile"
