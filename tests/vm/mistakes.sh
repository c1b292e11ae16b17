#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Does validate catch each mistake of the lab's ext4.ko, by exactly the cases of the
# table validate.mistakes, and does the fixed module pass them all? In one VM; TAP lines.
#   tests/vm/mistakes.sh [--all [--update]] [--tier T] BUILD_DIR   (BUILD_DIR: static)
# Without --all five mistakes on a slice of the cases, by the disk alone (tier none), in a
# minute; --all beside the fentry tracer, in a quarter of an hour or more. --update writes
# the table. --summary prints it by kinds of cases.
set -u
cd "$(dirname "$0")/../.." || exit 1
kernel=6.12-plain table=tests/vm/validate.mistakes bits=tools/lab/module/mistakes
mistakes='none fix never-trims enospc-forgets past-from-inside'
globs='4k/pwrite/append* 4k/fault/* 4k/inside/*'
all='' update='' tier=''

# Markdown: of how many cases of each kind a mistake fails how many.
summary() {
	awk '/^#/ || !NF { next }
		$1 == "CASE" { for (i = 2; i <= NF; i++) name[i - 1] = $i; n = NF - 1; next }
		{
			kind = $1
			if (kind ~ /^(pwrite|libaio)\//) {
				way = kind; sub(/\/.*/, "", way)
				if (!sub(/^[^-]*-/, "", kind)) kind = "whole"
				sub(/^(fault|edge)-.*/, "&", kind); sub(/-(head|mid|end)$/, "", kind)
				if (way == "libaio") kind = "libaio"
			} else if (kind != "tracer")
				sub(/\/.*/, "", kind)
			if (!(kind in all)) order[++kinds] = kind
			all[kind]++
			for (i = 1; i <= n; i++)
				fails[i, kind] += substr($2, i, 1) == "x"
		}
		END {
			printf "| mistake |"
			for (k = 1; k <= kinds; k++) printf " %s |", order[k]
			printf "\n|---|"
			for (k = 1; k <= kinds; k++) printf "---|"
			printf "\n| (cases) |"
			for (k = 1; k <= kinds; k++) printf " %d |", all[order[k]]
			for (i = 1; i <= n; i++) {
				printf "\n| %s |", name[i]
				for (k = 1; k <= kinds; k++) printf " %s |", fails[i, order[k]] ? fails[i, order[k]] : ""
			}
			print ""
		}' "$table"
}

while (($#)); do
	case $1 in
	--all)
		all=1 mistakes="none $(awk '/^[a-z]/ { printf "%s ", $1 }' "$bits")"
		globs='4k/pwrite/* 4k/libaio/append* 4k/fault/* 4k/inside/* 4k/limit/* 4k/odd/* 4k/shutdown/* 4k/eio/*'
		;;
	--update) update=1 ;;
	--tier) tier=${2-}; shift ;;
	--summary) summary; exit ;;
	-h | --help) sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) break ;;
	esac
	shift
done
(($# == 1)) && [[ -z $update || $all ]] || { "$0" --help >&2; exit 2; }

[[ $tier ]] || tier=${all:+fentry}

say() { echo "mistakes: $*" >&2; }
log=$(mktemp)
trap 'rm -f "$log" "$log".*' EXIT
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
	ext4diotop validate --lab --work /tmp --tier ${tier:-none} --format tap13 $options >/tmp/out 2>/tmp/err
	grep -q '^1\.\.' /tmp/out || { echo \"# \$1: \$(tail -n 1 /tmp/err)\"; return; }
	sed -nE \"s/^ok [0-9]+ -? ?([^ #]+).*# SKIP.*/@ \$1 \1 -/p; t; s/^ok [0-9]+ -? ?([^ #]+).*/@ \$1 \1 ./p; s/^not ok [0-9]+ -? ?([^ #]+).*/@ \$1 \1 x/p\" /tmp/out
	tail -n 2 /tmp/out | sed \"s/^/# \$1 /\"
	echo \"# \$1: up \$(cut -d' ' -f1 /proc/uptime) s\"
}
$runs"
start=$SECONDS
tools/vm/run.sh -k $kernel -t 3600 --retry -s 1536 -l "$log" -m loop -m "$module" -m dm-flakey \
	-i "$1/ext4diotop" -- "$guest" >/dev/null 2>"$log.err"
rc=$?
say "$(wc -w <<<"$mistakes") mistakes, $((SECONDS - start)) s"
[[ -z ${E4D_KEEP_LOG:-} ]] || cp "$log" "$E4D_KEEP_LOG"
[[ $rc == 0 ]] || { echo "not ok vm/mistakes: the VM ended with $rc: $(tail -n 1 "$log.err")"; exit 1; }

if [[ $update ]]; then
	{
		cat <<-T
			# Which cases of validate --lab fail with each mistake of tools/lab/module, on $kernel with
			# blocks of 4 KiB, tier fentry: x fails, . passes, - is skipped; of "tracer" x says that it was
			# blind or disagreed with the disk somewhere. A column for each name of the first line, in order.
			# Written by: tests/vm/mistakes.sh --all --update build/static
			CASE $mistakes
		T
		awk '$1 == "@" {
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
		if (want == $4 || ($3 == "tracer" && $4 == "-")) next
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
