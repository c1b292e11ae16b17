# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The tables, the bars and what moved.
#   awk -v judged=FILE -f report.awk THRESHOLDS RESULTS; exit 1 if something moved for the worse
# FILE gets the bars and what moved as two members of a JSON object.

function has(key) { return key in value }
function cell(key) { return has(key) ? value[key] : "-" }
function over(key, floor) { return has(key) && value[floor] > 0 ? sprintf("%.2f", value[key] / value[floor]) : "-" }

function mega(key) { return has(key) ? sprintf("%.1f", value[key] / 1e6) : "-" }

function floors_of(boot) { return boot "/F4/" }

function vm_table(boot, title, i, r, p, f) {
	if (!(boot in n_rows))
		return
	f = floors_of(boot)
	printf "\n%s: added instructions for each operation of 4 KiB\n", title
	printf "%-17s %9s %6s %9s %6s %9s %6s %9s %8s %8s %6s\n", "", "overwrite", "/F4", "machine", "/F4",
		"append", "/F4", "machine", "read", "buffered", "idle/s"
	for (i = 1; i <= n_rows[boot]; i++) {
		r = rows[boot, i]
		p = boot "/" r "/"
		if (has(p "failed")) {
			printf "%-17s failed: see the log\n", r
			continue
		}
		printf "%-17s %9s %6s %9s %6s %9s %6s %9s %8s %8s %6s\n", r,
			cell(p "overwrite"), r == "base" ? "" : over(p "overwrite", f "overwrite"),
			cell(p "overwrite-total"), r == "base" ? "" : over(p "overwrite-total", f "overwrite"),
			cell(p "append"), r == "base" ? "" : over(p "append", f "append"), cell(p "append-total"),
			cell(p "read"), cell(p "buffered"), mega(p "idle")
	}
}

function others(section, title, i, k) {
	if (!(section in n_keys))
		return
	printf "\n%s\n", title
	for (i = 1; i <= n_keys[section]; i++) {
		k = keys[section, i]
		printf "  %-44s %12s %s\n", substr(k, length(section) + 2), value[k], unit[k]
	}
}

# "bar KEY <= FACTOR KEY", or a plain number; what was not measured is neither met nor missed
function bar(line, f, limit, n, text, met) {
	n = split(line, f, /[ \t]+/)
	text = f[4] ((n > 4) ? " x " f[5] : "")
	if (!n_bars++) {
		printf "\nbars of the project's issue 4\n"
		printf "\"bars\":[" >judged
	}
	printf "%s\n{\"key\":\"%s\",\"bar\":\"%s %s\",", (n_bars > 1) ? "," : "", f[2], f[3], text >judged
	if (!has(f[2]) || (n > 4 && !has(f[5]))) {
		printf "  -   %-38s not measured%14s (%s)\n", f[2], "", text
		printf "\"value\":%s,\"limit\":null,\"met\":null}", has(f[2]) ? value[f[2]] : "null" >judged
		return
	}
	limit = n > 4 ? f[4] * value[f[5]] : f[4]
	met = f[3] == "<=" ? value[f[2]] + 0 <= limit + 0 : value[f[2]] + 0 >= limit + 0
	printf "  %-3s %-38s %10.9g %2s %10.9g  (%s)\n", met ? "ok" : f[1] == "aim" ? "aim" : "NO", f[2], value[f[2]], f[3], limit, text
	printf "\"value\":%s,\"limit\":%.9g,\"met\":%s}", value[f[2]], limit, met ? "true" : "false" >judged
}

function moved(k, delta, small) {
	delta = 100 * (value[k] - was[k]) / was[k]
	small = value[k] - was[k] < 12 && was[k] - value[k] < 12 # a timer's tick more or less
	if (small || (delta < 3 && delta > -3))
		return
	if (!n_moved++)
		printf "\nmoved against tools/bench/thresholds by more than 3 %%\n"
	printf "  %-36s %10s -> %10s  %+.1f %%\n", k, was[k], value[k], delta
	printf "%s\n{\"key\":\"%s\",\"was\":%s,\"now\":%s}", (n_moved > 1) ? "," : "", k, was[k], value[k] >judged
	worse += delta > 0
}

FILENAME == ARGV[1] {
	if ($1 == "bar" || $1 == "aim")
		bars[++n_lines] = $0
	if ($1 == "was")
		order[++n_was] = $2
	if ($1 == "was")
		was[$2] = $3
	next
}
{
	split($1, part, "/")
	value[$1] = $2
	unit[$1] = $0
	sub(/^[^\t]*\t[^\t]*\t/, "", unit[$1])
	if (part[3] == "maps" || part[3] == "rss") {
		if (part[1] == "peers" || part[2] ~ /-(other|all)$/)
			next
		at = "memory/" part[2] "/" part[3]
		if (at in value) # another boot's, the same
			next
		keys["memory", ++n_keys["memory"]] = at
		value[at] = $2
		unit[at] = "bytes"
		next
	}
	keys[part[1], ++n_keys[part[1]]] = $1
	if (!((part[1], part[2]) in seen)) {
		seen[part[1], part[2]] = 1
		rows[part[1], ++n_rows[part[1]]] = part[2]
	}
}

END {
	vm_table("ours", "ext4diotop")
	vm_table("peers", "peers")
	others("flight", "growth: writes in flight (added instructions for each overwrite)")
	others("smp", "growth: threads and CPUs (whole machine, added instructions for each overwrite)")
	others("files", "growth: files (update: instructions, in the VM; ns: live; hash: a hash map with room for all)")
	others("memory", "memory of maps and of the process, 1 CPU where none is said")
	others("maps", "maps of the tier that this machine loads")
	others("user", "user side")
	others("live", "live, this machine's kernel")
	others("loss", "records lost at a paced rate, this machine")
	for (i = 1; i <= n_lines; i++)
		bar(bars[i])
	printf "],\n\"moved\":[" >judged
	for (i = 1; i <= n_was; i++)
		if (has(order[i]) && was[order[i]] != 0)
			moved(order[i])
	printf "]" >judged
	if (!n_moved)
		printf "\nnothing moved by more than 3 %% against tools/bench/thresholds\n"
	exit worse > 0
}
