#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# What fetch.sh and run.sh share; sourced, never run.

# shellcheck disable=SC2034 # used by the scripts that source this
vm=${EXT4DIOTOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ext4diotop}/vm

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 2; }

# need TOOL=DEBIAN_PACKAGE...: stops at the first tool that is missing.
need() {
	local pair
	for pair; do
		PATH=$PATH:/usr/sbin:/sbin type -P "${pair%=*}" >/dev/null ||
			die "${pair%=*} is missing: apt-get install ${pair#*=}"
	done
}
