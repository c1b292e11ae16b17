#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# In the VM, one disk for each kind of image, in this order. The tracer's
# records go to /dev/ttyS1, all other lines to /dev/ttyS2.
#   guest.sh hold TIER MS COPIES KIND...          twins, then held until the kill
#   guest.sh loop TIER SEED WORKERS S KIND...     mixed writes, S seconds to the kill
#   guest.sh found KIND...                        after the crash: replay, and look
lines=/tmp/lines
mode=$1
shift

die() {
	echo "guest.sh: $*"
	exit 1
}

mount_all() { # KIND...
	dirs=''
	for kind; do
		letter=$(echo abcdefgh | cut -c "$(($(echo "$dirs" | wc -w) + 1))")
		mkdir -p "/mnt/$kind"
		mount -t ext4 "/dev/vd$letter" "/mnt/$kind" || die "cannot mount $kind"
		dirs="$dirs /mnt/$kind"
	done
}

start_tracer() { # TIER
	# shellcheck disable=SC3045 # busybox has it
	ulimit -l unlimited
	ext4diotop trace --all --json --tier "$1" >/dev/ttyS1 2>/tmp/err &
	tracer=$!
	until grep -q '^tracing' /tmp/err; do
		kill -0 $tracer || { cat /tmp/err; die "no tracer"; }
		sleep 0.1
	done
}

# The host kills the machine when it reads this; what is to be read before is out by then.
ask_for_the_kill() {
	stty -F /dev/ttyS1 raw
	stty -F /dev/ttyS2 raw
	echo "E4D-CRASH-NOW"
	sleep 60
	die "still alive"
}

hold() { # TIER MS COPIES KIND...
	tier=$1 ms=$2 copies=$3
	shift 3
	mount_all "$@"
	start_tracer "$tier"
	# shellcheck disable=SC2086 # a list of directories
	holdwrite twin "$ms" "$copies" $dirs >$lines || die "no twins"
	# shellcheck disable=SC2086
	holdwrite held "$copies" $dirs >>$lines &
	until grep -q '"ready","run":"held"' $lines; do
		kill -0 $! || die "not held"
		sleep 0.1
	done
	sleep 1.5 # the tracer's slowest way from a write to its record, but for doubtful ones
	holdwrite live >>$lines || die "no table"
	cat $lines >/dev/ttyS2
	kill -0 $tracer || die "the tracer died"
	ask_for_the_kill
}

loop() { # TIER SEED WORKERS SECONDS KIND...
	tier=$1 seed=$2 workers=$3 seconds=$4
	shift 4
	mount_all "$@"
	start_tracer "$tier"
	# shellcheck disable=SC2086
	holdwrite loop "$seed" "$workers" $dirs >/dev/ttyS2 &
	sleep "$seconds"
	kill -0 $! || die "the loop ended"
	kill -0 $tracer || die "the tracer died"
	echo "E4D-CRASH-NOW"
	sleep 60
	die "still alive"
}

found() { # KIND...
	mount_all "$@"
	dmesg | grep EXT4-fs
	# shellcheck disable=SC2086
	holdwrite found $dirs >/dev/ttyS2 || die "cannot look"
	# shellcheck disable=SC2086
	umount $dirs || die "cannot unmount"
	stty -F /dev/ttyS2 raw
}

for tty in /dev/ttyS1 /dev/ttyS2; do
	stty -F $tty raw -echo || die "no $tty"
done
case $mode in
hold | loop | found) "$mode" "$@" ;;
*) die "what is '$mode'?" ;;
esac
