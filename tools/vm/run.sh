#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Boots a kernel that fetch.sh fetched, runs one shell command in it, and exits with the command's code.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh disable=SC1091
. "$here/lib.sh"

usage='usage: run.sh [OPTION]... -- GUEST_COMMAND
  -k KERNEL        label of fetch.sh, or a directory with vmlinuz and modules/ (6.12)
  -t SECONDS       give up after so long, boot included (120)
  -s MEM_MB        memory of the guest (1024)
  -l LOGFILE       write the guest'\''s output there too
  -i PATH[:GUEST]  put a file or directory of the host into the guest (/host/NAME; /host is in PATH and the working directory)
  -m "MODULE P=V"  load a module with its dependencies; a path to a .ko takes the place of the stock module
  -d IMAGE         give the guest a raw image as its next disk: /dev/vda, /dev/vdb, ...; what it writes stays
  -o FILE          give the guest one more serial line, /dev/ttyS1, ..., and write what it sends to FILE
  -a "ARGS"        more kernel arguments
  -q "ARGS"        more arguments of qemu (the last wins): -q "-smp 1 -icount shift=0"
  --kill-on REGEX  SIGKILL the machine when a line of its output matches (grep -E), as if its power was cut
  --retry          boot once more if the guest crashes
exit: the command'\''s code; 124 out of time, 125 guest crashed, 137 killed by --kill-on, 2 wrong usage or something is
missing'
kernel=6.12 seconds=120 memory=1024 log='' args='' retry='' qemu='' kill_on=''
items=() modules=() devices=()
declare -A loaded=()

libs() { # FILE: its shared libraries, at the same place in the guest
	local lib
	while read -r lib; do
		[[ -e $root$lib ]] || cp -L --parents "$lib" "$root"
	done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ :()]+' || true)
}

add() { # HOST_PATH GUEST_PATH
	local file
	mkdir -p "$root${2%/*}"
	if [[ -d $1 ]]; then
		cp -a "$1" "$root$2"
		while read -r file; do libs "$file"; done < <(find "$1" -type f \( -perm -u=x -o -name '*.so*' \))
	else
		cp -L "$1" "$root$2"
		[[ ! -x $1 ]] || libs "$1"
	fi
}

add_tools() {
	local tool busybox
	busybox --install -s "$root/usr/bin"
	busybox=$(readlink "$root/usr/bin/sh")
	rm -f "$root$busybox"
	add "$busybox" "$busybox"
	for tool in mkfs.ext4 mke2fs debugfs e2fsck tune2fs dumpe2fs; do
		add "$(PATH=$PATH:/usr/sbin:/sbin type -P "$tool")" "/usr/sbin/$tool"
	done
	for tool in mke2fs.conf ld.so.cache; do
		[[ ! -e /etc/$tool ]] || cp -L "/etc/$tool" "$root/etc/"
	done
}

expand() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac
}

# By the module's own list of dependencies, so neither kmod nor modules.dep (which the package does not hold) is needed.
add_module() { # NAME|FILE [PARAMETER...]
	local name=${1##*/} file=$1 dep
	shift
	name=${name%%.ko*} name=${name//-/_}
	[[ -z ${loaded[$name]:-} ]] || return 0
	[[ $file == */* ]] || file=$(find "$kernel/modules" -name "${name//_/[-_]}.ko*" -print -quit)
	[[ -n $file ]] || return
	loaded[$name]=1
	expand "$file" >"$root/modules/$name.ko"
	for dep in $(tr '\0' '\n' <"$root/modules/$name.ko" | LC_ALL=C sed -n 's/^depends=//p' | tr , ' '); do
		add_module "$dep" || die "$name needs the module $dep, which is not in $kernel: fetch.sh --refresh"
	done
	echo "$name.ko $*" >>"$root/modules/list"
}

# The kernel may hold it; 7.x packages come without modules.builtin, so there the guest has to tell.
built_in() {
	[[ ! -e $kernel/modules/modules.builtin ]] || grep -q "/${1//[-_]/[-_]}\.ko$" "$kernel/modules/modules.builtin"
}

add_modules() {
	local module
	: >"$root/modules/list"
	for module in "${modules[@]}"; do
		# shellcheck disable=SC2086 # name and parameters
		add_module $module || built_in "${module%% *}" || die "$kernel has no module ${module%% *}"
	done
	# ext4's checksums are asked for by the name of the algorithm, so no dependency leads to them.
	for module in crc32c_intel crc32c_generic crc32c_cryptoapi ext4 loop; do add_module "$module" || true; done
	# Some kernels hold the bus.
	[[ ${devices[*]} != *virtio-blk* ]] || for module in virtio_pci virtio_blk; do add_module "$module" || true; done
}

build() {
	local item guest
	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},dev,proc,sys,tmp,run,etc,host,mnt,root,modules}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
	ln -s /proc/mounts "$root/etc/mtab"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	add_tools
	add_modules
	for item in "${items[@]}"; do
		guest=${item#*:} item=${item%%:*}
		[[ $guest != "$item" ]] || guest=/host/$(basename "$item")
		[[ -e $item ]] || die "-i $item: no such file"
		add "$item" "/${guest#/}"
	done
	cp "$here/init" "$root/init"
	chmod 755 "$root/init"
	printf '%s\n' "$command" >"$root/cmd"
	(cd "$root" && find . -print0 | cpio -o -0 -H newc -R 0:0 --quiet) >"$tmp/initrd"
}

# To the guest a disk without a volatile cache. The host outlives the machine, so nothing need reach the host's own disk.
add_disk() { # IMAGE
	[[ -f $1 && -w $1 ]] || die "-d $1: no such file, or not writable"
	devices+=(-drive "file=${1//,/,,},format=raw,if=none,id=d${#devices[@]},cache=unsafe"
		-device "virtio-blk-pci,drive=d${#devices[@]},write-cache=off")
}

# SIGKILL to the machine itself: timeout would send it SIGTERM first. The log is complete when tail sees the end of it.
kill_on_line() {
	tail -n +1 --pid="$qemu" -f "$tmp/log" | {
		grep -aqm 1 -E -- "$kill_on" || exit 0
		: >"$tmp/killed"
		kill -KILL "$(cat "$tmp/pid")"
	}
}

# The flags are those of the project's kernel notes; without -cx16 6.12 crashes under TCG in half of its boots.
boot() {
	local rc=0 code reader killer=''
	rm -f "$tmp/out" "$tmp/log" "$tmp/killed"
	mkfifo "$tmp/out"
	: >"$tmp/log"
	sed -u 's/\r*$//' <"$tmp/out" | tee -a "$tmp/log" ${log:+"$log"} &
	reader=$!
	timeout -k 5 "$seconds" qemu-system-x86_64 -accel tcg -cpu max,-cx16 -m "$memory" -smp 2 -display none -monitor none \
		-serial stdio "${devices[@]}" -nodefaults -no-reboot -pidfile "$tmp/pid" -kernel "$kernel/vmlinuz" -initrd "$tmp/initrd" \
		-append "console=ttyS0 panic=-1 oops=panic quiet lsm=lockdown,yama $args" </dev/null >"$tmp/out" 2>&1 &
	qemu=$!
	[[ -z $kill_on ]] || { kill_on_line & killer=$!; }
	wait "$qemu" 2>/dev/null || rc=$?
	qemu=''
	wait "$reader" || true
	[[ -z $killer ]] || wait "$killer" || true
	[[ ! -e $tmp/killed ]] || return 137
	code=$(sed -nE 's/.*E4D-VM-EXIT ([0-9]+)$/\1/p' "$tmp/log" | tail -n 1)
	[[ -z $code ]] || return "$code"
	if ((rc == 124 || rc == 137)); then say "out of time after $seconds s (-t gives more)"; return 124; fi
	say "guest crashed: $(grep -aEm 1 'Kernel panic|BUG:|Oops|general protection' "$tmp/log" || echo "no panic line; qemu ended with $rc")"
	return 125
}

cleanup() {
	trap '' INT TERM HUP
	[[ -z $qemu ]] || { kill "$qemu" 2>/dev/null || true; wait "$qemu" 2>/dev/null || true; }
	rm -rf "$tmp"
}

while (($#)); do
	case $1 in
	-h | --help) echo "$usage"; exit ;;
	--retry) retry=1; shift; continue ;;
	--kill-on) (($# > 1)) || die "$1 needs a value; run.sh --help"; kill_on=$2 ;;
	--) shift; break ;;
	-?) (($# > 1)) || die "$1 needs a value; run.sh --help" ;;&
	-k) kernel=$2 ;;
	-t) seconds=$2 ;;
	-s) memory=$2 ;;
	-l) log=$2 ;;
	-i) items+=("$2") ;;
	-m) modules+=("$2") ;;
	-d) add_disk "$2" ;;
	-o) devices+=(-serial "file:$2") ;;
	-q) read -ra words <<<"$2"; devices+=("${words[@]}") ;;
	-a) args=$2 ;;
	*) die "unknown option $1; run.sh --help" ;;
	esac
	shift 2
done
(($#)) || die "no GUEST_COMMAND after --; run.sh --help"
command="$*"
[[ $kernel == */* ]] || kernel=$vm/$kernel
[[ -e $kernel/vmlinuz ]] || die "no kernel in $kernel: run $here/fetch.sh ${kernel##*/}"
need qemu-system-x86_64=qemu-system-x86 busybox=busybox-static cpio=cpio xz=xz-utils zstd=zstd mkfs.ext4=e2fsprogs
tmp=$(mktemp -d "${TMPDIR:-/tmp}/e4d-vm.XXXXXX") root=$tmp/root
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
build
[[ -z $log ]] || : >"$log"
boot && exit
code=$?
((code == 125)) && [[ $retry ]] || exit "$code"
say "booting once more (--retry)"
boot
