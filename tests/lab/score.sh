#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The judge judged: hand-written truth and traces, and what score must make of
# them. A scorer that excuses a miss, or invents one, fails here.
#   tests/lab/score.sh BUILD_DIR
set -u
score=$PWD/$1/score
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# --- fixtures: NAME=VALUE pairs over the defaults of a plain 1 MiB append ---------
declare -A d
episodes=0 writes=0 records=0

begin() {
	echo '{"format":"e4d-truth","version":1,"kind":"4k","dev":"7:0","release":"test"}' >"$tmp/truth"
	: >"$tmp/trace"
	episodes=0 writes=0 records=0
}

set_pairs() {
	local p
	for p; do d[${p%%=*}]=${p#*=}; done
}

# a write of an episode: w PID OFFSET LEN RET [VIA [NOWAIT [APPEND]]]
w() {
	printf '{"pid":%s,"tid":%s,"via":"%s","offset":%s,"submitted":%s,"ret":%s,"nowait":%s,"append":%s,"misaligned":false}' \
		"$1" "$1" "${5-pwrite}" "$2" "$3" "$4" "${6-false}" "${7-false}"
}

ep() {
	local one
	d=([seed]=s [steps]='write via=pwrite off=0 len=1M' [actors]=1 [before]=0 [after]=1048576
		[past]=0 [unwritten]=0 [pre]=0 [lost]=0 [data]=null [killed]=false [removers]=false [falloc]=0 [cut]=0 [hole]=0
		[ret]=1048576 [len]=1048576 [off]=0 [via]=pwrite [append]=false [n]=1)
	set_pairs "$@"
	one=$(w 10 "${d[off]}" "${d[len]}" "${d[ret]}" "${d[via]}" false "${d[append]}")
	episodes=$((episodes + 1))
	writes=$((writes + d[n]))
	printf '{"seed":"%s","step":%d,"steps":"%s","actors":%s,"dev":"7:0","ino":13,"t0_ns":%d,"t1_ns":%d,"isize_before":%s,"isize_after":%s,"blksize":4096,"past_eof":%s,"past_eof_unwritten":%s,"prealloc":%s,"delalloc":0,"falloc":%s,"lost":%s,"cut":%s,"eof_hole":%s,"data_ok":%s,"killed":%s,"removers":%s,"writes":[%s]}\n' \
		"${d[seed]}" $episodes "${d[steps]}" "${d[actors]}" $((episodes * 1000000)) \
		$((episodes * 1000000 + 500000)) "${d[before]}" "${d[after]}" "${d[past]}" \
		"${d[unwritten]}" "${d[pre]}" "${d[falloc]}" "${d[lost]}" "${d[cut]}" "${d[hole]}" "${d[data]}" "${d[killed]}" "${d[removers]}" \
		"${d[writes]-$one}" >>"$tmp/truth"
}

# a record in the last episode
rec() {
	d=([pid]=10 [tid]=10 [dev]=7:0 [ino]=13 [off]=0 [len]=1048576 [ret]=1048576 [before]=0
		[after]=1048576 [past]=0 [pre]=0 [flags]='"extend","new"' [verdict]=clean
		[evidence]=observed [tier]=fentry [kind]=sync [trim]=null [trim_ret]=null [at]=1000 [took]=1000
		[extents]=1 [ts]='')
	set_pairs "$@"
	[ "${d[kind]}" = async ] || d[flags]="\"sync\",${d[flags]}"
	records=$((records + 1))
	printf '{"ts":"x","ts_ns":%d,"seq":%d,"cpu":0,"pid":%s,"tid":%s,"comm":"t","dev":"%s","ino":%s,"offset":%s,"submitted":%s,"extents":%s,"ret":%s,"isize_before":%s,"isize_after":%s,"blksize":4096,"trim_from":%s,"trim_ret":%s,"past_eof":%s,"prealloc":%s,"flags":[%s],"latency_ns":%s,"verdict":"%s","evidence":"%s","tier":"%s"}\n' \
		"${d[ts]:-$((episodes * 1000000 + d[at]))}" $records "${d[pid]}" "${d[tid]}" "${d[dev]}" "${d[ino]}" "${d[off]}" \
		"${d[len]}" "${d[extents]}" "${d[ret]}" "${d[before]}" "${d[after]}" "${d[trim]}" \
		"${d[trim_ret]}" "${d[past]}" "${d[pre]}" "${d[flags]}" "${d[took]}" \
		"${d[verdict]}" "${d[evidence]}" "${d[tier]}" >>"$tmp/trace"
}

loss() { echo "{\"loss\":\"$1\",\"count\":$2}" >>"$tmp/trace"; }

end() { echo "{\"end\":true,\"sequences\":1,\"episodes\":$episodes,\"writes\":$writes}" >>"$tmp/truth"; }

# expect NAME EXIT 'key=n ...'|- [OPTION]...; each class that is not named must be 0
expect() {
	local name=$1 want=$2 keys=$3 rc got k bad=''
	shift 3
	end
	rm -f "$tmp/bad"
	"$score" --json --bad "$tmp/bad" "$@" "$tmp/truth" "$tmp/trace" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	[ $rc = "$want" ] || bad="exit $want, got $rc"
	for k in hits misses false_alarms inexact unknown healed unclear unseen missing lost_writes \
		mismatch lost_data_hits lost_data_misses overtrim_false corrupt_data stray; do
		[ "$keys" = - ] || [[ " $keys " == *" $k="* ]] || keys="$keys $k=0"
	done
	for k in ${keys#-}; do
		got=$(grep '^{' "$tmp/out" | sed -n "s/.*\"${k%%=*}\":\([0-9]*\).*/\1/p")
		[ "$got" = "${k#*=}" ] || bad="$bad $k, got ${got:-nothing}"
	done
	if [ -z "$bad" ]; then echo "ok score/$name"; else
		echo "not ok score/$name: expected $bad"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
	fi
	begin
}

says() { # NAME TEXT FILE, of the run before
	if grep -q -- "$2" "$3"; then echo "ok score/$1"; else
		echo "not ok score/$1: expected '$2', got '$(head -c 300 "$3" | tr '\n' ' ')'"
	fi
}

L=1040384 # what a write of 1 MiB leaves when it fails at 7680
leak="ret=-14 after=7680 past=$L verdict=leak"
begin

# --- one write ---------------------------------------------------------------------
ep; rec
expect agree 0 'agree=1 records=1 writes=1'
ep ret=-14 after=7680 past=$L
# shellcheck disable=SC2086
rec $leak flags='"extend","new","size-moved"'
expect hit 0 'hits=1 disk_leaks=1'
ep ret=-14 after=7680 past=$L
rec ret=-14 after=7680 flags='"extend","size-moved"'
expect miss 1 'misses=1 disk_leaks=1'
says miss-is-explained 'expected leak of 1040384 bytes, got no leak' "$tmp/out"
says miss-in-bad-file '^{"class":"misses","seed":"s","step":1,' "$tmp/bad"
ep ret=-14 after=7680 past=$L
rec ret=-14 after=7680 flags='"extend","size-moved"' verdict=trimmed
expect wrong-trimmed-is-a-miss 1 'misses=1'
ep ret=-14 after=7680 past=$L
expect leak-without-record-is-a-miss 1 'misses=1 missing=1'
ep; rec past=4096 verdict=leak
expect false-alarm 1 'false_alarms=1'
ep; rec past=4096 verdict=trim-failed
expect false-trim-failed 1 'false_alarms=1'
ep ret=-14 after=7680 past=$L
rec ret=-14 after=7680 past=4096 verdict=leak flags='"extend","size-moved"'
expect inexact-too-little 0 'hits=1 inexact=1'
ep ret=-14 after=7680 past=4096
# shellcheck disable=SC2086
rec $leak flags='"extend","size-moved"'
expect inexact-too-much 0 'hits=1 inexact=1'
ep ret=-14 after=7680 past=$L
rec ret=-14 after=7680 verdict=unknown
expect unknown-leak 0 'unknown=1 unknown_records=1'
ep; rec verdict=unknown
expect unknown-clean 0 'unknown=1 unknown_records=1'
# a remover in the truth's line does not excuse a claim of the only write
ep removers=true; rec past=4096 after=0 verdict=leak ret=-14 evidence=inferred
expect single-is-never-healed 1 'false_alarms=1 mismatch=0'

# --- without --all: what does not extend, or came to nothing, has no record ---------
MiB=1048576
ep before=$MiB off=0 len=4096 ret=4096
expect inside-needs-none 0 'unseen=1' --extending
ep before=$MiB off=$MiB len=4096 ret=4096 after=1052672
expect extending-needs-one 1 'missing=1' --extending
ep before=$MiB off=$MiB len=4096 ret=-11 writes="$(w 10 $MiB 4096 -11 pwritev2 true)"
expect empty-try-needs-none 0 'unseen=1' --extending
ep before=$MiB off=1044480 len=8192 ret=4096 steps='write via=pwrite off=1020K len=8K fsize=1M'
expect cut-at-limit-needs-none 0 'unseen=1' --extending
ep before=0 after=8192 n=2 writes="$(w 10 0 4096 4096 uring),$(w 10 4096 4096 4096 uring)"
rec off=4096 len=4096 ret=4096 before=0 after=8192 kind=async
expect overtaken-needs-none 0 'unseen=1' --extending
ep before=$MiB past=16384 off=0 len=4096 ret=4096
expect leak-from-inside-is-a-miss 1 'misses=1 unseen=1' --extending
# a claim past what the write asked for, over which EOF moved later
over() {
	ep before=$MiB after=2097152 n=2 writes="$(w 10 0 4096 4096 uring),$(w 10 $MiB $MiB $MiB uring)"
	rec off=0 len=4096 ret=4096 before=$MiB after=$MiB past=16384 verdict=leak kind=async flags='"new"'
	rec off=$MiB before=$MiB after=2097152 kind=async at=2000
}
over
expect past-what-was-asked 1 'false_alarms=1'
over
expect past-what-was-asked-over 0 'healed=1' --over

# --- other fields --------------------------------------------------------------------
ep; rec after=4096
expect mismatch-isize 0 'agree=1 mismatch=1'
ep; rec ret=4096
expect mismatch-ret 0 'agree=1 mismatch=1'
ep; rec off=4096
expect other-offset-is-another-write 1 'missing=1 stray=1'
ep; rec pre=8192
expect mismatch-prealloc 0 'agree=1 mismatch=1'
ep pre=8192; rec
expect tracer-may-know-less-prealloc 0 'agree=1'
ep ret=-14 after=8192; rec ret=-14 after=8192
expect mismatch-size-moved 0 'agree=1 mismatch=1'
ep; rec after=4096 ret=17 evidence=inferred
expect inferred-is-not-compared 0 'agree=1'
ep append=true before=8192 after=1056768
rec off=8192 before=8192 after=1056768 flags='"extend","append"'
expect append-moves-the-offset 0 'agree=1'
ep steps='write via=pwrite off=0 len=1M fsize=64K' after=65536 ret=65536
rec len=65536 after=65536 ret=65536
expect fsize-cuts-the-length 0 'agree=1'
ep steps='write via=pwrite off=0 len=1M fsize=64K' after=65536 ret=65536
rec len=4096 after=65536 ret=65536
expect fsize-cuts-not-there 1 'missing=1 stray=1'

# --- the join ------------------------------------------------------------------------
ep
expect missing 1 'missing=1'
ep; rec ino=14
expect other-inode 1 'missing=1 stray=1'
ep; rec dev=7:1
expect other-device 1 'missing=1 stray=1'
ep; ep; rec
expect record-of-the-next-episode 1 'missing=1 agree=1'
ep; rec at=-900; rec at=501000 off=5
expect slack-of-1us 0 'agree=1 stray=1 records=2'
ep; rec; rec ts=1700000 past=4096 verdict=leak; ep; rec
expect leak-between-episodes 1 'agree=2 stray=1 false_alarms=1'
ep; rec; rec ts=900 past=4096 verdict=leak
expect records-of-another-run 0 'agree=1'
ep steps='truncate size=0' n=0 writes=''; rec; ep; rec
expect record-without-a-write 0 'agree=1 stray=1'
ep steps='truncate size=0' n=0 writes=''; rec past=4096 verdict=leak; ep; rec
expect leak-without-a-write 1 'agree=1 stray=1 false_alarms=1'
ep steps='falloc off=0 len=1M' n=0 writes='' past=$L
expect no-write-nothing-judged 4 'episodes=0'

# --- writes that no hook saw -----------------------------------------------------------
ep ret=-11 after=0
rec tier=tracepoint ino=14
expect nowait-unseen-tracepoint 0 'unseen=1 stray=1' --tier tracepoint
ep ret=-11 after=0
rec ino=14
expect nowait-missing-fentry 1 'missing=1 stray=1'
ep ret=-14 after=0
expect fault-missing-tracepoint 1 'missing=1' --tier tracepoint
ep ret=-14 after=0
expect fault-unseen-blind 0 'unseen=1' --tier tracepoint --blind
ep
expect success-missing-blind 1 'missing=1' --tier tracepoint --blind
ep ret=-11 after=0 past=4096
expect unseen-leak-is-a-miss 1 'unseen=1 misses=1' --tier tracepoint
ep ret=null after=0 killed=true
expect killed-before-it-began 0 'unseen=1'
ep ret=null after=0 past=4096 killed=true
rec ret=-4 after=0
expect killed-and-leaked 1 'misses=1'
ep ret=null after=0 past=4096 killed=true
expect killed-and-leaked-without-record 1 'missing=1 misses=1'
ep ret=null after=0 past=4096 killed=true
expect killed-and-leaked-with-loss 0 'lost_writes=1 lost_episodes=1' --loss
ep n=2 writes="$(w 10 0 1048576 1048576 uring-linked),$(w 10 1048576 4096 -125 uring-linked)"; rec kind=async
expect cancelled-link 0 'agree=1 unseen=1'
ep len=0 ret=0 after=0
expect empty-write 0 'unseen=1'

# --- io_uring: a try, then a worker -----------------------------------------------------
ep via=uring ret=-14 after=7680 past=$L
rec kind=async flags='"extend","nowait"' ret=-11 after=0 extents=0
rec kind=async tid=77 at=2000 ret=-14 after=7680 past=$L verdict=leak flags='"extend","size-moved"'
expect try-then-leak 0 'hits=1 records=2'
ep via=uring
rec kind=async flags='"extend","nowait"' ret=-11 after=0 extents=0
expect try-alone-is-missing 1 'missing=1'
ep via=uring
rec kind=async flags='"extend","nowait"' ret=-11 after=0 extents=0
expect try-alone-with-loss 0 'lost_writes=1' --loss
ep via=uring ret=-14 after=7680 past=$L
rec kind=async flags='"extend","nowait"' ret=-11 after=0 extents=0
expect leak-of-a-lost-record 0 'lost_writes=1 lost_episodes=1' --loss
ep via=uring
rec kind=async pid=88 tid=88
expect worker-of-5.10 0 'agree=1'
ep via=uring
rec kind=async len=1048576 ret=65536 after=65536
rec kind=async off=65536 len=983040 ret=983040 before=65536 at=2000
expect rest-of-a-short-write 0 'agree=1'
ep via=uring
rec kind=async len=1048576 ret=65536 after=65536
expect rest-is-lost 0 'lost_writes=1 agree=1' --loss

# --- which record is whose -----------------------------------------------------------------
same='@1 write via=uring off=0 len=1M; @1 write via=pwrite off=0 len=1M'
ep steps="$same" n=2 writes="$(w 10 0 1048576 1048576 uring),$(w 10 0 1048576 -14)"
rec kind=async tid=77
rec ret=-14 before=1048576 at=5000
expect sync-and-async-at-one-place 0 'agree=1'
ep steps="$same" n=2 writes="$(w 10 0 1048576 1048576 uring),$(w 10 0 1048576 -14 uring)"
rec kind=async tid=77 ret=-14
rec kind=async tid=78 before=1048576 at=5000
expect workers-cross 0 'agree=1'
ep steps="$same" n=2 writes="$(w 10 0 1048576 1048576 uring),$(w 10 0 1048576 -14 uring)"
rec kind=async tid=77 ret=-14
rec kind=async tid=78 ret=-5 before=1048576 at=5000
expect workers-cross-only-if-both-fit 0 'agree=1 mismatch=1'
ep steps='@1 write via=pwrite off=0 len=1M flags=append fsize=3M; @2 write via=pwrite off=0 len=1M fsize=64K' \
	actors=2 n=2 writes="$(w 10 0 1048576 524288 pwrite false true),$(w 11 0 1048576 65536)"
rec flags='"append"' off=2621440 len=524288 before=2621440 ret=524288
rec pid=11 tid=11 len=65536 ret=65536
expect append-and-two-limits 0 'agree=1'

# --- several writes --------------------------------------------------------------------------
two() { # RET1 RET2: 1 MiB each, one after the other
	echo "$(w 10 0 1048576 "$1"),$(w 11 1048576 1048576 "$2")"
}
group='@1 write via=pwrite off=0 len=1M; @2 write via=pwrite off=1M len=1M'
g() { ep steps="$group" actors=2 n=2 "$@"; }
second='pid=11 tid=11 off=1048576 at=5000'

g after=2097152 writes="$(two -14 1048576)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=2097152
expect healed-by-eof 0 'healed=1'
g after=7680 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14 trim=7680 trim_ret=0 verdict=trimmed
expect healed-by-a-trim 0 'healed=1'
g after=7680 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14 trim=7680 trim_ret=-5 verdict=clean
expect failed-trim-heals-nothing 1 'false_alarms=1'
g after=7680 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak at=8000
# shellcheck disable=SC2086
rec $second at=1000 took=1000 before=7680 after=7680 ret=-14 trim=7680 trim_ret=0 verdict=trimmed
expect earlier-trim-heals-nothing 1 'false_alarms=1'
g after=7680 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect nothing-heals 1 'false_alarms=1'
# the tracepoint tier has no trim of a failing write that has nothing of its own to trim
g after=7680 writes="$(two -14 -22)"
# shellcheck disable=SC2086
rec tier=tracepoint $leak
# shellcheck disable=SC2086
rec tier=tracepoint $second before=7680 after=7680 ret=-22
expect healed-by-an-unseen-trim 0 'healed=1'
g after=7680 writes="$(two -14 -22)"
# shellcheck disable=SC2086
rec tier=tracepoint $leak
# shellcheck disable=SC2086
rec tier=tracepoint $second before=7680 after=7680 ret=-22 flags='"unaligned"'
expect trims-only-what-extends 1 'false_alarms=1'
# a part of the claim is in the file now; the rest is there
g after=16384 past=$((L - 8192)) writes="$(two -14 8192)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=16384 ret=8192
expect part-of-it-covered 0 'hits=1'
g after=16384 past=$((L - 12288)) writes="$(two -14 8192)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=16384 ret=8192
expect part-of-it-covered-inexact 0 'hits=1 inexact=1'
# EOF grew over a part only: the rest would be on disk
g after=65536 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=65536 ret=-14
expect half-covered 1 'false_alarms=1'
# i_size in the record lies below what the write itself has written
g after=2097152 writes="$(two 1048576 1048576)"
rec past=$L after=7680 verdict=leak
# shellcheck disable=SC2086
rec $second before=1048576 after=2097152
expect claim-with-stale-isize 1 'false_alarms=1'
# more than the write asked for can never have been there
g after=2097152 writes="$(two -14 1048576)"
rec ret=-14 after=7680 past=$((L + 4096)) verdict=leak
# shellcheck disable=SC2086
rec $second before=7680 after=2097152
expect claim-past-the-request 1 'false_alarms=1'
group="$group; @3 truncate size=0"
g after=0 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect healed-by-truncate 0 'healed=1'
group=${group%; @3*}

g after=7680 past=$L writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect group-hit 0 'hits=1'
g after=7680 past=$L writes="$(two -14 -14)"
rec ret=-14 after=7680
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect group-miss 1 'misses=1'
g after=7680 past=$L writes="$(two -14 -14)"
rec ret=-14 after=7680 verdict=unknown
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect group-unknown 0 'unknown=1'
g after=7680 past=$L writes="$(two -14 -14)"
rec ret=-14 after=7680 past=4096 verdict=leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect a-small-claim-hides-no-leak 1 'misses=1'
g after=7680 past=4096 writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect group-inexact 0 'hits=1 inexact=1'
g after=7680 past=$L writes="$(two -14 -14)"
rec ret=-14 after=7680
expect group-lost 0 'lost_writes=1 lost_episodes=1' --loss
g after=7680 past=$L writes="$(two -14 -14)"
rec ret=-14 after=7680
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect group-miss-with-loss 1 'misses=1' --loss
g after=7680 past=4096 unwritten=4096 writes="$(two -14 -14)"
rec ret=-14 after=7680
expect missing-in-a-group 1 'missing=1 misses=1'
g after=7680 past=$L writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14 past=4096 verdict=leak
expect one-claim-too-many 1 'hits=1 false_alarms=1'
g after=7680 past=$L writes="$(two -14 -14)"
# shellcheck disable=SC2086
rec $leak flags='"extend","unwritten"'
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14 past=4096 verdict=leak
expect unwritten-blocks-claimed-twice 0 'hits=1'
group="$group; @3 falloc off=2M len=4K"
g after=7680 falloc=4096 writes="$(two -14 -14)"
rec ret=-14 after=7680 past=4096 verdict=leak
# shellcheck disable=SC2086
rec $second before=7680 after=7680 ret=-14
expect claim-in-fallocated-blocks 0 'healed=1'
g after=2097152 past=4096 unwritten=0 writes="$(two 1048576 1048576)"
rec
# shellcheck disable=SC2086
rec $second before=1048576 after=2097152
expect fallocate-excuses-no-miss 1 'misses=1'
group=${group%; @3*}

# --- lost data ---------------------------------------------------------------------------------
ep lost=4096; rec flags='"extend","overtrim"'
expect lost-data-hit 0 'agree=1 lost_data_hits=1'
ep lost=4096; rec
expect lost-data-miss 1 'agree=1 lost_data_misses=1'
ep data=false after=0; rec after=0
expect lost-behind-eof 1 'agree=1 lost_data_misses=1'
ep via=aio data=false after=0; rec after=0 kind=async flags='"async","async-extend"'
expect async-extend-hit 0 'agree=1 lost_data_hits=1'
ep; rec flags='"extend","overtrim"'
expect overtrim-false 1 'agree=1 overtrim_false=1'
ep ret=-14 after=0 cut=4096; rec ret=-14 after=0 flags='"overtrim"'
expect overtrim-of-old-data 0 'agree=1 lost_data_hits=1'
ep ret=-14 after=0 cut=4096; rec ret=-14 after=0
expect overtrim-of-old-data-missed 1 'agree=1 lost_data_misses=1'
ep ret=-14 after=0; rec ret=-14 after=0 flags='"overtrim"'
expect overtrim-false-after-error 1 'agree=1 overtrim_false=1'
ep ret=-14 after=0 hole=4096; rec ret=-14 after=0 flags='"overtrim"'
expect overtrim-over-an-old-hole 0 'agree=1 overtrim_unchecked=1'
ep data=false; rec
expect corrupt-data 0 'agree=1 corrupt_data=1'

# --- loss -----------------------------------------------------------------------------------------
ep; loss ring_full 1
expect loss-excuses-one 0 'lost_writes=1' --tier fentry
ep; ep; loss ring_full 1
expect loss-excuses-no-more 1 'lost_writes=1 missing=1' --tier fentry
ep; loss half_seen 5
expect half-seen-excuses-nothing 1 'missing=1' --tier fentry
ep
expect lost-write 0 'lost_writes=1' --loss --tier fentry
ep ret=-14 after=7680 past=$L
rec ret=-14 after=7680
expect wrong-clean-with-loss 1 'misses=1 mismatch=1' --loss
ep; rec past=4096 verdict=leak
expect wrong-leak-with-loss 1 'false_alarms=1' --loss

# --- input ------------------------------------------------------------------------------------------
ep; rec; echo '{"half' >>"$tmp/trace"
expect broken-line 6 -
ep; rec; printf '{"half' >>"$tmp/trace"
expect line-still-being-written 0 'agree=1'
ep; rec; rec tier=kprobe
expect two-tiers 6 -
ep; rec
expect other-tier 6 - --tier kprobe
ep; rec; sed -i 1d "$tmp/truth"
expect no-header 6 -
ep; rec; episodes=2
expect truth-lacks-a-line 6 'agree=1'

# --- merge -----------------------------------------------------------------------------------------
ep; rec; end
for kernel in 6.12 5.10 6.12; do
	"$score" --json --label kernel=$kernel --label tier=fentry "$tmp/truth" "$tmp/trace"
done | sed 's/^{/# score {/' >"$tmp/all"
"$score" merge "$tmp/all" --json "$tmp/report" >"$tmp/out"
says merge-sums '| 6.12 | fentry | 2 | 2 |' "$tmp/out"
says merge-totals '| \*\*all\*\* |  | 3 | 3 |' "$tmp/out"
says merge-json '"total"' "$tmp/report"
