#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The flight recorder: what its dumps hold against what was written, by babeltrace2; what
# makes it dump; and that it outlives its process.
#   tests/flight.sh BUILD_DIR DIR_ON_SCRATCH_EXT4
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload dir=$2
tmp=$(mktemp -d)
pids='' bpffs=''
# shellcheck disable=SC2317 # the trap's
cleanup() {
	local p
	for p in $pids; do kill -KILL "$p" 2>/dev/null; done
	[ -z "$bpffs" ] || umount "$bpffs"
	rm -rf "$tmp" "$dir/flight-file"
}
trap cleanup EXIT

suite=flight
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"
n=400 # blocks of the file
wait_for() { # PATTERN FILE
	local i=0
	while ! grep -qE -- "$1" "$2" 2>/dev/null && [ $i -lt 200 ]; do
		sleep 0.1
		i=$((i + 1))
	done
}
wait_dir() { # DUMP: until its last event is written
	local i=0
	while ! bt "$1" | grep -q ' end: ' && [ $i -lt 200 ]; do
		sleep 0.1
		i=$((i + 1))
	done
}
start() { # DIR ARG...: a recorder in the background, $last
	local to=$1
	shift
	"$prog" record --flight "$@" --filter "dev=$dir" -o "$to" >"$to.out" 2>"$to.err" &
	last=$!
	pids="$pids $last"
	wait_for '^flight recorder|ext4diotop:' "$to.err"
}
stop() { # PID: ends it; $code
	kill -TERM "$1" # SIGINT is ignored in the background
	wait "$1"
	code=$?
}
overwrite() { # FIRST COUNT: on one CPU, so that the order is known
	taskset -c 0 dd if=/dev/zero of="$dir/flight-file" bs=4096 seek="$1" count="$2" oflag=direct \
		conv=notrunc 2>/dev/null
}
bt() { babeltrace2 "$1" 2>"$tmp/bt.err"; }
# the block numbers of a dump's writes, in their order
blocks() { bt "$1" | sed -nE 's/.* (inside|write): .* offset = ([0-9]+).*/\2/p' | awk '{ print $1 / 4096 }' | tr '\n' ' '; }
numbers() { seq -s ' ' "$1" "$2" | sed 's/$/ /'; }
# of the summary line: "12 events written, 3 kept ..., 9 overwritten"
said() { sed -nE "s/.* ([0-9]+) $1.*/\1/p" "$2" | tail -n 1; }

dd if=/dev/zero of="$dir/flight-file" bs=4096 count=$n oflag=direct 2>/dev/null
overwrite 0 $n
command -v babeltrace2 >/dev/null || { echo "ok flight/all # SKIP babeltrace2 is missing: tools/deps.sh"; exit 0; }

check after-alone 2 "$(timeout -s KILL 30 "$prog" record -o "$tmp/u" --after 5s 2>"$tmp/err"; echo $?)"
says after-alone-says 'are for --flight' "$tmp/err"
check flight-rotate 2 "$(timeout -s KILL 30 "$prog" record -o "$tmp/u" --flight --rotate 1M 2>/dev/null; echo $?)"
check flight-no-dir 2 "$(timeout -s KILL 30 "$prog" record --flight 2>/dev/null; echo $?)"
check flight-bad-size 2 "$(timeout -s KILL 30 "$prog" record -o "$tmp/u" --flight=lots 2>/dev/null; echo $?)"
check snapshot-help 0 "$("$prog" snapshot --help >"$tmp/out"; echo $?)"
says snapshot-help-example '^Examples:' "$tmp/out"
check snapshot-no-dir 2 "$("$prog" snapshot 2>/dev/null; echo $?)"

# what it dumps is what was written, and what another tracer saw at the same time
start "$tmp/same"
"$prog" trace --all --json --filter "dev=$dir" >"$tmp/trace.json" 2>"$tmp/trace.err" &
trace=$!
pids="$pids $trace"
wait_for '^tracing' "$tmp/trace.err"
overwrite 100 300
stop $trace
check trace-code 0 $code
stop $last
check end-code 0 $code
check end-dump "$(numbers 100 399)" "$(blocks "$tmp/same/flight-001")"
check same-as-trace "$(sed -E 's/.*"offset":([0-9]+).*/\1/' "$tmp/trace.json" | awk '{ print $1 / 4096 }' | tr '\n' ' ')" \
	"$(blocks "$tmp/same/flight-001")"
check dump-private 700 "$(stat -c %a "$tmp/same/flight-001")"
check dump-files-private 600 "$(stat -c %a "$tmp"/same/flight-001/cpu* | sort -u)"
says mark 'flight: end: 300 events written, 300 kept' <(bt "$tmp/same/flight-001")

# a small ring: the last writes are kept, without a gap, and the rest is counted
start "$tmp/wrap" --flight=16K
for _ in 1 2 3 4 5; do overwrite 0 $n; done
stop $last
check wrap-code 0 $code
kept=$(said kept "$tmp/wrap.err")
check wrap-written $((5 * n)) "$(said 'events written' "$tmp/wrap.err")"
check wrap-adds-up $((5 * n)) $((kept + $(said overwritten "$tmp/wrap.err")))
check wrap-kept-some 1 $((kept >= 41 && kept < n))
check wrap-last "$(numbers $((n - kept)) $((n - 1)))" "$(blocks "$tmp/wrap/flight-001")"

# SIGUSR2: at once, and it goes on
start "$tmp/usr2"
overwrite 0 50
sleep 0.3
kill -USR2 $last
wait_dir "$tmp/usr2/flight-001"
check usr2-first "$(numbers 0 49)" "$(blocks "$tmp/usr2/flight-001")"
overwrite 50 50
stop $last
check usr2-code 0 $code
check usr2-end "$(numbers 0 99)" "$(blocks "$tmp/usr2/flight-002")"

# a finding; a kernel without one in this case cannot show it
if "$workload" run "$dir" efault-off 2>/dev/null | grep -q '"past_eof":0,'; then
	echo "ok flight/finding # SKIP this kernel trims: nothing to find"
else
	start "$tmp/found" --after 500ms --once
	overwrite 0 20
	"$workload" run "$dir" efault-off >/dev/null 2>&1
	overwrite 20 20
	wait $last
	check found-code 1 $?
	check found-one flight-001 "$(ls "$tmp/found")"
	says found-verdict ' write: .*verdict = ( "leak"' <(bt "$tmp/found/flight-001")
	says found-mark 'flight: finding: leak, seq' <(bt "$tmp/found/flight-001")
	check found-before-and-after "$(numbers 0 39)" "$(bt "$tmp/found/flight-001" | grep ' inside: ' |
		sed -nE 's/.* offset = ([0-9]+).*/\1/p' | awk '{ print $1 / 4096 }' | tr '\n' ' ')"
	start "$tmp/goes-on" --after 100ms --dumps 1
	"$workload" run "$dir" efault-off >/dev/null 2>&1
	wait_dir "$tmp/goes-on/flight-001"
	"$workload" run "$dir" efault-off >/dev/null 2>&1
	sleep 0.5
	stop $last
	check goes-on-code 1 $code
	check goes-on-most 'flight-001 flight-002' "$(find "$tmp/goes-on" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//')"
	says goes-on-end 'flight: end' <(bt "$tmp/goes-on/flight-002")
fi

# two at once, each with its own ring
start "$tmp/one"
one=$last
start "$tmp/two"
overwrite 7 30
stop $one
check two-code-one 0 $code
stop $last
check two-code-two 0 $code
check two-same "$(blocks "$tmp/one/flight-001")" "$(blocks "$tmp/two/flight-001")"
check two-all "$(numbers 7 36)" "$(blocks "$tmp/two/flight-001")"

# pinned: it goes on without its process
mkdir "$tmp/bpffs"
if ! mount -t bpf -o mode=0700 bpf "$tmp/bpffs" 2>/dev/null; then
	echo "ok flight/pinned # SKIP no bpffs can be mounted here"
	exit 0
fi
bpffs=$tmp/bpffs
snapshot() { "$prog" snapshot --bpffs "$bpffs" "$@" 2>"$tmp/err"; echo $?; }
check snapshot-none 3 "$(snapshot -o "$tmp/none")"
says snapshot-none-says 'record --flight --pin' "$tmp/err"
check pin-no-bpffs 3 "$("$prog" record --flight --pin --bpffs "$tmp" -o "$tmp/nopin" 2>"$tmp/err"; echo $?)"
says pin-no-bpffs-says 'no bpffs is mounted' "$tmp/err"
start "$tmp/pin" --pin --bpffs "$bpffs"
check pin-private '700 0 700 0' "$(stat -c '%a %u' "$bpffs/ext4diotop" "$bpffs"/ext4diotop/* | tr '\n' ' ' | sed 's/ $//')"
overwrite 0 40
check snapshot-alive 0 "$(snapshot -o "$tmp/snap1")"
check snapshot-alive-dump "$(numbers 0 39)" "$(blocks "$tmp/snap1")"
check stop-alive 3 "$(snapshot --stop)"
kill -KILL $last
{ wait $last; } 2>/dev/null
overwrite 40 40
check list-dead 'recording without its process' "$("$prog" snapshot --bpffs "$bpffs" --list | cut -d' ' -f2-)"
check snapshot-dead 0 "$(snapshot -o "$tmp/snap2")"
check snapshot-dead-dump "$(numbers 0 79)" "$(blocks "$tmp/snap2")"
check snapshot-stop 0 "$(snapshot --stop -o "$tmp/snap3")"
check snapshot-stop-dump "$(numbers 0 79)" "$(blocks "$tmp/snap3")"
check unpinned '' "$(ls "$bpffs/ext4diotop")"
start "$tmp/pin2" --pin --bpffs "$bpffs"
start "$tmp/pin3" --pin --bpffs "$bpffs"
check several 3 "$(snapshot -o "$tmp/which")"
says several-says '--id one of' "$tmp/err"
stop $last
check pins-go 1 "$(find "$bpffs/ext4diotop" -mindepth 1 -maxdepth 1 | wc -l)"
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
{ wait; } 2>/dev/null
check stop-by-id 0 "$(snapshot --stop --id "$(ls "$bpffs/ext4diotop")")"
# squatting: somebody else's directory, or one that others may write to
rmdir "$bpffs/ext4diotop"
mkdir "$bpffs/ext4diotop" && chmod 0777 "$bpffs/ext4diotop"
check squat-mode 3 "$("$prog" record --flight --pin --bpffs "$bpffs" -o "$tmp/squat" 2>"$tmp/err"; echo $?)"
says squat-mode-says 'somebody else made it' "$tmp/err"
chmod 0700 "$bpffs/ext4diotop" && chown 65534 "$bpffs/ext4diotop"
check squat-owner 3 "$(snapshot -o "$tmp/squat")"
rmdir "$bpffs/ext4diotop"
chmod 0777 "$bpffs"
check squat-renamed 3 "$("$prog" record --flight --pin --bpffs "$bpffs" -o "$tmp/squat" 2>"$tmp/err"; echo $?)"
says squat-renamed-says 'others may rename' "$tmp/err"
