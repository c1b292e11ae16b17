#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The report of dumps whose content is known, each form by another program's eyes; and of
# one that is recorded from real writes.
#   tests/report.sh BUILD_DIR DIR_ON_SCRATCH_EXT4
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop make=$PWD/$1/makedump workload=$PWD/$1/workload dir=$2
src=$here/../src/report
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
export TZ=UTC

suite=report
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"
rc_of() { # COMMAND...: exit code; output in out and err
	"$@" >out 2>err
	echo $?
}
rep() { # OPTION...: the report, quietly
	"$prog" report -q "$@"
}
seen() { # NAME WHAT ARGUMENT...: tests/report/check.py
	local name=$1
	shift
	check "$name" ok "$(python3 "$here/report/check.py" "$@" 2>&1 | tail -n 1)"
}

host='<b>evil"\host'
"$make" -n 1000 -k 100 -m 'run fstests generic/091' db1
"$make" -x -n 500 -k 50 -H "$host" -r 1777900000500000000 -l ring_full db2
"$make" -q -n 400 -k 30 queued
"$make" -n 300 clean
"$make" -n 300 -l ring_full lossy
"$make" -n 300 -u cut
"$make" -n 0 empty
cp -r clean corrupt
printf 'X' | dd of=corrupt/cpu0-000000 bs=1 seek=1000 conv=notrunc 2>/dev/null
# in the middle, where only who reads it all comes by; and a packet that is not there
"$make" -n 20000 middle
size=$(($(stat -c %s middle/cpu1-000000) / 2))
cp -r middle gap
printf 'XYZ' | dd of=middle/cpu1-000000 bs=1 seek=$size conv=notrunc 2>/dev/null
python3 "$here/report/check.py" cut gap/cpu1-000000
mkdir none

# what it is told, and what it answers
check help 0 "$(rc_of "$prog" report --help)"
says help-example Examples out
check no-dump-named 2 "$(rc_of "$prog" report)"
check bad-option 2 "$(rc_of "$prog" report --frobnicate db1)"
check json-and-csv 2 "$(rc_of "$prog" report --json --csv db1)"
check list-and-summary 2 "$(rc_of "$prog" report --list --summary db1)"
check bad-filter 2 "$(rc_of "$prog" report --filter 'size>1' db1)"
check bad-count 2 "$(rc_of "$prog" report -n 0 db1)"
check bad-since 2 "$(rc_of "$prog" report --since yesterday db1)"
says bad-since-remedy '2026-05-04T13:02:11' err
check no-such-dump 3 "$(rc_of "$prog" report nothing-here)"
says no-such-dump-says nothing-here err
check no-dump-in-it 3 "$(rc_of "$prog" report none)"
check exit-finding 1 "$(rc_of "$prog" report db1)"
check exit-clean 0 "$(rc_of "$prog" report clean)"
says clean-says '^findings  *none$' out
check clean-quiet 0 "$(wc -l <err)"
check exit-empty 4 "$(rc_of "$prog" report empty)"
check exit-lossy 5 "$(rc_of "$prog" report lossy)"
says lossy-says '^lost  *ring_full 12$' out
says lossy-proves-nothing 'proves nothing' out
check exit-cut 5 "$(rc_of "$prog" report cut)"
says cut-says 'NO END' out
check exit-corrupt 6 "$(rc_of "$prog" report corrupt)"
says corrupt-says 'bad_packets 1$' out
check exit-corrupt-middle 6 "$(rc_of "$prog" report middle)"
says corrupt-middle-says 'bad_packets 1$' out
check corrupt-middle-line '{"loss":"bad_packets","count":1}' "$(rep --json middle | grep bad_packets)"
check exit-gap 5 "$(rc_of "$prog" report gap)"
says gap-says 'missing_packets 1$' out
rep --html gap.html gap
rep --summary --json gap >gap.object
seen gap-page page gap.object gap.html
check exit-finding-and-loss 1 "$(rc_of "$prog" report --json db2)"
says loss-line '^{"loss":"ring_full","count":12}$' out
says loss-warned 'lost: ring_full 12' err
check quiet 0 "$(rep --json db2 2>&1 >/dev/null | wc -l)"
check exit-filtered 0 "$(rc_of "$prog" report --filter verdict=clean db1)"

# the summary
rep db1 >out
says summary-host '^host  *db1, Linux 6.12.118, ext4diotop test, tier fentry$' out
says summary-options '^  *options: --all$' out
says summary-writes '^writes  *1000 recorded of 1000 counted: 500 extending, 10 failed$' out
says summary-verdicts '^verdicts  *990 clean, 5 leak, 5 trim-failed$' out
says summary-mark 'run fstests generic/091$' out
says summary-findings '^findings  *10, 184 KiB left past EOF$' out
check summary-timelines 10 "$(grep -c '^finding ' out)"
check summary-n 1 "$(rep -n 1 db1 | grep -c '^finding ')"
says timeline-before '^  *-21 ms  *319488  *4096  *4096  *1073741824  *0 clean$' out
says timeline-finding '^>  *0  *405504  *4096  *-14  *409600  *4096 leak$' out
says timeline-after '^  *+7 ms  *434176  *4096  *4096' out
rep --histograms db1 >out
says histogram-latency '^  *65 us ..   131 us  *59 |#*|$' out
says histogram-sizes '^  *4 KiB ..    8 KiB  *1000   3.91 MiB   3.91 MiB  *0  *0$' out
for form in --list --summary --histograms; do
	rep $form db1 db2 >out
	check "columns$form" 0 "$(grep -v '/srv/' out | awk 'length > 80' | wc -l)"
done
for form in --list --csv --json --summary '--summary --json'; do
	# shellcheck disable=SC2086
	rep $form db1 db2 >out
	check "no-control${form// /}" 0 "$(tr -d '\n' <out | LC_ALL=C tr -dc '\000-\037\177' | wc -c)"
done

# the lists, and what else is told the same
rep --json db1 >1.json
rep --json db2 >2.json
rep --json db1 db2 >12.json
rep --csv db1 >1.csv
rep --csv db2 >2.csv
rep --summary --json db1 db2 >12.object
seen json-truth truth 1.json 1000 100 plain
seen json-truth-hostile truth 2.json 500 50 hostile
seen json-as-babeltrace2 babeltrace 1.json db1
seen json-as-babeltrace2-hostile babeltrace 2.json db2
seen csv csv 1.json 1.csv plain
seen csv-hostile csv 2.json 2.csv hostile
seen hosts-merged merged 12.json 2
seen summary-object summary 12.json 12.object
check csv-hosts 1 "$(rep --csv db1 db2 | grep -c '^host,ts,ts_ns')"
check csv-hosts-lines 500 "$(rep --csv db1 db2 | grep -c '^"<b>evil""\\\\host",')"
check json-no-host 0 "$(grep -c '"host"' 1.json)"
check list-lines 1001 "$(rep --list --filter 'verdict=clean,leak,trim-failed' db1 | grep -vc '^    ')"
check list-n 7 "$(rep --json -n 7 db1 | wc -l)"
check list-filter 5 "$(rep --json --filter verdict=leak db1 | wc -l)"
check list-filter-path 143 "$(rep --json --filter 'path=/srv/data/c' db1 | wc -l)"
# ends: 13:23:20.000 and each ms after it
check since 500 "$(rep --json --since 2026-05-04T13:23:20.5Z db1 | wc -l)"
check until 501 "$(rep --json --until 2026-05-04T15:23:20.5+02:00 db1 | wc -l)"
check since-until 101 "$(rep --json --since 2026-05-04T13:23:20.1Z --until 2026-05-04T13:23:20.2Z db1 | wc -l)"
check since-clock 1000 "$(rep --json --since 13:23:20 db1 | wc -l)"
check since-clock-none 0 "$(rep --json --since 13:23:21 db1 | wc -l)"
check since-back 251 "$(rep --json --since -250ms db1 | wc -l)"
check since-none 4 "$(rc_of "$prog" report --json --since 2030-01-01T00:00Z db1)"
says since-summary '^writes  *251 that match of 1000 counted' <(rep --summary --since -250ms db1)

# files
rep --perfetto 1.pf --sqlite 1.db --html 12.html db1 db2
check files-mode '600 600 600' "$(stat -c %a 1.pf 1.db 12.html | tr '\n' ' ' | sed 's/ $//')"
check files-no-output 0 "$(rep --perfetto 3.pf clean | wc -c)"
check file-exists 3 "$(rc_of "$prog" report --sqlite 1.db clean)"
says file-exists-says 'there already' err
ln -s target link
check file-link 3 "$(rc_of "$prog" report --html link clean)"
check file-link-target no "$([ -e target ] && echo yes || echo no)"
for what in perfetto sqlite html; do
	mkdir small && mount -t tmpfs -o size=16k none small
	check "full-$what" 3 "$(rc_of "$prog" report --$what small/f queued db1)"
	check "full-$what-removed" no "$([ -e small/f ] && echo yes || echo no)"
	umount small && rmdir small
done
rep --perfetto 2.pf --sqlite 2.db db2
rep --json queued >q.json
rep --perfetto q.pf queued
rep --perfetto 1only.pf db1
seen perfetto perfetto 1.json "$src" 1only.pf plain
seen perfetto-hostile perfetto 2.json "$src" 2.pf hostile
seen perfetto-queued perfetto q.json "$src" q.pf plain
check perfetto-hosts 1500 "$(protoc --decode=e4d.pf.Trace --proto_path="$src" "$src/perfetto.proto" <1.pf | grep -c TYPE_SLICE_BEGIN)"
seen sqlite sqlite 12.json 1.db db1 plain
seen sqlite-hostile sqlite 2.json 2.db '<b>evil"\\host' hostile
check sqlite-integrity ok "$(sqlite3 1.db 'PRAGMA integrity_check')"
check sqlite-tables 'hosts losses marks writes' "$(sqlite3 1.db "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1" | tr '\n' ' ' | sed 's/ $//')"
check sqlite-indexes 4 "$(sqlite3 1.db "SELECT count(*) FROM sqlite_master WHERE type = 'index'")"
check sqlite-index-used 1 "$(sqlite3 1.db "EXPLAIN QUERY PLAN SELECT * FROM writes WHERE dev = '254:0' AND ino = 131" | grep -c writes_file)"
check sqlite-losses '1|ring_full|12' "$(sqlite3 1.db 'SELECT * FROM losses')"
check sqlite-marks 'run fstests generic/091' "$(sqlite3 1.db 'SELECT text FROM marks')"
check sqlite-hosts 'db1|1000 <b>evil"\\host|500' "$(sqlite3 1.db 'SELECT host, counted FROM hosts ORDER BY id' | tr '\n' ' ' | sed 's/ $//')"
seen page page 12.object 12.html

# real writes: as many as dd made, where they went, and the disk's word about what is left
: >err
"$prog" record -o live --all --filter "dev=$dir" >out 2>err &
pid=$!
await recording err $pid
dd if=/dev/zero of="$dir/lines" bs=8k count=300 oflag=direct 2>/dev/null
dd if=/dev/zero of="$dir/lines" bs=4k count=200 oflag=direct conv=notrunc 2>/dev/null
"$workload" run --keep "$dir" efault-off append-1m >truth 2>/dev/null
sleep 0.3
kill -INT $pid
wait $pid
check live-report-as-record $? "$(rc_of "$prog" report live)"
rep --json live >live.json
check live-dd 300 "$(grep -c "\"path\":\"$dir/lines\",.*\"submitted\":8192,.*\"ret\":8192," live.json)"
check live-past-eof "$(sed -n 's/.*"case":"efault-off".*"past_eof":\([0-9]*\),.*/\1/p' truth)" \
	"$(sed -n 's/.*efault-off.*"past_eof":\([0-9]*\),.*/\1/p' live.json)"
check live-dd-inside 200 "$(grep -c "\"path\":\"$dir/lines\",.*\"submitted\":4096," live.json)"
seen live-as-babeltrace2 babeltrace live.json live
rep --summary --json live >live.object
seen live-summary summary live.json live.object
rep --sqlite live.db live
check live-sqlite "$(wc -l <live.json)" "$(sqlite3 live.db 'SELECT count(*) FROM writes')"

# the ends that a user makes
mkfifo fifo
"$prog" report --json db1 >fifo 2>err &
pid=$!
exec 9<fifo
read -r _ <&9
exec 9<&-
wait $pid
check epipe-exit 1 $?
check epipe-quiet 0 "$(wc -l <err)"
"$prog" report --json db1 >/dev/full 2>err
check full-output 3 $?
says full-output-says 'No space' err
# Held before it reads, so that the signal is there when it looks.
"$make" -n 200000 -k 1000 -s 1000 long
(trap '' INT; exec "$prog" report --sqlite long.db --json long >fifo 2>err) &
pid=$!
exec 9<fifo
read -r _ <&9
kill -TERM $pid
cat <&9 >/dev/null
exec 9<&-
wait $pid
check signal-exit 1 $?
says signal-says 'stopped by a signal' err
check signal-no-file no "$([ -e long.db ] && echo yes || echo no)"
# On a terminal there is a progress line, and it goes away. The reader waits for longer
# than the half second before which there is none.
script -qec "$prog report --json long >fifo" /dev/null >screen 2>&1 &
pid=$!
exec 9<fifo
read -r _ <&9
sleep 1
cat <&9 >/dev/null
exec 9<&-
wait $pid
says terminal-progress 'reading \[#*\.*\]  *[0-9]* %, [0-9]*' screen
check terminal-last-line '' "$(tail -n 1 screen | sed 's/\r$//; s/.*\r//' | tr -d ' ')"

# the page, in a browser
browser() { # FILE: its DOM after the scripts have run; messages of the console in console
	chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$tmp/profile" --enable-logging=stderr \
		--window-size=1280,2000 --virtual-time-budget=5000 --dump-dom "file://$tmp/$1" 2>log
	grep 'CONSOLE' log >console
}
if ! command -v chromium >/dev/null; then
	echo "ok report/browser # SKIP no chromium: apt-get install chromium"
	exit
fi
browser 12.html >dom
check page-console 0 "$(wc -l <console)"
check page-title 'Direct writes to ext4' "$(sed -n 's:.*<title>\(.*\)</title>.*:\1:p' dom | head -n 1)"
check page-rows 20 "$(grep -o '<table id="findings">.*' dom | sed 's:</table>.*::' | grep -o '<tr' | tail -n +2 | wc -l)"
check page-plots 3 "$(grep -o '<svg [^>]*role="img"' dom | wc -l)"
check page-no-image 0 "$(grep -c '<img' dom)"
# what a person does there: sorts, filters, searches; the script is the last in the page
sed 's:</body>::; s:</html>::' 12.html >acts.html
cat "$here/report/acts.html" >>acts.html
browser acts.html >dom
check acts-console 0 "$(wc -l <console)"
sed -n 's/^act \([a-z-]*\) \(.*\)$/\1 \2/p' dom >acts
while read -r name result; do
	check "page-$name" ok "$result"
done <acts
check acts-all 10 "$(wc -l <acts)"
