#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Builds ext4.ko with selectable mistakes for a plain Debian kernel of tools/vm/fetch.sh, and prints its path.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../../vm/lib.sh disable=SC1091
. "$here/../../vm/lib.sh"
# shellcheck source=../../vm/apt.sh disable=SC1091
. "$here/../../vm/apt.sh"
lab=${vm%/vm}/lab

usage="usage: build.sh KERNEL   (KERNEL: 6.12-plain, 6.1-plain: a label of tools/vm/apt.sh with a patch here)
example: tools/vm/run.sh -k 6.12-plain -m \"\$(tools/lab/module/build.sh 6.12-plain) lab=4\" -- 'cat /sys/module/ext4/parameters/lab'
The mistakes are bits of the parameter lab; the table is the file mistakes. The first build of a kernel downloads
180 MB and takes a minute on two free cores; the module is kept in $lab.
exit: 0 built, 2 wrong usage, something is missing, or the build failed (its log is named)"

# What the kit of a kernel is made of: "PACKAGE=VERSION" or "PACKAGE", one a line.
kit_packages() {
	local headers=linux-headers-$release kbuild
	# read to the end: apt-cache fails on a pipe that is closed before it is done
	kbuild=$(apt_in "$suite" apt-cache show "$headers=$version" 2>/dev/null |
		awk 'match($0, /linux-kbuild-[^ ,]+/) && !n++ { print substr($0, RSTART, RLENGTH) } END { exit !n }') || return
	printf "%s=$version\n" "$headers" "${headers%-amd64}-common" "$kbuild" "linux-source-$series"
	# kbuild's programs, resolve_btfids and pahole may need a newer libc than this machine's.
	apt_in "$suite" apt-cache depends --recurse --important "$kbuild" pahole |
		grep -E '^[a-z]' | grep -v "^$kbuild\$" | sort -u
}

# Programs of the kernel's own suite run by its own dynamic loader; their paths stay.
wrap_tools() { # ROOT
	local root=$1 file loader path
	loader=$(find "$root" -name 'ld-linux-x86-64.so.2' -print -quit)
	path=$(find "$root" -type d -path '*/lib/x86_64-linux-gnu' -print | paste -sd :)
	while read -r file; do
		[[ $(head -c 4 "$file" | tail -c 3) == ELF ]] || continue
		mv "$file" "$file.elf"
		# shellcheck disable=SC2016 # the wrapper's own variables
		printf '#!/bin/sh\nexec "%s" --argv0 "$0" --library-path "%s" "%s" "$@"\n' "$loader" "$path" "$file.elf" >"$file"
		chmod 755 "$file"
	done < <(find "$root"/usr/lib/linux-kbuild-* "$root/usr/bin/pahole" -type f -perm -u=x)
}

# The kernel's BTF, which the module's is built upon: out of the bzImage, whose setup header says where the payload is
# (Documentation/arch/x86/boot.rst); its last four bytes are a length.
base_btf() { # VMLINUZ KIT
	local sects at length unpack=xz
	word() { od -An -tu"$2" -j"$(($1))" -N"$2" "$3" | tr -d ' '; }
	sects=$(word 0x1f1 1 "$1") at=$(word 0x248 4 "$1") length=$(word 0x24c 4 "$1")
	tail -c +$(((sects + 1) * 512 + at + 1)) "$1" | head -c $((length - 4)) >"$2/payload" || true
	[[ $(word 0 4 "$2/payload") != $((0xfd2fb528)) ]] || unpack=zstd
	"$unpack" -dc <"$2/payload" >"$2/vmlinux" && objcopy --dump-section ".BTF=$2/base.btf" "$2/vmlinux"
	rm -f "$2/payload" "$2/vmlinux"
}

# The compiler of another Debian than the kernel's may not know each of its flags.
compiler() { # CONFIG: prints the wrapper
	local major cc
	major=$(sed -nE 's/^CONFIG_GCC_VERSION=([0-9]+)[0-9]{4}$/\1/p' "$1")
	cc=$(type -P "gcc-$major" || type -P gcc)
	cat <<-EOC
		#!/bin/bash
		args=("\$@")
		if ! "$cc" -fmin-function-alignment=16 -E -x c /dev/null >/dev/null 2>&1; then
			args=("\${args[@]/#-fmin-function-alignment=/-falign-functions=}") # gcc 14
		fi
		exec "$cc" "\${args[@]}"
	EOC
}

# 1 when the archive no longer has a package of this version.
download() { # KIT
	[[ ! -e $1/ready ]] || return 0
	rm -rf "$1"
	mkdir -p "$1/deb"
	(
		lock_apt
		prepare "$suite"
		list=$(kit_packages) || { say "$label: linux-headers-$release $version is gone from the archive"; exit 1; }
		say "$label: downloading headers and source of $version (180 MB)"
		cd "$1/deb"
		# shellcheck disable=SC2086 # a list of names
		apt_in "$suite" apt-get download $list >../log 2>&1 || { say "$label: $(grep -m 1 '^E:' ../log)"; exit 1; }
	) 8>&- || { rm -rf "$1"; return 1; }
}

unpack() { # KIT
	local kit=$1 deb root=$1/root headers=$1/root/usr/src/linux-headers-$release
	[[ ! -e $kit/ready ]] || return 0
	say "$label: unpacking"
	find "$lab" -maxdepth 1 -path "$lab/kit-$label-*" ! -path "$kit" -exec rm -rf {} + # those of older images
	for deb in "$kit"/deb/*.deb; do
		[[ $deb == */linux-source-* ]] || dpkg-deb -x "$deb" "$root"
	done
	mkdir "$kit/src"
	dpkg-deb --fsys-tarfile "$kit"/deb/linux-source-*.deb | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		xz -dc | tar -x --strip-components=1 -C "$kit/src" --wildcards 'linux-source-*/fs/ext4' ||
		die "$label: no fs/ext4 in linux-source-$series $version"
	base_btf "$image/vmlinuz" "$kit" || die "$label: no BTF in $image/vmlinuz"
	wrap_tools "$root"
	# With a vmlinux there kbuild would add a BTF with a base of its own; ours is added like the stock module's.
	rm -f "$headers/vmlinux"
	sed -i "s|/usr/src/|$root/usr/src/|" "$headers/Makefile"
	compiler "$headers/.config" >"$kit/cc"
	chmod 755 "$kit/cc"
	rm -rf "$kit/deb"
	: >"$kit/ready"
}

# The patched source; what did not change keeps its time, so a changed patch builds in seconds.
patched() { # KIT
	local new=$1/new/fs/ext4 tree=$1/tree file
	rm -rf "$1/new"
	cp -a "$1/src" "$1/new"
	patch -s -p1 --no-backup-if-mismatch -d "$1/new" <"$patch" >&2 || die "$patch does not fit $1/src: mend the patch"
	cp "$here"/lab.[ch] "$new"
	echo 'ext4-y += lab.o' >>"$new/Makefile"
	mkdir -p "$tree"
	for file in "$new"/*; do
		[[ -d $file ]] || cmp -s "$file" "$tree/${file##*/}" || cp "$file" "$tree"
	done
}

compile() { # KIT OUT
	local kit=$1 tree=$1/tree log=$1/log start=$SECONDS features=()
	local pahole=$kit/root/usr/bin/pahole
	say "$label: compiling ext4 (log: $log)"
	make -C "$kit/root/usr/src/linux-headers-$release" M="$tree" CC="$kit/cc" -j2 modules >"$log" 2>&1 ||
		die "$label: $(grep -m 1 -E 'error:|Error|not found' "$log") (whole log: $log)"
	# scripts/Makefile.btf: from pahole 1.26 on the features have names
	if [[ $("$pahole" --help) == *--btf_features* ]]; then
		features=("--btf_features=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func")
	fi
	LLVM_OBJCOPY=objcopy "$pahole" -J "${features[@]}" --btf_base "$kit/base.btf" "$tree/ext4.ko" >>"$log" 2>&1 ||
		die "$label: no BTF for ext4.ko: $(tail -n 1 "$log")"
	objcopy --strip-debug "$tree/ext4.ko" "$kit/ext4.ko"
	[[ $(readelf -SW "$kit/ext4.ko") == *' .BTF '* ]] || die "$label: ext4.ko has no .BTF (log: $log)"
	mkdir -p "$2"
	mv "$kit/ext4.ko" "$2/ext4.ko"
	rm -f "$tree/ext4.ko"
	say "$label: $((SECONDS - start)) s"
}

# The bits stand in two places: for C and for scripts.
same_bits() {
	diff <(awk '!/^#/ && NF { gsub("-", "_", $1); print "LAB_" toupper($1), $2 }' "$here/mistakes" | sort) \
		<(sed -nE '/^};/q; s/^\t(LAB_[A-Z_0-9]+) = 1u << ([0-9]+),.*/\1 \2/p' "$here/lab.h" | sort) >&2 ||
		die "lab.h and the table 'mistakes' differ, see above"
}

find_image() { # [--refresh]: sets image, release, version and kit
	image=$("$here/../../vm/fetch.sh" "$@" "$label") || exit
	read -r release version <"$image/version"
	release=${release#linux-image-} kit=$lab/kit-$label-$version
}

case ${1:-} in
-h | --help) echo "$usage"; exit ;;
esac
(($# == 1)) || die "$usage"
label=$1 series=$(cut -d . -f 1,2 <<<"${1%-plain}")
patch=$here/$series.patch suite=$(awk -v l="$label" '$1 == l { print $2 }' <<<"$kernels")
[[ $label == *-plain && -n $suite && -e $patch ]] || die "no patch for a kernel '$label': build.sh --help"
need apt-get=apt dpkg-deb=dpkg flock=util-linux patch=patch make=make gcc=gcc objcopy=binutils xz=xz-utils zstd=zstd bc=bc
same_bits
mkdir -p "$lab"
exec 8>"$lab/$label.lock"
flock -n 8 || { say "another build of $label runs, waiting for it"; flock 8; }
hash=$(cat "$patch" "$here"/lab.[ch] "$0" | sha256sum | cut -c 1-12)
find_image
if [[ ! -e $lab/$label-$version-$hash/ext4.ko ]]; then
	if ! download "$kit"; then
		old=$version
		say "$label: the archive has moved on from $old: fetching today's image and building for that"
		find_image --refresh
		if [[ $version == "$old" ]] || ! download "$kit"; then
			die "$label: no headers or source of $version in the archive: the mirror may be changing, try again later"
		fi
	fi
	unpack "$kit"
	patched "$kit"
	compile "$kit" "$lab/$label-$version-$hash"
fi
echo "$lab/$label-$version-$hash/ext4.ko"
