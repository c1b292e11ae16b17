#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Installs what building, testing and the VMs need, from Debian's packages.
#   tools/deps.sh          all;  tools/deps.sh --build   only what building needs
#   tools/deps.sh --bench  what `make bench` compares with, beside all
set -eu

build="gcc make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libcap-dev
	libjansson-dev libzstd-dev libncurses-dev libsqlite3-dev libprotobuf-c-dev protobuf-c-compiler
	libkdumpfile-dev libc6-dev linux-libc-dev e2fsprogs util-linux"
rest="libcmocka-dev clang-format clang-tidy cppcheck shellcheck qemu-system-x86 busybox-static cpio
	zstd xz-utils patch bc binutils babeltrace2 sqlite3 protobuf-compiler tmux libclang-rt-14-dev
	libxml2-utils chromium fio strace"

bench="libbpf-tools trace-cmd linux-perf bpftrace dmsetup valgrind"

[ "${1-}" = --build ] && rest=
[ "${1-}" = --bench ] && rest="$rest $bench"
missing=
for p in $build $rest; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "deps: this is no Debian; install the likes of:$missing" >&2
	exit 3
fi
if [ "$(id -u)" != 0 ]; then
	echo "deps: root is needed to install:$missing" >&2
	exit 3
fi
echo "deps: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >&2
