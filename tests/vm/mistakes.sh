#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Does validate catch each mistake of the lab's ext4.ko, by exactly the cases of the
# table validate.mistakes, and does the fixed module pass them all? In one VM; TAP lines.
#   tests/vm/mistakes.sh [--all [--update]] [--tier T] BUILD_DIR   (BUILD_DIR: static)
# Without --all five mistakes on a slice of the cases, in a minute. --update writes the table.
# The disk alone judges (tier none), unless a tier is named: then the tracer must not
# disagree with it anywhere.
set -u
cd "$(dirname "$0")/../.." || exit 1
kernel=6.12-plain table=tests/vm/validate.mistakes bits=tools/lab/module/mistakes
mistakes='none fix never-trims enospc-forgets past-from-inside'
globs='4k/pwrite/append* 4k/fault/* 4k/inside/*'
all='' update='' tier=none

while (($#)); do
	case $1 in
	--all)
		all=1 mistakes="none $(awk '/^[a-z]/ { printf "%s ", $1 }' "$bits")"
		globs='4k/pwrite/* 4k/libaio/append* 4k/fault/* 4k/inside/* 4k/limit/* 4k/odd/* 4k/shutdown/* 4k/eio/*'
		;;
	--update) update=1 ;;
	--tier) tier=${2-}; shift ;;
	-h | --help) sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) break ;;
	esac
	shift
done
if (($# != 1)) || [[ $update && ! $all ]]; then
	"$0" --help >&2
	exit 2
fi

say() { echo "mistakes: $*" >&2; }
log=build/vm-logs/mistakes.log
mkdir -p build/vm-logs
module=$(tools/vm/fetch.sh $kernel >/dev/null 2>"$log.err" && tools/lab/module/build.sh $kernel 2>"$log.err") || {
	echo "not ok vm/mistakes: no module: $(tail -n 1 "$log.err")"
	exit 1
}

# In the guest: "@ MISTAKE CASE STATE", where x is "failed", . "passed", - "skipped".
runs=''
for m in $mistakes; do
	bit=$(awk -v m="$m" '$1 == m { print 2 ^ $2 }' "$bits")
	runs+="run $m ${bit:-0}
"
done
options=''
for g in $globs; do options+=" --run '$g'"; done
guest="ulimit -l unlimited
run() {
	echo \$2 >/sys/module/ext4/parameters/lab
	ext4diotop validate --lab --work /tmp --tier $tier --format tap13 $options >/tmp/out 2>/tmp/err
	grep -q '^1\.\.' /tmp/out || { echo \"# \$1: \$(tail -n 1 /tmp/err)\"; return; }
	sed -nE \"/ tracer( |\$)/d; s/^ok [0-9]+ -? ?([^ #]+).*# SKIP.*/@ \$1 \1 -/p; t; s/^ok [0-9]+ -? ?([^ #]+).*/@ \$1 \1 ./p; s/^not ok [0-9]+ -? ?([^ #]+).*/@ \$1 \1 x/p\" /tmp/out
	grep -q 'disagrees in [1-9]' /tmp/out && echo \"@ \$1 tracer x\"
	echo \"# \$1: \$(tail -n 1 /tmp/out); up \$(cut -d' ' -f1 /proc/uptime) s\"
}
$runs"
start=$SECONDS
tools/vm/run.sh -k $kernel -t 3600 --retry -s 1536 -l "$log" -m loop -m "$module" -m dm-flakey \
	-i "$1/ext4diotop" -- "$guest" >/dev/null 2>"$log.err"
rc=$?
say "$(wc -w <<<"$mistakes") mistakes, $((SECONDS - start)) s"
[[ $rc == 0 ]] || { echo "not ok vm/mistakes: the VM ended with $rc: $(tail -n 1 "$log.err")"; exit 1; }

if [[ $update ]]; then
	{
		cat <<-T
			# Which cases of validate --lab fail with each mistake of tools/lab/module, on $kernel with
			# blocks of 4 KiB: x fails, . passes, - is skipped. A column for each name of the first line, in
			# order. Written by: tests/vm/mistakes.sh --all --update build/static
			CASE ${mistakes% }
		T
		awk '$1 == "@" && $3 != "tracer" {
				sub(/^4k\//, "", $3)
				if (!($3 in row)) order[++n] = $3
				row[$3] = row[$3] $4
			}
			END { for (i = 1; i <= n; i++) printf "%-26s %s\n", order[i], row[order[i]] }' "$log"
	} >"$table"
	say "$table: $(grep -c '[.x-]$' "$table") cases"
fi

# Each that ran against the table, to the case.
awk -v mistakes="$mistakes" '
	FNR == NR && (/^#/ || !NF) { next }
	FNR == NR && $1 == "CASE" { for (i = 2; i <= NF; i++) column[$i] = i - 1; next }
	FNR == NR { row[$1] = $2; next }
	$1 == "@" && ($2 in column) {
		sub(/^4k\//, "", $3)
		ran[$2]++
		want = $3 in row ? substr(row[$3], column[$2], 1) : "?"
		if (want == $4) next
		if ($4 == "x") more[$2] = more[$2] " " $3
		else less[$2] = less[$2] " " $3 "(" $4 " for " want ")"
	}
	END {
		n = split(mistakes, name, " ")
		for (i = 1; i <= n; i++) {
			m = name[i]; why = ""
			if (!(m in column)) why = "not in the table"
			else if (!ran[m]) why = "nothing ran"
			if (less[m]) why = why " not as expected:" less[m]
			if (more[m]) why = why " failed beside what is expected:" more[m]
			print (why ? "not ok" : "ok") " vm/mistakes/" m (why ? ": " substr(why, 1, 400) : "")
		}
	}' "$table" "$log"
