#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The lab: random writes on stock, broken and fixed kernels, every tier scored
# against the disk; then the crash window. Report in build/lab/report.{md,json}.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=../vm/jobs.sh disable=SC1091
. tools/vm/jobs.sh
matrix=tools/lab/matrix out=build/lab seed=1 tap='' quick='' crash=1 only=''
all_tiers=fentry,kprobe,tracepoint

usage() {
	cat <<USAGE
usage: lab.sh [OPTION]... [KERNEL]...
  --quick        the slice of make test (tools/lab/matrix.quick), no crash runs
  --tap          "ok lab/..." lines for each cell
  --seed N       other random writes (default $seed)
  --out DIR      logs and report (default $out)
  --no-crash     leave the crash window out

Runs the rows of tools/lab/matrix for the kernels named, or all; "live" is the
kernel at hand. Kernels and modules are kept in ~/.cache/ext4diotop.

examples: tools/lab/lab.sh                the whole lab, what make lab does
          tools/lab/lab.sh --no-crash 6.12 live
          tools/lab/lab.sh --seed 4711
exit: 0 no miss and no false alarm, 1 some, 2 usage, 3 cannot run here
USAGE
}

say() { echo "lab: $*" >&2; }

while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=1 matrix=tools/lab/matrix.quick crash='' out=build/lab-quick ;;
	--tap) tap=1 ;;
	--no-crash) crash='' ;;
	--seed | --out)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		case $1 in --seed) seed=$2 ;; *) out=$2 ;; esac
		shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) only="$only $1" ;;
	esac
	shift
done

mistakes_of() { # KERNEL: names that its module knows; the stock code first
	local column=3
	[ "$1" = 6.1-plain ] && column=4
	awk -v c=$column '/^[a-z]/ && $c != "n/a" { printf "%s,", $1 }' tools/lab/module/mistakes
	echo none
}

# Rows of the matrix, and the named regressions, as one cell a line:
# KERNEL TIER KIND MISTAKE PROFILE SEED WRITES LOSS PROGRAM
cells() {
	local kernel tiers kinds mistakes profiles writes losses n=0 all_kinds
	all_kinds=$(tools/image.sh kinds | tr ' ' ,)
	while read -r kernel tiers kinds mistakes profiles writes losses; do
		case $kernel in '' | '#'*) continue ;; esac
		[ -z "$only" ] || [[ " $only " == *" $kernel "* ]] || continue
		[ "$tiers" != all ] || tiers=$all_tiers
		[ "$kinds" != all ] || kinds=$all_kinds
		[ "$mistakes" != all ] || mistakes=$(mistakes_of "$kernel")
		for tier in ${tiers//,/ }; do for kind in ${kinds//,/ }; do
			for mistake in ${mistakes//,/ }; do for profile in ${profiles//,/ }; do
				for loss in ${losses//,/ }; do
					n=$((n + 1))
					echo "$kernel $tier $kind $mistake $profile $((seed * 100000000 + n * 10000))" \
						"$writes $loss -"
				done
			done; done
		done; done
	done <"$matrix"
	regressions
}

# tests/lab/*.prog: "# cell: KERNEL TIERS KIND MISTAKE [LOSS]" says where one belongs.
regressions() {
	local file kernel tiers kind mistake tier loss
	for file in tests/lab/*.prog; do
		[ -e "$file" ] || continue
		while read -r _ _ kernel tiers kind mistake loss; do
			[ -z "$only" ] || [[ " $only " == *" $kernel "* ]] || continue
			[ "$tiers" != all ] || tiers=$all_tiers
			for tier in ${tiers//,/ }; do
				echo "$kernel $tier $kind $mistake ${file##*/} 0 0 ${loss:-none} ${file##*/}"
			done
		done < <(grep '^# cell: ' "$file")
	done
}

run_live() { # PLAN LOG
	tools/lab/plan.sh live build <"$1" >"$2" 2>&1
}

run_vm() { # KERNEL PLAN LOG
	local kernel=$1 dir module=()
	dir=$(tools/vm/fetch.sh "$kernel" 2>"$3.fetch") || { tail -n 1 "$3.fetch" >&2; return 3; }
	case $kernel in
	*-plain) module=(-m "$(tools/lab/module/build.sh "$kernel")") || return 3 ;;
	*) module=(-m ext4) ;;
	esac
	tools/vm/run.sh -k "$dir" -t 1500 -s 1536 --retry -l "$3" -m loop "${module[@]}" \
		-i build/static/ext4diotop:/e4d/build/ext4diotop \
		-i build/static/randwrite:/e4d/build/randwrite -i build/static/score:/e4d/build/score \
		-i tools/image.sh:/e4d/tools/image.sh -i tools/tracer.sh:/e4d/tools/tracer.sh \
		-i tools/lab/cell.sh:/e4d/tools/lab/cell.sh -i tools/lab/plan.sh:/e4d/tools/lab/plan.sh \
		-i tools/lab/minimise.sh:/e4d/tools/lab/minimise.sh \
		-i tools/lab/module/mistakes:/e4d/tools/lab/module/mistakes \
		-i tests/lab:/e4d/tools/lab/programs -i "$2:/e4d/plan" \
		-- "cd /e4d && sh tools/lab/plan.sh $kernel /e4d/build <plan" >/dev/null 2>"$3.run"
}

run_job() { # KERNEL TIER
	local kernel=$1 plan=$out/$1.$2.plan log=$out/$1.$2.log start=$SECONDS rc=0 ran
	if [ "$kernel" = live ]; then run_live "$plan" "$log"; else run_vm "$kernel" "$plan" "$log"; fi || rc=$?
	ran=$(grep -c '^# done ' "$log")
	say "$kernel $2: $ran of $(wc -l <"$plan") cells, $((SECONDS - start)) s"
	[ "$ran" = "$(wc -l <"$plan")" ] ||
		say "$kernel $2: ended early with $rc: $(tail -n 1 "$log.run" 2>/dev/null), see $log"
}

# One line for each cell, from the logs.
tap_lines() {
	local plan
	for plan in "$out"/*.plan; do
		awk -v kernel="$(basename "$plan" .plan | sed 's/\.[a-z]*$//')" '
			FNR == NR { cell[FNR] = "lab/" kernel "/" $1 "/" $2 "/" $3 "/" $4 ($7 == "none" ? "" : "/loss-" $7); n = FNR; next }
			/^# done / { rc[$3] = $4 }
			END { for (i = 1; i <= n; i++)
				if (!(i in rc)) print "not ok " cell[i] ": expected a score, the run ended before"
				else if (rc[i] == 0) print "ok " cell[i]
				else if (rc[i] == 4) print "# " cell[i] " n/a"
				else print "not ok " cell[i] ": expected no miss and no false alarm, got exit " rc[i]
			}' "$plan" "${plan%.plan}.log"
	done
}

tools/deps.sh || exit 3
rm -rf "$out"
mkdir -p "$out" || exit 3
if ! { make -j"$(nproc)" all && make -j"$(nproc)" STATIC=1 B=build/static all; } >"$out/make.log" 2>&1; then
	say "the build failed: $(tail -n 2 "$out/make.log" | tr '\n' ' ')"
	exit 3
fi
cells >"$out/cells"
[ -s "$out/cells" ] || { say "no row of $matrix is for:$only"; exit 2; }
say "$(wc -l <"$out/cells") cells, at least $(awk '{ n += $7 } END { print n }' "$out/cells") writes"
# A VM for each kernel and tier; the short run takes one for each kernel.
while read -r kernel tier rest; do
	name=$tier
	[ -z "$quick" ] || name=all
	echo "$tier $rest" >>"$out/$kernel.$name.plan"
done <"$out/cells"

# The modules first: building takes both cores, and a VM waits for none.
for kernel in 6.12-plain 6.1-plain; do
	ls "$out/$kernel".*.plan >/dev/null 2>&1 || continue
	tools/vm/fetch.sh "$kernel" >/dev/null && tools/lab/module/build.sh "$kernel" >/dev/null || exit 3
done
for plan in "$out"/*.plan; do
	name=$(basename "$plan" .plan)
	job "$(nproc)" run_job "${name%.*}" "${name##*.}"
done
wait

grep -h '^# score ' "$out"/*.log | sed 's/^# score //' >"$out/scores.jsonl"
crash_rc=0
if [ -n "$crash" ]; then
	job 1 tools/lab/crash/crash.sh --out "$out/crash" >"$out/crash.txt"
	wait $! || crash_rc=$?
fi
{
	echo "# The lab's report: $(date -u +%F), seed $seed, $(build/ext4diotop --version)"
	for by in kernel,tier,loss kernel,mistake kernel,tier,mistake,kind,profile,loss; do
		printf '\n## By %s\n\n' "$by"
		build/score merge "$out/scores.jsonl" --by "$by" --json "$out/report.json" || exit
	done
} >"$out/report.md" || exit
[ -z "$crash" ] || { echo; cat "$out/crash.txt"; } >>"$out/report.md"
tap_lines >"$out/lab.tap"
[ -n "$tap" ] && cat "$out/lab.tap"
[ -n "$tap" ] || cat "$out/report.md"
say "report: $out/report.md, $out/report.json"
[ $crash_rc -eq 0 ] || say "the crash window: exit $crash_rc, see $out/crash.txt"
! grep -q '^not ok' "$out/lab.tap" && [ $crash_rc -eq 0 ]
