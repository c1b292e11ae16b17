#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# ext4diotop validate, the safe tier, on loop images on this machine: which cases
# fail on a kernel that leaks, what is refused, and what is left behind (nothing).
#   tests/validate.sh BUILD_DIR
set -u
cd "$(dirname "$0")/.." || exit 1
prog=$PWD/$1/ext4diotop workload=$PWD/$1/workload leaking=$PWD/tests/vm/validate.leaking
tmp=$(mktemp -d /tmp/e4d-validate.XXXXXX)
mnt=$tmp/mnt
mkdir "$mnt" && chmod 755 "$tmp" # for the run without privilege
# shellcheck disable=SC2317 # the trap's
cleanup() {
	[ -z "$(awk -v d="$mnt" '$2 == d' /proc/mounts)" ] || tools/image.sh umount "$mnt"
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

suite=validate
# shellcheck source=tap.sh disable=SC1091
. tests/tap.sh
validate() { # OPTION...: exit code; output in $tmp/out and $tmp/err
	"$prog" validate "$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
image() { # KIND [SIZE]
	tools/image.sh make "$1" "$tmp/image" "${2:-1G}" && tools/image.sh mount "$tmp/image" "$mnt" >"$tmp/dev"
}
# mkfs's own files aside, what the mount holds: names and free blocks
state() {
	sync -f "$mnt"
	ls -A "$mnt"
	stat -f -c 'free %f inodes %d' "$mnt"
}
# KiB that reached the device so far.
written() {
	sync -f "$mnt"
	awk '{ printf "%d\n", $7 / 2 }' "/sys/dev/block/$(cat "$tmp/dev")/stat"
}
# Of the known cases, those of the safe tier.
names() { sed '/^#/d' "$leaking" | grep -xF -f <("$prog" validate --list | awk '/^$/ { exit } { print $1 }') | sort; }
failed() { sed -nE 's/^not ok [0-9]+ (.*)/\1/p' "$tmp/out" | sort; }

check help 0 "$(validate --help)"
says help-example Examples "$tmp/out"
check list 0 "$(validate --list)"
says list-case '^pwrite/append  *pwrite: append' "$tmp/out"
says list-invariant '^past-eof  ' "$tmp/out"
check list-run 0 "$(validate --list --run 'inside/*' --exclude <(echo inside/hole))"
check list-run-cases 'inside/overwrite inside/twice ' "$(awk '/^$/ { exit } { print $1 }' "$tmp/out" | tr '\n' ' ')"
check list-no-such 2 "$(validate --list --run 'nope*')"
check list-all-excluded 4 "$(validate --list --run inside/hole --exclude <(echo inside/hole))"
check list-format 2 "$(validate --list --format json)"
check list-tier 2 "$(validate --list --tier none)"
check list-dry-run 2 "$(validate --list --dry-run)"
check list-dir 2 "$(validate --list /)"
check no-dir 2 "$(validate)"
check bad-option 2 "$(validate --frobnicate /)"
check bad-format 2 "$(validate --format xml /)"
check bad-tier 2 "$(validate --tier magic /)"
check run-no-such 2 "$(validate --run 'nothing*' /)"
check exclude-no-file 2 "$(validate --exclude /no/such /)"
check not-there 3 "$(validate /no/such/dir)"
mkdir "$tmp/tmpfs" && mount -t tmpfs tmpfs "$tmp/tmpfs"
check tmpfs 4 "$(validate "$tmp/tmpfs")"
says tmpfs-says 'not on ext4; name' "$tmp/err"
umount "$tmp/tmpfs"

image 4k || { echo "not ok validate: no scratch ext4 could be mounted"; exit 0; }
dir=$mnt
# does this kernel leak? asked of the lab's own case
leaks=0
"$workload" run "$dir" efault-off 2>/dev/null | grep -q '"past_eof":0,' || leaks=1
state >"$tmp/before"

before=$(written)
check dry-run 0 "$(validate --dry-run "$dir")"
says dry-run-plan '^run  pwrite/append-fault  *256 KiB' "$tmp/out"
says dry-run-bounds 'cases, [0-9]* writes, at most [0-9]* MiB' "$tmp/out"
"$prog" validate --dry-run "$dir" >/dev/full 2>"$tmp/err"
check dry-run-full-disk 3 $?
says dry-run-full-disk-says 'output: No space left on device' "$tmp/err"
check dry-run-writes-nothing "$before" "$(written)"

"$prog" validate --run 'inside/*' "$dir" >/dev/full 2>"$tmp/err"
check full-disk '3 1' "$? $(wc -l <"$tmp/err")"

# what reaches the device is metadata too: half as much again is allowed for it
rc=$(validate "$dir")
check whole $leaks "$rc"
if [ $leaks = 1 ]; then
	check whole-fails-exactly "$(names)" "$(failed)"
else
	check whole-fails-none '' "$(failed)"
fi
says whole-ktap '^KTAP version 1$' "$tmp/out"
says whole-tracer-agrees '^ok [0-9]* tracer$' "$tmp/out"
check whole-no-skip 0 "$(grep -c '# SKIP' "$tmp/out")"
check whole-quiet 0 "$(wc -l <"$tmp/err")"
check whole-at-most-64M 1 "$(($(written) - before < 96 * 1024))"
check whole-leaves-nothing "$(cat "$tmp/before")" "$(state)"

check excluded 0 "$(validate --exclude "$leaking" "$dir")"
check excluded-skips "$(names | wc -l)" "$(grep -c '# SKIP excluded$' "$tmp/out")"
names | tail -n +2 >"$tmp/most"
check excluded-but-one $leaks "$(validate --exclude "$tmp/most" "$dir")"
"$prog" validate --list | awk '/^$/ { exit } { print $1 }' >"$tmp/all"
check excluded-all 4 "$(validate --exclude "$tmp/all" "$dir")"
check run-glob 0 "$(validate --run 'inside/*' --run limit/fsize "$dir")"
says run-glob-plan '^1\.\.5$' "$tmp/out"
says run-glob-case '^ok 4 limit/fsize$' "$tmp/out"

# every format, read by somebody else's reader
some=(--run 'pwrite/*' "$dir")
check ktap $leaks "$(validate "${some[@]}")"
ktap=$(grep -c '^ok' "$tmp/out")
if command -v prove >/dev/null; then
	for f in ktap tap13; do
		check prove-$f-passes 0 "$(validate --format $f --run 'inside/*' "$dir")"
		prove -e cat "$tmp/out" >"$tmp/prove" 2>&1
		check prove-$f 0 $?
		says prove-$f-all 'Tests=4,' "$tmp/prove"
		# and where cases fail: prove counts them, and finds no fault with the form
		check prove-$f-failing $leaks "$(validate --format $f "${some[@]}")"
		prove -e cat "$tmp/out" >"$tmp/prove" 2>&1
		check prove-$f-fails $leaks $?
		check prove-$f-sound 0 "$(grep -c 'Parse errors\|Bad plan' "$tmp/prove")"
		[ $leaks = 0 ] || says prove-$f-counts "Failed $((11 - $(grep -c '^ok' "$tmp/out")))/11 subtests" "$tmp/prove"
	done
else
	echo "ok validate/prove # SKIP no prove here"
fi
check tap13 $leaks "$(validate --format tap13 "${some[@]}")"
check tap13-same "$ktap" "$(grep -c '^ok' "$tmp/out")"
check junit $leaks "$(validate --format junit "${some[@]}")"
check junit-failures $((11 - ktap)) "$(grep -c '<failure message=' "$tmp/out")"
if command -v xmllint >/dev/null; then
	xmllint --noout --schema tests/junit.xsd "$tmp/out" 2>"$tmp/err"
	check junit-valid 0 $?
	check junit-skips 4 "$(validate --format junit --tier none --exclude "$tmp/all" "$dir")"
	xmllint --noout --schema tests/junit.xsd "$tmp/out" 2>"$tmp/err"
	check junit-skips-valid 0 $?
else
	echo "ok validate/junit-valid # SKIP no xmllint here"
fi
check table $leaks "$(validate --format table "${some[@]}")"
check table-80 0 "$(awk 'length > 80 && !/^tracer|^\//' "$tmp/out" | wc -l)"
check json $leaks "$(validate --format json "${some[@]}")"
if command -v python3 >/dev/null; then
	check json-valid "$((ktap - 1)) 10 agrees" "$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d["passed"], len(d["cases"]), d["tracer"]["result"])' "$tmp/out")"
else
	echo "ok validate/json-valid # SKIP no python3 here"
fi

# two runs compared; what the kernel at hand does not do is edited into the old one
validate --format json "$dir" >"$tmp/rc"
cp "$tmp/out" "$tmp/new.json"
failing=$(grep -c '"result":"fail"' "$tmp/new.json") passing=$(grep -c '"result":"pass"' "$tmp/new.json")
check diff-same 0 "$(validate --diff "$tmp/new.json" "$tmp/new.json")"
says diff-same-says "^0 broken, 0 mended, $failing still failing (0 otherwise), $passing still passing$" "$tmp/out"
says diff-kernels "^old: kernel $(uname -r) " "$tmp/out"
says diff-mount ': ext4 on loop[0-9]*, blocks of 4096 bytes' "$tmp/out"
check diff-80 0 "$(awk 'length > 80 && !/^  /' "$tmp/out" | wc -l)"
sed 's/"result":"fail","why":"[^"]*"/"result":"pass","why":""/' "$tmp/new.json" >"$tmp/fixed.json"
check diff-broken $leaks "$(validate --diff "$tmp/fixed.json" "$tmp/new.json")"
check diff-broken-all "$failing" "$(grep -c '^broken ' "$tmp/out")"
check diff-mended 0 "$(validate --diff "$tmp/new.json" "$tmp/fixed.json")"
check diff-mended-all "$failing" "$(grep -c '^mended ' "$tmp/out")"
sed 's/"result":"pass"/"result":"fail"/' "$tmp/new.json" >"$tmp/worst.json"
check diff-worst 1 "$(validate --diff "$tmp/new.json" "$tmp/worst.json")"
check diff-worst-all "$passing" "$(grep -c '^broken ' "$tmp/out")"
sed '/"name":"pwrite\/append"/d; s#"name":"pwrite/hole"#"name":"4k/pwrite/hole"#' "$tmp/new.json" >"$tmp/less.json"
check diff-names 0 "$(validate --diff "$tmp/less.json" "$tmp/new.json")"
says diff-new '^new  *pwrite/append  *-  *pass$' "$tmp/out"
says diff-vanished '^vanished  *4k/pwrite/hole  *pass  *-$' "$tmp/out"
says diff-names-says ' 2 new, 0 tested only now, 0 no longer, 1 vanished$' "$tmp/out"
check diff-json 1 "$(validate --diff "$tmp/new.json" "$tmp/worst.json" --format json)"
if command -v python3 >/dev/null; then
	check diff-json-valid "$passing 73 1" "$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d["counts"]["broken"], len(d["cases"]), d["exit"])' "$tmp/out")"
fi
check baseline $leaks "$(validate --baseline "$tmp/fixed.json" "$dir")"
check baseline-broken "$failing" "$(grep -c '^broken ' "$tmp/out")"
check baseline-same 0 "$(validate --baseline "$tmp/new.json" --run 'pwrite/*' --run 'odd/*' "$dir")"
says baseline-fewer "^11 ran on both sides; 0 new, 0 tested only now, 0 no longer, 62 vanished$" "$tmp/out"
validate --format json --run 'inside/*' "$dir" >"$tmp/rc"
cp "$tmp/out" "$tmp/inside.json"
check diff-nothing 4 "$(validate --baseline "$tmp/inside.json" --run 'pwrite/*' "$dir")"
says diff-nothing-says 'nothing to compare' "$tmp/err"
head -c 1000 "$tmp/new.json" >"$tmp/cut.json"
echo '{"jobs": []}' >"$tmp/foreign.json"
head -c 17000000 /dev/zero | tr '\0' ' ' >"$tmp/long.json"
sed 's/"version":1/"version":2/' "$tmp/new.json" >"$tmp/later.json"
tr -d '\n' <"$tmp/new.json" | sed 's/"tracer":{"result.*}$/"passed":1}/' >"$tmp/no-tracer.json"
for f in cut foreign long later no-tracer; do
	check diff-$f 6 "$(validate --diff "$tmp/$f.json" "$tmp/new.json")"
	check diff-$f-new 6 "$(validate --diff "$tmp/new.json" "$tmp/$f.json")"
	check baseline-$f 6 "$(validate --baseline "$tmp/$f.json" "$dir")"
	says baseline-$f-says "$f.json: " "$tmp/err"
done
check diff-no-file 2 "$(validate --diff /no/such "$tmp/new.json")"
check diff-one-file 2 "$(validate --diff "$tmp/new.json")"
check diff-ktap 2 "$(validate --diff "$tmp/new.json" "$tmp/new.json" --format ktap)"
check diff-expect 2 "$(validate --baseline "$tmp/new.json" --expect fixed "$dir")"
# no case may pass for another, and nothing tested is no success
check expect-bad 2 "$(validate --expect good "$dir")"
check expect-broken $((1 - leaks)) "$(validate --expect broken "$dir")"
says expect-broken-says 'expected: .*cases of the leaking kind' "$tmp/err"
check expect-fixed $leaks "$(validate --expect fixed "$dir")"
check expect-broken-untested 4 "$(validate --expect broken --run 'inside/*' "$dir")"
check expect-fixed-untested 4 "$(validate --expect fixed --exclude "$leaking" "$dir")"
says expect-fixed-untested-says 'no case of the leaking kind ran' "$tmp/err"
check expect-tail $((1 - leaks)) "$(validate --expect broken --run fault/tail "$dir")"

# without BPF: the disk's word, and it is said
mkdir -m 777 "$dir/everybody"
unprivileged=(setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)
"${unprivileged[@]}" "$prog" validate "$dir/everybody" >"$tmp/out" 2>"$tmp/err"
check no-bpf $leaks $?
says no-bpf-says 'no tracer: .*the disk alone judges' "$tmp/err"
says no-bpf-in-output 'ok [0-9]* tracer # SKIP no tracer: judged by the disk alone' "$tmp/out"
[ $leaks = 0 ] || check no-bpf-fails-exactly "$(names)" "$(failed)"
"${unprivileged[@]}" "$prog" validate --tier tracepoint "$dir/everybody" >"$tmp/out" 2>"$tmp/err"
check no-bpf-tier-wanted 3 $?
"${unprivileged[@]}" "$prog" validate --dry-run "$dir" >"$tmp/out" 2>"$tmp/err"
check dry-run-no-permission 3 $?
says dry-run-no-permission-says 'no file can be made: Permission denied' "$tmp/err"
check tier-none 0 "$(validate --tier none --run 'inside/*' "$dir")"
says tier-none-says 'judged by the disk alone (--tier none)' "$tmp/out"
# no tier attaches: one line says why, in each output
check no-tier 0 "$(ulimit -n 32; validate --run 'inside/*' "$dir")"
check no-tier-lines '4 0' "$(grep -c '^ok ' "$tmp/out") $(grep -cv '^ok \|^#\|^KTAP version 1$\|^1\.\.4$' "$tmp/out")"
says no-tier-says 'ok 4 tracer # SKIP no tracer: .*fentry: .*; kprobe: .*; tracepoint: ' "$tmp/out"
check no-tier-message '1 0' "$(wc -l <"$tmp/err") $(grep -c 'x0a' "$tmp/err")"
rmdir "$dir/everybody"

# progress is for a terminal only
script -qec "$prog validate --run 'inside/*' $dir" /dev/null >"$tmp/tty" 2>&1
says progress-on-terminal '3/3 inside/twice' "$tmp/tty"

# the environment's trouble is no word on the kernel: the cases are skipped, the run is not whole
some=(--tier none --exclude "$leaking")
not_run() { # NAME EXIT REASON GOT: none failed, and it is said how many did not run
	check "$1" "$2" "$4"
	check "$1-fails-none" '' "$(failed)"
	says "$1-says" "^# not run: [0-9]* cases*; .*$3" "$tmp/out"
}
not_run few-descriptors 5 'Too many open files' "$(ulimit -n 40; validate "${some[@]}" "$dir")"
check soft-descriptors 0 "$(ulimit -Sn 40; validate "${some[@]}" "$dir")"
check file-size 3 "$(ulimit -f 64; validate "${some[@]}" "$dir")"
says file-size-says 'a file may have 64 KiB here, and 2048 KiB are needed; raise' "$tmp/err"
check soft-file-size 0 "$(ulimit -Sf 64; validate "${some[@]}" "$dir")"
if command -v strace >/dev/null; then
	strace -f -qqq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=9000000 \
		"$prog" validate --tier none --run pwrite/append --run libaio/append "$dir" >"$tmp/out" 2>&1
	not_run slow 5 '1: the writer ' $? # late, or even hanging: strace lets go of it slowly
	says slow-goes-on '^ok 2 libaio/append$' "$tmp/out"
else
	echo "ok validate/slow # SKIP no strace here"
fi
begun() { # N VALIDATE_OPTION...: with N files open it stands still; $pid
	local n=$1
	shift
	"${run_as[@]}" "$prog" validate "$@" "$dir" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	until [ "$(find /proc/$pid/fd -lname '*(deleted)' 2>/dev/null | wc -l)" -ge "$n" ]; do
		kill -0 $pid 2>/dev/null || break
	done
	kill -STOP $pid
}
run_as=()
begun 5 "${some[@]}"
fallocate -l 900M "$dir/filler"
kill -CONT $pid
wait $pid
not_run full-meanwhile 5 'the file system would be nearly full' $?
rm "$dir/filler"
run_as=(env --ignore-signal=HUP)
begun 5 "${some[@]}"
kill -HUP $pid
kill -CONT $pid
wait $pid
check nohup 0 $?
check nohup-all 0 "$(grep -c 'not run' "$tmp/out")"
check trouble-leaves-nothing "$(cat "$tmp/before")" "$(state)"

# killed in the middle: no name, no block, no process, and the disk is sound
for files in 2 20 50; do
	"$prog" validate --tier none "$dir" >"$tmp/out" 2>/dev/null &
	pid=$!
	until [ "$(find /proc/$pid/fd -lname '*(deleted)' 2>/dev/null | wc -l)" -ge $files ]; do
		kill -0 $pid 2>/dev/null || break
	done
	kill -STOP $pid
	prio=$(ionice -p $pid)
	ls -A "$dir" >"$tmp/names"
	kill -KILL $pid
	wait $pid 2>/dev/null
	check killed-$files 137 $?
	check killed-$files-nameless lost+found "$(cat "$tmp/names")"
	for _ in 1 2 3 4 5 6 7 8 9 10; do # its writer has the same command line
		orphans=$(pgrep -f -- "$prog validate --tier none $dir")
		[ -n "$orphans" ] || break
		sleep 0.2
	done
	check killed-$files-no-process '' "$orphans"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		state >"$tmp/after"
		cmp -s "$tmp/before" "$tmp/after" && break
		sleep 0.2
	done
	check killed-$files-leaves-nothing "$(cat "$tmp/before")" "$(cat "$tmp/after")"
	check killed-$files-lsattr lost+found "$(lsattr -a "$dir" | sed -nE 's#.*/([^./][^/]*)$#\1#p')"
done
# told to end: what ran is reported, the rest is skipped
"$prog" validate "$dir" >"$tmp/out" 2>/dev/null &
pid=$!
until [ "$(find /proc/$pid/fd -lname '*(deleted)' 2>/dev/null | wc -l)" -ge 5 ]; do
	kill -0 $pid 2>/dev/null || break
done
kill -TERM $pid
wait $pid
check told-to-end 143 $?
says told-to-end-skips '^ok 73 nowait/append # SKIP interrupted$' "$tmp/out"
says told-to-end-not-run '^# not run: [0-9]* cases*; [0-9]*: interrupted$' "$tmp/out"
says told-to-end-reports '^ok 74 tracer$' "$tmp/out"
check told-to-end-leaves-nothing "$(cat "$tmp/before")" "$(state)"
"$prog" validate --run 'inside/*' "$dir" 2>"$tmp/err" | head -n 1 >"$tmp/out"
check epipe-quiet '0 0' "${PIPESTATUS[0]} $(wc -l <"$tmp/err")"
check idle idle "$prio"

# refused, with the reason
mount -o remount,ro "$mnt"
check read-only 4 "$(validate "$dir")"
says read-only-says 'mounted read-only' "$tmp/err"
mount -o remount,rw "$mnt"
fallocate -l 800M "$dir/filler"
check nearly-full 4 "$(validate "$dir")"
says nearly-full-says 'nearly full: [0-9]* MiB are free, and 256' "$tmp/err"
check nearly-full-dry 4 "$(validate --dry-run "$dir")"
rm "$dir/filler"
tools/image.sh umount "$mnt"
e2fsck -fn "$tmp/image" >"$tmp/fsck" 2>&1
check fsck-clean 0 $?

# what chattr +j does, which not every root may
tools/image.sh make 4k "$tmp/image" 1G && debugfs -w -f - "$tmp/image" >/dev/null 2>&1 <<-EOF
	mkdir journalled
	set_inode_field journalled flags 0x84000
EOF
tools/image.sh mount "$tmp/image" "$mnt" >"$tmp/dev"
check chattr-j 4 "$(validate "$dir/journalled")"
says chattr-j-says 'chattr +j' "$tmp/err"
check chattr-j-dry-run 4 "$(validate --dry-run "$dir/journalled")"
tools/image.sh umount "$mnt"
tools/image.sh make 4k "$tmp/image" 1G && tune2fs -o journal_data "$tmp/image" >/dev/null 2>&1 &&
	tools/image.sh mount "$tmp/image" "$mnt" >"$tmp/dev"
check data-journal 4 "$(validate "$dir")"
says data-journal-says 'data=journal' "$tmp/err"
tools/image.sh umount "$mnt"
mount -o loop,data=journal "$tmp/image" "$mnt"
check data-journal-option 4 "$(validate "$dir")"
umount "$mnt"
# a directory of that name is none; and no inode is free
rm "$tmp/image" && truncate -s 1G "$tmp/image"
mkfs.ext4 -q -F -N 16 "$tmp/image" && mount -o loop "$tmp/image" "$mnt"
mkdir "$mnt/data=journal" && mount --bind "$mnt" "$mnt/data=journal"
check journal-by-name 0 "$(validate --dry-run "$dir")"
umount "$mnt/data=journal"
for ((i = 0; i < 4096; i++)); do : >"$mnt/$i" || break; done 2>/dev/null
check no-inode 3 "$(validate "$dir")"
says no-inode-says 'no file can be made: No space left on device; free some' "$tmp/err"
umount "$mnt"

# what is allocated at a time, when a file takes 16 MiB at least
rm "$tmp/image" && truncate -s 4G "$tmp/image"
if mkfs.ext4 -q -F -O bigalloc -C 16777216 "$tmp/image" && mount -o loop "$tmp/image" "$mnt"; then
	used() { df --output=used -k "$mnt" | tail -n 1; }
	before=$(used)
	while used; do sleep 0.01; done >"$tmp/used" &
	watch=$!
	check clusters $leaks "$(validate "$dir")"
	kill $watch && wait $watch 2>/dev/null
	most=$(($(sort -n "$tmp/used" | tail -n 1) - before))
	check clusters-hold-some 1 "$((most >= 16384))"
	check clusters-at-most-64M 1 "$((most <= 65536))"
	says clusters-all '^# kernel: .* 0 skipped; 74 writes' "$tmp/out"
	says clusters-tracer '^ok 74 tracer$' "$tmp/out"
	umount "$mnt"
else
	echo "ok validate/clusters # SKIP no such clusters here"
fi

for kind in 1k bigalloc noextents; do
	image $kind
	check $kind $leaks "$(validate "$dir")"
	says $kind-tracer '^ok [0-9]* tracer$' "$tmp/out"
	if [ $leaks = 1 ]; then # fallocate wants extents
		want=$(names)
		[ $kind != noextents ] || want=$(names | grep -v prealloc)
		check $kind-fails-exactly "$want" "$(failed)"
	fi
	tools/image.sh umount "$mnt"
done
