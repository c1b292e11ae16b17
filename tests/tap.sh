# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# shellcheck shell=bash
# TAP lines of a suite; the script that reads this names it: suite=NAME.
check() { # NAME EXPECTED GOT
	# shellcheck disable=SC2154
	if [ "$2" = "$3" ]; then echo "ok $suite/$1"; else echo "not ok $suite/$1: expected '$2', got '$3'"; fi
}
says() { # NAME TEXT FILE
	if grep -q -- "$2" "$3"; then echo "ok $suite/$1"; else
		echo "not ok $suite/$1: expected '$2', got '$(head -c 200 "$3" | tr '\n' ' ')'"
	fi
}
await() { # TEXT FILE PID: until a line of FILE begins with TEXT; not when PID has ended
	until grep -q "^$1" "$2"; do kill -0 "$3" 2>/dev/null || return 1; sleep 0.05; done
}
