#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# docs/validate.md's tables, from what the tests expect: kernel x kind of case, out of
# validate.expected and validate.leaking, and mistake x kind of case, out of validate.mistakes.
#   tests/vm/validate-tables.sh BUILD_DIR
set -eu
cd "$(dirname "$0")/../.."
(($# == 1)) || { sed -n '3,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# WAY/PLACE-VARIANT by its variant, whichever part of the buffer it is in; others by their group.
# shellcheck disable=SC2016 # awk's
kind='function kind(name) {
	if (name !~ /^(pwritev?2?|libaio|io_uring|dsync|sync)\//) {
		sub(/\/.*/, "/*", name)
		return name
	}
	if (!sub(/^[^-]*-/, "-", name)) return "whole"
	sub(/-(head|mid|end)$/, "", name)
	return name
}
function cell(n, text) { printf " %s |", n ? n : text }'

cases() { "$1/ext4diotop" validate --list --lab --run '4k/*' | sed '/^$/,$d; s#^4k/##' | awk '{ print $1 }'; }
kernels() { awk -v e="$1" '!/^#/ && $2 == e { printf "%s%s", sep, $1; sep = ", " }' tests/vm/validate.expected; }

echo "| cases, of each kind of image | | fail on $(kernels pass) | on $(kernels leaking) |"
echo "|---|---|---|---|"
cases "$1" | awk "$kind"'
	BEGIN { while ((getline l < "tests/vm/validate.leaking") > 0) leaks[l] = 1 }
	{ k = kind($1); if (!(k in all)) order[++n] = k; all[k]++; bad[k] += $1 in leaks }
	END {
		for (i = 1; i <= n; i++) {
			printf "| `%s` |", order[i]; cell(all[order[i]]); cell(0, ""); cell(bad[order[i]], ""); print ""
		}
	}'
echo
awk "$kind"'
	/^#/ || !NF { next }
	$1 == "CASE" { for (i = 2; i <= NF; i++) name[i - 1] = $i; columns = NF - 1; next }
	{
		k = kind($1)
		if (!(k in all)) order[++n] = k
		all[k]++
		for (i = 1; i <= columns; i++) fails[i, k] += substr($2, i, 1) == "x"
	}
	END {
		printf "| mistake |"; for (k = 1; k <= n; k++) printf " `%s` |", order[k]
		printf "\n|---|"; for (k = 1; k <= n; k++) printf "---|"
		printf "\n| of |"; for (k = 1; k <= n; k++) cell(all[order[k]])
		for (i = 1; i <= columns; i++) {
			printf "\n| %s |", name[i]; for (k = 1; k <= n; k++) cell(fails[i, order[k]], "")
		}
		print ""
	}' tests/vm/validate.mistakes
