#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# ext4diotop wrap: findings are given to the tests that the kernel's log names, and
# the wrapped command notices nothing.
#   tests/wrap.sh BUILD_DIR DIR_ON_SCRATCH_EXT4
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload dir=$2
tmp=$(mktemp -d)
bg=''
# shellcheck disable=SC2317 # the trap's
cleanup() {
	[ -z "$bg" ] || kill "$bg" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

suite=wrap
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"
wrap() { # ARG...: exit code; the report in $tmp/report, the rest in $tmp/out and $tmp/err
	rm -f "$tmp/report"
	"$prog" wrap --filter "dev=$dir" --report "$tmp/report" "$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
cat >"$tmp/lib.sh" <<-EOF
	mark() { echo "run fstests \$1 at \$(date '+%F %T')" >/dev/kmsg; }
	run() { "$workload" run "$dir" "\$@" >>"$tmp/truth" 2>/dev/null; }
EOF
script() { # NAME: from stdin
	{ cat "$tmp/lib.sh"; cat; } >"$tmp/$1"
}
# a field of the JSON report, by a Python expression over d
json() { python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$tmp/report" "$1" 2>&1; }
# shellcheck disable=SC2016 # the scripts' own variables, in all of this file
leaks=0
"$workload" run "$dir" efault-off 2>/dev/null | grep -q '"past_eof":0,' || leaks=1

check help 0 "$("$prog" wrap --help >"$tmp/out"; echo $?)"
says help-example '^Examples:' "$tmp/out"
check no-command 2 "$(wrap)"
check bad-option 2 "$(wrap --frobnicate -- true)"
check not-an-option 2 "$(wrap --csv -- true)"
check not-an-option-n 2 "$(wrap -n 3 -- true)"
check not-an-option-all 2 "$(wrap --all -- true)"
check own-options-untouched 4 "$(wrap true --csv -n)"
check not-found 3 "$(wrap -- "$tmp/nothing")"
says not-found-says 'cannot run .*nothing.: No such file' "$tmp/err"
check not-found-first 1 "$(wc -l <"$tmp/err")"
check no-program 3 "$(wrap -- /etc/passwd)"
printf '#!/no/such/shell\n' >"$tmp/garbage" && chmod 755 "$tmp/garbage"
check no-executable 3 "$(wrap -- "$tmp/garbage")"
says no-executable-says 'cannot run .*garbage' "$tmp/err"
check nothing-seen 4 "$(wrap -- true)"
says nothing-seen-says "no direct write to ext4, as --filter lets through, was seen of 'true'" "$tmp/err"
check command-failed 1 "$(wrap -- sh -c 'exit 7')"
says command-failed-says "'sh' ended with 7" "$tmp/err"
says command-failed-report '^sh -c exit 7 ended with 7$' "$tmp/report"
# shellcheck disable=SC2016
check command-killed 1 "$(wrap -- sh -c 'kill -9 $$')"
says command-killed-says "was ended by signal 9 (Killed)" "$tmp/err"

# the report is a new file, and nobody's link is followed
touch "$tmp/there" && ln -s "$tmp/elsewhere" "$tmp/link"
for f in there link; do
	"$prog" wrap --report "$tmp/$f" -- touch "$tmp/ran" >"$tmp/out" 2>"$tmp/err"
	check report-$f 3 $?
	says report-$f-says 'nothing is overwritten' "$tmp/err"
done
check report-first 0 "$(find "$tmp/ran" "$tmp/elsewhere" 2>/dev/null | wc -l)"
check report-mode 4 "$(wrap -- true)"
check report-mode-0600 600 "$(stat -c %a "$tmp/report")"

# the command has what it would have without
# shellcheck disable=SC2016
state='ls /proc/self/fd | wc -l; grep -E "^(SigBlk|SigIgn)" /proc/self/status; pwd; echo "$X"; cat'
echo in | X=x sh -c "$state" >"$tmp/without"
rm -f "$tmp/report"
echo in | X=x "$prog" wrap -q --report "$tmp/report" -- sh -c "$state" >"$tmp/with" 2>"$tmp/err"
check untouched "$(cat "$tmp/without")" "$(cat "$tmp/with")"
"$prog" wrap -q -- echo first >"$tmp/out" 2>"$tmp/err"
check report-follows 'first echo first ended with 0' "$(head -n 2 "$tmp/out" | tr '\n' ' ' | sed 's/ $//')"
"$prog" wrap --filter "dev=$dir" -- true 2>"$tmp/err" | true
check epipe '4 0' "${PIPESTATUS[0]} $(grep -c stopped "$tmp/err")"

# each finding to its test: six tests, two of them leak
script tests <<-'EOF'
	run append-1m
	mark generic/001; run append-1m overwrite
	mark generic/002; run efault-off
	mark generic/003; run append-1m
	mark ext4/004; run efault-off; run efault-off
	mark ext4/005
	mark ext4/006; run append-1m
EOF
check tests $leaks "$(wrap -- bash "$tmp/tests")"
check tests-80 0 "$(awk 'length > 80 && !/^bash /' "$tmp/report" | wc -l)"
says tests-before '^(before the first)  *1  *1  *0  *0  *0$' "$tmp/report"
if [ $leaks = 1 ]; then
	says tests-row '^generic/002  *1  *1  *1  *0  *0$' "$tmp/report"
	says tests-row-2 '^ext4/004  *2  *2  *2  *0  *0$' "$tmp/report"
	says tests-others '^4 tests without a finding: 4 writes$' "$tmp/report"
	check tests-labels 'generic/002:ext4/004:' "$(grep -E '^[a-z0-9]+/[0-9]+:$' "$tmp/report" | tr -d '\n')"
	check tests-lines 3 "$(grep -c ' leak$' "$tmp/report")"
fi
says tests-sum "^8 direct writes (7 extending), $((3 * leaks)) findings, 0 unknown; tests begin within" "$tmp/report"

if command -v python3 >/dev/null; then
	: >"$tmp/truth"
	check json $leaks "$(wrap --json --confirm -- bash "$tmp/tests")"
	check json-head "True 0 None $leaks" "$(json 'd["program"].startswith("ext4diotop "), d["status"], d["signal"], d["exit"]' | tr -d "(),'")"
	check json-tests 'None:1 generic/001:2 generic/002:1 generic/003:1 ext4/004:2 ext4/005:0 ext4/006:1' \
		"$(json '" ".join("%s:%d" % (t["name"], t["writes"]) for t in d["tests"])')"
	# the disk's own word: how many cases left blocks past EOF, and how many bytes
	check json-findings "$(grep -o '"past_eof":[1-9][0-9]*' "$tmp/truth" | cut -d: -f2 | tr '\n' ' ')" \
		"$(json '"".join("%d " % f["write"]["past_eof"] for f in d["findings"])')"
	check json-order True "$(json 'all(a["to_ns"] <= b["to_ns"] and a["from_ns"] <= a["to_ns"] for a, b in zip(d["tests"][1:], d["tests"][2:]))')"
	script one <<-EOF
		mark generic/007; "$workload" run --keep "$dir" efault-off >/dev/null; sleep 0.3
	EOF
	check confirm $leaks "$(wrap --json --confirm -- bash "$tmp/one")"
	[ $leaks = 0 ] || check confirmed "generic/007 confirmed" \
		"$(json 'd["findings"][0]["tests"][0] + " " + d["findings"][0]["write"]["evidence"]')"

	# a writer that the command did not start, in the middle of its tests; it lives on
	cat >"$tmp/leak.py" <<-EOF
		import ctypes, mmap, os, sys, time
		libc = ctypes.CDLL(None, use_errno=True)
		libc.mmap.restype = ctypes.c_void_p
		base = libc.mmap(None, 1 << 21, 3, 0x22, -1, 0)
		libc.mprotect(ctypes.c_void_p(base + 4096 * 2), 4096, 0)
		fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_DIRECT, 0o600)
		while not os.path.exists(sys.argv[2]):
		    time.sleep(0.01)
		libc.pwrite(fd, ctypes.c_void_p(base + 512), ctypes.c_size_t(1 << 20), ctypes.c_long(0))
		open(sys.argv[3], "w").close()
		time.sleep(60)
	EOF
	python3 "$tmp/leak.py" "$dir/other" "$tmp/go" "$tmp/gone" &
	bg=$!
	script other <<-EOF
		mark generic/008
		touch "$tmp/go"
		until [ -e "$tmp/gone" ]; do sleep 0.01; done
		sleep 0.3
		mark generic/009
		run append-1m
	EOF
	check other $leaks "$(wrap --json -- bash "$tmp/other")"
	kill $bg
	wait $bg 2>/dev/null
	bg=''
	check other-writes 1 "$(json 'd["other"]["writes"]')"
	check other-no-test "0 0" "$(json '" ".join(str(t["findings"]) for t in d["tests"][1:])')"
	[ $leaks = 0 ] || check other-finding "False generic/008" \
		"$(json 'str(d["findings"][0]["of_command"]) + " " + d["findings"][0]["tests"][0]')"
	# the same beside a command that writes nothing: a finding is one, whoever's
	rm -f "$dir/other" "$tmp/go" "$tmp/gone"
	python3 "$tmp/leak.py" "$dir/other" "$tmp/go" "$tmp/gone" &
	bg=$!
	script none <<-EOF
		touch "$tmp/go"
		until [ -e "$tmp/gone" ]; do sleep 0.01; done
		sleep 0.3
	EOF
	check other-only $((leaks ? 1 : 4)) "$(wrap -- bash "$tmp/none")"
	says other-only-row "^(other processes)  *1 " "$tmp/report"
	kill $bg
	wait $bg 2>/dev/null
	bg=''
	rm -f "$dir/other"

	# others' writes are not the command's
	cat >"$tmp/busy.py" <<-'EOF'
		import mmap, os, sys, time
		fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_DIRECT, 0o600)
		while True:
		    os.pwrite(fd, mmap.mmap(-1, 4096), 0)
		    time.sleep(0.01)
	EOF
	python3 "$tmp/busy.py" "$dir/other" &
	bg=$!
	check other-clean 4 "$(wrap -- sleep 1)"
	says other-clean-row "^(other processes)  *[1-9]" "$tmp/report"
	says other-clean-says "no direct write .* was seen of 'sleep'" "$tmp/err"
	kill $bg
	wait $bg 2>/dev/null
	bg=''
	rm -f "$dir/other"

	# A line of the log that has no newline is readable when the next one begins, be it
	# noise before the mark or the mark: no finding may be given firmly to another test.
	cat >"$tmp/late.py" <<-EOF
		import ctypes, mmap, os, sys, time
		noise, end, path = sys.argv[1], sys.argv[2], sys.argv[3]
		libc = ctypes.CDLL(None, use_errno=True)
		libc.mmap.restype = ctypes.c_void_p
		base = libc.mmap(None, 1 << 21, 3, 0x22, -1, 0)
		libc.mprotect(ctypes.c_void_p(base + 4096 * 2), 4096, 0)
		def log(text):
		    with open("/dev/kmsg", "wb", buffering=0) as f:
		        f.write(text.encode())
		for i in range(8):
		    time.sleep(0.15)
		    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_DIRECT, 0o600)
		    if noise:
		        log(noise)
		        time.sleep(0.03)
		    log("run fstests generic/%03d at x%s" % (i, end))
		    libc.pwrite(fd, ctypes.c_void_p(base + 512), ctypes.c_size_t(1 << 20), ctypes.c_long(0))
		    os.close(fd)
		    os.unlink(path)
	EOF
	late() { # NAME NOISE END
		check "$1" $leaks "$(wrap --json -- python3 "$tmp/late.py" "$2" "$3" "$dir/late")"
		check "$1-names" 8 "$(json 'sum(t["name"] == "generic/%03d" % i for i, t in enumerate(d["tests"][1:]))')"
		check "$1-right" True "$(json 'all("generic/%03d" % i in f["tests"] for i, f in enumerate(d["findings"]))')"
		check "$1-near" True "$(json 'd["marks"]["error_ns"] < 10000000')"
	}
	late late-noise noise $'\n'
	late late-marks '' ''

	# an arbitrary name comes through, and does nothing
	# shellcheck disable=SC2016
	printf 'echo "run fstests %s at x" >/dev/kmsg\n' '\"$(printf "\033[31m")' >"$tmp/name"
	check name 4 "$(wrap --json -- bash "$tmp/name")"
	check name-valid 2 "$(json 'len(d["tests"])')"
else
	echo "ok wrap/json # SKIP no python3 here"
fi

# the dump of the run: each write, and each test's mark before its writes
bt() { babeltrace2 "$@" 2>"$tmp/bt.err"; }
check dump $leaks "$(wrap -o "$tmp/dump" -- bash "$tmp/tests")"
says dump-report "^8 direct writes" "$tmp/report"
if command -v babeltrace2 >/dev/null; then
	check dump-in-order 'w 001 w w 002 w 003 w 004 w w 005 006 w ' "$(bt "$tmp/dump" |
		sed -nE 's/.* mark: .*text = "run fstests [a-z0-9]+\/([0-9]+)".*/\1/p; s/.* (write|inside): .*/w/p' | tr '\n' ' ')"
	check dump-whole '' "$(cat "$tmp/bt.err")"
	check dump-findings $((3 * leaks)) "$(bt "$tmp/dump" | grep -c 'verdict = ( "leak"')"
	bt "$tmp/dump" >"$tmp/bt"
	says dump-options "options = \"--filter dev=$dir .*-- bash $tmp/tests\"" "$tmp/bt"
else
	echo "ok wrap/dump-read # SKIP babeltrace2 is missing: tools/deps.sh"
fi
"$prog" report "$tmp/dump" >"$tmp/out" 2>&1
check dump-reported $leaks $?
check dump-not-over-another 3 "$(wrap -o "$tmp/dump" -- touch "$tmp/ran")"
check dump-first 0 "$(find "$tmp/ran" 2>/dev/null | wc -l)"
# a dump that finds no room ends alone: the command and the report go on
mkdir "$tmp/full" && mount -t tmpfs -o size=12k tmpfs "$tmp/full"
check dump-no-room $((leaks ? 1 : 3)) "$(wrap -o "$tmp/full/dump" -- bash "$tmp/tests")"
umount "$tmp/full"
says dump-no-room-says "-o $tmp/full/dump: No space left on device; what it has is whole" "$tmp/err"
says dump-no-room-report "^8 direct writes" "$tmp/report"

# the whole tree is waited for
script tree <<-'EOF'
	mark generic/010
	(sleep 0.5; run append-1m) &
	exit 0
EOF
check tree 0 "$(wrap -- bash "$tmp/tree")"
says tree-counted '^1 direct write (1 extending), 0 findings, 0 unknown; tests' "$tmp/report"
says tree-says 'the command has ended; waiting' "$tmp/err"

# signals go to the command, and what was seen until then is reported
for sig in TERM INT HUP QUIT; do
	script slow <<-EOF
		trap 'exit 0' $sig
		mark generic/011; run efault-off
		touch "$tmp/ready"
		while :; do sleep 0.05; done
	EOF
	rm -f "$tmp/ready" "$tmp/report"
	# not by the shell's "&", which would have INT and QUIT ignored
	"$prog" wrap --filter "dev=$dir" --report "$tmp/report" -- env --default-signal=HUP,INT,QUIT bash "$tmp/slow" \
		>"$tmp/out" 2>"$tmp/err" &
	pid=$!
	until [ -e "$tmp/ready" ]; do kill -0 $pid || break; sleep 0.05; done
	kill -$sig $pid
	wait $pid
	check signal-$sig $leaks $?
	says signal-$sig-report "ended with 0" "$tmp/report"
	[ $leaks = 0 ] || says signal-$sig-finding '^generic/011:$' "$tmp/report"
done
# killed in the middle: the command goes on, and nothing stays attached
script slow <<-EOF
	mark generic/012; touch "$tmp/ready"
	until [ -e "$tmp/go-on" ]; do sleep 0.05; done
	touch "$tmp/went-on"
EOF
rm -f "$tmp/ready" "$tmp/report"
"$prog" wrap --report "$tmp/report" -- bash "$tmp/slow" >"$tmp/out" 2>"$tmp/err" &
pid=$!
until [ -e "$tmp/ready" ]; do kill -0 $pid || break; sleep 0.05; done
kill -KILL $pid
wait $pid 2>/dev/null
touch "$tmp/go-on"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$tmp/went-on" ] && break; sleep 0.2; done
check killed-command-goes-on 0 "$(test -e "$tmp/went-on"; echo $?)"
check killed-report-empty 0 "$(wc -c <"$tmp/report")"

# what a run before left in the log is no test of this one; clearing it (dmesg -c) does not matter
printf 'run fstests generic/099 at x' >/dev/kmsg
script cleared <<-'EOF'
	run append-1m
	mark generic/014; dmesg -C; run append-1m
	mark generic/015; run append-1m
EOF
check cleared 0 "$(wrap -- bash "$tmp/cleared")"
says cleared-before '^(before the first)  *1 ' "$tmp/report"
says cleared-tests '^2 tests without a finding: 2 writes$' "$tmp/report"

# without the log: all is counted, no test is named, and it is said
script nolog <<-EOF
	run efault-off append-1m
EOF
rm -f "$tmp/report"
# shellcheck disable=SC2024
setpriv --inh-caps=-syslog,-sys_admin --bounding-set=-syslog,-sys_admin \
	"$prog" wrap --tier tracepoint --filter "dev=$dir" --report "$tmp/report" -- bash "$tmp/nolog" >"$tmp/out" 2>"$tmp/err"
rc=$?
if [ "$(cat /proc/sys/kernel/dmesg_restrict)" = 1 ]; then
	check no-log $leaks $rc
	says no-log-says 'no names of tests: /dev/kmsg: .*CAP_SYSLOG' "$tmp/err"
	says no-log-row '^(tests not known)  *2 ' "$tmp/report"
else
	echo "ok wrap/no-log # SKIP everybody may read the log here"
fi
: >"$tmp/empty"
for f in "$tmp/empty" /dev/null /dev/zero; do
	rm -f "$tmp/report"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "$1" /dev/kmsg && shift && exec "$@"' sh "$f" \
		"$prog" wrap --filter "dev=$dir" --report "$tmp/report" -- bash "$tmp/nolog" >"$tmp/out" 2>"$tmp/err"
	check "no-log-${f##*/}" $leaks $?
	says "no-log-${f##*/}-says" "no names of tests: /dev/kmsg is not the kernel's log" "$tmp/err"
	says "no-log-${f##*/}-row" '^(tests not known)  *2 ' "$tmp/report"
done
check no-log-untouched 0 "$(wc -c <"$tmp/empty")"

# where the log can only be read, begins are known less well, and that is said
mknod -m 444 "$tmp/kmsg" c 1 11
script twice <<-'EOF'
	run append-1m
	mark generic/016; sleep 0.1; mark generic/017; run append-1m
EOF
rm -f "$tmp/report"
# shellcheck disable=SC2016
unshare -m sh -c 'mount --bind "$1" /dev/kmsg && shift && exec "$@"' sh "$tmp/kmsg" \
	setpriv --inh-caps=-dac_override --bounding-set=-dac_override \
	"$prog" wrap --tier tracepoint --filter "dev=$dir" --report "$tmp/report" -- sh -c 'umount -l /dev/kmsg; bash "$1"' sh "$tmp/twice" >"$tmp/out" 2>"$tmp/err"
check read-only 0 $?
says read-only-says '/dev/kmsg cannot be written' "$tmp/err"
says read-only-tests '^2 tests without a finding: ' "$tmp/report"

# events lost: no finding may not be claimed. The tracer sleeps while its ring fills.
script lossy <<-EOF
	mark generic/013
	kill -STOP \$PPID
	dd if=/dev/zero of="$dir/lossy" bs=4k count=3000 oflag=direct 2>/dev/null
	kill -CONT \$PPID
EOF
check blind 5 "$(wrap --buffer 4K -- bash "$tmp/lossy")"
says blind-says 'lost: ring_full' "$tmp/err"
says blind-proves-nothing 'that nothing was found proves nothing' "$tmp/err"
rm -f "$dir/lossy"
