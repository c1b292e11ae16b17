#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Runs the workload on a fresh image under the tracer, and lets the judge
# compare the tracer's words with the disk's. Needs root. dash or busybox sh.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tracer.sh disable=SC1091
. "$here/tracer.sh"
kind=4k tier='' bin=build work='' globs='' format=table name=''
settle_seconds=${E4D_SETTLE_SECONDS:-1} # from the last write to SIGINT
mounted='' made=''

usage() {
	cat <<USAGE
usage: cases.sh [--kind KIND] [--tier TIER] [OPTION]...
  --kind KIND     of image.sh (default 4k)
  --tier TIER     fentry, kprobe, tracepoint (default: the tracer's choice)
  --bin DIR       where ext4diotop, workload and judge are (default build)
  --work DIR      for image and logs, kept (default: a temporary directory)
  --cases GLOBS   e.g. 'efault-* append-1m' (default all)
  --table         the judge's table and summary (default)
  --tap NAME      ok/not ok lines, named NAME/case

example: cases.sh --kind 1k --tier kprobe --cases 'efault-*'
exit: 0 tracer and disk agree, 1 they do not, 2 usage, 3 the tracer cannot
      run here, 4 nothing was tested, 6 the trace is corrupt
USAGE
}

say() {
	echo "cases.sh: $*" >&2
}

die() { # CODE MESSAGE
	say "$2"
	exit "$1"
}

# shellcheck disable=SC2317 # reached through the trap
cleanup() {
	rc=$?
	trap - EXIT INT TERM HUP
	stop_tracer
	[ -n "$mounted" ] && ! "$here/image.sh" umount "$work/mnt" && rc=1
	rm -f "$work/image"
	[ -d "$work/mnt" ] && rmdir "$work/mnt"
	[ -n "$made" ] && rm -rf "$made"
	exit "$rc"
}

while [ $# -gt 0 ]; do
	case $1 in
	--kind | --tier | --bin | --work | --cases | --tap)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		case $1 in
		--kind) kind=$2 ;;
		--tier) tier=$2 ;;
		--bin) bin=$2 ;;
		--work) work=$2 ;;
		--cases) globs=$2 ;;
		--tap) format=tap name=$2 ;;
		esac
		shift ;;
	--table) format=table ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
for tool in ext4diotop workload judge; do
	[ -x "$bin/$tool" ] || die 2 "no $bin/$tool: run make, or give --bin"
done

if [ -z "$work" ]; then
	made=$(mktemp -d /tmp/e4d-cases.XXXXXX) || exit 1
	work=$made
fi
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$work/mnt" || exit 1

"$here/image.sh" make "$kind" "$work/image" || exit
dev=$("$here/image.sh" mount "$work/image" "$work/mnt") || exit
mounted=1

# The trace goes to the work directory: never to the device that is traced.
set -- --all --json --filter "dev=$dev"
[ -n "$tier" ] && set -- "$@" --tier "$tier"
start_tracer "$bin/ext4diotop" "$work/trace" "$@" || exit

# set -f: the globs are the workload's to expand, not the shell's.
set -f
# shellcheck disable=SC2086
"$bin/workload" run --keep "$work/mnt" $globs >"$work/truth.jsonl"
workload_rc=$?
set +f
case $workload_rc in
0 | 1 | 4) ;; # the judge's to say
2) exit 2 ;;
*) die 1 "the workload ended with exit $workload_rc" ;;
esac
sleep "$settle_seconds"
stop_tracer
# 0 clean, 1 a finding; all else (5: events lost) is a failure here, however
# well the records agree.
case $tracer_rc in
0 | 1) ;;
*)
	cat "$work/trace.err" >&2
	say "the tracer ended with exit $tracer_rc"
	;;
esac

if [ "$format" = tap ]; then
	"$bin/judge" --tap-prefix "$name" --summary "$work/truth.jsonl" "$work/trace.jsonl"
else
	"$bin/judge" --summary "$work/truth.jsonl" "$work/trace.jsonl"
fi
judge_rc=$?
case $judge_rc-$tracer_rc in
0-0 | 0-1) exit 0 ;;
0-*) exit 1 ;;
*) exit $judge_rc ;;
esac
