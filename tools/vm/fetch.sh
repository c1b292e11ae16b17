#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Fetches Debian kernels for run.sh and prints the directory of each.
set -euo pipefail
# shellcheck source=lib.sh disable=SC1091
. "$(dirname "$0")/lib.sh"
# shellcheck source=apt.sh disable=SC1091
. "$(dirname "$0")/apt.sh"

usage='usage: fetch.sh [--refresh] KERNEL...   (KERNEL: a label of the table in apt.sh, or "all")'

# The packages behind a meta package; since 7.x the image is split into linux-binary and linux-modules.
packages() { # SUITE META
	apt_in "$1" apt-cache depends --recurse --important "$2" |
		grep -E '^linux-(image|binary|modules)-[0-9]' | sort -u
}

unpack() { # DIR holding *.deb: leaves vmlinuz, modules/ and version there
	local dir=$1 deb
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$dir/root" || return
		# shellcheck disable=SC2016 # dpkg-deb's own variables
		dpkg-deb -W --showformat '${Package} ${Version}\n' "$deb" >>"$dir/version"
		rm "$deb"
	done
	# Up to 6.12 boot/vmlinuz-VERSION and lib/modules; from 7.x both are below usr/lib/modules.
	mv "$(find "$dir/root" -name 'vmlinuz*' -type f -print -quit)" "$dir/vmlinuz" &&
		mv "$(find "$dir/root" -path '*/lib/modules/*' -type d -print -quit)" "$dir/modules" &&
		rm -rf "$dir/root"
}

fetch() { # LABEL
	local label=$1 dir=$vm/$1 new=$vm/.new-$1 suite meta list
	read -r suite meta < <(awk -v l="$label" '$1 == l { print $2, $3 }' <<<"$kernels") || die "no kernel '$label': $usage"
	[[ -z $refresh && -e $dir/version ]] && { echo "$dir"; return; }
	prepare "$suite"
	list=$(packages "$suite" "$meta") || die "$suite: $meta leads to no kernel image: apt-cache's answer is in $vm/apt/$suite"
	rm -rf "$new" && mkdir "$new"
	say "$label: downloading ${list//$'\n'/ }"
	# shellcheck disable=SC2086 # a list of names
	(cd "$new" && apt_in "$suite" apt-get download $list) >"$vm/apt/$suite/log" 2>&1 ||
		die "$label: $(grep -m 1 '^E:' "$vm/apt/$suite/log") (try again: the mirror may be changing)"
	say "$label: unpacking $(du -ch "$new"/*.deb | awk 'END { print $1 }')"
	unpack "$new" || die "$label: no vmlinuz or no modules in ${list//$'\n'/ }"
	rm -rf "$dir" && mv "$new" "$dir"
	echo "$dir"
}

refresh=''
[[ ${1:-} != --refresh ]] || { refresh=1; shift; }
(($#)) || die "$usage"
[[ $* != all ]] || mapfile -t all < <(awk 'NF { print $1 }' <<<"$kernels")
need apt-get=apt dpkg-deb=dpkg flock=util-linux
lock_apt
for k in "${all[@]:-$@}"; do fetch "$k"; done
