#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Fuzzes the reader and salvage, both at once, or each half of the time where there is one CPU.
#   tests/fuzz/run.sh DIR_OF_TARGETS SECONDS
# example: tests/fuzz/run.sh build/fuzz 600
# TAP lines on stdout with the executions; a crash stays in DIR/crash-*. The corpus that
# grows is DIR/corpus-TARGET.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
bin=${1:?DIR_OF_TARGETS} seconds=${2:?SECONDS}
suite=fuzz
# shellcheck source=../tap.sh disable=SC1091
. "$here/tests/tap.sh"
one() { # TARGET
	local t=$1 log=$bin/$1.log rc
	mkdir -p "$bin/corpus-$t"
	"$bin/$t" -max_total_time="$seconds" -max_len=40000 -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 \
		-artifact_prefix="$bin/crash-$t-" "$bin/corpus-$t" "$bin/seeds-$t" >"$log" 2>&1
	rc=$?
	echo "# $t: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") executions in $seconds s," \
		"$(sed -n 's/.*cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) edges"
	check "$t" 0 "$rc$([ $rc = 0 ] || grep -aE -m 1 'ERROR|not so|runtime error' "$log")"
}

[ "$(nproc)" -gt 1 ] || seconds=$((seconds / 2))
mkdir -p "$bin/seeds-reader" "$bin/seeds-salvage"
"$bin/seeds" "$bin/seeds-reader" "$bin/seeds-salvage" || exit 2
for t in reader salvage; do
	one $t &
	[ "$(nproc)" -gt 1 ] || wait
done
wait
