#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Runs the cells of a plan, one a line, in a guest or live:
#   plan.sh KERNEL BIN < PLAN      PLAN: TIER KIND MISTAKE PROFILE SEED WRITES LOSS PROGRAM
# "# cell N" before each, "# done N EXIT" after it.
here=$(cd "$(dirname "$0")" && pwd)
kernel=$1 bin=$2 n=0 worst=0
programs=$here/programs # in a guest
[ -d "$programs" ] || programs=$here/../../tests/lab
# shellcheck disable=SC3045 # busybox has it
ulimit -l unlimited 2>/dev/null
echo "# kernel $(uname -r)"
while read -r tier kind mistake profile seed writes loss program; do
	n=$((n + 1))
	echo "# cell $n $tier $kind $mistake $profile seed $seed loss $loss"
	set --
	[ "$program" = - ] || set -- --program "$programs/$program"
	# not plan.sh's own input
	"$here/cell.sh" --bin "$bin" --tier "$tier" --kind "$kind" --mistake "$mistake" \
		--profile "$profile" --seed "$seed" --writes "$writes" --loss "$loss" \
		--label "kernel=$kernel" "$@" </dev/null 2>/tmp/e4d-plan.err.$$
	rc=$?
	echo "# done $n $rc"
	[ $rc -le 1 ] || sed 's/^/# /' /tmp/e4d-plan.err.$$
	[ $rc -le $worst ] || [ $rc = 4 ] || worst=$rc
done
rm -f /tmp/e4d-plan.err.$$
exit "$worst"
