#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# ext4diotop validate in a VM, on a fresh ext4: for a kernel or a module that is not to run here.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
usage='usage: validate.sh [-k KERNEL] [-m "MODULE P=V"] [-o FILE] [VALIDATE_OPTION...]
  -k KERNEL  label of fetch.sh, or a directory with vmlinuz and modules/ (6.12)
  -m MODULE  an ext4.ko in place of the stock one, on a -plain kernel; with parameters
  -o FILE    the result as JSON to FILE, for validate --diff
example: tools/vm/validate.sh -k 6.12-plain -m path/to/ext4.ko -o new.json
exit: those of validate, and of run.sh: 124 out of time, 125 guest crashed'
kernel=6.12 module='' out='' vm=()
while (($#)); do
	case $1 in
	-h | --help) echo "$usage"; exit ;;
	-k | -m | -o) (($# > 1)) || { echo "$usage" >&2; exit 2; } ;;&
	-k) kernel=$2 ;;
	-m) module=$2 ;;
	-o) out=$2 ;;
	*) break ;;
	esac
	shift 2
done
make -s -C "$root" -j"$(nproc)" STATIC=1 B=build/static build/static/ext4diotop >/dev/null
[[ -z $module ]] || vm+=(-m "$module")
log=$(mktemp)
trap 'rm -f "$log" "$log.json"' EXIT
guest='mkfs.ext4 -q -O ^orphan_file /tmp/img 600M >/dev/null && mkdir -p /mnt && mount -o loop /tmp/img /mnt || exit 3
ulimit -l unlimited'
args=''
(($# == 0)) || args=$(printf ' %q' "$@")
if [[ $out ]]; then
	vm+=(-o "$log.json")
	guest+="
ext4diotop validate -q --format json$args /mnt >/tmp/json; rc=\$?
cat /tmp/json >/dev/ttyS1; exit \$rc"
else
	guest+="
ext4diotop validate -q$args /mnt"
fi
rc=0
"$root/tools/vm/run.sh" -k "$kernel" -t 600 --retry -s 1500 -l "$log" -m loop "${vm[@]}" -i "$root/build/static/ext4diotop" \
	-- "$guest" >/dev/null || rc=$?
sed -E '/^E4D-VM-EXIT|^\[ *[0-9.]+\]/d' "$log"
[[ -z $out || ! -s $log.json ]] || tr -d '\r' <"$log.json" >"$out"
exit $rc
