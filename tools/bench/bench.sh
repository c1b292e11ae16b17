#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# make bench: what the tracer costs, beside floors and peers.
# shellcheck disable=SC2317 # job and part call functions
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../vm/lib.sh disable=SC1091
. tools/vm/lib.sh
# shellcheck source=../vm/jobs.sh disable=SC1091
. tools/vm/jobs.sh

usage='usage: bench.sh [OPTION]...
  --quick         the short form: few rows, few writes, no peers, no live part
  --part LIST     of: ours peers flight smp user files live loss trace (all)
  --rows LIST     only these rows of tools/bench/variants (beside base, F4 and F3)
  --kernel K      label of tools/vm/fetch.sh (6.12)
  --jobs N        VMs at a time (2; instruction counts do not care)
  --bin DIR       where the built programs are (builds build/static)
  --profile       with one part: every row'"'"'s instructions by kernel function and program
  --accept        writes the instruction counts into tools/bench/thresholds
examples: bench.sh --quick
          bench.sh --part ours --rows "fentry tracepoint" --profile
writes build/bench/bench.json and the logs beside it; exit: 0, 1 slower than the thresholds, 2 usage, 3 cannot run'
out=build/bench bin='' kernel=6.12 jobs=2 quick='' accept='' profile='' rows=''
parts='ours peers flight smp user files live loss trace'
over=5000 other=1000 windows=3

while (($#)); do
	case $1 in
	-h | --help) echo "$usage"; exit ;;
	--quick) quick=1 parts='ours user' over=1000 other=500 ;;
	--accept) accept=1 ;;
	--profile) profile=1 ;;
	--part | --rows | --kernel | --jobs | --bin)
		(($# > 1)) || die "$1 needs a value; bench.sh --help"
		case $1 in
		--part) parts=$2 ;;
		--rows) rows="base F4 F3 $2" ;;
		--kernel) kernel=$2 ;;
		--jobs) jobs=$2 ;;
		--bin) bin=$2 ;;
		esac
		shift ;;
	*) die "unknown option $1; bench.sh --help" ;;
	esac
	shift
done
[[ -z $profile || $parts != *' '* ]] || die "--profile wants one --part of the VM"
[[ -z $quick ]] || rows=$(awk '$2 ~ /\/Q$/ { print $1 }' tools/bench/variants | tr '\n' ' ')

# What the plugin counts is the whole machine's total; without it the columns "machine" are empty.
plugin_arg() { # BOOT
	local arg="-plugin $bin/bench/plugin.so,out=$out/$1.windows"
	qemu-system-x86_64 -machine none -display none -monitor none -plugin "$bin/bench/plugin.so,out=/dev/null" \
		-S -nodefaults </dev/null >/dev/null 2>&1 &
	local probe=$!
	sleep 0.5
	if kill "$probe" 2>/dev/null; then
		echo "$arg${profile:+,profile=$out/$1.profile}"
	else
		say "this qemu takes no plugin: no whole-machine totals"
	fi
	wait "$probe" 2>/dev/null || true
}

peer() { # NAME=DEBIAN_PACKAGE...: -i arguments of what is there
	local pair path
	for pair; do
		if path=$(PATH=$PATH:/usr/sbin:/sbin type -P "${pair%=*}"); then
			printf '%s\n' -i "$path"
		else
			say "${pair%=*} is missing, its row fails: apt-get install ${pair#*=}, or tools/deps.sh --bench"
		fi
	done
}

boot() { # NAME: one VM; its rows come to $out/NAME.tsv
	local name=$1 smp=1 memory=1024 seconds=900 start=$SECONDS rc=0 n=$over
	local -a more=() peers=()
	case $name in
	peers)
		memory=2500 n=$((over * 2 / 5))
		mapfile -t peers < <(peer ext4dist=libbpf-tools ext4slower=libbpf-tools trace-cmd=trace-cmd perf=linux-perf \
			bpftrace=bpftrace)
		more=(-i tools/bench/peers "${peers[@]}") ;;
	flight)
		n=$((over / 5))
		mapfile -t peers < <(peer dmsetup=dmsetup)
		more=(-m dm-mod "${peers[@]}") ;;
	smp) smp=4 n=$((over * 4 / 5)) ;;
	esac
	if [[ $profile ]]; then
		truncate -s 32M "$out/$name.symbols"
		more+=(-d "$out/$name.symbols")
	fi
	: >"$out/$name.windows"
	tools/vm/run.sh -k "$kernel" -t "$seconds" -s "$memory" -l "$out/$name.log" -m zram -m 'brd rd_nr=2 rd_size=131072' \
		-i "$bin/ext4diotop" -i "$bin/bench/writer" -i "$bin/bench/floor" -i "$bin/bench/consume" -i "$bin/bench/files" \
		-i tools/bench/guest.sh -i tools/bench/variants "${more[@]}" -a 'nokaslr tsc=reliable' \
		-q "-smp $smp -icount shift=0,sleep=off -seed 1 -rtc base=2024-01-01,clock=vm -nic none $(plugin_arg "$name")" \
		-- "SYMBOLS=$profile sh guest.sh $name $n $other $windows '$rows'" >/dev/null 2>"$out/$name.err" || rc=$?
	awk -v boot="$name" -f tools/bench/collect.awk "$out/$name.windows" "$out/$name.log" >"$out/$name.tsv"
	say "$name: $((SECONDS - start)) s, $(wc -l <"$out/$name.tsv") figures"
	((rc == 0)) || say "$name: the VM ended with $rc: $(tail -n 1 "$out/$name.err"), see $out/$name.log"
}

# JSON, CSV and text: callgrind's instructions (the same each time) and CPU time; and the live view.
user_side() {
	local sink n a b
	for sink in json csv text; do
		printf 'user/%s/ns\t%s\tns CPU a line\n' "$sink" "$("$bin/bench/user" "$sink" 300000)"
		command -v valgrind >/dev/null || continue
		a=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bin/bench/user" "$sink" 2000 2>&1 | sed -n 's/.*Collected : //p')
		b=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bin/bench/user" "$sink" 12000 2>&1 | sed -n 's/.*Collected : //p')
		printf 'user/%s/insn\t%s\tinsn a line\n' "$sink" $(((b - a) / 10000))
	done
	# the live view's refresh, with as many files as the kernel side never gives
	for n in 10 1000000; do
		"$bin/bench/view" "$n" 10 | {
			read -r a b
			printf 'user/refresh-%s/ns\t%s\tns CPU a refresh\nuser/refresh-%s/rss\t%s\tB\n' "$n" "$a" "$n" "$b"
		}
	done
	command -v valgrind >/dev/null || say "valgrind is missing: apt-get install valgrind gives instruction counts"
}

# shellcheck disable=SC2317
live() {
	if [[ ! -e /sys/class/zram-control ]]; then
		say "live: this kernel has no zram; the part is left out"
		return
	fi
	"$bin/bench/live" || say "live: ended with $?"
}

# shellcheck disable=SC2317
# Records lost at a paced rate, with the tracer's default ring.
loss() {
	local rate beside
	for rate in 1000000 2000000; do
		"$bin/bench/loss" 5 "$rate" raw quiet
		"$bin/bench/loss" 5 "$rate" raw hog
	done || say "loss: ended with $?"
	"$bin/bench/loss" 5 1000000 json quiet || say "loss: ended with $?"
	for beside in quiet hog; do
		"$bin/bench/loss" 5 1000000 record "$beside" || say "loss: ended with $?"
	done
}

# shellcheck disable=SC2317
# A dump read by us, and by babeltrace2, its text thrown away: ns CPU for each record.
trace_dump() {
	local records=5000000 few=300000 dumps
	dumps=$(mktemp -d /tmp/e4d-bench.XXXXXX)
	"$bin/bench/trace" make "$dumps/many" "$records" && "$bin/bench/trace" make "$dumps/few" "$few" &&
		printf 'trace/reader/ns\t%s\tns CPU a record\n' "$("$bin/bench/trace" scan "$dumps/many")" &&
		printf 'trace/report-json/ns\t%s\tns CPU a record\n' \
			"$("$bin/bench/trace" time "$records" "$bin/ext4diotop" report -q --json "$dumps/many")" &&
		printf 'trace/report-summary/ns\t%s\tns CPU a record\n' \
			"$("$bin/bench/trace" time "$records" "$bin/ext4diotop" report -q --summary "$dumps/many")"
	if command -v babeltrace2 >/dev/null; then
		printf 'trace/babeltrace2/ns\t%s\tns CPU a record\n' "$("$bin/bench/trace" time "$few" babeltrace2 "$dumps/few")"
	else
		say "babeltrace2 is missing: apt-get install babeltrace2 gives what the reader is compared with"
	fi
	rm -rf "$dumps"
}

# A part in user space: NAME, what is said of it, and the function or command.
part() {
	[[ " $parts " == *" $1 "* ]] || return 0
	say "$1: $2"
	local start=$SECONDS
	"${@:3}" >"$out/$1.tsv" || say "$1: ended with $?"
	say "$1: $((SECONDS - start)) s"
}

json() { # RESULTS JUDGED
	awk -F '\t' -v kernel="$(head -n 1 "$vm/$kernel/version")" -v rev="$(git describe --always --dirty 2>/dev/null)" \
		-v n="$over" -v m="$other" '
		BEGIN { printf "{\"revision\":\"%s\",\"kernel\":\"%s\",\"overwrites\":%d,\"others\":%d,\"results\":{", rev, kernel, n, m }
		{
			if ($2 !~ /^-?[0-9]+(\.[0-9]+)?$/)
				$2 = "null"
			gsub(/["\\]/, "", $3)
			printf "%s\n\"%s\":{\"value\":%s,\"unit\":\"%s\"}", (NR > 1) ? "," : "", $1, $2, $3
		}
		END { print "}," }' "$1"
	cat "$2"
	echo '}'
}

accept_results() { # RESULTS: what is counted in instructions and repeats
	{
		sed '/^was /d' tools/bench/thresholds
		awk -F '\t' '$3 ~ /^insn( a line)?$/ && $1 !~ /-total$|^peers/ { print "was", $1, $2 }' "$1"
	} >"$out/thresholds"
	cp "$out/thresholds" tools/bench/thresholds
}

# A peer that is missing costs its row, not the run.
[[ -n $quick ]] || tools/deps.sh --bench || say "going on without the peers that are missing"
need qemu-system-x86_64=qemu-system-x86 gcc=gcc
mkdir -p "$out"
rm -f "$out"/*.tsv
if [[ -z $bin ]]; then
	bin=build/static
	say "building $bin"
	make -s -j"$(nproc)" STATIC=1 B=build/static all bench-bin >&2
fi
tools/vm/fetch.sh "$kernel" >/dev/null
started=$SECONDS
for part in $parts; do
	case $part in
	ours | peers | flight | smp)
		say "$part: a VM with $kernel"
		job "$jobs" boot "$part" ;;
	user | files | live | loss | trace) ;;
	*) die "no part '$part'; bench.sh --help" ;;
	esac
done
wait
# CPU time wants the machine for itself
part user "sinks" user_side
part files "updates" "$bin/bench/files" 500000 ns
part live "pairs" live
part loss "paced records" loss
part trace "reading dumps" trace_dump
for part in $parts; do cat "$out/$part.tsv"; done >"$out/results"
if [[ $profile ]]; then
	tools/bench/profile.sh "$out" "$parts"
	exit
fi
[[ -z $accept ]] || accept_results "$out/results"
rc=0
awk -F '[\t ]+' -v judged="$out/judged" -f tools/bench/report.awk tools/bench/thresholds "$out/results" |
	tee "$out/table" || rc=1
json "$out/results" "$out/judged" >"$out/bench.json"
say "$((SECONDS - started)) s; $out/bench.json"
exit $rc
