#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# make test: everything, with the closing line "N passed, N failed[, N skipped]".
#   tests/run.sh [--quick] [SUITE]...   suites: build check unit fuzz cli top record report salvage flight validate wrap
#                                       live lab vm verifier bench
# --quick leaves out the VMs, and says so as a skip.
set -u
cd "$(dirname "$0")/.." || exit 1
suites='' quick=''
for a; do
	case $a in
	--quick) quick=1 ;;
	-h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) suites="$suites $a" ;;
	esac
done
[ -n "$suites" ] || suites="build check unit fuzz cli top record report salvage flight validate wrap live lab vm verifier bench"

out=$(mktemp)
work=$(mktemp -d /tmp/e4d-test.XXXXXX)
cleanup() {
	rc=$?
	trap - EXIT
	[ -d "$work/mnt" ] && tools/image.sh umount "$work/mnt" >/dev/null 2>&1
	rm -rf "$work" "$out"
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Shows TAP lines as they come, and keeps them for the count.
tap() { tee -a "$out"; }

result() { # NAME EXIT [DETAIL]
	if [ "$2" = 0 ]; then echo "ok $1"; else echo "not ok $1${3:+: $3}"; fi
}

# cmocka's own TAP, with the suite's name before each line. It calls what is skipped
# "not ok N # SKIP TEST"; the reason is what the test printed before.
cmocka() { # NAME COMMAND...
	local name=$1 rc
	shift
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$work/tap" 2>"$work/err"
	rc=$?
	awk -v name="$name" '
		{ line = $0 }
		/^(not )?ok [0-9]+ # SKIP / {
			sub(/^(not )?ok [0-9]+ # SKIP /, "")
			print "ok " name "/" $0 " # SKIP " (why ? why : "no reason was given")
		}
		/^(not )?ok [0-9]+ - / { if (sub(/ [0-9]+ - /, " " name "/")) print }
		{ why = line ~ /^#|ok [0-9]+ |^1\.\./ ? "" : line }' "$work/tap"
	if [ $rc -ne 0 ]; then
		sed 's/^/# /' "$work/tap" "$work/err"
		grep -q '^not ok [0-9]* - ' "$work/tap" || echo "not ok $name: exit $rc"
	fi
}

suite_build() {
	local log=$work/build.log
	make -j"$(nproc)" all unit live arm64-bpf >"$log" 2>&1
	result build/all $? "$(tail -n 3 "$log" | tr '\n' ' ')"
	make -j"$(nproc)" STATIC=1 B=build/static all >"$log" 2>&1
	result build/static $? "$(tail -n 3 "$log" | tr '\n' ' ')"
	make install DESTDIR="$work/dest" PREFIX=/usr >"$log" 2>&1 &&
		"$work/dest/usr/bin/ext4diotop" --version >/dev/null &&
		make uninstall DESTDIR="$work/dest" PREFIX=/usr >"$log" 2>&1 &&
		[ -z "$(find "$work/dest" -type f)" ]
	result build/install-uninstall $? "$(find "$work/dest" -type f | head -n 1)"
}

suite_check() {
	tools/check.sh 2>&1 | grep -E '^(ok|not ok|# )|error|warning'
}

suite_unit() {
	make -j"$(nproc)" unit >/dev/null 2>&1 || echo "not ok unit: does not build"
	# path and confirm ask a real ext4
	mount_scratch || return
	local here=$PWD t
	for t in build/tests/test_*; do
		case $t in *.d) continue ;; esac
		(cd "$work/mnt" && cmocka "unit/${t##*/test_}" "$here/$t")
	done
	umount_scratch
}

# A short run; make fuzz is the long one.
suite_fuzz() {
	make -s -j"$(nproc)" fuzz-bin >"$work/fuzz.log" 2>&1 && tests/fuzz/run.sh build/fuzz 10 ||
		echo "not ok fuzz: $(tail -n 1 "$work/fuzz.log")"
}

mount_scratch() {
	mkdir -p "$work/mnt"
	if ! tools/image.sh make 4k "$work/image" ||
		! tools/image.sh mount "$work/image" "$work/mnt" >/dev/null; then
		echo "not ok live: no scratch ext4 could be mounted"
		return 1
	fi
}

umount_scratch() {
	tools/image.sh umount "$work/mnt"
}

suite_cli() {
	mount_scratch || return
	tests/cli.sh build "$work/mnt"
	umount_scratch
}

suite_top() {
	mount_scratch || return
	make -j"$(nproc)" unit >/dev/null 2>&1 || echo "not ok top: does not build"
	tests/top.sh build "$work/mnt"
	umount_scratch
}

suite_report() {
	make -s build/makedump >/dev/null 2>&1 || echo "not ok report: makedump does not build"
	mount_scratch || return
	tests/report.sh build "$work/mnt"
	umount_scratch
}

suite_record() {
	tests/record.sh build
}

suite_flight() {
	mount_scratch || return
	tests/flight.sh build "$work/mnt"
	umount_scratch
}

# Kills `record` 40 times; tests/salvage.sh build DIR 200 is the long form.
suite_salvage() {
	mount_scratch || return
	tests/salvage.sh build "$work/mnt"
	umount_scratch
}

suite_validate() {
	tests/validate.sh build
	tests/validate-lab.sh build
}

suite_wrap() {
	mount_scratch || return
	tests/wrap.sh build "$work/mnt"
	umount_scratch
}

suite_live() {
	mount_scratch || return
	make -j"$(nproc)" live >/dev/null 2>&1 || echo "not ok live: does not build"
	for t in build/live/test_*; do
		case $t in *.d) continue ;; esac
		E4D_DIR=$work/mnt cmocka "live/${t##*/test_}" "$t"
	done
	umount_scratch
	for kind in 4k 1k bigalloc noextents orphan_file; do
		tools/cases.sh --kind $kind --tier tracepoint --work "$work/cases" --tap "live/$kind" \
			2>"$work/cases.err"
		rc=$?
		case $rc in
		0 | 1) ;;
		*) echo "not ok live/$kind: exit $rc: $(tail -n 2 "$work/cases.err" | tr '\n' ' ')" ;;
		esac
		rm -rf "$work/cases"
	done
}

# The scorer's own test, the regressions, and a seeded slice of the lab.
suite_lab() {
	tests/lab/score.sh build
	if [ -n "$quick" ]; then
		tools/lab/lab.sh --quick --tap live 2>"$work/lab.err"
		echo "ok lab/vm # SKIP --quick"
	else
		tools/lab/lab.sh --quick --tap 2>"$work/lab.err"
	fi
	[ $? -le 1 ] || echo "not ok lab: $(tail -n 1 "$work/lab.err")"
}

suite_vm() {
	if [ -n "$quick" ]; then
		echo "ok vm # SKIP --quick"
		return
	fi
	tests/vm/matrix.sh
	tests/vm/patch.sh build
	tests/vm/salvage.sh build build/static
	tests/vm/mistakes.sh build/static
}

# The verifier's work for each program on each kernel, against the file.
suite_verifier() {
	if [ -n "$quick" ] || [ ! -s build/vm-logs/verifier ]; then
		echo "ok verifier # SKIP no VM ran"
		return
	fi
	tests/vm/verifier.sh build/vm-logs/verifier
}

# The short form of make bench: instructions, which repeat, and their bars, with 3 % for the kernel's own.
suite_bench() {
	if [ -n "$quick" ]; then
		echo "ok bench # SKIP --quick"
		return
	fi
	make -s -j"$(nproc)" STATIC=1 B=build/static all bench-bin >"$work/bench.log" 2>&1 &&
		tools/bench/bench.sh --quick --bin build/static >"$work/bench" 2>>"$work/bench.log"
	[ $? -le 1 ] || echo "not ok bench: $(tail -n 1 "$work/bench.log")"
	sed 's/^/# /' "$work/bench"
	awk '/^  (ok|NO) / && /<=/ && $2 !~ /\/ns$/ {
		bad = $3 > 1.03 * $5
		print (bad ? "not ok" : "ok") " bench/" $2 (bad ? ": expected <= " $5 ", got " $3 : "")
	}' "$work/bench"
}

start=$SECONDS
tools/deps.sh || { echo "not ok deps"; echo "0 passed, 1 failed"; exit 1; }
for s in $suites; do
	at=$SECONDS
	"suite_$s" | tap
	echo "# suite $s: $((SECONDS - at)) s"
done
passed=$(grep '^ok ' "$out" | grep -vc '# SKIP')
failed=$(grep -c '^not ok ' "$out")
skipped=$(grep -c '^ok .*# SKIP' "$out")
if [ "$failed" -gt 0 ]; then
	echo "# what failed:"
	grep '^not ok ' "$out" | sed 's/^/#   /'
fi
# a live or VM case that is skipped on a machine where it can run is a failure
if [ -z "$quick" ] && grep -E '^ok (live|lab|vm)/.*# SKIP' "$out" | sed 's/^/# may not be skipped: /'; then
	failed=$((failed + $(grep -cE '^ok (live|lab|vm)/.*# SKIP' "$out")))
fi
echo "# $((SECONDS - start)) s"
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
