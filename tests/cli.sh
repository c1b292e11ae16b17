#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The program as a user meets it: exit codes, pipes, signals, bad input.
#   tests/cli.sh BUILD_DIR DIR_ON_SCRATCH_EXT4
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload dir=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

suite=cli
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"
rc_of() { # COMMAND...: exit code; output in $tmp/out and $tmp/err
	"$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
# Traces while the named cases run; the tracer's exit code.
traced() { # CASES OPTION...
	local cases=$1 pid
	shift
	: >"$tmp/err"
	"$prog" trace --filter "dev=$dir" "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	await tracing "$tmp/err" $pid
	# shellcheck disable=SC2086
	[ -z "$cases" ] || "$workload" run --keep "$dir" $cases >"$tmp/truth" 2>/dev/null
	sleep 0.3
	kill -INT $pid 2>/dev/null
	wait $pid
	echo $?
}

check help 0 "$(rc_of "$prog" --help)"
says help-names-trace trace "$tmp/out"
check version 0 "$(rc_of "$prog" --version)"
check no-such-command 2 "$(rc_of "$prog" frobnicate)"
check trace-help 0 "$(rc_of "$prog" trace --help)"
says trace-help-example Examples "$tmp/out"
check bad-option 2 "$(rc_of "$prog" trace --frobnicate)"
says bad-option-prefix "^ext4diotop: unrecognized option '--frobnicate'" "$tmp/err"
for cmd in '' top wrap record report snapshot validate salvage doctor; do
	check "bad-option-$cmd" 2 "$(rc_of "$prog" $cmd --frobnicate)"
	says "bad-option-prefix-$cmd" "^ext4diotop: unrecognized option '--frobnicate'" "$tmp/err"
	check "bad-letter-$cmd" 2 "$(rc_of "$prog" $cmd -Y)"
	says "bad-letter-prefix-$cmd" '^ext4diotop: ' "$tmp/err"
done
# output that cannot be written is said, whatever it is
for args in --help --version 'trace --help' 'top --help' 'wrap --help' 'record --help' 'report --help' \
	'snapshot --help' 'salvage --help' 'doctor --help' 'validate --help' 'validate --list' \
	'validate --list --lab' "doctor $dir"; do
	# shellcheck disable=SC2086
	"$prog" $args >/dev/full 2>"$tmp/err"
	check "full-disk: $args" 3 $?
done
"$prog" validate --list --lab >/dev/full 2>"$tmp/err"
says full-disk-says '^ext4diotop: output: No space left on device$' "$tmp/err"
check full-disk-says-once 1 "$(wc -l <"$tmp/err")"
check bad-count 2 "$(rc_of "$prog" trace -n 0)"
check bad-duration 2 "$(rc_of "$prog" trace --duration never)"
check bad-tier 2 "$(rc_of "$prog" trace --tier magic)"
check bad-filter 2 "$(rc_of "$prog" trace --filter 'size>1')"
says bad-filter-column column "$tmp/err"
check bad-operand 2 "$(rc_of "$prog" trace extra)"
check doctor 0 "$(rc_of "$prog" doctor "$dir")"
says doctor-saw-the-write 'PASS  one real write' "$tmp/out"
check doctor-not-ext4 3 "$(rc_of "$prog" doctor /proc)"
says doctor-not-ext4-remedy 'name a directory on a writable ext4' "$tmp/out"
check doctor-not-root 3 "$(rc_of setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
	"$prog" trace --duration 1)"
says not-root-remedy 'run as root' "$tmp/err"
check doctor-not-root-3 3 "$(rc_of setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
	"$prog" doctor "$dir")"
says doctor-not-root-remedy 'run as root' "$tmp/out"

# What a kernel may lack, by masking the file that tells of it.
masked() { # FILE REPLACEMENT COMMAND...: exit code
	# shellcheck disable=SC2016 # the inner shell's own
	unshare -m sh -c 'mount --bind "$2" "$1" && shift 2 && exec "$@"' sh "$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
: >"$tmp/empty"
grep -v 'ext4' /proc/filesystems >"$tmp/filesystems"
grep -v ' ext4_iomap_begin' /proc/kallsyms >"$tmp/kallsyms"
check no-btf 3 "$(masked /sys/kernel/btf/vmlinux "$tmp/empty" "$prog" trace --duration 1)"
says no-btf-remedy 'no BTF.*CONFIG_DEBUG_INFO_BTF' "$tmp/err"
check doctor-no-btf 3 "$(masked /sys/kernel/btf/vmlinux "$tmp/empty" "$prog" doctor)"
says doctor-no-btf-remedy 'CONFIG_DEBUG_INFO_BTF' "$tmp/out"
check no-ext4 3 "$(masked /proc/filesystems "$tmp/filesystems" "$prog" trace --duration 1)"
says no-ext4-remedy 'modprobe ext4' "$tmp/err"
check doctor-no-ext4 3 "$(masked /proc/filesystems "$tmp/filesystems" "$prog" doctor)"
says doctor-no-ext4-remedy 'modprobe ext4' "$tmp/out"
check too-old 3 "$(masked /proc/kallsyms "$tmp/kallsyms" "$prog" trace --duration 1)"
says too-old-remedy '5.5 or later' "$tmp/err"
check doctor-too-old 3 "$(masked /proc/kallsyms "$tmp/kallsyms" "$prog" doctor)"
says doctor-too-old-remedy '5.5 or later' "$tmp/out"
check doctor-json 0 "$(rc_of "$prog" doctor --json "$dir")"
check doctor-json-lines 0 "$(grep -vc '^{"result":"[A-Z]*","check":".*","found":".*","remedy":.*}$' "$tmp/out")"

check trace-clean 0 "$(traced append-1m --json)"
check trace-clean-one-line 1 "$(grep -c '"verdict":"clean"' "$tmp/out")"
check trace-nothing 4 "$(traced '' --json)"
check trace-overwrite-default-quiet 0 "$(traced overwrite --json)"
check trace-overwrite-no-line 0 "$(grep -c verdict "$tmp/out")"
check trace-csv 0 "$(traced append-1m --csv)"
check trace-csv-header 1 "$(grep -c '^ts,ts_ns,seq' "$tmp/out")"
check trace-text 0 "$(traced 'append-1m overwrite' --all)"
check trace-text-80 0 "$(awk 'length > 80' "$tmp/out" | wc -l)"
check trace-text-lines 3 "$(wc -l <"$tmp/out")"
check trace-filter-none 0 "$(traced append-1m --json --filter verdict=leak)"
check trace-filter-none-lines 0 "$(wc -l <"$tmp/out")"

check trace-self 0 "$(traced append-1m --json --self)"
says trace-self-writes '^what it cost: 1 write in' "$tmp/err"
says trace-self-programs '^  all  *[1-9][0-9]*  *[1-9][0-9]*  *[1-9][0-9.]*$' "$tmp/err"
says trace-self-a-write 'kernel: [1-9][0-9.]* ns a write' "$tmp/err"
says trace-self-user 'user: [0-9.]* ms CPU a second' "$tmp/err"
check trace-self-refused 4 "$(rc_of setpriv --inh-caps=-sys_admin --bounding-set=-sys_admin \
	"$prog" trace --self --duration 1 --filter "dev=$dir")"
says trace-self-refused-says 'BPF statistics were refused' "$tmp/err"
says trace-self-refused-user 'user: [0-9.]* ms CPU a second' "$tmp/err"
check trace-self-80 0 "$(awk 'length > 80' "$tmp/err" | wc -l)"
check trace-self-output-clean 1 "$(wc -l <"$tmp/out")"

: >"$tmp/err"
# -n ends by itself; a reader that goes away ends it quietly
"$prog" trace --all -n 2 --json --filter "dev=$dir" >"$tmp/out" 2>"$tmp/err" &
pid=$!
await tracing "$tmp/err" $pid
"$workload" run "$dir" append-1m overwrite hole-inside >/dev/null 2>&1
wait $pid
check trace-n 2 "$(wc -l <"$tmp/out")"
# lines are gathered, and none that is due is lost: at a signal, at -n, at the end
for end in TERM INT; do
	: >"$tmp/err"
	"$prog" trace --json --filter "dev=$dir" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	await tracing "$tmp/err" $pid
	dd if=/dev/zero of="$dir/lines" bs=4k count=3000 oflag=direct 2>/dev/null
	kill -$end $pid
	wait $pid
	check trace-lines-$end 3000 "$(grep -c '"verdict":"clean"' "$tmp/out")"
	rm "$dir/lines"
done
: >"$tmp/err"
"$prog" trace --json -n 100 --filter "dev=$dir" >"$tmp/out" 2>"$tmp/err" &
pid=$!
await tracing "$tmp/err" $pid
dd if=/dev/zero of="$dir/lines" bs=4k count=3000 oflag=direct 2>/dev/null
wait $pid
check trace-n-of-many 100 "$(grep -c '"verdict":"clean"' "$tmp/out")"
rm "$dir/lines"
mkfifo "$tmp/fifo"
: >"$tmp/err"
"$prog" trace --all --json --filter "dev=$dir" >"$tmp/fifo" 2>"$tmp/err" &
pid=$!
exec 9<"$tmp/fifo"
await tracing "$tmp/err" $pid
exec 9<&-
"$workload" run "$dir" append-1m >/dev/null 2>&1
wait $pid
check trace-epipe-exit 0 $?
check trace-epipe-quiet 1 "$(wc -l <"$tmp/err")"
: >"$tmp/err"
"$prog" trace --all --json --filter "dev=$dir" >/dev/full 2>"$tmp/err" &
pid=$!
await tracing "$tmp/err" $pid
"$workload" run "$dir" append-1m >/dev/null 2>&1
wait $pid
check trace-full-disk 3 $?
says trace-full-disk-says 'No space' "$tmp/err"
# the last lines come with the end, and the disk is full by then
: >"$tmp/err"
"$prog" trace --all --json --filter "dev=$dir" >/dev/full 2>"$tmp/err" &
pid=$!
await tracing "$tmp/err" $pid
kill -STOP $pid
"$workload" run "$dir" append-1m >/dev/null 2>&1
kill -INT $pid
kill -CONT $pid
wait $pid
check trace-full-disk-at-end 3 $?
check trace-duration-ends 4 "$(rc_of timeout 120 "$prog" trace --duration 1 --filter "dev=$dir")"

# a finding, where this kernel leaks: the disk says whether it does
rc=$(traced efault-off --json --confirm)
if grep -q '"past_eof":0,' "$tmp/truth"; then
	check finding-none 0 "$rc"
else
	check finding 1 "$rc"
	says finding-path efault-off "$tmp/out"
	says finding-confirmed '"evidence":"confirmed"' "$tmp/out"
	says finding-verdict '"verdict":"leak"' "$tmp/out"
fi
check no-kernel-pointer 0 "$(grep -ci 'ffff[89a-f][0-9a-f]\{8,\}' "$tmp/out")"
