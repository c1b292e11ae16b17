#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Starts and ends a tracer beside a workload; sourced by scripts that run under
# dash and busybox sh alike. The caller's trap calls stop_tracer.

tracer='' tracer_rc=''
ready_seconds=${E4D_READY_SECONDS:-60} # until the tracer has attached

# start_tracer PROGRAM FILE OPTIONS...: the trace goes to FILE.jsonl, words to
# FILE.err. Returns 0, 3 (cannot run here) or 1.
start_tracer() {
	tracer_err=$2.err
	tracer_bin=$1 tracer_out=$2.jsonl
	shift 2
	: >"$tracer_err" # or the words of an earlier one are read
	"$tracer_bin" trace "$@" >"$tracer_out" 2>"$tracer_err" &
	tracer=$!
	tracer_ticks=0
	until grep -q '^tracing' "$tracer_err"; do
		if ! kill -0 "$tracer" 2>/dev/null; then
			wait "$tracer"
			tracer_rc=$?
			tracer=''
			cat "$tracer_err" >&2
			[ "$tracer_rc" -eq 3 ] && return 3
			echo "tracer: ended before it was ready, exit $tracer_rc" >&2
			return 1
		fi
		tracer_ticks=$((tracer_ticks + 1))
		if [ $tracer_ticks -ge $((ready_seconds * 10)) ]; then
			cat "$tracer_err" >&2
			echo "tracer: not ready after $ready_seconds seconds" >&2
			return 1
		fi
		sleep 0.1
	done
}

# Gives the tracer time to write its last records; never leaves it behind.
# Its exit code is in tracer_rc.
stop_tracer() {
	[ -n "$tracer" ] || return 0
	kill -INT "$tracer" 2>/dev/null
	tracer_tries=0
	while kill -0 "$tracer" 2>/dev/null; do
		tracer_tries=$((tracer_tries + 1))
		[ $tracer_tries -eq 100 ] && echo "tracer: it ignores SIGINT" >&2 && kill -TERM "$tracer"
		[ $tracer_tries -ge 120 ] && kill -KILL "$tracer"
		sleep 0.1
	done
	wait "$tracer"
	tracer_rc=$?
	tracer=''
}
