#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# In the VM: each tier on each kind of image, as TAP lines, and the tables.
#   guest.sh KERNEL "TIERS" "KINDS" "CASES"
kernel=$1 tiers=$2 kinds=$3 cases=$4
cd /e4d || exit 1
# shellcheck disable=SC3045 # busybox has it
ulimit -l unlimited
echo "# kernel $(uname -r)"
build/ext4diotop doctor --verifier 2>/tmp/verifier.err | sed "s/^/# verifier /"
cat /tmp/verifier.err

# Where the VM's minutes go; NAME COMMAND...
timed() {
	at=$(cut -d . -f 1 /proc/uptime) what=$1
	shift
	"$@"
	echo "# time $what: $(($(cut -d . -f 1 /proc/uptime) - at)) s"
}

# The session's own tests; they count writes, and need an ext4 to make them on. Opening a
# session takes seconds here. When a write is over is asked on every kernel and tier; what else
# a session does, on the oldest and the newest (the suite `live` has the tracepoint tier of the
# kernel at hand); and the rows in fentry with the ring, in kprobe without (5.10).
session() { # TIER
	suites=settle
	case $kernel in 5.10 | 7.2) suites="session settle" ;; esac
	case $kernel/$1 in 5.10/kprobe | 6.12/fentry) suites="$suites files processes flights" ;; esac
	tools/image.sh make 4k /tmp/i && mkdir -p /tmp/m && tools/image.sh mount /tmp/i /tmp/m >/dev/null
	for suite in $suites; do
		CMOCKA_MESSAGE_OUTPUT=TAP E4D_DIR=/tmp/m E4D_TIER=$1 E4D_UNFILTERED=1 \
			"./test_$suite" >/tmp/out 2>&1
		rc=$?
		sed -nE "s#^(ok|not ok) [0-9]+ - (.*)#\1 vm/$kernel/$1/$suite/\2#p" /tmp/out
		[ $rc = 0 ] || sed 's/^/# /' /tmp/out
	done
	tools/image.sh umount /tmp/m
	rm -f /tmp/i
}

# Lines of B that A has not, in one.
others() { # A B
	awk -v has="$1" 'BEGIN { while ((getline l < has) > 0) seen[l] = 1 }
		!($0 in seen) { printf "%s ", $0 }' "$2" | cut -c1-300
}

# validate's own word on this kernel against validate.expected: exactly the cases that
# leak may fail, and the tracer must agree with the disk. WHAT: safe, or the lab's slice.
# A hook that the kernel skipped is said, and no word on validate: once more then, here and below.
judged() { # TIER WHAT VALIDATE_OPTION...
	name=vm/$kernel/$1/validate-$2 tier=$1
	shift 2
	validates "$@"
	lost=$(sed -n "s/.*disagrees in 0, blind in [0-9]*, \([1-9][0-9]* event.*\)'/\1/p" /tmp/out)
	if [ -n "$lost" ]; then
		echo "# $name once more: $lost"
		validates "$@"
	fi
	if [ "$ran" -gt 20 ] && cmp -s /tmp/failed /tmp/known; then
		echo "ok $name"
	else
		echo "not ok $name: expected $(wc -l </tmp/known) known failures, missing: $(others /tmp/failed /tmp/known), more: $(others /tmp/known /tmp/failed), $ran passed; $(grep -hE -m 3 "'sa[yw]|message: 'tier" /tmp/out | tr '\n' ';')"
		sed 's/^/# /' /tmp/out /tmp/err
	fi
	tail -n 1 /tmp/out
}

# What failed, what may, and how many passed: /tmp/failed, /tmp/known, ran.
validates() { # VALIDATE_OPTION...
	build/ext4diotop validate --tier "$tier" --format tap13 "$@" >/tmp/out 2>/tmp/err
	sed -nE 's/^not ok [0-9]+ -? ?([^#]*[^# ]).*/\1/p' /tmp/out | sort >/tmp/failed
	: >/tmp/known
	if grep -q "^$kernel  *leaking" validate.expected; then
		sed -nE '/# SKIP/d; s/^(not )?ok [0-9]+ -? ?([^#]*[^# ]).*/\2/p' /tmp/out |
			awk 'BEGIN { while ((getline l < "validate.leaking") > 0) bad[l] = 1 }
				{ n = $0; sub(/^(4k|1k|bigalloc|orphan_file|noextents)\//, "", n) }
				n in bad' | sort >/tmp/known
	fi
	ran=$(grep -c '^ok ' /tmp/out)
}

validate() { # TIER
	truncate -s 512M /tmp/i && mkfs.ext4 -q -F /tmp/i && mkdir -p /tmp/m && mount -o loop /tmp/i /tmp/m
	judged "$1" safe /tmp/m
	umount /tmp/m
	rm -f /tmp/i
	# ^extents after a shutdown: what was cut is not seen, and the tracer says so
	judged "$1" lab --lab --work /tmp --run '4k/*append*' --run '1k/pwrite/*' \
		--run 'noextents/pwrite/*-fault*' --run '*/e2fsck'
}

run_cases() { # TIER KIND
	sh tools/cases.sh --kind "$2" --tier "$1" --work "/tmp/w" \
		${cases:+--cases "$cases"} --tap "$name" >/tmp/out 2>/tmp/err
	rc=$?
}

named_cases() { # TIER KIND
	name=vm/$kernel/$1/$2
	run_cases "$@"
	# what a loss cannot make of a write stays wrong
	if [ $rc = 1 ] && grep 'lost: ' /tmp/w/trace.err >/tmp/lost &&
		! grep '^not ok' /tmp/out | grep -qvE 'got (unknown|none)$'; then
		echo "# $name once more: $(tr '\n' ' ' </tmp/lost)"
		run_cases "$@"
	fi
	cat /tmp/out
	case $rc in
	0 | 1) ;;
	4) echo "# $name n/a: $(tail -n 1 /tmp/err)" ;;
	*) echo "not ok $name: exit $rc: $(tail -n 2 /tmp/err | tr '\n' ' ')" ;;
	esac
	# the table, for people who read the log
	build/judge /tmp/w/truth.jsonl /tmp/w/trace.jsonl 2>/dev/null | sed 's/^/#   /'
	rm -rf /tmp/w
}

for tier in $tiers; do
	case $kernel in *-plain) ;; *) [ -n "$cases" ] || timed "$tier/session" session "$tier" ;; esac
	[ -n "$cases" ] || timed "$tier/validate" validate "$tier"
	for kind in $kinds; do
		timed "$tier/$kind" named_cases "$tier" "$kind"
	done
done
