#!/bin/sh
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# Compares the verifier's work with tests/vm/verifier.expected; one line each:
#   KERNEL TIER PROGRAM INSTRUCTIONS VERIFIED
# More than 10 % above the file is a failure (kernels move too); an unknown or
# missing program is one. --update REPORT writes the file anew.
set -u
want=$(dirname "$0")/verifier.expected
if [ "${1-}" = --update ]; then
	sort "$2" >"$want"
	exit
fi
awk -v want="$want" '
BEGIN { while ((getline line < want) > 0) { split(line, f, " "); k = f[1] "/" f[2] "/" f[3]
	n[k] = f[4]; v[k] = f[5]; left[k] = 1 } }
{
	k = $1 "/" $2 "/" $3
	seen[$1] = 1
	if (!(k in n)) { print "not ok verifier/" k ": expected a row in " want ", got none"; next }
	delete left[k]
	if ($4 > n[k] * 1.1 || $5 > v[k] * 1.1)
		print "not ok verifier/" k ": expected at most " n[k] " instructions and " v[k] \
			" verified (+10 %), got " $4 " and " $5
	else print "ok verifier/" k
}
END { for (k in left) { split(k, f, "/")
	if (f[1] in seen) print "not ok verifier/" k ": expected to load, it did not" } }' "$1"
