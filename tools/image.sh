#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Makes, mounts and unmounts small ext4 images for the workload. Runs under
# dash and busybox sh alike; needs root for mount and umount.

MKFS=${MKFS:-/usr/sbin/mkfs.ext4} # busybox has a mke2fs of its own: by path
KINDS="4k 1k bigalloc noextents orphan_file nojournal"
DEFAULT_SIZE=128M

usage() {
	cat <<USAGE
usage: image.sh make KIND FILE [SIZE]   KIND: $KINDS
       image.sh mount FILE DIR          prints the device as MAJOR:MINOR
       image.sh umount DIR              unmounts and detaches
       image.sh kinds

example: image.sh make bigalloc /tmp/i && image.sh mount /tmp/i /mnt
exit: 0 done, 1 failed, 2 usage, 4 the kind is not supported here
USAGE
}

die() { # CODE MESSAGE
	echo "image.sh: $2" >&2
	exit "$1"
}

# The features of each kind; what is not named is mkfs's default.
kind_options() {
	case $1 in
	4k) echo "-b 4096 -O extent,^bigalloc,^orphan_file" ;;
	1k) echo "-b 1024 -O extent,^bigalloc,^orphan_file" ;;
	bigalloc) echo "-b 4096 -C 65536 -O extent,bigalloc,^orphan_file" ;;
	noextents) echo "-b 4096 -O ^extent,^64bit,^orphan_file" ;;
	orphan_file) echo "-b 4096 -O extent,orphan_file" ;;
	nojournal) echo "-b 4096 -O extent,^has_journal,^orphan_file" ;;
	*) return 1 ;;
	esac
}

make_image() { # KIND FILE [SIZE]
	opts=$(kind_options "$1") || die 2 "unknown kind '$1', choose of: $KINDS"
	[ -x "$MKFS" ] || die 4 "no $MKFS here (package e2fsprogs)"
	rm -f "$2"
	truncate -s "${3:-$DEFAULT_SIZE}" "$2" || die 1 "cannot create $2"
	# Lazy initialisation would write behind the workload's back.
	# shellcheck disable=SC2086
	if ! why=$("$MKFS" -q -F -m 0 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
		$opts "$2" 2>&1); then
		# An e2fsprogs too old to know "^orphan_file" need not be told.
		[ "$1" = orphan_file ] && die 4 "orphan_file: $why"
		opts=$(echo "$opts" | sed 's/,^orphan_file//')
		# shellcheck disable=SC2086
		why=$("$MKFS" -q -F -m 0 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
			$opts "$2" 2>&1) || die 4 "$1: $why"
	fi
}

# Reads a little-endian word of the superblock: DEVICE OFFSET.
super_word() {
	# shellcheck disable=SC2046
	set -- $(dd if="$1" bs=1 skip=$((1024 + $2)) count=4 2>/dev/null | od -An -tu1)
	echo $(($1 | $2 << 8 | $3 << 16 | $4 << 24))
}

# A kernel that does not know orphan_file (a COMPAT bit, 0x1000) mounts the
# image and ignores the file; one that does sets ORPHAN_PRESENT (RO_COMPAT
# 0x10000) while it is mounted. Commit 02f310fcf47f, 5.15.
check_orphan_file() { # DEVICE
	[ $(($(super_word "$1" 92) & 0x1000)) -ne 0 ] || return 0
	sync
	[ $(($(super_word "$1" 100) & 0x10000)) -ne 0 ] && return 0
	echo "image.sh: this kernel mounts but ignores orphan_file" >&2
	return 1
}

# losetup -f only names a free device: somebody else may take it first.
attach() { # FILE
	tries=0
	while [ $tries -lt 20 ]; do
		dev=$(losetup -f 2>/dev/null) && losetup "$dev" "$1" 2>/dev/null && return 0
		tries=$((tries + 1))
		sleep 1
	done
	die 1 "no free loop device for $1 (modprobe loop?)"
}

mount_image() { # FILE DIR
	attach "$1"
	if ! why=$(mount -t ext4 "$dev" "$2" 2>&1); then
		losetup -d "$dev"
		die 4 "this kernel cannot mount $1: $why"
	fi
	if ! check_orphan_file "$dev"; then
		umount "$2"
		losetup -d "$dev"
		exit 4
	fi
	cat "/sys/class/block/${dev##*/}/dev"
}

umount_image() { # DIR
	# The last mount on DIR is the one on top.
	dir=$(cd "$1" && pwd -P) || die 1 "no directory $1"
	dev=$(awk -v d="$dir" '$2 == d { x = $1 } END { print x }' /proc/mounts)
	case $dev in
	/dev/loop*) ;;
	*) die 1 "nothing of ours is mounted on $1" ;;
	esac
	tries=0
	until umount "$dir" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 10 ] || die 1 "$1 stays busy"
		sleep 1
	done
	losetup -d "$dev" 2>/dev/null
	[ ! -e "/sys/class/block/${dev##*/}/loop/backing_file" ] || die 1 "$dev stays attached"
}

case ${1-} in
make) [ $# -eq 3 ] || [ $# -eq 4 ] || { usage >&2; exit 2; } ;;
mount) [ $# -eq 3 ] || { usage >&2; exit 2; } ;;
umount) [ $# -eq 2 ] || { usage >&2; exit 2; } ;;
kinds) echo "$KINDS"; exit 0 ;;
-h | --help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
cmd=$1
shift
"${cmd}_image" "$@"
