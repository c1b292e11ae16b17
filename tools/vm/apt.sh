#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The table of kernels, and packages of Debian out of an apt state of our own; sourced after lib.sh, never run.

# shellcheck disable=SC2154 # vm is lib.sh's

# label, suite, meta package. The meta package is followed to the image of today; the label is only a name.
kernels='
5.10        bullseye  linux-image-cloud-amd64
6.1         bookworm  linux-image-cloud-amd64
6.12        trixie    linux-image-cloud-amd64
7.2         sid       linux-image-cloud-amd64
6.1-plain   bookworm  linux-image-amd64
6.12-plain  trixie    linux-image-amd64
6.12.117-plain trixie linux-image-6.12.117+deb13-amd64
'
declare -A ready=() # suites whose package list this run has read already

# The machine's own Debian repository with this label: "URI sources-file:line".
own_repo() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(SOURCESENTRY)' \
		'Created-By: Packages' 'Origin: Debian' "Label: $1" 2>/dev/null | awk 'NR == 1'
}

# A keyring fetched by newer_keyring(), else the one that the machine's sources name, else Debian's usual file.
keyring() {
	local entry file key
	entry=$(own_repo Debian)
	file=${entry#* }
	key=$(sed -nE 's/.*signed-by[:=] *(\/[^] ]+).*/\1/Ip' "${file%:*}" 2>/dev/null | head -n 1)
	for key in "$vm/keyring.gpg" "${EXT4DIOTOP_KEYRING:-$key}" /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ ! -r $key ]] || { echo "$key"; return; }
	done
	die "no keyring of the Debian archive: apt-get install debian-archive-keyring"
}

# An apt state of our own; the user's proxy and mirror settings still hold, his pins, sources and hooks do not.
# The sandbox user cannot enter a cache below /root, so a run by root stays root.
write_conf() {
	local d=$vm/apt/$1
	mkdir -p "$d"/{lists,cache}/partial "$d/cache/archives/partial"
	: >"$d/status"
	cat >"$d/apt.conf" <<-EOC
		Dir::State "$d"; Dir::State::lists "$d/lists/"; Dir::State::status "$d/status";
		Dir::Cache "$d/cache"; Dir::Cache::archives "archives/"; Dir::Cache::pkgcache "";
		Dir::Etc::sourcelist "$d/sources.list"; Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
		#clear APT::Architectures; #clear APT::Default-Release;
		APT::Architecture "amd64"; APT::Architectures { "amd64"; };
		#clear APT::Update; APT::Sandbox::User "root";
	EOC
}

apt_in() { # SUITE TOOL ARGS...
	local conf=$vm/apt/$1/apt.conf tool=$2
	shift 2
	LC_ALL=C "$tool" -q -c "$conf" "$@"
}

# update SUITE MIRROR [SECURITY_MIRROR]; apt's words are left in the file "log".
update() {
	local suite=$1 d=$vm/apt/$1 opt
	opt="[arch=amd64 target=Packages signed-by=$(keyring)]"
	write_conf "$suite"
	echo "deb $opt $2 $suite main" >"$d/sources.list"
	[[ -z ${3:-} ]] || echo "deb $opt $3 $suite-security main" >>"$d/sources.list"
	apt_in "$suite" apt-get update --error-on=any >"$d/log" 2>&1
}

# The machine's keyring may be older than a suite's key: take a newer one out of a suite that it does verify.
newer_keyring() { # MIRROR
	local suite d=$vm/apt/keyring
	while read -r suite; do
		rm -rf "$d" && mkdir -p "$d"
		update "$suite" "$1" || continue
		(cd "$d" && apt_in "$suite" apt-get download debian-archive-keyring) >/dev/null 2>&1 || continue
		dpkg-deb -x "$d"/*.deb "$d/root" || continue
		cp -L "$d"/root/usr/share/keyrings/debian-archive-keyring.gpg "$vm/keyring.gpg" || continue
		say "keyring: taken from debian-archive-keyring of $suite"
		return
	done < <(awk 'NF { print $2 }' <<<"$kernels" | sort -u)
	return 1
}

prepare() { # SUITE
	local suite=$1 mirror security='' log=$vm/apt/$1/log
	[[ -z ${ready[$suite]:-} ]] || return 0
	mirror=${EXT4DIOTOP_MIRROR:-$(own_repo Debian)}
	[[ -n $mirror ]] || die "no Debian mirror in apt's lists: run apt-get update once, or set EXT4DIOTOP_MIRROR=URI"
	[[ $suite == sid ]] || security=$(own_repo Debian-Security)
	say "$suite: reading the package list"
	if ! update "$suite" "${mirror%% *}" "${security%% *}"; then
		if grep -q NO_PUBKEY "$log" && [[ ! -e $vm/keyring.gpg ]]; then
			newer_keyring "${mirror%% *}" || die "$suite: its key is unknown: apt-get install debian-archive-keyring"
		fi
		update "$suite" "${mirror%% *}" "${security%% *}" || {
			say "$suite: trying without $suite-security: $(grep -m 1 '^[EW]:' "$log")"
			update "$suite" "${mirror%% *}" || die "$suite: $(grep -m 1 '^[EW]:' "$log") (whole log: $log)"
		}
	fi
	ready[$suite]=1
}

# One user of the apt state at a time; until the (sub)shell ends.
lock_apt() {
	mkdir -p "$vm"
	exec 9>"$vm/lock"
	flock -n 9 || { say "another fetch runs, waiting for it"; flock 9; }
}
