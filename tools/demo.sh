#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# make demo: the named direct writes on a fresh ext4 image, judged by the tracer
# and by the disk (FIEMAP), side by side. Where this host allows no BPF or no
# root, the same runs in a VM of a stock Debian kernel.
#   tools/demo.sh [--vm [KERNEL]]
set -u
cd "$(dirname "$0")/.." || exit 1

say() { echo "demo: $*" >&2; }

build() {
	make -s -j"$(nproc)" "$@" all >&2
}

in_vm() {
	say "running in a VM: Debian kernel $1 under QEMU without hardware help"
	build STATIC=1 B=build/static || return 3
	dir=$(tools/vm/fetch.sh "$1") || return 3
	say "kernel $(cat "$dir/version")"
	tools/vm/run.sh -k "$1" -t 300 --retry \
		-i build/static/ext4diotop:/e4d/build/ext4diotop -i build/static/workload:/e4d/build/workload \
		-i build/static/judge:/e4d/build/judge -i tools/cases.sh:/e4d/tools/cases.sh \
		-i tools/image.sh:/e4d/tools/image.sh -i tools/tracer.sh:/e4d/tools/tracer.sh \
		-- "cd /e4d && sh tools/cases.sh --kind 4k --bin /e4d/build --table"
}

if [ "$(id -u)" = 0 ]; then
	tools/deps.sh || exit 3
else
	say "not root: only the VM can be used"
fi
if [ "${1-}" = --vm ]; then
	in_vm "${2-6.12}"
	exit
fi
build || exit 3
if [ "$(id -u)" != 0 ]; then
	in_vm 6.12
	exit
fi
say "an ext4 image on a loop device, kernel $(uname -r)"
say "CASE, RET, SUBMITTED and DISK are the disk's truth (FIEMAP: bytes past EOF)"
say "MAPPED, ISIZE and VERDICT are the tracer's words; ok: they agree"
tools/cases.sh --kind 4k --table
rc=$?
if [ $rc -ne 3 ]; then
	say "what a verdict means: docs/verdict.md"
	exit $rc
fi
say "this host does not let the tracer attach (above)"
in_vm 6.12
