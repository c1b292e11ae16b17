#!/bin/bash
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Long commands side by side; sourced, never run.

# job MAX COMMAND...: in the background, as soon as fewer than MAX of them run. Then: wait
job() {
	local max=$1
	shift
	while [ "$(jobs -pr | wc -l)" -ge "$max" ]; do
		wait -n || true
	done
	"$@" &
}

# What a job waits for (run.sh, which ends its VM) hears of the signal as well.
end_jobs() { # EXIT
	local pid children
	trap '' INT TERM HUP
	for pid in $(jobs -p); do
		children=$(<"/proc/$pid/task/$pid/children")
		# shellcheck disable=SC2086 # a list
		kill $pid $children
	done 2>/dev/null
	wait
	exit "$1"
}
trap 'end_jobs 130' INT
trap 'end_jobs 143' TERM HUP
