#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The crash window: machines are killed while direct writes are under way. After
# the journal's replay and the kernel's orphan cleanup a file must hold blocks
# past EOF exactly where the tracer said that it was exposed.
# shellcheck disable=SC2317 # job calls functions
set -u
cd "$(dirname "$0")/../../.." || exit 1
# shellcheck source=../../vm/jobs.sh disable=SC1091
. tools/vm/jobs.sh
here=tools/lab/crash
plan=$here/plan out=build/lab/crash bin=build/static row='' jobs=2
kernel='' tier='' mode='' kinds=''
hold_ms=200 copies=1 workers=8 # of holdwrite
all_kinds='4k 1k bigalloc noextents orphan_file' # without a journal a crash may leave anything

usage() {
	cat <<USAGE
usage: crash.sh [OPTION]...
  --quick          $here/plan.quick in place of $here/plan
  --row 'KERNEL TIER MODE MISTAKE KILLS'   this row in place of a plan
  --kernel LABEL   only the plan's rows of this kernel; likewise --tier T and
                   --mode M (hold, loop)
  --kinds 'K...'   kinds of images ($all_kinds)
  --jobs N         machines at a time ($jobs)
  --bin DIR        static ext4diotop and holdwrite ($bin, which is made)
  --out DIR        logs, records, summary.jsonl ($out)

A kill is a boot with a disk for each kind, SIGKILL to the machine, and a boot
that mounts the disks: replay, orphan cleanup, FIEMAP. Then e2fsck -fn looks.
Needs no root; about 40 s a kill. Mode hold keeps writes open at a chosen point
when the machine dies, loop kills mixed writes at a random time.

Columns: FILES judged; HELD open at the kill; SAID exposed, or left behind, by a
record (for a held write by that of its twin, which was held and released before
the kill); exposed in the tracer's TABLE at the kill; FOUND on the disk, and by
E2FSCK; OPEN: in flight, or not on the disk yet, so that nobody can say; UNKN:
the tracer lost events and says unknown.

examples: $here/crash.sh --quick
          $here/crash.sh --mode loop --kernel 7.2
          $here/crash.sh --row '7.2 kprobe hold none 1' --kinds 4k
exit: 0 all agree, 1 not, 2 usage, 3 cannot run here, 4 nothing judged
USAGE
}

say() { echo "crash: $*" >&2; }

while [ $# -gt 0 ]; do
	case $1 in
	--quick) plan=$here/plan.quick; shift; continue ;;
	-h | --help) usage; exit 0 ;;
	esac
	[ $# -ge 2 ] || { usage >&2; exit 2; }
	case $1 in
	--row) row=$2 ;;
	--kernel) kernel=$2 ;;
	--tier) tier=$2 ;;
	--mode) mode=$2 ;;
	--kinds) kinds=$2 ;;
	--jobs) jobs=$2 ;;
	--bin) bin=$2 ;;
	--out) out=$2 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift 2
done

rows() {
	{ if [ -n "$row" ]; then echo "$row"; else cat "$plan"; fi; } |
		awk -v k="$kernel" -v t="$tier" -v m="$mode" '!/^#/ && NF == 5 &&
			(k == "" || k == $1) && (t == "" || t == $2) && (m == "" || m == $3)'
}

# 5.10 mounts an image with orphan_file and ignores the file (commit 02f310fcf47f, 5.15).
kinds_of() { # KERNEL
	local kk=${kinds:-$all_kinds}
	case $1 in
	5.10*) echo "${kk/orphan_file/}" ;;
	*) echo "$kk" ;;
	esac
}

kernel_dir() { # LABEL
	local cache=${EXT4DIOTOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ext4diotop}/vm/$1
	if [ -e "$cache/vmlinuz" ]; then echo "$cache"; else tools/vm/fetch.sh "$1"; fi
}

module_of() { # KERNEL MISTAKE: what -m of run.sh wants
	local bit ko
	bit=$(awk -v m="$2" '$1 == m { print $2 }' tools/lab/module/mistakes)
	[ -n "$bit" ] || { say "no mistake '$2' in tools/lab/module/mistakes"; return 1; }
	ko=$(tools/lab/module/build.sh "$1") && echo "$ko lab=$((1 << bit))"
}

# Whole lines only: the kill cuts the last ones off.
whole_lines() {
	sed 's/\r*$//' "$@" | grep -a '^{.*}$'
}

# e2fsck is an outside witness, though half blind: it says nothing of unwritten blocks.
witness() { # KIND IMAGE
	PATH=$PATH:/usr/sbin:/sbin e2fsck -fn "$2" 2>&1 | tee "$2.e2fsck" |
		sed -nE "s/^Inode ([0-9]+), i_size is .*/{\"crash\":\"fsck\",\"disk\":\"$1\",\"ino\":\1}/p"
}

until_killed() { # DIR KERNEL_DIR TIER MODE NUMBER KINDS RUN_SH_OPTION...
	local dir=$1 kernel=$2 mode=$4 command="sh guest.sh $4 $3" rc=0
	case $mode in
	hold) command+=" $hold_ms $copies $6" ;;
	loop) command+=" $5 $workers $((RANDOM % 4 + 4)).$((RANDOM % 900 + 100)) $6" ;;
	esac
	shift 6
	tools/vm/run.sh -k "$kernel" "$@" -o "$dir/records" -o "$dir/writes" -t 150 -l "$dir/log" \
		--kill-on '^E4D-CRASH-NOW$' -i "$bin/ext4diotop" -i "$bin/holdwrite" -i "$here/guest.sh" \
		-- "$command" >/dev/null 2>"$dir/err" || rc=$?
	[ "$rc" = 137 ] || say "$dir: not killed, it ended with $rc: $(tail -n 1 "$dir/err") $(grep -a guest.sh: "$dir/log")"
	[ "$rc" = 137 ]
}

# One kill, and what is left behind: DIR/lines, for the judge.
one_kill() { # DIR KERNEL TIER MODE MISTAKE NUMBER
	local dir=$1 kk kind kernel options=() disks=() module start=$SECONDS
	kk=$(kinds_of "$2")
	mkdir -p "$dir" && rm -f "$dir"/*
	kernel=$(kernel_dir "$2" 2>"$dir/err") || { say "$2: $(tail -n 1 "$dir/err")"; return 1; }
	if [ "$5" != none ]; then
		module=$(module_of "$2" "$5" 2>"$dir/err") || { say "$2 $5: $(tail -n 1 "$dir/err")"; return 1; }
		options=(-m "$module")
	fi
	for kind in $kk; do
		tools/image.sh make "$kind" "$dir/$kind.img" 512M || return 1
		disks+=(-d "$dir/$kind.img")
	done
	until_killed "$dir" "$kernel" "$3" "$4" "$6" "$kk" "${options[@]}" "${disks[@]}" || return 1
	# the stock ext4 cleans up, and looks
	if ! tools/vm/run.sh -k "$kernel" "${disks[@]}" -o /dev/null -o "$dir/found" -t 150 -l "$dir/log.after" \
		--retry -i "$bin/holdwrite" -i "$here/guest.sh" -- "sh guest.sh found $kk" >/dev/null 2>"$dir/err"; then
		say "$dir: nobody could look: $(tail -n 1 "$dir/err") $(grep -a guest.sh: "$dir/log.after")"
		return 1
	fi
	for kind in $kk; do witness "$kind" "$dir/$kind.img"; done >"$dir/fsck"
	whole_lines "$dir/records" "$dir/writes" "$dir/found" "$dir/fsck" >"$dir/lines"
	"$bin/holdwrite" judge --brief '' "$dir/lines" >"$dir/judged" 2>&1 && rm -f "$dir"/*.img
	say "$dir: $(awk 'END { print $2, "files,", $3, "said,", $4, "found,", $7, "differ" }' "$dir/judged"), $((SECONDS - start)) s"
}

# A boot in fifty hangs or crashes in the emulator: once more, then.
a_kill() { # as one_kill
	one_kill "$@" || { say "$1: once more"; one_kill "$@"; }
}

need_bin() {
	[ "$bin" != build/static ] || make -s -j2 STATIC=1 B=build/static all build/static/holdwrite >&2 || exit 3
	[ ! -x "$bin/ext4diotop" ] || [ ! -x "$bin/holdwrite" ] || return 0
	say "no static ext4diotop and holdwrite in $bin"
	exit 2
}

total=$(rows | awk '{ n += $5 } END { print n + 0 }')
[ "$total" -gt 0 ] || { say "no such row in $plan"; exit 2; }
need_bin
mkdir -p "$out"
say "$total kills, $jobs machines at a time, $(((total * 40 + jobs - 1) / jobs / 60 + 1)) minutes or so"
while read -r k t m mistake kills; do
	for n in $(seq "$kills"); do
		job "$jobs" a_kill "$out/$k.$t.$m.$mistake.$n" "$k" "$t" "$m" "$mistake" "$n" </dev/null
	done
done < <(rows)
wait

# A row of which a kill did not come to an end is a difference.
worst=4
: >"$out/summary.jsonl"
printf '%-39s %5s %5s %4s %5s %4s %4s %6s\n' 'KERNEL TIER MODE MISTAKE' KILLS FILES SAID FOUND OPEN UNKN DIFFER
files=()
while read -r k t m mistake kills; do
	lines=()
	for n in $(seq "$kills"); do
		[ ! -s "$out/$k.$t.$m.$mistake.$n/lines" ] || lines+=("$out/$k.$t.$m.$mistake.$n/lines")
	done
	if [ ${#lines[@]} -lt "$kills" ]; then
		say "$k $t $m $mistake: $((kills - ${#lines[@]})) of $kills kills came to nothing"
		worst=1
	fi
	[ ${#lines[@]} -gt 0 ] || continue
	"$bin/holdwrite" judge --brief "$k $t $m $mistake" "${lines[@]}"
	rc=$?
	case $worst-$rc in 4-*) worst=$rc ;; 0-[16]) worst=1 ;; esac
	"$bin/holdwrite" judge --json --label "kernel=$k" --label "tier=$t" --label "mode=$m" --label "mistake=$mistake" \
		"${lines[@]}" 2>/dev/null >>"$out/summary.jsonl"
	files+=("${lines[@]}")
done < <(rows)
[ ${#files[@]} -gt 0 ] || exit 4
echo
"$bin/holdwrite" judge "${files[@]}" 2>/dev/null
exit $worst
