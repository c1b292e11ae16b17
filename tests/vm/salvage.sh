#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The whole way: a VM traces each write into the ring of pages, QEMU dumps its memory (ELF
# and kdump-zlib) while the tracer is still there, and salvage finds in the image exactly
# the writes that the tracer told of. TAP lines.
#   tests/vm/salvage.sh BUILD_DIR STATIC_BUILD_DIR [KERNEL]
set -u
cd "$(dirname "$0")/../.." || exit 1
prog=$PWD/$1/ext4diotop static=$2 kernel=${3:-6.12} writes=3000
suite=vm/salvage
# shellcheck source=../tap.sh disable=SC1091
. tests/tap.sh
tmp=$(mktemp -d /tmp/e4d-salvage.XXXXXX)
vm=''
# shellcheck disable=SC2317 # the trap's
cleanup() {
	[ -z "$vm" ] || kill "$vm" 2>/dev/null
	[ -z "$vm" ] || wait "$vm" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tools/vm/fetch.sh "$kernel" >/dev/null || { echo "not ok $suite: $kernel could not be fetched"; exit 1; }
mkfifo "$tmp/mon.in" "$tmp/mon.out"
# the guest says all lines that its tracer wrote, and waits for the end
cat >"$tmp/guest.sh" <<END
mkdir -p /m && /usr/sbin/mke2fs -q -t ext4 /tmp/i 64M && mount -o loop /tmp/i /m || exit 1
/host/ext4diotop trace --all --json --filter dev=/m >/tmp/trace 2>/tmp/err &
until grep -q '^tracing' /tmp/err; do sleep 1; done
/host/workload run /m append-1m overwrite >/dev/null
dd if=/dev/zero of=/m/f bs=4k count=$writes oflag=direct conv=notrunc 2>/dev/null
sleep 2
sed 's/^/TRACE /' /tmp/trace
echo DUMP-ME
sleep 600
END
tools/vm/run.sh -k "$kernel" -t 400 -s 512 -l "$tmp/log" -i "$static/ext4diotop" -i "$static/workload" \
	-i "$tmp/guest.sh" -q "-chardev pipe,id=m,path=$tmp/mon -mon chardev=m,mode=readline" \
	-- 'sh guest.sh' >/dev/null 2>"$tmp/run.err" &
vm=$!
exec 8<>"$tmp/mon.in" 9<>"$tmp/mon.out"
until grep -q DUMP-ME "$tmp/log" 2>/dev/null; do
	kill -0 $vm 2>/dev/null || { echo "not ok $suite: the VM ended: $(tail -n 2 "$tmp/run.err" | tr '\n' ' ')"; exit 1; }
	sleep 0.5
done
printf 'dump-guest-memory %s/elf\ndump-guest-memory -z %s/kdump\nquit\n' "$tmp" "$tmp" >&8
wait $vm
vm=''
grep -a '^TRACE ' "$tmp/log" | sed 's/^TRACE //' >"$tmp/truth"
seqs() { sed -n 's/.*"seq":\([0-9]*\),.*"offset":\([0-9]*\),"submitted":\([0-9]*\),.*/\1 \2 \3/p' | sort -n; }
seqs <"$tmp/truth" >"$tmp/expected"
check writes-traced 1 "$(($(wc -l <"$tmp/expected") >= writes))"
# babeltrace2 is the other reader: "inside" and "write" have the same names of fields, in another order
fields() {
	awk '/ (inside|write): / {
		for (i = 1; i < NF; i++)
			if ($(i + 1) == "=")
				v[$i] = $(i + 2) + 0
		print v["seq"], v["offset"], v["submitted"]
	}' | sort -n
}
for image in elf kdump; do
	"$prog" salvage "$tmp/$image" -o "$tmp/out-$image" >"$tmp/report-$image" 2>&1
	rc=$?
	sed 's/^/# /' "$tmp/report-$image"
	check $image-exit 1 $((rc == 0 || rc == 6))
	babeltrace2 "$tmp/out-$image" 2>"$tmp/bt.err" | fields >"$tmp/got-$image"
	check $image-babeltrace2 '' "$(head -c 200 "$tmp/bt.err")"
	check $image-all-and-no-more "$(wc -l <"$tmp/expected") writes, 0 lines differ" \
		"$(wc -l <"$tmp/got-$image") writes, $(diff "$tmp/expected" "$tmp/got-$image" | grep -c '^[<>]') lines differ"
done
check the-same-from-both 0 "$(diff -r "$tmp/out-elf" "$tmp/out-kdump" >/dev/null; echo $?)"
