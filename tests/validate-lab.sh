#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# ext4diotop validate --lab on this machine: which cases fail on a kernel that
# leaks, which devices are left alone, and what is left behind (nothing).
#   tests/validate-lab.sh [--all] BUILD_DIR
# --all runs each case on each kind of image; without it a slice, in a quarter of the time.
set -u
cd "$(dirname "$0")/.." || exit 1
slice=(--run '4k/pwrite/*' --run '4k/io_uring/append*' --run '4k/libaio/*' --run '*/dsync/across*'
	--run '*/pwrite/append*' --run '*/e2fsck' --run '*/shutdown/*')
[ "$1" != --all ] || { slice=(); shift; }
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload leaking=$PWD/tests/vm/validate.leaking
tmp=$(mktemp -d /tmp/e4d-validate-lab.XXXXXX)
work=$tmp/work mnt=$tmp/mnt dev=''
mkdir "$mnt" "$work"
# shellcheck disable=SC2317 # the trap's
cleanup() {
	umount "$mnt" 2>/dev/null
	[ -z "$dev" ] || losetup -d "$dev"
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

suite=validate-lab
# shellcheck source=tap.sh disable=SC1091
. tests/tap.sh
validate() { # OPTION...: exit code; output in $tmp/out and $tmp/err
	"$prog" validate "$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
failed() { sed -nE 's/^not ok [0-9]+ (.*)/\1/p' "$tmp/out" | sort; }
# Of the results that ran, those whose case is known to fail on a kernel that leaks. Without
# extents nothing is left within the first 12 blocks: there a fault moves i_size, which a write
# that fails must not, and one whose writer is killed or whose file system is shut down may.
known() {
	sed -nE '/# SKIP/d; s/^(not )?ok [0-9]+ (.*)/\2/p' "$tmp/out" |
		awk -F/ -v list="$leaking" 'BEGIN { while ((getline l < list) > 0) bad[l] = 1 }
			$1 == "noextents" && $NF ~ /^((append|across|unaligned)-kill|fallback)$/ { next }
			substr($0, length($1) + 2) in bad' | sort
}

# the node may be there without its module
dm=0
{ [ -c /dev/mapper/control ] && : <>/dev/mapper/control; } 2>/dev/null && dm=1

check with-a-directory 2 "$(validate --lab /tmp)"
check work-without-lab 2 "$(validate --work /tmp /tmp)"
check scratch-without-lab 2 "$(validate --scratch /dev/loop0 /tmp)"
check no-such-case 2 "$(validate --lab --run '8k/*')"
check no-work 3 "$(validate --lab --work /no/such)"
says no-work-names '^ext4diotop: /no/such: No such file' "$tmp/err"
check root-as-work 3 "$(validate --lab --work /)"
says root-as-work-says 'name a directory below it by --work' "$tmp/err"
: >"$tmp/file"
check file-as-work 3 "$(validate --lab --work "$tmp/file")"
says file-as-work-says "$tmp/file: Not a directory" "$tmp/err"
mkdir "$tmp/ro" && mount -t tmpfs -o ro tmpfs "$tmp/ro"
check read-only-work 3 "$(validate --lab --work "$tmp/ro")"
says read-only-work-says "$tmp/ro: Read-only file system" "$tmp/err"
check read-only-work-dry-run 3 "$(validate --lab --dry-run --work "$tmp/ro")"
umount "$tmp/ro"
check list 0 "$(validate --list --lab)"
check list-names "$(validate --lab --dry-run >/dev/null; awk '/^(run|skip) / { print $2 }' "$tmp/out" | sort)" \
	"$("$prog" validate --list --lab | awk '/^$/ { exit } { print $1 }' | sort)"
validate --list --lab >/dev/null
says list-case '^4k/libaio/hole-nospc  *io_submit: .*room for half of it on the device' "$tmp/out"
check list-run '4k/pwrite/append 1' "$("$prog" validate --list --lab --run 4k/pwrite/append |
	awk '/^$/ { exit } { n++; print $1, n }')"
check list-kind 436 "$("$prog" validate --list --lab --run '1k/*' | awk '/^$/ { exit } 1' | wc -l)"
check list-scratch 2 "$(validate --list --lab --scratch /dev/loop0)"
validate --list --lab >/dev/null
says list-invariant '^e2fsck  *e2fsck -fn' "$tmp/out"
setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
	"$prog" validate --lab >"$tmp/out" 2>"$tmp/err"
check unprivileged 3 $?
says unprivileged-says 'run it as root' "$tmp/err"
check dry-run 0 "$(validate --lab --work "$work" --dry-run --run '1k/inside/*')"
says dry-run-plan '^run  1k/inside/hole  *256 KiB' "$tmp/out"
says dry-run-honest 'found out in the run' "$tmp/out"
check dry-run-skips 0 "$(validate --lab --work "$work" --dry-run --run '*/pwrite/prealloc*' --run '*-eio')"
check dry-run-no-extents '13 14' "$(grep -c '^skip noextents/pwrite/prealloc.*no fallocate without extents' "$tmp/out") \
$(grep -c '^[a-z]* *noextents/pwrite/prealloc' "$tmp/out")"
check dry-run-dm $((150 - dm * 150)) "$(grep -c '^skip .*-eio .*no device-mapper here' "$tmp/out")"
check dry-run-makes-nothing '' "$(ls -A "$work")"

# which cases fail; asked of the lab's own case whether this kernel leaks
if ! tools/image.sh make 4k "$tmp/image" || ! tools/image.sh mount "$tmp/image" "$mnt" >/dev/null; then
	echo "not ok $suite: no scratch ext4 could be mounted"
	exit 0
fi
leaks=0
"$workload" run "$mnt" efault-off 2>/dev/null | grep -q '"past_eof":0,' || leaks=1
tools/image.sh umount "$mnt"
check cases $leaks "$(validate --lab --work "$work" "${slice[@]}")"
if [ $leaks = 1 ]; then
	check cases-fail-exactly "$(known)" "$(failed)"
	says cases-e2fsck-by-inode '^# size: .*past-eof: .*e2fsck: Inode [0-9]*, i_size is' "$tmp/out"
else
	check cases-fail-none '' "$(failed)"
fi
says cases-tracer-agrees '^ok [0-9]* tracer$' "$tmp/out"
says cases-enospc-ran '^ok [0-9]* 4k/pwrite/append-nospc$' "$tmp/out"
says cases-killed-ran 'ok [0-9]* 4k/pwrite/append-kill$' "$tmp/out"
says cases-shutdown-ran '^ok [0-9]* 4k/pwrite/append-shutdown$' "$tmp/out"
for kind in 4k 1k bigalloc orphan_file noextents; do
	says cases-$kind-fsck "^ok [0-9]* $kind/e2fsck$" "$tmp/out"
done
if [ $dm = 1 ]; then
	says cases-eio-ran '^ok [0-9]* 4k/pwrite/append-eio$' "$tmp/out"
else
	says cases-eio-skipped '4k/pwrite/append-eio # SKIP no device-mapper here' "$tmp/out"
fi
check cases-skip-only '' "$(sed -nE '/device-mapper here|no fallocate without/d; s/.*# SKIP //p' "$tmp/out" | sort -u)"
check cases-leave-nothing '' "$(ls -A "$work")"
# a kill in the place of the fault is the same leak
check expect-broken $((1 - leaks)) "$(validate --lab --work "$work" --tier none --expect broken --run '4k/pwrite/*-kill')"
says expect-broken-kills "$([ $leaks = 1 ] && echo 5 of 5 || echo none of 5) cases of the leaking kind.* 0 failed otherwise" "$tmp/err"
check some-pass 0 "$(validate --lab --run 4k/inside/hole --run 1k/pwrite/append --tier none)"
check no-tracer-is-said 1 "$(grep -c '^ok 3 tracer # SKIP no tracer' "$tmp/out")"

script -qec "$prog validate --lab --run '4k/inside/*' --tier none" /dev/null >"$tmp/tty" 2>&1
says progress-with-eta '3/3 4k/inside/twice .*ETA 0:0' "$tmp/tty"

# somebody's device
tools/image.sh make 4k "$tmp/image" 300M && tune2fs -L 'old data' "$tmp/image" >/dev/null
dev=$(losetup -f --show "$tmp/image")
sum=$(sha256sum <"$dev")
check scratch-asks 2 "$(validate --lab --scratch "$dev")"
says scratch-asks-what "all 300 MiB of $dev, a device with ext4 labelled old data, not mounted, would be destroyed" "$tmp/err"
for answer in no y ''; do
	echo "$answer" | script -qec "$prog validate --lab --run 4k/inside/hole --scratch $dev" /dev/null >"$tmp/tty" 2>&1
	check "scratch-asked-${answer:-nothing}" 2 $?
done
says scratch-asked-what "all 300 MiB of $dev, a device with ext4 labelled old data, not mounted, will be destroyed" "$tmp/tty"
says scratch-asked-question 'Type yes' "$tmp/tty"
check scratch-dry-run 0 "$(validate --lab --dry-run --run 4k/inside/hole --scratch "$dev")"
says scratch-dry-run-says 'labelled old data, not mounted, would be destroyed' "$tmp/out"
check scratch-not-touched "$sum" "$(sha256sum <"$dev")"
mount "$dev" "$mnt"
check scratch-mounted 3 "$(validate --lab --scratch "$dev" --yes)"
says scratch-mounted-says "$dev is mounted or held" "$tmp/err"
umount "$mnt"
# in a mount namespace that we cannot see
unshare -m sh -c "mount '$dev' '$mnt' && : >'$tmp/ready' && exec sleep 60" &
holder=$!
until [ -e "$tmp/ready" ] || ! kill -0 $holder 2>/dev/null; do sleep 0.05; done
check scratch-held 3 "$(validate --lab --scratch "$dev" --yes)"
kill $holder
wait $holder 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do # the namespace goes a moment later
	rc=$(validate --lab --scratch "$dev" --yes --run '1k/inside/*' --run 1k/e2fsck --run '4k/limit/*')
	[ "$rc" = 3 ] || break
	sleep 0.2
done
check scratch-yes 0 "$rc"
says scratch-yes-names "all 300 MiB of $dev, a device with ext4 labelled old data, not mounted, will be destroyed" "$tmp/err"
says scratch-yes-where "images of each kind on $dev" "$tmp/out"
check scratch-yes-not-mounted 0 "$(grep -c "^$dev " /proc/mounts)"
check scratch-file 3 "$(validate --lab --scratch "$tmp/image" --yes)"
says scratch-file-says 'not a block device; name a block device' "$tmp/err"
echo yes | script -qec "$prog validate --lab --run 4k/inside/hole --tier none --scratch $dev" /dev/null >"$tmp/tty" 2>&1
check scratch-said-yes 0 $?
says scratch-said-yes-ran 'ok 1 4k/inside/hole' "$tmp/tty"
ro=$(losetup -r -f --show "$tmp/image")
check scratch-read-only 3 "$(validate --lab --scratch "$ro" --yes)"
says scratch-read-only-says "$ro is read-only; name another device" "$tmp/err"
losetup -d "$ro"
check scratch-no-such 3 "$(validate --lab --scratch /dev/no-such --yes)"
losetup -d "$dev"
truncate -s 64M "$tmp/image"
dev=$(losetup -f --show "$tmp/image")
check scratch-small 3 "$(validate --lab --scratch "$dev" --yes)"
losetup -d "$dev"
dev=''

# Ended at any moment: no name, no mount, no loop device, no process.
loops() { # PID: "loopN BACKING_FILE" of each loop device that it has open
	find "/proc/$1/fd" -lname '/dev/loop[0-9]*' -printf '%l\n' 2>/dev/null | sort -u |
		while read -r l; do
			echo "${l##*/} $(cat "/sys/block/${l##*/}/loop/backing_file" 2>/dev/null)"
		done
}
still() { # FILE of loops()
	while read -r l file; do
		[ "$(cat "/sys/block/$l/loop/backing_file" 2>/dev/null)" != "$file" ] || echo "$l $file"
	done <"$1"
}
mounts() { grep -c "$work" /proc/mounts; }
n=0
for how in KILL:4k/* KILL:1k/* KILL:*/pwrite/*-nospc KILL:*-shutdown KILL:* \
	TERM:4k/* INT:*-full HUP:*; do
	n=$((n + 1)) sig=${how%%:*}
	# a shell ignores SIGINT for what runs beside it
	env --default-signal=HUP,INT "$prog" validate --lab --work "$work" --tier none --run "${how#*:}" \
		>"$tmp/out" 2>/dev/null &
	pid=$!
	until loops $pid >"$tmp/loops" && [ -s "$tmp/loops" ]; do kill -0 $pid 2>/dev/null || break; done
	sleep "0.$((RANDOM % 6))$((RANDOM % 10))"
	loops $pid >"$tmp/loops"
	kill "-$sig" $pid
	wait $pid 2>/dev/null
	rc=$?
	check "ended-$n-$sig" "$((128 + $(kill -l "$sig")))" $rc
	for _ in {1..50}; do
		# its writers have the same command line
		orphans=$(pgrep -f -- "--work $work")
		[ -n "$(still "$tmp/loops")$orphans" ] || break
		sleep 0.1
	done
	check "ended-$n-no-process" '' "$orphans"
	check "ended-$n-no-loop" '' "$(still "$tmp/loops")"
	check "ended-$n-no-name" '' "$(ls -A "$work")"
	check "ended-$n-no-mount" 0 "$(mounts)"
	[ "$sig" = KILL ] || says "ended-$n-reports" '# SKIP interrupted$' "$tmp/out"
done
