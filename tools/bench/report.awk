# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
# The tables, the bars and what moved.
#   awk -v quick=1 -f report.awk THRESHOLDS RESULTS; exit 1 if something moved for the worse

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

# "bar KEY <= FACTOR KEY", or a plain number
function bar(line, f, limit, n) {
	n = split(line, f, /[ \t]+/)
	if (!has(f[2]) || (n > 4 && !has(f[5])))
		return
	limit = n > 4 ? f[4] * value[f[5]] : f[4]
	if (!n_bars++)
		printf "\nbars of the project's issue 4\n"
	printf "  %-3s %-28s %10.4g %2s %10.4g  (%s%s)\n",
		(f[3] == "<=" ? value[f[2]] <= limit : value[f[2]] >= limit) ? "ok" : "NO",
		f[2], value[f[2]], f[3], limit, f[4], (n > 4) ? " x " f[5] : ""
}

FILENAME == ARGV[1] {
	if ($1 == "bar")
		bars[++n_lines] = $0
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
		if (part[1] == "ours" && part[2] !~ /-/)
			keys["memory", ++n_keys["memory"]] = "memory/" part[2] "/" part[3]
		value["memory/" part[2] "/" part[3]] = $2
		unit["memory/" part[2] "/" part[3]] = "bytes"
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
	others("files", "growth: files")
	if (!("files" in n_keys))
		printf "\ngrowth: files 10 to 1,000,000: not built yet, there are no per-file maps\n"
	others("memory", "memory of maps and of the process, 1 CPU")
	others("user", "user side")
	others("live", "live, this machine's kernel")
	for (i = 1; i <= n_lines; i++)
		bar(bars[i])
	for (k in was) {
		if (!has(k) || was[k] == 0)
			continue
		delta = 100 * (value[k] - was[k]) / was[k]
		small = value[k] - was[k] < 12 && was[k] - value[k] < 12 # a timer's tick more or less
		if (small || (delta < 3 && delta > -3))
			continue
		if (!moved++)
			printf "\nmoved against tools/bench/thresholds by more than 3 %%\n"
		printf "  %-36s %10s -> %10s  %+.1f %%\n", k, was[k], value[k], delta
		worse += delta > 0
	}
	if (!moved)
		printf "\nnothing moved by more than 3 %% against tools/bench/thresholds\n"
	exit worse > 0
}
