#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Makes docs/top.svg: the live view on a terminal (tmux) over a scratch ext4 image, with
# real direct writes, of which some leave blocks past EOF where this kernel leaks.
#   tools/picture/picture.sh [FILE.svg]
set -u
cd "$(dirname "$0")/../.." || exit 1
out=${1:-docs/top.svg} cols=120 rows=20
work=$(mktemp -d /tmp/e4d.XXX)
sock=e4dpicture$$
export LC_ALL=C.UTF-8
t() { tmux -L "$sock" -f /dev/null "$@"; }
writers=''
cleanup() {
	[ -z "$writers" ] || kill "$writers" 2>/dev/null
	wait
	t kill-server 2>/dev/null
	tools/image.sh umount "$work/srv" >/dev/null 2>&1
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

make -s -j"$(nproc)" all build/svg || exit 3
mkdir -p "$work/srv" "$work/bin"
tools/image.sh make 4k "$work/image" 256M && tools/image.sh mount "$work/image" "$work/srv" >/dev/null || exit 3
for name in postgres mysqld walwriter backup; do cp /bin/dd "$work/bin/$name"; done

write() { # COMMAND FILE BLOCK COUNT [CONV]
	"$work/bin/$1" if=/dev/zero of="$work/srv/$2" bs="$3" count="$4" oflag="direct${5-}" conv=notrunc 2>/dev/null
}
writing() {
	local n=0
	while :; do
		write postgres base-16384-2619 8k $((300 + n % 7 * 40))
		write mysqld orders.ibd 16k $((100 + n % 5 * 30))
		for i in 1 2 3 4 5 6 7; do write mysqld customers-$i.ibd 16k $((40 - 5 * i)); done
		write walwriter wal-000000010000000000000042 4k 200 ,append
		[ $((n % 12)) -ne 7 ] || write backup backup.tar 1M 8
		[ $((n % 24)) -ne 9 ] || build/workload run --keep "$work/srv" efault-off >/dev/null 2>&1
		[ $((n % 40)) -ne 39 ] || : >"$work/srv/wal-000000010000000000000042"
		n=$((n + 1))
		sleep 0.05
	done
}
t new-session -d -s e -x $cols -y $rows "exec build/ext4diotop --filter dev=$work/srv -d 0.5"
until t capture-pane -p -t e | grep -q 'lost 0'; do sleep 0.2; done
writing &
writers=$!
sleep 32 # a minute's worth of the bar
t capture-pane -e -N -p -t e | build/svg $cols $rows >"$work/top.svg" && mv "$work/top.svg" "$out" && chmod 644 "$out"
