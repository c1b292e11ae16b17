#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# One cell of the lab: random writes on a fresh image under one tier of the
# tracer, scored against the disk. In a guest or live; dash or busybox sh.

here=$(cd "$(dirname "$0")" && pwd)
tools=${E4D_TOOLS:-$here/..}
# shellcheck source=../tracer.sh disable=SC1091
. "$tools/tracer.sh"
kind=4k tier=fentry bin=build work='' labels='' loss=none mistake=none program=''
profile=mixed seed=1 writes=500 minimise=0 blind=''
param=/sys/module/ext4/parameters/lab
mounted='' made='' stopper='' set_mistake=''

usage() {
	cat <<USAGE
usage: cell.sh [OPTION]...
  --kind KIND       of tools/image.sh (4k)
  --tier TIER       fentry, kprobe, tracepoint (fentry)
  --mistake NAME    of tools/lab/module/mistakes; wants the lab's ext4.ko (none)
  --profile P       of randwrite: quick, serial, mixed, overlap, enospc (mixed)
  --seed N          first seed (1)
  --writes N        direct writes, at least (500)
  --program FILE    these programs in place of seeds
  --loss MODE       none; ring: a small ring whose reader is stopped again and
                    again; slots: room for few writes in flight; default: no loss,
                    and what the tracer does without --all and without a filter
  --minimise N      reduce the first N bad programs to their core (0)
  --label K=V       a label of the row, may be given again
  --bin DIR         ext4diotop, randwrite, score (build)
  --work DIR        keep the traces there

example: cell.sh --tier tracepoint --kind 1k --seed 7 --writes 2000
prints the bad episodes, and one line "# score {...}".
exit: 0 no miss and no false alarm, 1 some, 2 usage, 3 cannot run here, 4 n/a
USAGE
}

say() { echo "cell: $*" >&2; }

die() { # CODE MESSAGE
	say "$2"
	exit "$1"
}

# shellcheck disable=SC2317 # reached through the trap
cleanup() {
	rc=$?
	trap - EXIT INT TERM HUP
	stop_stopper
	stop_tracer
	[ -n "$set_mistake" ] && echo 0 >"$param"
	[ -n "$mounted" ] && ! "$tools/image.sh" umount "$work/mnt" && rc=1
	rm -f "$work/image"
	[ -d "$work/mnt" ] && rmdir "$work/mnt"
	[ -n "$made" ] && rm -rf "$made"
	exit "$rc"
}

# The reader of the ring stands still for most of the time.
start_stopper() {
	(
		while kill -STOP "$1" 2>/dev/null; do
			sleep 0.3
			kill -CONT "$1"
			sleep 0.05
		done
	) &
	stopper=$!
}

stop_stopper() {
	[ -n "$stopper" ] || return 0
	kill "$stopper" 2>/dev/null
	wait "$stopper" 2>/dev/null
	stopper=''
	[ -z "$tracer" ] || kill -CONT "$tracer" 2>/dev/null
}

# So few that about every third write finds none. The array's slots are spread
# over a fixed number; before 5.12 (no compare-and-swap) it is a hash map.
few_slots() {
	case $(uname -r) in
	5.[0-9].* | 5.1[01].*) echo 1 ;;
	*) echo 700 ;;
	esac
}

# Reduces what is bad in the trace so far: score's options.
minimise() {
	"$bin/score" "$@" --json --bad "$work/bad.jsonl" --max-bad 0 "$work/truth.jsonl" \
		"$work/trace.jsonl" >/dev/null
	if [ -n "$program" ]; then
		set -- --program "$program"
	else
		set --
	fi
	case $loss in
	none) ;;
	default) set -- "$@" --extending ;;
	*) set -- "$@" --loss ;;
	esac
	[ "$mistake" != past-from-inside ] || set -- "$@" --over
	"$here/minimise.sh" "$@" --bad "$work/bad.jsonl" --max "$minimise" --kind "$kind" \
		--tier "$tier" --profile "$profile" --bin "$bin" --dir "$work/mnt" \
		--trace "$work/trace.jsonl" --mistake "$mistake"
}

# NAME BIT of the table; "none" is the module (or the stock kernel) as it is.
set_mistake() {
	[ "$1" = none ] && { [ ! -e "$param" ] || echo 0 >"$param"; return; }
	bit=$(awk -v n="$1" '$1 == n { print $2 }' "$here/module/mistakes")
	[ -n "$bit" ] || die 2 "no mistake '$1' in $here/module/mistakes"
	[ -e "$param" ] || die 3 "this ext4 has no mistakes to choose: load the lab's ext4.ko"
	echo $((1 << bit)) >"$param" || die 4 "mistake $1 is not built into this ext4.ko"
	set_mistake=1
}

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--*) [ $# -ge 2 ] || { usage >&2; exit 2; } ;;
	esac
	case $1 in
	--kind) kind=$2 ;;
	--tier) tier=$2 ;;
	--mistake) mistake=$2 ;;
	--profile) profile=$2 ;;
	--seed) seed=$2 ;;
	--writes) writes=$2 ;;
	--program) program=$2 ;;
	--loss) loss=$2 ;;
	--minimise) minimise=$2 ;;
	--label) labels="$labels --label $2" ;;
	--bin) bin=$2 ;;
	--work) work=$2 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift 2
done

if [ -z "$work" ]; then
	made=$(mktemp -d /tmp/e4d-cell.XXXXXX) || exit 1
	work=$made
fi
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$work/mnt" || exit 1
rm -f "$work"/*.jsonl

"$tools/image.sh" make "$kind" "$work/image" || exit
dev=$("$tools/image.sh" mount "$work/image" "$work/mnt") || exit
mounted=1
set_mistake "$mistake"

set -- --json --tier "$tier"
[ "$loss" = default ] || set -- "$@" --all --filter "dev=$dev"
case $loss in
none | default) ;;
ring) set -- "$@" --buffer 4K ;;
slots) set -- "$@" --in-flight "$(few_slots)" ;;
*) die 2 "--loss wants none, ring, slots or default, not '$loss'" ;;
esac
start_tracer "$bin/ext4diotop" "$work/trace" "$@" || exit
[ "$loss" != ring ] || start_stopper "$tracer"

if [ -n "$program" ]; then
	"$bin/randwrite" run --program "$program" "$work/mnt" >"$work/truth.jsonl"
else
	"$bin/randwrite" run --kind "$kind" --profile "$profile" --seed "$seed" --writes "$writes" \
		"$work/mnt" >"$work/truth.jsonl"
fi
rc=$?
[ $rc = 0 ] || die 1 "randwrite ended with exit $rc"
stop_stopper
sleep "${E4D_SETTLE_SECONDS:-1}"

# Before 6.6 the tracepoint tier sees neither begin nor completion.
[ "$tier" = tracepoint ] && ! grep -qs iomap_dio_rw_begin /proc/kallsyms && blind=--blind
set -- --tier "$tier" $blind --label "kind=$kind" --label "tier=$tier" --label "mistake=$mistake" \
	--label "profile=$profile"
case $loss in
none) ;;
default) set -- "$@" --extending --label "loss=default" ;;
*) set -- "$@" --loss --label "loss=$loss" ;;
esac
[ "$mistake" != past-from-inside ] || set -- "$@" --over
# shellcheck disable=SC2086 # a list of options
set -- "$@" $labels
[ "$minimise" -eq 0 ] || minimise "$@"
stop_tracer
case $tracer_rc in
0 | 1 | 5) ;;
*)
	cat "$work/trace.err" >&2
	die 1 "the tracer ended with exit $tracer_rc"
	;;
esac
"$bin/score" "$@" --json "$work/truth.jsonl" "$work/trace.jsonl" >"$work/score.out"
rc=$?
sed 's/^{/# score {/' "$work/score.out"
[ $rc -le 1 ] || [ $rc = 4 ] || die 1 "score ended with exit $rc"
if [ -n "$blind" ] && [ $rc = 1 ]; then
	echo "# a limit of tracepoints before 6.6: counted, no failure"
	rc=0
fi
exit $rc
