#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The named cases on stock Debian kernels in VMs, each tier that a kernel offers,
# judged by the disk. TAP lines on stdout, a log for each kernel.
#   tests/vm/matrix.sh [--tier T] [--kind K] [--cases GLOBS] [KERNEL]...
# example: tests/vm/matrix.sh --tier fentry --kind 4k --cases 'efault-*' 6.12
# shellcheck disable=SC2317 # job calls functions
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=../../tools/vm/jobs.sh disable=SC1091
. tools/vm/jobs.sh
only_tier='' cases='' kinds="4k 1k bigalloc noextents orphan_file" kernels=''
logs=build/vm-logs

usage() {
	sed -n '3,6s/^# \{0,1\}//p' "$0"
	exit "$1"
}

while [ $# -gt 0 ]; do
	case $1 in
	--tier) only_tier=${2-}; shift ;;
	--kind) kinds=${2-}; shift ;;
	--cases) cases=${2-}; shift ;;
	-h | --help) usage 0 ;;
	-*) usage 2 >&2 ;;
	*) kernels="$kernels $1" ;;
	esac
	shift
done
[ -n "$kernels" ] || kernels=$(awk '!/^#/ { print $1 }' tests/vm/expected)

say() { echo "matrix: $*" >&2; }

tiers_of() {
	local tiers
	tiers=$(awk -v k="$1" '$1 == k { $1 = ""; print }' tests/vm/expected)
	[ -n "$tiers" ] || { say "no kernel '$1' in tests/vm/expected"; return 2; }
	echo "${only_tier:-$tiers}"
}

# orphan_file is 5.15 (commit 02f310fcf47f); the guest says n/a where it must be.
one_kernel() { # KERNEL: everything goes to its log; TAP lines are picked later
	local k=$1 tiers kk=$kinds log=$logs/$1.log start=$SECONDS rc
	tiers=$(tiers_of "$k") || { echo "not ok vm/$k: not in tests/vm/expected" >"$log"; return; }
	# a module makes no difference between images
	case $k in *-plain) kk=${kinds%% *} ;; esac
	if ! dir=$(tools/vm/fetch.sh "$k" 2>"$log.fetch"); then
		cat "$log.fetch" >&2
		echo "not ok vm/$k: the kernel could not be fetched: $(tail -n 1 "$log.fetch")" >"$log"
		return
	fi
	say "$k: $(cat "$dir/version")"
	tools/vm/run.sh -k "$k" -t 1800 --retry -l "$log" -m loop -m ext4 \
		-i build/static/ext4diotop:/e4d/build/ext4diotop \
		-i build/static/workload:/e4d/build/workload \
		-i build/static/judge:/e4d/build/judge \
		-i tools/cases.sh:/e4d/tools/cases.sh -i tools/tracer.sh:/e4d/tools/tracer.sh -i tools/image.sh:/e4d/tools/image.sh \
		-i tests/vm/validate.expected:/e4d/validate.expected -i tests/vm/validate.leaking:/e4d/validate.leaking \
		-i tests/vm/guest.sh:/e4d/guest.sh -i build/live/test_session:/e4d/test_session \
		-i build/live/test_settle:/e4d/test_settle -i build/live/test_files:/e4d/test_files \
		-i build/live/test_processes:/e4d/test_processes -i build/live/test_flights:/e4d/test_flights \
		-- "sh /e4d/guest.sh '$k' '$tiers' '$kk' '$cases'" >/dev/null 2>"$log.run"
	rc=$?
	if [ "$rc" -ne 0 ]; then
		echo "not ok vm/$k: the VM ended with $rc: $(tail -n 1 "$log.run"), see $log" >>"$log"
	fi
	say "$k: $((SECONDS - start)) s, $(grep -c '^ok ' "$log") passed, $(grep -c '^not ok ' "$log") failed"
	grep -i 'again\|retry\|crash' "$log.run" >&2
	grep '^# .* once more: ' "$log" >&2
}

make -s -j"$(nproc)" STATIC=1 B=build/static all >&2 && make -s live >&2 || exit 3
mkdir -p "$logs"
# two at a time: TCG is one core's work for each
for k in $kernels; do
	job "$(nproc)" one_kernel "$k"
done
wait

# each role of each tier took part; a kernel without a line is a failure
failed=0
for k in $kernels; do
	grep -E '^(ok|not ok) ' "$logs/$k.log"
	grep -q '^ok ' "$logs/$k.log" || echo "not ok vm/$k: nothing ran, see $logs/$k.log"
	grep -q '^not ok ' "$logs/$k.log" && failed=1
	grep '^# verifier ' "$logs/$k.log" | sed "s/^# verifier/$k/"
done >"$logs/all.tap"
grep -E '^(ok|not ok) ' "$logs/all.tap"
grep -vE '^(ok|not ok) ' "$logs/all.tap" >"$logs/verifier"
grep -q '^not ok ' "$logs/all.tap" && failed=1
exit $failed
