# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The log of a boot, after the plugin's file, to lines "KEY<TAB>VALUE<TAB>UNIT".
#   awk -v boot=ours -f collect.awk WINDOWS LOG
# KEY is boot/row/mode for what the writing thread executes, boot/row/mode-total for the whole
# machine; both for each operation, and without the base's, but for the base itself.

function median(list, a, n, i, j, x) {
	n = split(list, a, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) {
			x = a[j]; a[j] = a[j - 1]; a[j - 1] = x
		}
	return a[int((n + 1) / 2)]
}

function put(key, value, unit) { printf "%s\t%s\t%s\n", boot "/" key, value, unit }

# base@4 is the base of fentry@4
function base_of(name) {
	sub(/^[^@]*/, "base", name)
	return name
}

FILENAME == ARGV[1] { total[$1] = $2; n_total++; next }
{ sub(/\r$/, "") }
$1 == "row" { row = $2; rows[++n_rows] = row }
$1 == "warm" { at++ }
$1 == "window" {
	key = row SUBSEP $2
	if (!(key in own))
		keys[++n_keys] = key
	own[key] = own[key] " " $5 / $3
	if (at in total)
		all[key] = all[key] " " total[at] / $3
	at++
}
$1 == "memory" {
	name = $2 ($5 > 0 ? "-" $5 + 1 "-CPUs" : "") # $5: the last possible CPU
	put(name "/maps", $3, "B")
	put(name "/rss", $4, "B")
}
/^files\// { print }
$1 == "failed" { sub(/:$/, "", $2); put($2 "/failed", 1, "") }

END {
	if (n_total && n_total != at) { # which total is whose is not known
		print boot ": " n_total " windows of the plugin, " at + 0 " of the writer: no totals" >"/dev/stderr"
		split("", all)
	}
	for (i = 1; i <= n_keys; i++) {
		split(keys[i], k, SUBSEP)
		b = base_of(k[1]) SUBSEP k[2]
		base = k[1] ~ /^base/ || k[2] == "idle"
		if (k[2] == "idle") {
			if (keys[i] in all)
				put(k[1] "/idle", sprintf("%.0f", median(all[keys[i]]) * 1000), "insn/s")
			continue
		}
		if (boot != "smp") # there other CPUs' instructions pass as this thread's time
			put(k[1] "/" k[2], sprintf("%.0f", median(own[keys[i]]) - (base ? 0 : median(own[b]))), "insn")
		if (keys[i] in all)
			put(k[1] "/" k[2] "-total", sprintf("%.0f", median(all[keys[i]]) - (base ? 0 : median(all[b]))), "insn")
	}
}
