#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# shellcheck shell=dash
# In the guest: runs the rows of one boot, and prints what the writer says of each.
#   guest.sh BOOT OVERWRITES OTHERS WINDOWS ROWS    ROWS: names, or nothing for all
boot=$1 n_over=$2 n_other=$3 windows=$4 rows=$5
flights='1 64 1024 4096' threads='1 2 4'
export BPFTRACE_NO_USER_SYMBOLS=1 DEV=/dev/zram0 OTHER=/dev/ram0

# Lazy initialisation would write in the background.
ext4() { # DEVICE DIRECTORY [OPTIONS]
	mkdir -p "$2"
	# shellcheck disable=SC2086 # options
	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 $3 "$1" && mount "$1" "$2"
}

# Each row finds the same file system: what an append costs depends on where its blocks lie.
fresh() {
	umount /mnt 2>/dev/null
	ext4 $DEV /mnt && writer append /mnt/warm 500 1 | sed 's/^window/warm/'
}

write_modes() { # MODES
	local m
	for m in $(echo "$1" | sed 's/./& /g'); do
		case $m in
		o) writer overwrite /mnt/f "$n_over" "$windows" ;;
		a) writer append /mnt/f "$n_other" "$windows" ;;
		r) writer read /mnt/f "$n_over" "$windows" ;;
		b) writer buffered /mnt/f "$n_over" "$windows" ;;
		i) writer idle /mnt/f 1000 1 ;;
		f) files 5000 insn ;;
		esac
	done
}

write_threads() {
	local t
	for t in $threads; do
		echo "row $name@$t"
		writer overwrite /mnt/f "$n_over" "$windows" "$t"
	done
}

# Writes in flight: those to a suspended device wait until it goes on.
write_flights() {
	local k holder
	for k in $flights; do
		echo "row $name@$k"
		dmsetup suspend --nolockfs --noflush slow
		writer hold /slow/f $((k - 1)) >/tmp/hold &
		holder=$!
		wait_for /tmp/hold '^held' $holder || echo "failed $name@$k: nothing in flight"
		writer overwrite /mnt/f "$n_over" "$windows"
		kill -TERM $holder
		dmsetup resume slow
		wait $holder
	done
}

wait_for() { # FILE PATTERN PID
	local i=0
	while ! grep -qE "$2" "$1"; do
		kill -0 "$3" 2>/dev/null && [ $i -lt 300 ] || return 1
		i=$((i + 1))
		sleep 0.1
	done
}

# Idle time costs nothing here: the clock jumps.
start() { # COMMAND
	rm -rf /tmp/raw /tmp/dat* /tmp/dump /tmp/flight
	: >/tmp/out
	: >/tmp/err
	# shellcheck disable=SC2086 # words
	eval "exec $1" >/tmp/out 2>/tmp/err &
	pid=$!
	case $1 in
	'ext4diotop top '*) wait_for /tmp/out '^ext4diotop' $pid ;;
	ext4diotop* | consume*) wait_for /tmp/err '^(tracing|recording|flight recorder)' $pid ;;
	floor*) wait_for /tmp/out '^ready' $pid ;;
	*) sleep 3; kill -0 $pid 2>/dev/null ;;
	esac
}

stop() {
	local i=0
	kill -INT "$pid"
	while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do
		i=$((i + 1))
		sleep 0.2
	done
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

memory() {
	cat /proc/"$pid"/fdinfo/* 2>/dev/null | awk -v name="$name" \
		-v cpus="$(sed 's/.*-//' /sys/devices/system/cpu/possible)" -v rss="$(awk '/^VmRSS/ { print $2 }' /proc/"$pid"/status)" '
		/^memlock:/ { sum += $2 } END { print "memory", name, sum + 0, rss * 1024, cpus }'
}

symbols() {
	awk -v name="$name" '$NF == "[bpf]" { print "symbol", name, $1, $3 }' /proc/kallsyms | sort
}

row() { # NAME MODES COMMAND
	name=$1 pid=''
	fresh || return
	echo "row $name"
	if [ "$3" != - ]; then
		if ! start "$3"; then
			echo "failed $name: $(tail -n 1 /tmp/err)"
			[ -z "$pid" ] || stop
			return
		fi
		case $3 in ext4diotop*) memory ;; esac
		[ -z "$SYMBOLS" ] || symbols
	fi
	case $boot in
	flight) write_flights ;;
	smp) write_threads ;;
	*) write_modes "$2" ;;
	esac
	[ -z "$pid" ] || stop
}

echo 192M >/sys/block/zram0/disksize
ext4 $OTHER /other || exit 1
if [ "$boot" = flight ]; then
	dmsetup create slow --table '0 131072 linear /dev/ram1 0' && dmsetup mknodes &&
		ext4 /dev/mapper/slow /slow '-O ^has_journal' || exit 1
	writer fill /slow/f 4096
fi
# the first writes of a boot run beside what the kernel still sets up
fresh && write_modes oa | sed 's/^window/warm/'
while read -r row_name row_boot row_modes row_command; do
	case $row_name in '' | '#'*) continue ;; esac
	case $row_boot in "$boot" | "$boot/Q" | all | all/Q) ;; *) continue ;; esac
	case $row_boot-$boot in all*-flight | all*-smp) continue ;; esac
	case " $rows " in '  ' | *" $row_name "*) ;; *) continue ;; esac
	row "$row_name" "$row_modes" "$row_command"
done <variants
[ -z "$SYMBOLS" ] || cat /proc/kallsyms >/dev/vda
