#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# record: dumps of real writes, read by babeltrace2; limits, full disks, signals.
#   tests/record.sh BUILD_DIR
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload
tmp=$(mktemp -d /tmp/e4d-record.XXXXXX)
dir=$tmp/mnt small=$tmp/small pid=''
suite=record
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"
cleanup() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	pkill -P $$
	tools/image.sh umount "$dir" >/dev/null 2>&1
	mountpoint -q "$small" && umount "$small"
	rm -rf "$tmp"
}
trap cleanup EXIT
mkdir "$dir" "$small"
if ! tools/image.sh make 4k "$tmp/image" 256M || ! tools/image.sh mount "$tmp/image" "$dir" >/dev/null; then
	echo "not ok record: no scratch ext4 could be mounted"
	exit 1
fi
dd if=/dev/zero of="$dir/f" bs=1M count=64 oflag=direct 2>/dev/null

# start DUMP OPTION...: records beside; ${runner[@]} may stand before the program.
runner=()
start() {
	dump=$1
	shift
	: >"$tmp/err"
	"${runner[@]}" "$prog" record -o "$dump" --filter "dev=$dir" "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$! job=$!
	await recording "$tmp/err" $pid || return
	[ ${#runner[@]} = 0 ] || pid=$(pgrep -P "$job" -x ext4diotop || echo "$job") # under strace
}
# Ends it; the exit code is in $rc.
stop() { # SIGNAL, or nothing: it ends of itself
	[ $# = 0 ] || kill -"$1" "$pid"
	wait "$job"
	rc=$?
	pid=''
}
random_writes() { # NUMBER [FIO OPTION]...
	fio --name=w --filename="$dir/f" --rw=randwrite --bs=4k --direct=1 --size=64M --norandommap \
		--io_size=$(($1 * 4))k --ioengine=psync "${@:2}" >/dev/null 2>&1
}
said() { sed -n "s/.* \([0-9]*\) $1.*/\1/p" "$tmp/err" | head -n 1; } # WORD: the number before it
bt() { babeltrace2 --clock-cycles "$@" 2>"$tmp/bt.err"; }
writes_in() { bt "$1" | grep -cE ' (write|inside): '; } # DUMP
events_in() { bt "$1" | grep -c " $2: "; }              # DUMP EVENT
# Files that are no sum of whole packets.
torn() { # DUMP
	local f
	for f in "$1"/cpu* "$1"/session*; do
		[ -e "$f" ] || continue
		case $f in *.zst) zstd -qt "$f" 2>/dev/null || echo "$f" ;; *) (($(stat -c %s "$f") % 4096)) && echo "$f" ;; esac
	done
}
unpack() { find "$1" -name '*.zst' -exec zstd -q -d --rm {} +; }
below() { # NAME MOST GOT
	if [ "$3" -le "$2" ]; then echo "ok $suite/$1"; else echo "not ok $suite/$1: expected <= $2, got $3"; fi
}
bytes_of() { find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }'; }

# --- usage, and nothing is overwritten
refused() { # OPTION...: exit code
	"$prog" record "$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
check help 0 "$(refused --help)"
says help-example Examples "$tmp/out"
check no-dir 2 "$(refused)"
check bad-size 2 "$(refused -o "$tmp/x" --max-size 12Q)"
check small-size 2 "$(refused -o "$tmp/x" --max-size 64K)"
check bad-rotate 2 "$(refused -o "$tmp/x" --rotate 5)"
check bad-keep 2 "$(refused -o "$tmp/x" --rotate 1M --keep 0)"
check keep-alone 2 "$(refused -o "$tmp/x" --keep 3)"
check bad-compress 2 "$(refused -o "$tmp/x" --compress lzma)"
check json 2 "$(refused -o "$tmp/x" --json)"
check nothing-made 1 "$(test -e "$tmp/x"; echo $?)"
mkdir "$tmp/full" && touch "$tmp/full/file"
check not-empty 3 "$(refused -o "$tmp/full" --duration 1)"
says not-empty-remedy 'name a new directory' "$tmp/err"
ln -s "$tmp/elsewhere" "$tmp/link"
mkdir "$tmp/elsewhere"
check symlink 3 "$(refused -o "$tmp/link/" --duration 1)"
says symlink-remedy 'symbolic link' "$tmp/err"
check symlink-unused '' "$(ls "$tmp/elsewhere")"
check no-parent 3 "$(refused -o "$tmp/no/such" --duration 1)"
check unwritable 3 "$(refused -o /proc/dump --duration 1)"
check nothing-seen 4 "$(refused -o "$tmp/idle" --filter "dev=$dir" --duration 0.5)"

# --- what trace says, babeltrace2 says of the dump: every case of the workload, by two tracers
# The fields both have, one line a write, in an order that does not depend on time.
rows() { # by "name":value and by name = value alike
	awk '
	function f(name, m) {
		if (match($0, "[\" ]" name "\"?( = |:)-?[0-9]+")) {
			m = substr($0, RSTART, RLENGTH)
			sub(/.*[=:] */, "", m)
			return m
		}
		return "-"
	}
	{
		inside = / inside: /
		v = inside ? "clean" : ""
		if (match($0, /verdict(":"| = \( ")[a-z-]+/)) { v = substr($0, RSTART, RLENGTH); sub(/.*"/, "", v) }
		print f("ino"), f("offset"), f("submitted"), f("mapped"), inside ? f("isize") " " f("isize") : f("isize_before") " " f("isize_after"),
			inside ? 0 : f("past_eof"), inside ? 0 : f("alloc_end"), inside ? f("submitted") : / ret = null|"ret":null/ ? "-" : f("ret"), v
	}' "$1" | sort
}
start "$tmp/same" --all
"$prog" trace --all --json --filter "dev=$dir" >"$tmp/jsonl" 2>"$tmp/trace.err" &
tracer=$!
await tracing "$tmp/trace.err" $tracer
"$workload" run "$dir" >/dev/null 2>&1
random_writes 500
sleep 0.5
kill -INT $tracer
wait $tracer
stop TERM
findings=$(grep -cE '"verdict":"(leak|trim-failed)"' "$tmp/jsonl")
check exit $((findings > 0)) $rc
check findings "$findings" "$(said findings)"
bt "$tmp/same" >"$tmp/bt"
check babeltrace-reads-it 0 $?
check babeltrace-says-nothing '' "$(cat "$tmp/bt.err")"
grep -E ' (write|inside): ' "$tmp/bt" >"$tmp/events"
check count "$(wc -l <"$tmp/jsonl")" "$(wc -l <"$tmp/events")"
check count-said "$(wc -l <"$tmp/jsonl")" "$(said recorded)"
# what was not given is 0 in the dump, and null in the line: ret of a write that died
rows "$tmp/jsonl" | sed 's/ - \([a-z-]*\)$/ 0 \1/' | sort >"$tmp/a"
rows "$tmp/events" >"$tmp/b"
check fields '' "$(diff "$tmp/a" "$tmp/b" | head -n 6)"
"$prog" report --json --list "$tmp/same" 2>/dev/null | grep '"verdict"' >"$tmp/report"
rows "$tmp/report" | sed 's/ - \([a-z-]*\)$/ 0 \1/' | sort >"$tmp/c"
check report-fields '' "$(diff "$tmp/a" "$tmp/c" | head -n 6)"
check both-kinds 2 "$(grep -oE ' (write|inside): ' "$tmp/events" | sort -u | wc -l)"
check end 1 "$(grep -c ' end: ' "$tmp/bt")"
check session 1 "$(grep -c ' session: ' "$tmp/bt")"
says path "file: .*path = \"$dir/f\"" "$tmp/bt"
check path-once 1 "$(grep -c "path = \"$dir/f\"" "$tmp/bt")"
check totals "writes = $(said 'direct writes')," "$(grep ' counters: ' "$tmp/bt" | tail -n 1 | grep -o 'writes = [0-9]*,')"
check size-said "$(bytes_of "$tmp/same")" "$(said bytes)"
check mode 700 "$(stat -c %a "$tmp/same")"
check whole '' "$(torn "$tmp/same")"
check times-in-order '' "$(sed -n 's/^\[\([0-9]*\)\].*/\1/p' "$tmp/bt" | sort -nc 2>&1)"

# --- words from outside end up in the metadata
start "$tmp/words" --all --filter $'comm="a\\\\b é"'
stop INT
check words-exit 4 $rc
babeltrace2 -c sink.text.details "$tmp/words" >"$tmp/bt" 2>"$tmp/bt.err"
check words-read 0 $?
check words 'comm="a\\b é"' "$(sed -n 's/.*options: .*--filter .* --all --filter //p' "$tmp/bt" | head -n 1)"
says kernel "kernel: $(uname -r)" "$tmp/bt"

# --- limits
start "$tmp/n" --all -n 100
random_writes 300
stop
check n-exit 0 $rc
check n 100 "$(writes_in "$tmp/n")"

start "$tmp/rotated" --all --rotate 256K --compress zstd
random_writes 30000 --thread --numjobs=2
stop INT
check rotated-exit 0 $rc
check rotated-sets 1 "$(($(find "$tmp/rotated" -name 'session-*.zst' | wc -l) > 15))"
check rotated-all-compressed '' "$(find "$tmp/rotated" -type f ! -name '*.zst' ! -name metadata)"
check rotated-size-said "$(bytes_of "$tmp/rotated")" "$(said bytes)"
check rotated-whole '' "$(torn "$tmp/rotated")"
start "$tmp/zstd" --all --compress zstd
random_writes 60000 --thread --numjobs=2
stop INT
each=$(($(bytes_of "$tmp/zstd") * 100 / $(said recorded)))
below hundredths-of-a-byte-a-write 1200 $each
recorded=$(said recorded)
unpack "$tmp/zstd"
check compressed-count "$recorded" "$(writes_in "$tmp/zstd")"
unpack "$tmp/rotated"
check rotated-count 60000 "$(writes_in "$tmp/rotated")"
check rotated-no-gap '' "$(cat "$tmp/bt.err")"
# each rotation in which the file was written has its path
for f in "$tmp"/rotated/cpu*; do
	rotation=${f##*-}
	grep -q "$dir/f" "$tmp/rotated/session-$rotation" || echo "$f"
done >"$tmp/pathless"
check rotated-paths '' "$(cat "$tmp/pathless")"

start "$tmp/kept" --all --rotate 256K --keep 3
random_writes 10000
stop INT
check kept 3 "$(find "$tmp/kept" -name 'session-*' | wc -l)"
check kept-reads 0 "$(bt "$tmp/kept" >/dev/null; echo $?)"
check kept-size-said "$(bytes_of "$tmp/kept")" "$(said bytes)"

start "$tmp/timed" --all --rotate 1s
random_writes 50
sleep 2.5
stop INT
check timed 1 "$(($(find "$tmp/timed" -name 'session-*' | wc -l) >= 3))"
check timed-count 50 "$(writes_in "$tmp/timed")"

start "$tmp/most" --all --max-size 1M
random_writes 20000
stop
check most-exit 0 $rc
below most 1048576 "$(bytes_of "$tmp/most")"
check most-ends-well 1 "$(events_in "$tmp/most" end)"
check most-count "$(said recorded)" "$(writes_in "$tmp/most")"
start "$tmp/ring" --all --max-size 1M --rotate 128K --keep 100
random_writes 20000
stop INT
below ring 1048576 "$(bytes_of "$tmp/ring")"
check ring-has-the-last 20000 "$(bt "$tmp/ring" | grep -oE ' seq = [0-9]+' | sort -n -k3 | tail -n 1 | grep -oE '[0-9]+')"

# --- losses are in the dump, and add up
start "$tmp/lossy" --all --buffer 4K
random_writes 20000 --ioengine=libaio --iodepth=64 --thread --numjobs=2
stop INT
lost=$(sed -n 's/.*lost: ring_full //p' "$tmp/err")
if [ -n "$lost" ]; then
	check lossy-exit 5 $rc
	check lossy-adds-up 40000 $(($(writes_in "$tmp/lossy") + lost))
	check lossy-said "count = $lost," "$(bt "$tmp/lossy" | grep 'name = "ring_full"' | tail -n 1 | grep -o 'count = [0-9]*,')"
else
	echo "ok record/lossy # SKIP nothing was lost with a ring of 4 KiB"
fi

# --- a disk that is full, limits and errors: what is there is whole
broken() { # NAME DUMP WHY: after stop
	check "$1-exit" 3 $rc
	says "$1-why" "$3" "$tmp/err"
	says "$1-remedy" 'is whole' "$tmp/err"
	check "$1-whole" '' "$(torn "$2")"
	check "$1-reads" "$(said recorded | awk '{ print ($1 > 0) }') 0" "$(bt "$2" >"$tmp/bt"; echo "$(($(grep -cE ' (write|inside): ' "$tmp/bt") > 0)) $(grep -c ' end: ' "$tmp/bt")")"
}
mount -t tmpfs -o size=4k none "$small"
check no-room 3 "$(refused -o "$small/d" --duration 1)"
says no-room-why 'cannot be begun: No space left' "$tmp/err"
check no-room-nothing-left '' "$(ls -A "$small")"
umount "$small"
mount -t tmpfs -o size=1M none "$small"
start "$small/d" --all
random_writes 20000
stop
broken enospc "$small/d" 'No space left'
umount "$small"
runner=(bash -c 'ulimit -f 300; exec "$@"' sh)
start "$tmp/fsize" --all
random_writes 20000
stop
broken rlimit-fsize "$tmp/fsize" 'File too large'
if command -v strace >/dev/null; then
	for e in EIO ENOSPC; do
		for when in 1 3; do
			runner=(strace -f -qqq -o /dev/null -e trace=pwrite64 -e "inject=pwrite64:error=$e:when=$when")
			start "$tmp/$e$when" --all
			random_writes 5000
			stop
			if [ $when = 1 ]; then
				check "$e-first-exit" 3 $rc
				check "$e-first-whole" '' "$(torn "$tmp/$e$when")"
			else
				broken "$e-third" "$tmp/$e$when" 'stopped: '
			fi
		done
	done
else
	echo "ok record/inject # SKIP no strace here"
fi
runner=()
# on the file system that is traced: what is written of a write is none
start "$dir/self" --all
random_writes 1000
stop INT
check self 1000 "$(writes_in "$dir/self")"

# --- signals
for s in TERM HUP; do
	start "$tmp/$s" --all
	random_writes 300
	stop $s
	check $s-exit 0 $rc
	check $s-count "300 1" "$(writes_in "$tmp/$s") $(events_in "$tmp/$s" end)"
done
# Not so well: whole packets of what came a second before.
guard_is_gone() { # DUMP
	local tries=0 p
	for p in $(pgrep -x ext4diotop-dump); do
		[ "$(readlink "/proc/$p/fd/0")" = "$1" ] || continue
		while kill -0 "$p" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	done
}
for i in 1 2 3 4 5 6 7 8; do
	options=()
	((i % 2)) || options=(--rotate 512K --compress zstd)
	start "$tmp/kill$i" --all "${options[@]}"
	random_writes 200000 --thread --numjobs=2 &
	load=$!
	until compgen -G "$tmp/kill$i/cpu*" >/dev/null; do kill -0 "$load" || break; sleep 0.05; done
	sleep $((i / 4)).$((RANDOM % 900 + 100))
	kill -KILL "$pid"
	wait "$job" 2>/dev/null
	pid=''
	guard_is_gone "$tmp/kill$i"
	pkill -P $load
	wait $load
	check "kill-$i-whole" '' "$(torn "$tmp/kill$i")"
	check "kill-$i-nothing-hidden" '' "$(find "$tmp/kill$i" -name '.*' -type f)"
	# of a file that is there twice, whole both times, one goes
	for f in "$tmp/kill$i"/*.zst; do [ ! -e "${f%.zst}" ] || rm -f "$f"; done
	unpack "$tmp/kill$i"
	bt "$tmp/kill$i" >"$tmp/bt"
	check "kill-$i-reads" '0 1 0' "$? $(($(grep -cE ' (write|inside): ' "$tmp/bt") > 0)) $(grep -c ' end: ' "$tmp/bt")"
	rm -rf "$tmp/kill$i"
done
