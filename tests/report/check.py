#!/usr/bin/env python3
# SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause)
"""What tests/report.sh asks of a report's outputs, by other programs' eyes.

usage: check.py WHAT ARGUMENT...     prints "ok", or the first thing that is wrong
"""
import csv
import html.parser
import json
import re
import subprocess
import sys
from datetime import datetime

# As in makedump.c: what write i says, whether the names are hostile or not.
PATHS = [b"/srv/data/base/16384/2619", b"/srv/data/pg_wal/000000010000000000000042",
         b"/srv/my data/a,b", b"/srv/data/c", b"/srv/data/d", b"/srv/data/e", b"/srv/data/f"]
COMMS = [b"postgres", b"fio", b"dd", b"postgres"]
BAD_PATHS = [b"/srv/</script><script>document.title='pwned'</script>",
             b"/srv/\"><img src=x onerror=document.title='pwned'>", b"/srv/\x1b[31mred\x1b]0;title\x07",
             b"/srv/'); DROP TABLE writes; --", b"=HYPERLINK(\"http://x\",\"y\")",
             b"/srv/new\nline,\"quoted\"\r", b"/srv/bad\xff\xfe utf8 \xe2\x80\xae rtl &amp; \\x41"]
BAD_COMMS = [b"=1+1", b"<b>\"'&", b"\x1b[2J", b"a\xff\n,b"]


def fail(text):
    print(text)
    sys.exit(1)


def same(what, expected, got):
    if expected != got:
        fail(f"{what}: expected {expected!r}, got {got!r}")


def lines(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [r for r in rows if "loss" not in r], [r for r in rows if "loss" in r]


def in_json(raw):
    """How JSON shows bytes: one that is no UTF-8 as the character of its number."""
    out = ""
    while raw:
        try:
            return out + raw.decode()
        except UnicodeDecodeError as e:
            out += raw[:e.start].decode() + chr(raw[e.start])
            raw = raw[e.start + 1:]
    return out


def unescaped(text):
    """The bytes that text with \\xNN stands for."""
    return re.sub(rb"\\(x([0-9a-f]{2})|\\)", lambda m: bytes([int(m[2], 16)]) if m[2] else b"\\", text.encode())


def names(seq, hostile):
    i = seq - 100000
    return ((BAD_COMMS if hostile else COMMS)[i % 4], (BAD_PATHS if hostile else PATHS)[i % 7])


def truth(path, n, every, hostile):
    """The dump's content, as makedump was told."""
    rows, _ = lines(path)
    same("writes", int(n), len(rows))
    for r in rows:
        i = r["seq"] - 100000
        finding = (i + 1) % int(every) == 0
        comm, name = names(r["seq"], hostile == "hostile")
        same(f"write {i}: comm", in_json(comm), r["comm"])
        same(f"write {i}: path", in_json(name), r["path"])
        same(f"write {i}: offset", i * 4096, r["offset"])
        same(f"write {i}: past_eof", 4096 * (1 + i % 9) if finding else 0, r["past_eof"])
        same(f"write {i}: ret", -14 if finding else 4096, r["ret"])
        word = ("leak" if (i + 1) // int(every) % 2 else "trim-failed") if finding else "clean"
        same(f"write {i}: verdict", word, r["verdict"])
    same("seqs", list(range(100000, 100000 + int(n))), sorted(r["seq"] for r in rows))


BT = re.compile(r"^\[[^]]*\] \(\+[^)]*\) .*? (write|inside): \{[^}]*\}, \{ (.*) \}$")
FIELD = re.compile(r'(\w+) = ("(?:[^"\\]|\\.)*"|\( "([^"]*)" : container = \d+ \)|0x[0-9A-F]+|-?\d+)')
PLAIN = ["ts_ns", "seq", "ino", "offset", "mapped_end", "alloc_end", "isize_before", "isize_after", "past_eof",
         "prealloc", "exposed_ns", "latency_ns", "submitted", "mapped", "pid", "tid", "gen", "extents", "cpu"]
INSIDE = ["seq", "offset", "latency_ns", "submitted", "mapped", "ino", "pid", "tid", "gen", "extents", "cpu"]
SEEN = {"dio_error": 0, "dio_size": 1, "ret": 2, "fallback": 3, "trim_from": 4, "trim_ret": 5}


def babeltrace(path, dump):
    """babeltrace2's text of the dump: the same number of writes, and the same values."""
    rows = {r["seq"]: r for r in lines(path)[0]}
    text = subprocess.run(["babeltrace2", dump], capture_output=True, check=True).stdout.decode("latin-1")
    n = 0
    for line in text.split("\n"):
        m = BT.match(line)
        if not m:
            continue
        n += 1
        v = {k: word or raw for k, raw, word in FIELD.findall(m[2])}
        r = rows[int(v["seq"])]
        if m[1] == "inside":
            for f in INSIDE:
                same(f"seq {v['seq']}: {f}", int(v[f]), r[f])
            for f in ("dio_size", "ret"): # it came through as a whole
                same(f"seq {v['seq']}: {f}", int(v["submitted"]), r[f])
            for f in ("isize_before", "isize_after"):
                same(f"seq {v['seq']}: {f}", int(v["isize"]), r[f])
            same(f"seq {v['seq']}: comm", v["comm"], f'"{r["comm"]}"')
            same(f"seq {v['seq']}: verdict", "clean", r["verdict"])
            continue
        for f in PLAIN:
            same(f"seq {v['seq']}: {f}", int(v[f]), r[f])
        for f, bit in SEEN.items():
            same(f"seq {v['seq']}: {f}", int(v[f]) if int(v["seen"], 16) >> bit & 1 else None, r[f])
        for f in ("tier", "evidence"):
            same(f"seq {v['seq']}: {f}", v[f], r[f])
        same(f"seq {v['seq']}: verdict", v["verdict"].replace("_", "-"), r["verdict"])
        same(f"seq {v['seq']}: dev", f"{int(v['dev']) >> 20}:{int(v['dev']) & 0xfffff}", r["dev"])
        same(f"seq {v['seq']}: blksize", 1 << int(v["blkbits"]), r["blksize"])
    same("writes", len(rows), n)


def as_text(v):
    return "" if v is None else "+".join(v) if isinstance(v, list) else str(v).lower() if isinstance(v, bool) else str(v)


def against(r, got, hostile):
    """One write of another format, all strings, against its JSON line."""
    comm, path = names(r["seq"], hostile == "hostile")
    for f in r:
        if f == "comm":
            same(f"seq {r['seq']}: comm", comm, unescaped(got[f]))
        elif f == "path":
            same(f"seq {r['seq']}: path", path, unescaped(got[f]))
        elif f not in ("ts", "host"):
            same(f"seq {r['seq']}: {f}", as_text(r[f]), got[f])


def as_csv(path, table, hostile):
    rows, lost = lines(path)
    with open(table, encoding="utf-8", newline="") as f:
        got = [g for g in csv.reader(f)]
    head, body = got[0], [g for g in got[1:] if not g[0].startswith("# loss")]
    same("header", list(rows[0]), head)
    same("lines", len(rows), len(body))
    same("losses", [[f"# loss", l["loss"], str(l["count"])] for l in lost], [g[:3] for g in got[1 + len(body):]])
    for r, g in zip(rows, body):
        for cell in g:
            if re.match(r"[=+@\t\r]|-[^0-9]", cell):
                fail(f"a spreadsheet takes this for a formula: {cell!r}")
        against(r, dict(zip(head, g)), hostile)


def sqlite(path, base, host, hostile):
    """The table of writes, by the sqlite3 command."""
    rows = [r for r in lines(path)[0] if r.get("host", host) == host]
    sql = f"SELECT writes.* FROM writes JOIN hosts ON hosts.id = writes.host WHERE hosts.host = '{host}' ORDER BY writes.rowid"
    out = subprocess.run(["sqlite3", "-json", base, sql], capture_output=True, check=True).stdout
    got = json.loads(out)
    same("rows", len(rows), len(got))
    same("columns", ["host"] + [f for f in rows[0] if f != "host"], list(got[0]))
    for r, g in zip(rows, got):
        g = {k: as_text(bool(v)) if k == "orphan" and v is not None else as_text(v) for k, v in g.items()}
        same(f"seq {r['seq']}: ts", datetime.fromisoformat(r["ts"][:26] + "+00:00"), datetime.fromisoformat(g["ts"][:26] + "+00:00"))
        against(r, g, hostile)


def merged(path, hosts):
    """By the time of the end, of all hosts."""
    rows = lines(path)[0]
    same("hosts", int(hosts), len({r["host"] for r in rows}))
    last = 0
    for r in rows:
        at = datetime.fromisoformat(r["ts"][:19] + "+00:00").timestamp() * 10**9 + int(r["ts"][20:29]) + r["latency_ns"]
        if at < last - 1000:
            fail(f"seq {r['seq']} of {r['host']} comes too late")
        last = max(at, last)


def packets(text):
    """protoc's text of a Trace: dictionaries of lists."""
    top = {}
    stack = [top]
    for line in text.split("\n"):
        line = line.strip()
        if line.endswith("{"):
            new = {}
            stack[-1].setdefault(line[:-2], []).append(new)
            stack.append(new)
        elif line == "}":
            stack.pop()
        elif ": " in line:
            k, v = line.split(": ", 1)
            stack[-1].setdefault(k, []).append(v)
    same("braces", 1, len(stack))
    return top["packet"]


def string(v):
    """A protoc string as text."""
    raw = re.sub(rb"\\([0-7]{3}|.)", lambda m: bytes([int(m[1], 8)]) if len(m[1]) == 3 else
                 {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[1], m[1]), v[1:-1].encode())
    return raw.decode()


def perfetto(path, proto, trace, hostile):
    """protoc --decode: each write is one slice, its arguments the fields; slices of a track do not overlap."""
    with open(trace, "rb") as f:
        out = subprocess.run(["protoc", "--decode=e4d.pf.Trace", f"--proto_path={proto}", f"{proto}/perfetto.proto"],
                             stdin=f, capture_output=True, check=True).stdout.decode()
    if re.search(r"^\s*\d+[:{ ]", out, re.M):
        fail("a field that the .proto does not know")
    rows = {r["seq"]: r for r in lines(path)[0]}
    known, tracks, findings, fields, n = {}, {}, 0, {}, 0
    for p in packets(out):
        for d in p.get("track_descriptor", []):
            known[d["uuid"][0]] = d
        for d in p.get("interned_data", []):
            fields = {a["iid"][0]: string(a["name"][0]) for a in d["debug_annotation_names"]}
        for e in p.get("track_event", []):
            kind, track = e["type"][0], e["track_uuid"][0]
            if track not in known:
                fail(f"track {track} was not described")
            if kind == "TYPE_INSTANT":
                findings += 1
            if not kind.startswith("TYPE_SLICE"):
                continue
            at = int(p["timestamp"][0])
            if kind == "TYPE_SLICE_END":
                tracks[track][-1].append(at)
                continue
            tracks.setdefault(track, []).append([at])
            n += 1
            args = {}
            for a in e["debug_annotations"]:
                value = next(v[0] for k, v in a.items() if k != "name_iid")
                args[fields[a["name_iid"][0]]] = string(value) if value.startswith('"') else value
            r = rows[int(args["seq"])]
            same(f"seq {r['seq']}: begin", r["ts_ns"], at)
            same(f"seq {r['seq']}: name", r["verdict"], string(e["name"][0]))
            against(r, {f: args.get(f, "") for f in r}, hostile)
    same("slices", len(rows), n)
    same("findings", sum(r["verdict"] in ("leak", "trim-failed") for r in rows.values()), findings)
    for track, slices in tracks.items():
        last = 0
        for begin, end in sorted(slices):
            if begin < last:
                fail(f"slices of track {track} overlap at {begin}")
            last = end
    by_end = sorted(rows.values(), key=lambda r: r["ts_ns"] + r["latency_ns"])
    same("last end", by_end[-1]["ts_ns"] + by_end[-1]["latency_ns"], max(s[-1][1] for s in tracks.values()))


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.inside, self.data, self.scripts, self.loads = False, "", 0, []

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.inside = tag == "script" and a.get("id") == "data"
        self.scripts += tag == "script"
        self.loads += [v for k, v in attrs if k in ("src", "href") and not (v or "").startswith("data:")]

    def handle_data(self, data):
        if self.inside:
            self.data += data


def page(path, doc):
    """The page's data against the summary object; no script and no load but its own."""
    with open(doc, encoding="utf-8") as f:
        p = Page()
        p.feed(f.read())
    same("scripts", 2, p.scripts)
    same("loads", [], p.loads)
    d = json.loads(p.data)
    with open(path, encoding="utf-8") as f:
        s = json.load(f)
    for k in ("writes", "extending", "failed", "submitted", "findings", "past_eof"):
        same(k, s[k], d[k])
    same("bins", s["writes"], sum(b[0] for b in d["bins"]))
    same("marks", s["findings"], sum(sum(b[2:]) for b in d["bins"]))
    same("latency", s["writes"], sum(c[2] for c in d["latency"]["cells"]))
    same("sizes", s["writes"], sum(c[2] for c in d["sizes"]))
    same("table", min(s["findings"], 2000), len(d["table"]))
    same("losses", [(l["loss"], l["count"]) for l in s["losses"]], [(l["loss"], l["count"]) for l in d["losses"]])


def packet_size(raw):
    """Bytes: packet_size of the header, which is in bits (include/trace.h)."""
    return int.from_bytes(raw[56:64], "little") // 8


def cut(path):
    """Takes the second packet out of a stream: a gap in the sequence numbers, nothing damaged."""
    with open(path, "rb") as f:
        raw = f.read()
    first = packet_size(raw)
    with open(path, "wb") as f:
        f.write(raw[:first] + raw[first + packet_size(raw[first:]):])


def summary(path, obj):
    """The summary object against the list of all writes."""
    rows, lost = lines(path)
    with open(obj, encoding="utf-8") as f:
        s = json.load(f)
    same("writes", len(rows), s["writes"])
    for word, n in s["verdicts"].items():
        same(word, sum(r["verdict"] == word for r in rows), n)
    for f in ("submitted", "mapped"):
        same(f, sum(r[f] for r in rows), s[f])
    found = [r for r in rows if r["verdict"] in ("leak", "trim-failed")]
    same("findings", len(found), s["findings"])
    same("past_eof", sum(r["past_eof"] for r in found), s["past_eof"])
    same("by file", len(found), sum(g["findings"] for g in s["findings_by_file"]))
    same("by command", len(found), sum(g["findings"] for g in s["findings_by_command"]))
    for g in s["findings_by_file"]:
        mine = [r for r in found if (r["dev"], r["ino"], r["gen"], r.get("host", g["host"])) == (g["dev"], g["ino"], g["gen"], g["host"])]
        same(f"of {g['path']}", (len(mine), sum(r["past_eof"] for r in mine)), (g["findings"], g["past_eof"]))
    for name, field in (("latency_ns", "latency_ns"), ("submitted", "submitted"), ("mapped", "mapped")):
        for b in s["histograms"][name]:
            same(f"{name} from {b['from']}", sum(b["from"] <= r[field] < b["below"] for r in rows), b["writes"])
        same(name, len(rows), sum(b["writes"] for b in s["histograms"][name]))
    same("losses", [(l["loss"], l["count"]) for l in lost], [(l["loss"], l["count"]) for l in s["losses"]])


if __name__ == "__main__":
    {"truth": truth, "babeltrace": babeltrace, "csv": as_csv, "sqlite": sqlite, "merged": merged, "perfetto": perfetto,
     "page": page, "summary": summary, "cut": cut}[sys.argv[1]](*sys.argv[2:])
    print("ok")
