#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The live view on a real terminal (tmux): screens, keys, resizing, and a terminal that
# is left as it was, whatever ends the program. Prints TAP.
#   tests/top.sh BUILD_DIR [DIR_ON_SCRATCH_EXT4]
#   UPDATE=1 tests/top.sh BUILD_DIR   writes the golden screens anew: read them before you commit
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload maker=$PWD/$1/tests/dump_top dir=${2-}
tmp=$(mktemp -d /tmp/e4d-top.XXXXXX)
sock=e4dtop$$
golden=$here/golden/top
# A locale with UTF-8 must be there: C.UTF-8 is part of the C library.
export LC_ALL=C.UTF-8 TZ=UTC
unset NO_COLOR
suite=top
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"

t() { tmux -L "$sock" -f /dev/null "$@"; }
cleanup() {
	t kill-server 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

pane=e # the session that is looked at
screen() { t capture-pane -p -t "$pane"; }
# Waits (20 s at most: attaching takes its time) until the screen has the text.
until_shows() { # TEXT
	local i=0
	until screen | grep -qF -- "$1"; do
		i=$((i + 1))
		[ $i -lt 400 ] || return 1
		sleep 0.05
	done
}
shows() { # NAME TEXT
	if until_shows "$2"; then echo "ok $suite/$1"; else
		echo "not ok $suite/$1: expected '$2', got: $(screen | tr '\n' '|' | head -c 400)"
	fi
}
keys() { t send-keys -t "$pane" "$@"; }
start() { # COLSxROWS COMMAND
	t kill-session -t "$pane" 2>/dev/null
	t new-session -d -s "$pane" -x "${1%x*}" -y "${1#*x}" "$2"
}

# A screen that was drawn whole, against the golden one; the version may differ.
same_screen() { # NAME
	local file=$golden/$1 i=0
	if [ -n "${UPDATE-}" ]; then
		sleep 0.5
		screen | sed 's/ext4diotop [0-9][0-9.]*/ext4diotop V.V.V/' >"$file"
	fi
	until screen | sed 's/ext4diotop [0-9][0-9.]*/ext4diotop V.V.V/' | cmp -s - "$file"; do
		i=$((i + 1))
		if [ $i -gt 100 ]; then
			screen | sed 's/ext4diotop [0-9][0-9.]*/ext4diotop V.V.V/' | diff "$file" - | sed 's/^/# /' | head -n 20
			echo "not ok $suite/golden/$1: expected the screen of $file"
			return
		fi
		sleep 0.05
	done
	echo "ok $suite/golden/$1"
}

replay() { # COLSxROWS [OPTION...]: a replay that moves only when told
	local size=$1
	shift
	start "$size" "cd $tmp && exec $prog top -r $tmp/dump -d 600 $*"
	until_shows 'ext4diotop'
}

screens() {
	local size
	for size in 60x8 80x24 200x60; do
		replay $size
		keys .
		until_shows 22:23:20
		keys .
		same_screen files.$size
		keys 2
		same_screen processes.$size
		keys 3
		same_screen filesystems.$size
		keys 4
		same_screen in-flight.$size
		keys 5
		same_screen findings.$size
		keys Enter
		same_screen seen.$size
		keys Enter
		same_screen detail.$size
		keys '?'
		same_screen help.$size
		keys q q 1 a
		same_screen total.$size
		keys q
	done
	replay 80x24 --ascii
	keys . .
	same_screen ascii.80x24
	# a locale without UTF-8 says the same
	start 80x24 "cd $tmp && LC_ALL=C exec $prog top -r $tmp/dump -d 600"
	until_shows 'ext4diotop'
	keys . .
	same_screen ascii.80x24
	# the same lines, whatever size it had in between
	replay 80x24
	keys .
	until_shows 22:23:20
	keys .
	for size in 60x8 200x60 40x5 61x9 100x30; do
		t resize-window -t e -x ${size%x*} -y ${size#*x}
		sleep 0.1
	done
	shows resize-100 'OVER'
	t resize-window -t e -x 50 -y 8
	shows too-small 'too small: 60x8 wanted'
	t resize-window -t e -x 80 -y 24
	same_screen files.80x24
}

# Keys that terminfo does not know are no keys of ours: "A" at the end of an arrow's bytes
# would call all findings seen.
unknown_keys() {
	local term
	for term in linux screen; do
		start 80x24 "cd $tmp && TERM=$term exec $prog top -r $tmp/dump -d 600"
		until_shows 'ext4diotop'
		keys f
		until_shows '1 NEW FINDING'
		keys C-Up S-Up M-Up C-F5 M-A
		keys -H 1b 5b 4d 20 41 71 # a click, of a mouse that somebody left on: X10's
		sleep 0.2
		keys C-Right u
		shows "unknown-keys/$term" ' 1000'
		check "unknown-keys/$term/unseen" 1 "$(screen | grep -c '1 NEW FINDING')"
		keys Escape
		sleep 0.2
		keys u
		shows "unknown-keys/$term/keys-go-on" ' exact'
	done
	start 80x24 "TERM=nosuchterm $prog top -r $tmp/dump; echo rc \$?; exec cat"
	shows unknown-term 'does not know the terminal TERM=nosuchterm'
	shows unknown-term-exit 'rc 3'
	# a limit of the file's size is an error of w, and not the end
	start 80x24 "cd $tmp && ulimit -f 8 && exec $prog top -r $tmp/dump -d 600"
	until_shows 'ext4diotop'
	keys f w C-u limited Enter
	shows file-limit 'File too large'
}

replaying() {
	replay 80x24
	keys g xx Enter
	shows replay-no-time "not 'xx'"
	keys f
	shows replay-next-finding '1 NEW FINDING'
	shows replay-stopped 'STOPPED'
	keys f f
	shows replay-no-more 'no finding from here'
	keys g
	shows replay-asks 'go to time'
	keys 22:20:00 Enter
	shows replay-jumps '22:20:00'
	shows replay-forgets 'no finding'
	keys g +1795 Enter
	shows replay-jumps-by-seconds '22:43:1'
	keys .
	shows replay-end 'END OF DUMP'
	keys g 21:00:00 Enter
	shows replay-before-its-start 'the dump is from 22:13:20 to '
	keys g 22:20:00junk Enter
	shows replay-time-and-more "not '22:20:00junk'"
	keys 1 /orders Enter
	keys Enter
	shows search-and-enter 'ino 103'
	keys q
	keys u
	shows units-1000 ' 1000'
	keys u
	shows units-exact ' exact'
	keys u F6
	shows sort-by-next 'SUBM/s▼'
	keys r
	shows sort-reversed 'SUBM/s▲'
	keys '<' o
	shows active ' active'
	keys o z
	shows zero 'begin here'
	keys \\ 'comm=postgres' Enter
	shows filter 'filter: comm=postgr'
	check filter-hides 0 "$(screen | grep -c walwriter)"
	keys m 'before the crash' Enter
	shows mark 'marked: before the crash'
	keys w C-u saved Enter
	shows save 'writes saved in saved'
	check saved-marks 1 "$(babeltrace2 "$tmp/saved" 2>/dev/null | grep -c 'before the crash')"
	check saved-filtered 0 "$(babeltrace2 "$tmp/saved" 2>/dev/null | grep -c mysqld)"
	keys w C-u saved Enter
	shows save-never-overwrites 'not saved'
	keys \\ C-u Enter
	keys /orders Enter Enter
	until_shows 'ino 103'
	keys p
	shows print 'written to ext4diotop-ino103-'
	check print-mode 600 "$(stat -c %a "$tmp"/ext4diotop-ino103-*.txt)"
	check print-100-columns 0 "$(awk 'length > 100' "$tmp"/ext4diotop-ino103-*.txt | wc -l)"
	says print-timeline 'VERDICT' "$tmp"/ext4diotop-ino103-*.txt
	says print-date '^20[0-9-]* [0-9:]*, time zone +0000 (UTC)$' "$tmp"/ext4diotop-ino103-*.txt
	keys q q
}

# What the terminal was, and what it is: line settings, alternate screen, cursor, keypad.
terminal() {
	t display-message -p -t "$pane" '#{alternate_on} #{cursor_flag} #{keypad_flag} #{mouse_any_flag}'
}
# What ends it, and the exit then: live where there is a file system, all at the same time.
ends() {
	local what="--filter dev=$dir" name pid before
	[ -n "$dir" ] || what="-r $tmp/dump -d 600"
	local -A exit=([q]=4 [QUIT]=131 [ctrl-c]=4 [TERM]=4 [HUP]=4 [SEGV]=139 [ABRT]=134 [USR1]=138)
	for name in "${!exit[@]}"; do
		# a shell that says how the line was set before and after
		pane=$name start 80x24 "stty -g >$tmp/before.$name; sh -c 'echo \$\$ >$tmp/pid.$name; exec $prog top $what';
			echo \$? >$tmp/rc.$name; stty -g >$tmp/after.$name; echo ENDED; exec cat"
	done
	for name in "${!exit[@]}"; do
		pane=$name
		until_shows 'lost 0'
		pid=$(cat "$tmp/pid.$name")
		before=$(terminal)
		check "end/$name/alternate-screen" '1 0' "${before:0:3}"
		case $name in
		q) keys q ;;
		ctrl-c) keys C-c ;;
		*) kill "-$name" "$pid" ;;
		esac
	done
	for name in "${!exit[@]}"; do
		pane=$name
		if ! until_shows ENDED; then
			echo "not ok $suite/end/$name: it did not end"
			kill -KILL "$(cat "$tmp/pid.$name")"
			continue
		fi
		check "end/$name/exit" "${exit[$name]}" "$(cat "$tmp/rc.$name")"
		check "end/$name/terminal" '0 1 0 0' "$(terminal)"
		check "end/$name/stty" "$(cat "$tmp/before.$name")" "$(cat "$tmp/after.$name")"
		t kill-session -t "$name"
	done
	pane=e
}

suspended() {
	start 80x24 'PS1="$ " exec bash --norc --noprofile -i'
	t send-keys -t e "stty -g >$tmp/before; $prog top -r $tmp/dump -d 600" Enter
	until_shows 'REPLAY'
	keys f
	until_shows '1 NEW FINDING'
	keys C-z
	shows suspend/shell 'Stopped'
	check suspend/terminal '0 1 0 0' "$(terminal)"
	keys 'fg' Enter
	shows suspend/continues 'STOPPED'
	check suspend/alternate-screen 1 "$(terminal | cut -c1)"
	# the first key after it is the key that it was before
	keys Up u
	shows suspend/keys ' 1000'
	check suspend/unseen 1 "$(screen | grep -c '1 NEW FINDING')"
	keys q
	until_shows 'top -r'
	keys "stty -g >$tmp/after; echo DO''NE" Enter
	shows suspend/shell-again 'DONE'
	check suspend/stty "$(cat "$tmp/before")" "$(cat "$tmp/after")"
	# stopped and continued from outside: drawn anew
	replay 80x24
	local pid
	pid=$(t display-message -p -t e '#{pane_pid}')
	kill -STOP "$pid"
	kill -CONT "$pid"
	keys .
	shows stop-cont '22:23:20'
	keys q
}

batch() {
	local out=$tmp/out format
	"$prog" -r "$tmp/dump" -d 600 -n 2 >"$out" 2>"$tmp/err"
	check batch/exit 1 $?
	check batch/80 0 "$(awk 'length > 90' "$out" | wc -l)" # bytes; wide characters have three
	check batch/tables 2 "$(grep -c '^FILE' "$out")"
	check batch/no-escape 0 "$(grep -c $'\033' "$out")"
	"$prog" top -b -r "$tmp/dump" -d 600 --once -q >"$out" 2>"$tmp/err"
	check batch/quiet 0 "$(grep -c '^FILE\|ext4diotop' "$out")"
	check batch/quiet-lines 6 "$(wc -l <"$out")"
	"$prog" top -r "$tmp/dump" -d 600 -o json >"$out" 2>"$tmp/err"
	check batch/json-lines 3 "$(wc -l <"$out")"
	check batch/json-valid 3 "$(python3 -c 'import json,sys
for l in open(sys.argv[1]): d = json.loads(l); print(len(d["files"]) == 6)' "$out" | grep -c True)"
	"$prog" top -r "$tmp/dump" -d 600 -o csv >"$out" 2>"$tmp/err"
	check batch/csv-lines 19 "$(wc -l <"$out")"
	check batch/csv-fields 1 "$(python3 -c 'import csv,sys
print(len({len(r) for r in csv.reader(open(sys.argv[1]))}))' "$out")"
	for format in text json csv; do # 18000 intervals, of which one is read
		"$prog" top -r "$tmp/dump" -d 0.1 -o $format 2>"$tmp/err" | head -n 1 >"$out"
		check batch/pipe-closed-$format '1 0' "$(wc -l <"$out") $(wc -c <"$tmp/err")"
	done
	for format in files processes filesystems in_flight findings; do
		"$prog" top -r "$tmp/dump" -d 600 --once -o json --pane $format >"$out" 2>"$tmp/err"
		check batch/json-no-key-twice-$format True "$(python3 -c 'import json,sys
def one(pairs): assert len(dict(pairs)) == len(pairs), pairs; return dict(pairs)
d = json.load(open(sys.argv[1]), object_pairs_hook=one)
print(isinstance(d["findings"], int) and isinstance(d["in_flight"], int))' "$out" 2>&1 | tail -n 1)"
	done
	"$prog" top -r "$tmp/dump" -d 600 --filter comm=nobody -o json >"$out" 2>"$tmp/err"
	check batch/replay-filter 4 $?
	check batch/replay-filter-head 0 "$(grep -vc '"writes_per_s":0,.*"in_flight":0,.*"unfiltered":\[\]' "$out")"
	"$prog" top -r "$tmp/dump" -d 600 --filter 'comm~my*' -o json >"$out" 2>"$tmp/err"
	check batch/replay-filter-sum 3 "$(python3 -c 'import json,sys
for l in open(sys.argv[1]):
    d = json.loads(l); print(d["writes_per_s"] == sum(f["writes_per_s"] for f in d["files"]) > 0)' "$out" | grep -c True)"
	# each interval is there when it is over: one write(2) each, which this kind of pipe keeps apart
	check batch/each-interval-at-once '3 3' "$(python3 -c 'import os,subprocess,sys
r, w = os.pipe2(os.O_DIRECT)
p = subprocess.Popen(sys.argv[1:], stdout=w, stderr=subprocess.DEVNULL)
os.close(w)
got = list(iter(lambda: os.read(r, 65536), b""))
p.wait()
print(len(got), sum(b.count(b"\n") for b in got))' "$prog" top -r "$tmp/dump" -d 600 -o json --rows 1)"
	LC_ALL=C "$prog" top -r "$tmp/dump" -d 600 >"$out" 2>"$tmp/err"
	check batch/ascii-locale 0 "$(LC_ALL=C grep -c '[^ -~]' "$out")"
	"$prog" top -r "$tmp/dump" -d 600 -b --color always >"$out" 2>"$tmp/err"
	check batch/color 1 "$(grep -c $'\033\[1;31m.*1 NEW' "$out")"
	# a terminal that can do nothing gets tables too
	start 80x24 "TERM=dumb $prog top -r $tmp/dump -d 600; echo ENDED; exec cat"
	shows batch/dumb ENDED
	check batch/dumb-no-alternate 0 "$(terminal | cut -c1)"
	"$prog" top -r "$tmp/dump" -d 600 --once >&- 2>"$tmp/err"
	check batch/no-output 3 $?
	says batch/no-output-says 'Bad file descriptor' "$tmp/err"
	"$prog" top -r "$tmp/nowhere" >"$out" 2>"$tmp/err"
	check batch/no-dump 3 $?
	cp -r "$tmp/dump" "$tmp/torn"
	truncate -s -100 "$tmp/torn/cpu0-000000"
	"$prog" top -r "$tmp/torn" -d 600 --filter 'comm~my*' >"$out" 2>"$tmp/err" # no finding in these
	check batch/truncated-dump 6 $?
	head -c 100000 /dev/urandom >"$tmp/torn/cpu0-000000"
	"$prog" top -r "$tmp/torn" -d 600 >"$out" 2>"$tmp/err"
	check batch/random-dump 6 $?
	"$prog" top -o xml >"$out" 2>"$tmp/err"
	check batch/usage 2 $?
	says batch/usage-says 'one of text, json, csv' "$tmp/err"
	"$prog" top -n 0 >"$out" 2>"$tmp/err"
	check batch/no-intervals 2 $?
	check batch/no-intervals-says 0 "$(grep -c writes "$tmp/err")"
	"$prog" top --json >"$out" 2>"$tmp/err"
	check batch/json-option 2 $?
}

colors() {
	replay 80x24
	keys f
	until_shows 'NEW FINDING'
	check color/yes 1 "$(t capture-pane -e -p -t e | grep -c $'\033\[[0-9;]*41m.*NEW FINDING')"
	start 80x24 "cd $tmp && NO_COLOR=1 exec $prog top -r $tmp/dump -d 600"
	until_shows 'ext4diotop'
	keys f
	until_shows 'NEW FINDING'
	check color/no-color 0 "$(t capture-pane -e -p -t e | grep -c $'\033\[[0-9;]*[34][1-7]m')"
	keys q
}

# Real writes, real findings where this kernel leaks: the disk says whether it does.
live() {
	local pid i
	if [ -z "$dir" ]; then
		echo "ok $suite/live # SKIP no scratch file system was given"
		return
	fi
	# tmux would continue a child of its own that is stopped
	start 100x30 "cd $tmp && sh -c 'echo \$\$ >pid; exec $prog --filter dev=$dir -d 0.5'; exec cat"
	shows live/starts 'lost 0'
	"$workload" run --keep "$dir" overwrite append-1m efault-off >"$tmp/truth" 2>/dev/null
	shows live/file 'append-1m'
	# the keys, while it runs
	keys d 0.2 Enter
	shows live/interval 'every 0.2s'
	keys F4 'path~append' Enter F6 o m here Enter
	shows live/mark 'marked: here'
	shows live/choices 'filter: path~append'
	keys w C-u live Enter
	shows live/save 'writes saved in live'
	check live/saved 1 "$("$prog" report "$tmp/live" 2>/dev/null | grep -c 'mark.*here')"
	keys F4 C-u Enter o
	# made as small as it must not be, stopped and continued, and as it was again
	t resize-window -t e -x 59 -y 7
	shows live/too-small 'too small: 60x8 wanted'
	pid=$(cat "$tmp/pid")
	kill -TSTP "$pid"
	for ((i = 0; i < 200; i++)); do
		[ "$(terminal)" != '0 1 0 0' ] || break
		sleep 0.05
	done
	check live/stopped '0 1 0 0' "$(terminal)"
	kill -CONT "$pid"
	shows live/continued 'too small: 60x8 wanted'
	t resize-window -t e -x 100 -y 30
	shows live/large-again 'append-1m'
	if grep -q '"case":"efault-off".*"past_eof":0,' "$tmp/truth"; then
		shows live/no-finding 'no finding'
	else
		shows live/finding '1 NEW FINDING'
		keys 5 Enter Enter
		shows live/detail-path 'e4d-workload-efault-off'
		shows live/detail-disk 'bytes written'
		check live/detail-device 0 "$(screen | grep -c 'bigalloc not known')"
		check live/past-eof-as-fiemap "$(sed -n 's/.*efault-off.*"past_eof":\([0-9]*\).*/\1/p' "$tmp/truth")" \
			"$(screen | sed -n 's/^blocks past EOF.*: \([0-9]*\) bytes written.*/\1/p')"
		keys q
	fi
	keys 1
	# every write of a file that is looked at, also those inside EOF
	keys / append-1m Enter Enter
	until_shows 'WRITES'
	sleep 1
	dd if=/dev/zero of="$dir/e4d-workload-append-1m" bs=4k count=50 oflag=direct conv=notrunc 2>/dev/null
	shows live/every-write 'the last 51 of 51'
	keys q
	# while the detail is opened, and while it stands still, a file that grows: no write is missing
	dd if=/dev/zero of="$dir/e4d-workload-grows" bs=4k count=3 oflag=direct 2>/dev/null
	until_shows 'e4d-workload-grows'
	keys / grows Enter Enter
	for ((i = 3; i < 60; i++)); do
		dd if=/dev/zero of="$dir/e4d-workload-grows" bs=4k count=1 seek=$i oflag=direct conv=notrunc 2>/dev/null
		[ $i != 40 ] || { until_shows 'WRITES' && keys Space; }
	done
	shows live/paused PAUSED
	keys Space
	shows live/none-is-missed 'the last 60 of 60'
	shows live/size-now 'i_size 245760 '
	keys q
	keys 2
	until_shows CGROUP
	dd if=/dev/zero of="$dir/e4d-workload-append-1m" bs=4k count=200 oflag=direct conv=notrunc 2>/dev/null
	shows live/process 'dd'
	keys q
	rm -f "$dir"/e4d-workload-*
	# a term that the kernel does not know: the sums say so, and nobody matched
	(for ((i = 0; i < 40; i++)); do
		dd if=/dev/zero of="$dir/unfiltered" bs=4k count=1 oflag=direct conv=notrunc 2>/dev/null
		sleep 0.1
	done) &
	pid=$!
	"$prog" top --filter "dev=$dir comm~nobody*" -n 2 -o json >"$tmp/out" 2>"$tmp/err"
	check live/unfiltered-exit 4 $?
	check live/unfiltered 2 "$(grep -c '"unfiltered":\["comm~nobody\*"\],"files":\[\]' "$tmp/out")"
	wait $pid
	rm -f "$dir/unfiltered"
}

if ! command -v tmux >/dev/null; then
	echo "not ok $suite: no tmux here (package tmux)"
	exit 1
fi
mkdir -p "$golden"
t new-session -d -s keep 'exec cat' # the server ends with its last session
t set-option -g remain-on-exit on
"$maker" "$tmp/dump" || { echo "not ok $suite: no dump could be made"; exit 1; }
screens
unknown_keys
replaying
ends
suspended
batch
colors
live
