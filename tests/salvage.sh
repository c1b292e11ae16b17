#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# salvage as a user meets it: a dump that record made, cut, spoilt and killed.
#   tests/salvage.sh BUILD_DIR DIR_ON_SCRATCH_EXT4 [ROUNDS]
# ROUNDS (40) is how often `record` is killed by SIGKILL at a random moment. What is found
# then is compared with babeltrace2 and with what was written: dd wrote block n of its file
# once, so that each block may be there at most once, and nothing else.
set -u
here=$(cd "$(dirname "$0")" && pwd)
prog=$PWD/$1/ext4diotop dir=$2 rounds=${3:-40} blocks=4000
tmp=$(mktemp -d)
pid=''
# shellcheck disable=SC2317 # the trap's
cleanup() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$tmp" "$dir/blocks"
}
trap cleanup EXIT
suite=salvage
# shellcheck source=tap.sh disable=SC1091
. "$here/tap.sh"

rc_of() { # COMMAND...: exit code; output in $tmp/out and $tmp/err
	"$@" >"$tmp/out" 2>"$tmp/err"
	echo $?
}
salvage() { # FILE...: exit code; the dump is $tmp/clean
	rm -rf "$tmp/clean"
	rc_of "$prog" salvage "$@" -o "$tmp/clean"
}
start_record() { # DIR
	: >"$tmp/rec.err"
	"$prog" record -o "$1" --all --filter "dev=$dir" >/dev/null 2>"$tmp/rec.err" &
	pid=$!
	await recording "$tmp/rec.err" $pid
}
write_blocks() { dd if=/dev/zero of="$dir/blocks" bs=4k count=$blocks oflag=direct conv=notrunc 2>/dev/null; }
# the blocks of the writes in a dump, by the other reader
blocks_of() { # DIR
	babeltrace2 "$1" 2>"$tmp/bt.err" | grep -E ' (inside|write): ' |
		grep -oE '[{ ]offset(_be)? = [0-9]+' | awk '{ print $NF / 4096 }'
}
# how many packets begin in the files: by their first bytes
packets_of() { LC_ALL=C grep -aohP '\xc1\x1f\xfc\xc1\x00\x00\x00\x00' "$@" | wc -l; }

check help 0 "$(rc_of "$prog" salvage --help)"
says help-example Examples "$tmp/out"
check no-file 2 "$(rc_of "$prog" salvage -o "$tmp/x")"
check no-output 2 "$(rc_of "$prog" salvage /dev/null)"
check bad-option 2 "$(rc_of "$prog" salvage --frobnicate)"
check not-there 3 "$(salvage "$tmp/not-there")"
check fifo 3 "$(mkfifo "$tmp/fifo"; salvage "$tmp/fifo")"
head -c 300000 /dev/urandom >"$tmp/random"
check nothing-in-it 4 "$(salvage "$tmp/random")"
says nothing-says 'no whole packet' "$tmp/err"
touch "$tmp/clean/mine"
check not-empty 3 "$(rc_of "$prog" salvage "$tmp/random" -o "$tmp/clean")"
says not-empty-says 'nothing is overwritten' "$tmp/err"

# a whole dump: the copy is the same, and the other reader agrees
start_record "$tmp/dump"
write_blocks
kill -INT $pid
wait $pid
pid=''
check whole 0 "$(salvage "$tmp/dump")"
check whole-same '' "$(diff -r "$tmp/dump" "$tmp/clean")"
check whole-blocks "$(seq 0 $((blocks - 1)) | md5sum)" "$(blocks_of "$tmp/clean" | sort -n | md5sum)"
check whole-80 0 "$(awk 'length > 80' "$tmp/out" | wc -l)"
# in one file, the wrong way round, twice, between other bytes
{
	head -c 12345 /dev/urandom
	find "$tmp/dump" -name '*-0*' | sort -r | xargs cat
	cat "$tmp/dump"/cpu*
} >"$tmp/pile"
check pile 0 "$(salvage "$tmp/pile")"
check pile-same '' "$(diff -r "$tmp/dump" "$tmp/clean")"
zstd -q "$tmp/pile"
check zstd 0 "$(salvage "$tmp/pile.zst")"
check zstd-same '' "$(diff -r "$tmp/dump" "$tmp/clean")"
# the last byte of one file gone, a bit in the middle of another packet turned
big=$(find "$tmp/dump" -name 'cpu*' -printf '%s %p\n' | sort -rn | sed -n '1s/^[0-9]* //p')
truncate -s -1 "$big"
before=$(packets_of "$tmp/dump"/[cs]*-*)
check cut 6 "$(salvage "$tmp/dump")"
says cut-says '1 packet left out, cut off at the end' "$tmp/out"
check cut-packets $((before - 1)) "$(packets_of "$tmp/clean"/[cs]*-*)"
byte=$(od -An -tu1 -j2000 -N1 "$big")
printf '%b' "\\x$(printf %02x $((byte ^ 255)))" | dd of="$big" bs=1 seek=2000 conv=notrunc 2>/dev/null
check spoilt 6 "$(salvage "$tmp/dump")"
says spoilt-says '1 packet left out, with a wrong checksum' "$tmp/out"
check spoilt-packets $((before - 2)) "$(packets_of "$tmp/clean"/[cs]*-*)"
check spoilt-readable '' "$(babeltrace2 "$tmp/clean" 2>&1 >/dev/null | grep -v 'discarded')"

# killed: every packet that is whole in the files, and no write that nobody made
left=0 bad='' torn=0 recovered=0
for i in $(seq "$rounds"); do
	rm -rf "$tmp/dump"
	start_record "$tmp/dump"
	write_blocks &
	writer=$!
	sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
	# now and then the last moment is that of rotation and end
	[ $((i % 4)) -ne 0 ] || kill -INT $pid
	kill -KILL $pid
	wait $pid $writer 2>/dev/null
	pid=''
	if [ -z "$(find "$tmp/dump" -name '*-0*' -size +0)" ]; then
		left=$((left + 1)) # nothing had reached the disk
		continue
	fi
	rc=$(salvage "$tmp/dump")
	begun=$(packets_of "$tmp/dump"/[cs]*-*) got=$(packets_of "$tmp/clean"/[cs]*-*)
	torn=$((torn + begun - got)) recovered=$((recovered + got))
	[ "$rc" = $((begun == got ? 0 : 6)) ] || bad="$bad round $i: exit $rc with $got of $begun packets;"
	# a packet is torn only at the end of a file
	[ $((begun - got)) -le "$(find "$tmp/dump" -name '*-0*' | wc -l)" ] || bad="$bad round $i: $got of $begun packets;"
	blocks_of "$tmp/clean" >"$tmp/blocks"
	[ ! -s "$tmp/bt.err" ] || bad="$bad round $i: $(head -c 100 "$tmp/bt.err");"
	invented=$(sort -n "$tmp/blocks" | awk -v n=$blocks 'BEGIN { last = -1 } $1 != int($1) || $1 < 0 || $1 >= n || $1 == last { bad++ } { last = $1 } END { print bad + 0 }')
	[ "$invented" = 0 ] || bad="$bad round $i: $invented writes that nobody made;"
done
echo "# $rounds kills: $left before anything was on disk, $recovered packets recovered, $torn torn"
check killed '' "$bad"
check killed-with-packets 1 $((left < rounds))
