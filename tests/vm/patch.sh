#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# docs/patch-to-validated.md's way on two point releases of 6.12: one leaks, the next does not.
#   tests/vm/patch.sh BUILD_DIR
set -u
cd "$(dirname "$0")/../.." || exit 1
prog=$1/ext4diotop
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
suite=vm/patch
# shellcheck source=../tap.sh disable=SC1091
. tests/tap.sh
for k in 6.12.117-plain 6.12; do
	tools/vm/fetch.sh $k >/dev/null 2>"$tmp/err" || { echo "not ok vm/patch: $(tail -n 1 "$tmp/err")"; exit 1; }
done
in_vm() { # OPTION...: exit code
	tools/vm/validate.sh "$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
check old 1 "$(in_vm -k 6.12.117-plain -o "$tmp/old.json")"
check new 0 "$(in_vm -k 6.12 -o "$tmp/new.json")"
"$prog" validate --diff "$tmp/old.json" "$tmp/new.json" >"$tmp/out" 2>&1
check mended 0 $?
says mended-all '^0 broken, 32 mended, 0 still failing (0 otherwise), 41 still passing$' "$tmp/out"
# the safe tier's cases are those above the line of --lab
check mended-names "$(sed '/^# --lab:/,$d; /^#/d' tests/vm/validate.leaking | sort)" "$(awk '$1 == "mended" { print $2 }' "$tmp/out" | sort)"
"$prog" validate --diff "$tmp/new.json" "$tmp/old.json" >"$tmp/out" 2>&1
check broken 1 $?
says broken-all '^32 broken, 0 mended, ' "$tmp/out"
check fixed 0 "$(in_vm -k 6.12 --expect fixed)"
check not-broken 1 "$(in_vm -k 6.12 --expect broken)"
says not-broken-says 'none of 32 cases of the leaking kind' "$tmp/out"
