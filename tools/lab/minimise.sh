#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Reduces the program of a bad episode to its core, as long as score still finds
# the same in it. A tracer must be running whose trace it may read. Runs in a
# guest or live: dash or busybox sh.

bad='' max=1 class='' seed='' kind=4k tier='' profile=mixed mistake=none bin=build
dir='' trace='' program='' kernel='' wait='' options='' probes=20 rounds=60
# Awk's tables, and the most of what one batch runs.
limit=400

usage() {
	cat <<USAGE
usage: minimise.sh --bad FILE --dir DIR --trace FILE [OPTION]...
  --bad FILE      bad episodes, from score --bad
  --dir DIR       on the mounted image that the tracer looks at
  --trace FILE    what the tracer (trace --all --json) writes, and goes on to write
  --max N         reduce the first N programs (1)
  --class CLASS   only of this class, e.g. misses
  --seed SEED     only this one
  --program FILE  where the seed is the name of a program: its text
  --kind, --profile, --tier, --mistake, --kernel
                  as the episodes were made; for randwrite, score, and the result
  --loss, --extending, --over   to score
  --bin DIR       randwrite and score (build)
  --wait S        from the last write until its record is in the trace (0.6;
                  tracepoint tier: 1.6)

example: minimise.sh --bad bad.jsonl --dir /mnt --trace trace.jsonl --tier fentry
prints each minimal program, ready for tests/lab/NAME.prog.
exit: 0 done, 1 a program was not reduced (it did not show it again), 2 usage
USAGE
}

say() { echo "minimise: $*" >&2; }

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--loss | --extending | --over) options="$options $1"; shift; continue ;;
	--*) [ $# -ge 2 ] || { usage >&2; exit 2; } ;;
	esac
	case $1 in
	--bad) bad=$2 ;;
	--max) max=$2 ;;
	--class) class=$2 ;;
	--seed) seed=$2 ;;
	--kind) kind=$2 ;;
	--tier) tier=$2 ;;
	--profile) profile=$2 ;;
	--mistake) mistake=$2 ;;
	--kernel) kernel=$2 ;;
	--program) program=$2 ;;
	--bin) bin=$2 ;;
	--dir) dir=$2 ;;
	--trace) trace=$2 ;;
	--wait) wait=$2 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift 2
done
if [ -z "$bad" ] || [ ! -d "$dir" ] || [ ! -r "$trace" ]; then
	usage >&2
	exit 2
fi
[ -s "$bad" ] || { say "nothing bad in $bad"; exit 0; }
[ -n "$wait" ] || { [ "$tier" = tracepoint ] && wait=1.6 || wait=0.6; }
[ -z "$tier" ] || options="$options --tier $tier"
[ "$tier" = tracepoint ] && ! grep -qs iomap_dio_rw_begin /proc/kallsyms && options="$options --blind"

t=$(mktemp -d /tmp/e4d-min.XXXXXX) || exit 1
trap 'rm -rf "$t"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- candidates: sections "== cN" of $t/cands ---------------------------------------

section() { # FILE NAME
	awk -v name="$2" '/^== / { on = substr($0, 4) == name; next } on' "$1"
}

# shellcheck disable=SC2317 # reached through reduce
# All programs that lack some steps, the shortest first.
without_steps() { # FILE
	awk -v limit="$limit" '
		{ line[++n] = $0 }
		function begin() { printf "== c%d\n", ++c }
		END {
			for (k = n - 1; k >= 1 && c < limit; k--) {
				begin()
				for (i = k + 1; i <= n; i++) print line[i]
			}
			for (k = 1; k <= n && n > 1 && c < limit; k++) {
				begin()
				for (i = 1; i <= n; i++) if (i != k) print line[i]
			}
		}' "$1"
}

# shellcheck disable=SC2317 # reached through reduce
# All programs with one thing made simpler. Each change only ever goes one way.
simpler() { # FILE
	awk -v limit="$limit" '
		function bytes(s,  n) {
			n = s + 0
			if (s ~ /K$/) n *= 1024
			if (s ~ /M$/) n *= 1048576
			return n
		}
		function size(n) {
			if (n && n % 1048576 == 0) return n / 1048576 "M"
			return n && n % 1024 == 0 ? n / 1024 "K" : n ""
		}
		function half(n,  h) { # of whole blocks, if there are
			h = int(n / 2)
			if (h >= 4096) return h - h % 4096
			return h >= 512 ? h - h % 512 : h
		}
		# the i-th line with word w replaced, or left out
		function put(i, w, by,  k, j, m, word, out) {
			if (++c > limit) return
			printf "== c%d\n", c
			for (k = 1; k <= n; k++) {
				if (k != i) { print line[k]; continue }
				m = split(line[k], word, " ")
				out = ""
				for (j = 1; j <= m; j++) {
					if (j == w && by == "") continue
					out = out (out == "" ? "" : " ") (j == w ? by : word[j])
				}
				print out
			}
		}
		function try(i, w, text,  eq, key, v) {
			if (text ~ /^@/) { put(i, w, ""); return }
			eq = index(text, "=")
			if (!eq) return
			key = substr(text, 1, eq - 1)
			v = substr(text, eq + 1)
			if (key ~ /^(count|iov|vvar|odd|mem|fsize|signal|flags|fail)$/) put(i, w, "")
			if (key == "via" && v != "pwrite") put(i, w, "via=pwrite")
			if (key ~ /^(off|size)$/ && v != "0") {
				put(i, w, key "=0")
				if (v != "aeof") put(i, w, key "=aeof")
				if (v ~ /^[0-9]/ && bytes(v) >= 8192) put(i, w, key "=" size(half(bytes(v))))
			}
			if (key ~ /^(len|fail)$/ && bytes(v) > 8192) put(i, w, key "=4K")
			if (key ~ /^(len|fail)$/ && bytes(v) > 512) put(i, w, key "=" size(half(bytes(v))))
			if (key == "count" && v > 2) put(i, w, "count=" v - 1)
		}
		{ line[++n] = $0 }
		END {
			for (i = 1; i <= n; i++) {
				m = split(line[i], words, " ")
				for (j = 1; j <= m; j++) try(i, j, words[j])
			}
			if (line[1] ~ /^@/) { # no group at all
				printf "== c%d\n", ++c
				for (i = 1; i <= n; i++) { sub(/^@[1-8] /, "", line[i]); print line[i] }
			}
		}' "$1"
}

# --- trying them ---------------------------------------------------------------------

# Runs $t/many; a candidate that randwrite does not take is left out.
run_many() {
	while :; do
		grep -q '^== ' "$t/many" || return 1
		"$bin/randwrite" run --kind "$kind" --program "$t/many" "$dir" >"$t/truth" 2>"$t/err"
		rc=$?
		[ $rc -ne 0 ] || return 0
		wrong=$(sed -n 's/^randwrite: \(c[0-9]*\)\.[0-9]*: .*/\1/p' "$t/err" | head -n 1)
		if [ $rc -ne 2 ] || [ -z "$wrong" ]; then
			tail -n 1 "$t/err" >&2
			return 1
		fi
		awk -v no="$wrong." '/^== / { on = index($0, no) != 4 } on' "$t/many" >"$t/less"
		mv "$t/less" "$t/many"
	done
}

# Which candidates show it? Their numbers, ascending, a line for each time.
shows() { # TRIES
	awk -v tries="$1" '
		/^== / { flush_all(); name = $2; body = ""; next }
		{ body = body $0 "\n" }
		function flush_all(  i) {
			for (i = 1; name != "" && i <= tries; i++) printf "== %s.%d\n%s", name, i, body
		}
		END { flush_all() }' "$t/cands" >"$t/many"
	from=$(wc -c <"$trace")
	run_many || return 0
	sleep "$wait"
	tail -c "+$((from + 1))" "$trace" >"$t/part"
	rm -f "$t/found"
	# shellcheck disable=SC2086 # a list of options
	"$bin/score" $options --max-bad 0 --bad "$t/found" "$t/truth" "$t/part" >/dev/null 2>"$t/err"
	rc=$?
	[ $rc -le 1 ] || { tail -n 1 "$t/err" >&2; return 0; }
	sed -n "s/^{\"class\":\"[^\"]*\",\"seed\":\"c\([0-9]*\)\..*\"classes\":\[[^]]*\"$want\".*/\1/p" \
		"$t/found" | sort -n
}

# Takes the first candidate that shows it, until none does.
reduce() { # HOW
	while [ $rounds -gt 0 ]; do
		rounds=$((rounds - 1))
		"$1" "$t/now" >"$t/cands"
		[ -s "$t/cands" ] || return
		at=$(shows "$tries" | head -n 1)
		[ -n "$at" ] || return
		section "$t/cands" "c$at" >"$t/next"
		mv "$t/next" "$t/now"
	done
}

# --- one program -------------------------------------------------------------------------

# The program up to and with the bad episode: $t/now.
source_of() { # SEED STEP COUNT
	case $1 in
	0x*) "$bin/randwrite" gen --seed "$1" --kind "$kind" --profile "$profile" >"$t/all" || return ;;
	*)
		[ -n "$program" ] || { say "$1 is no seed: give --program"; return 1; }
		if grep -q '^== ' "$program"; then
			section "$program" "$1"
		else
			cat "$program"
		fi | sed 's/#.*//; s/;/\n/g' | sed '/^[ 	]*$/d' >"$t/all"
		;;
	esac
	head -n "$(($2 + $3 - 1))" "$t/all" >"$t/now"
	[ -s "$t/now" ]
}

minimise() { # CLASS SEED STEP COUNT KERNEL
	want=$1 name=$2 tries=1 rounds=60
	source_of "$2" "$3" "$4" || return 1
	{ echo "== c1"; cat "$t/now"; } >"$t/cands"
	times=$(shows $probes | wc -l)
	if [ "$times" -eq 0 ]; then
		say "$want in $name step $3: not once in $probes tries"
		return 1
	fi
	# a race: so many tries that it is missed once in twenty times
	[ "$times" -ge $probes ] || tries=$((3 * probes / times + 1))
	[ $tries -le 60 ] || tries=60
	say "$want in $name step $3: $times of $probes times, so $tries tries each"
	reduce without_steps
	say "$name: $(wc -l <"$t/now") steps"
	reduce simpler
	reduce without_steps
	echo "# $want: seed $2, kind $kind, profile $profile; came $times of $probes times"
	echo "# $(uname -r), tier ${tier:-any}, mistake $mistake"
	echo "# cell: ${kernel:-$5} ${tier:-all} $kind $mistake"
	cat "$t/now"
	echo
}

# class, seed, step, number of steps and kernel of each bad episode, once for each program
sed -n 's/^{"class":"\([^"]*\)","seed":"\([^"]*\)","step":\([0-9]*\),"steps":"\([^"]*\)".*/\1|\2|\3|\4|&/p' "$bad" |
	awk -F '|' -v class="$class" -v seed="$seed" -v max="$max" '
		(class != "" && $1 != class) || (seed != "" && $2 != seed) || seen[$1 $2]++ { next }
		++n <= max {
			kernel = "-"
			if (match($0, /"kernel":"[^"]*"/)) kernel = substr($0, RSTART + 10, RLENGTH - 11)
			print $1, $2, $3, split($4, all, ";"), kernel
		}' >"$t/list"
[ -s "$t/list" ] || { say "nothing of that kind in $bad"; exit 1; }
failed=0
while read -r what from step count label; do
	minimise "$what" "$from" "$step" "$count" "$label" </dev/null || failed=1
done <"$t/list"
exit $failed
