/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const NS = "http://www.w3.org/2000/svg";
  const $ = (id) => document.getElementById(id);

  /* --- what everything is made of: text is set, never parsed --- */
  function el(name, attrs, text) {
    const e = document.createElement(name);
    for (const k in attrs) e.setAttribute(k, attrs[k]);
    if (text !== undefined) e.textContent = text;
    return e;
  }
  function svg(parent, name, attrs, text) {
    const e = document.createElementNS(NS, name);
    for (const k in attrs) e.setAttribute(k, attrs[k]);
    if (text !== undefined) e.textContent = text;
    if (parent) parent.appendChild(e);
    return e;
  }

  /* --- numbers, sizes, times --- */
  const grouped = (n) => n.toLocaleString("en-US");
  function unit(v, step, names) {
    let i = 0;
    while (v >= step && i < names.length - 1) { v /= step; i++; }
    return (v < 10 && v % 1 ? v.toFixed(1) : Math.round(v)) + " " + names[i];
  }
  const bytes = (v) => unit(v, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]);
  const length = (ns) => ns < 1e9 ? unit(ns, 1000, ["ns", "µs", "ms"]) :
    ns < 6e10 ? unit(ns / 1e9, 1e9, ["s"]) : ns < 36e11 ? unit(ns / 6e10, 1e9, ["min"]) : unit(ns / 36e11, 1e9, ["h"]);
  const short = (v) => v >= 1e9 ? v / 1e9 + " G" : v >= 1e6 ? v / 1e6 + " M" : v >= 1e3 ? v / 1e3 + " k" : String(+v.toFixed(3));
  const two = (n) => String(n).padStart(2, "0");
  const span = data.last - data.first || 1; /* ms */
  function clock(ms, step) { /* in the time zone that the report was made in */
    const d = new Date(ms + data.zone_min * 60000);
    const day = two(d.getUTCMonth() + 1) + "-" + two(d.getUTCDate());
    const hm = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
    if (step >= 864e5) return day;
    if (step >= 6e4) return span > 864e5 ? day + " " + hm : hm;
    const s = hm + ":" + two(d.getUTCSeconds());
    return step >= 1000 ? s : s + "." + String(d.getUTCMilliseconds()).padStart(3, "0");
  }
  function nice(max, n) { /* a step of 1, 2 or 5 that gives about n ticks */
    const raw = max / n, p = Math.pow(10, Math.floor(Math.log10(raw)));
    return [1, 2, 5, 10].map((m) => m * p).find((s) => s >= raw);
  }
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5,
    18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 2592e6];

  /* --- marks: each verdict has a shape and a colour --- */
  const SHAPES = {
    "leak": (x, y, r) => `M${x} ${y - r}L${x + r} ${y + r * .8}H${x - r}Z`,
    "trim-failed": (x, y, r) => `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`,
    "other": (x, y, r) => `M${x - r * .8} ${y - r * .8}h${r * 1.6}v${r * 1.6}h${-r * 1.6}Z`
  };
  const kind = (v) => v in SHAPES ? v : "other";
  function mark(parent, verdict, x, y, r, title) {
    const k = kind(verdict);
    const p = svg(parent, "path", {d: SHAPES[k](x, y, r), class: "mark m-" + k});
    if (title) svg(p, "title", {}, title);
    return p;
  }
  function icon(verdict) {
    const s = svg(null, "svg", {width: 12, height: 12, "aria-hidden": "true"});
    mark(s, verdict, 6, 6, 5);
    return s;
  }

  /* --- a plot: its frame, its axes --- */
  const W = 1120, LEFT = 74, RIGHT = 16;
  const plot = (id, width, height, label) => svg($(id), "svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label});
  function timeAxis(s, top, bottom) {
    const step = STEPS.find((st) => span / st <= 9) || STEPS[STEPS.length - 1];
    const x = (ms) => LEFT + (ms - data.first) / span * (W - LEFT - RIGHT);
    const shift = data.zone_min * 60000;
    for (let t = Math.ceil((data.first + shift) / step) * step - shift; t <= data.last; t += step) {
      svg(s, "line", {x1: x(t), x2: x(t), y1: top, y2: bottom + 4, class: "grid"});
      svg(s, "text", {x: Math.min(x(t), W - 40), y: bottom + 18, "text-anchor": "middle"}, clock(t, step));
    }
    svg(s, "line", {x1: LEFT, x2: W - RIGHT, y1: bottom, y2: bottom, class: "axis"});
    return x;
  }
  function tick(s, y, text, width) {
    svg(s, "line", {x1: LEFT, x2: (width || W) - RIGHT, y1: y, y2: y, class: "grid"});
    svg(s, "text", {x: LEFT - 8, y: y + 4, "text-anchor": "end"}, text);
  }
  function yTitle(s, text) { svg(s, "text", {x: 4, y: 12, class: "title"}, text); }

  function timeline() {
    const H = 270, bottom = H - 28, top = 74, bins = data.bins;
    const s = plot("timeline", W, H, `Writes a second over time, ${grouped(data.writes)} writes, ${grouped(data.findings)} findings`);
    /* few writes make a comb: as many bins together as give ten each */
    const join = [1, 2, 4, 5, 8, 10].find((k) => data.writes * k / bins.length >= 10) || 10;
    const per = [];
    for (let i = 0; i < bins.length; i += join)
      per.push(bins.slice(i, i + join).reduce((a, b) => a + b[0], 0) / (join * data.bin_ns / 1e9));
    const max = Math.max(...per, 1e-9), step = nice(max, 4), upto = Math.ceil(max / step) * step;
    const y = (v) => bottom - v / upto * (bottom - top);
    for (let v = 0; v <= upto * 1.001; v += step) tick(s, y(v), short(v));
    yTitle(s, "writes/s");
    timeAxis(s, top, bottom);
    const w = (W - LEFT - RIGHT) / bins.length, at = (i) => (LEFT + i * w).toFixed(2);
    let d = `M${LEFT} ${bottom}`;
    per.forEach((v, i) => { d += `V${y(v).toFixed(1)}H${at((i + 1) * join)}`; });
    svg(s, "path", {d: d + `V${bottom}Z`, class: "area"});
    bins.forEach((b, i) => {
      if (!b[1]) return;
      const r = svg(s, "rect", {x: at(i), y: bottom - 5, width: Math.max(w, 2), height: 5, class: "band"});
      svg(r, "title", {}, grouped(b[1]) + " unknown");
    });
    const rows = {"leak": 24, "trim-failed": 42, "other": 60}, slot = [2, 3, 4], names = Object.keys(rows);
    names.forEach((name, k) => bins.forEach((b, i) => {
      if (!b[slot[k]]) return;
      mark(s, name, LEFT + (i + .5) * w, rows[name], 6, `${grouped(b[slot[k]])} ${name === "other" ? "exposed" : name}, ` +
        clock(data.first + (i + .5) * data.bin_ns / 1e6, 1));
    }));
    const legend = $("legend");
    names.concat("unknown").forEach((name, k) => {
      const n = k < 3 ? bins.reduce((a, b) => a + b[slot[k]], 0) : bins.reduce((a, b) => a + b[1], 0);
      if (!n) return;
      const e = el("span");
      if (k < 3) e.appendChild(icon(name));
      else svg(svg(e, "svg", {width: 14, height: 8, "aria-hidden": "true"}), "rect", {width: 14, height: 5, y: 2, class: "band"});
      e.appendChild(document.createTextNode(`${grouped(n)} ${name === "other" ? "exposed" : name}`));
      legend.appendChild(e);
    });
  }

  function latency() {
    const cells = data.latency.cells;
    if (!cells.length) { $("latency").textContent = "No write."; return; }
    let low = 1e9, high = 0, most = 0;
    for (const c of cells) { low = Math.min(low, c[1]); high = Math.max(high, c[1]); most = Math.max(most, c[2]); }
    const rows = high - low + 1, row = Math.max(6, Math.min(14, 300 / rows));
    const top = 22, bottom = top + rows * row, H = bottom + 28;
    const s = plot("latency", W, H, `Latency of the writes over time, from ${length(Math.pow(2, low / 2))} to ${length(Math.pow(2, (high + 1) / 2))}`);
    const y = (half) => bottom - (half - low) * row; /* lower edge of a half octave */
    const decades = high - low > 12 ? 1 : 0;
    for (let e = 0; e < 12; e++)
      for (const m of decades ? [1] : [1, 2, 5]) {
        const half = Math.log2(m * Math.pow(10, e)) * 2;
        if (half >= low && half <= high + 1) tick(s, y(half), length(m * Math.pow(10, e)));
      }
    yTitle(s, "latency");
    const w = (W - LEFT - RIGHT) / data.latency.columns;
    for (const [cx, cy, n] of cells) {
      const r = svg(s, "rect", {x: (LEFT + cx * w).toFixed(2), y: (y(cy) - row).toFixed(1), width: Math.max(w - .3, .8).toFixed(2),
        height: row - .5, class: "cell", "fill-opacity": (.15 + .85 * (most > 1 ? Math.log(n) / Math.log(most) : 1)).toFixed(2)});
      svg(r, "title", {}, `${grouped(n)} writes, ${length(Math.pow(2, cy / 2))} to ${length(Math.pow(2, (cy + 1) / 2))}`);
    }
    timeAxis(s, top, bottom);
  }

  function sizes() {
    const pts = data.sizes;
    if (!pts.length) { $("sizes").textContent = "No write."; return; }
    const all = pts.flatMap((p) => [p[0], p[1]]).filter((v) => v > 0);
    const low = Math.min(...all, 18) - 2, high = Math.max(...all, 26) + 2; /* half octaves, 0: no byte */
    const V = 760, H = 420, top = 22, bottom = H - 44;
    const s = plot("sizes", V, H, "Submitted bytes of the writes against mapped bytes");
    const x = (h) => h ? LEFT + 70 + (h - low) / (high - low) * (V - LEFT - RIGHT - 90) : LEFT + 16;
    const y = (h) => h ? bottom - 44 - (h - low) / (high - low) * (bottom - top - 54) : bottom - 12;
    const across = (h, text) => {
      svg(s, "line", {x1: x(h), x2: x(h), y1: top, y2: bottom + 4, class: "grid"});
      svg(s, "text", {x: x(h), y: bottom + 18, "text-anchor": "middle"}, text);
    };
    for (let p = Math.ceil(low / 2); 2 * p <= high; p++) {
      if (high - low > 16 && p % 2) continue;
      tick(s, y(2 * p), bytes(Math.pow(2, p)), V);
      across(2 * p, bytes(Math.pow(2, p)));
    }
    tick(s, y(0), "0", V);
    across(0, "0");
    yTitle(s, "mapped");
    svg(s, "text", {x: V - RIGHT, y: bottom + 36, "text-anchor": "end", class: "title"}, "submitted");
    svg(s, "line", {x1: LEFT, x2: V - RIGHT, y1: bottom, y2: bottom, class: "axis"});
    svg(s, "line", {x1: x(low), y1: y(low), x2: x(high), y2: y(high), class: "even"});
    const most = Math.max(...pts.map((p) => p[2]));
    for (const [sub, map, n, leak, failed, other] of pts) {
      const r = 3 + (most > 1 ? 9 * Math.log(n) / Math.log(most) : 3);
      const c = svg(s, "circle", {cx: x(sub), cy: y(map), r: r.toFixed(1), class: "dot", "fill-opacity": .75});
      svg(c, "title", {}, `${grouped(n)} writes, ${sub ? "some " + bytes(Math.pow(2, sub / 2)) : "0 B"} submitted, ${map ? bytes(Math.pow(2, map / 2)) : "0 B"} mapped`);
      [["leak", leak], ["trim-failed", failed], ["other", other]].forEach(([name, count], k) => {
        if (count) mark(s, name, x(sub) + (k - 1) * 11, y(map), 6, `${grouped(count)} ${name === "other" ? "exposed" : name}`);
      });
    }
  }

  /* --- tables --- */
  const several = data.hosts.length > 1;
  function head(table, columns, onSort) {
    const tr = el("tr");
    columns.forEach((c, i) => {
      const th = el("th", {scope: "col"});
      if (c.num) th.className = "num";
      if (onSort) {
        const b = el("button", {type: "button"}, c.title);
        b.addEventListener("click", () => onSort(i));
        th.appendChild(b);
      } else th.textContent = c.title;
      tr.appendChild(th);
    });
    table.tHead.appendChild(tr);
  }
  function row(columns, item) {
    const tr = el("tr");
    for (const c of columns) {
      const td = el("td");
      if (c.num) td.className = "num"; else if (c.wide) td.className = "wide";
      if (c.icon) td.appendChild(icon(item[c.key]));
      const v = item[c.key];
      td.appendChild(document.createTextNode(v === null || v === undefined ? "–" : c.show ? c.show(v) : typeof v === "number" && c.num ? grouped(v) : String(v)));
      tr.appendChild(td);
    }
    return tr;
  }
  function fill(id, columns, items, none, left) {
    const t = $(id);
    if (!items.length) { t.parentNode.textContent = none; return; }
    head(t, columns);
    for (const i of items) t.tBodies[0].appendChild(row(columns, i));
    if (left) t.parentNode.after(el("p", {class: "more"}, `and ${grouped(left)} more`));
  }
  const moment = (text) => text.slice(0, 10) + " " + text.slice(11, 26); /* to the microsecond */
  const hostColumn = several ? [{key: "host", title: "Host"}] : [];

  function findings() {
    const table = $("findings"), body = table.tBodies[0];
    const columns = [{key: "time", title: "Time", show: moment}].concat(hostColumn, [
      {key: "verdict", title: "Verdict", icon: true}, {key: "past_eof", title: "Past EOF", num: true}, {key: "comm", title: "Command"}, {key: "pid", title: "PID", num: true, show: String},
      {key: "file", title: "File", wide: true}, {key: "offset", title: "Offset", num: true},
      {key: "submitted", title: "Submitted", num: true}, {key: "mapped", title: "Mapped", num: true},
      {key: "ret", title: "Returned", num: true}, {key: "isize", title: "i_size", num: true}, {key: "evidence", title: "Evidence"}]);
    let sorted = 0, down = false;
    const items = data.table;
    for (const f of items) f.hay = Object.keys(f).map((k) => f[k]).join("\n").toLowerCase();
    const value = (f, c) => c.key === "time" ? f.at : f[c.key];
    function draw() {
      const text = $("search").value.toLowerCase(), v = $("by-verdict").value, h = $("by-host").value;
      const c = columns[sorted];
      const shown = items.filter((f) => (!text || f.hay.includes(text)) && (!v || f.verdict === v) && (!h || f.host === h));
      shown.sort((a, b) => {
        const x = value(a, c), y = value(b, c);
        const order = x === y ? a.at - b.at : x === null ? -1 : y === null ? 1 : x < y ? -1 : 1;
        return down ? -order : order;
      });
      const part = document.createDocumentFragment();
      for (const f of shown) part.appendChild(row(columns, f));
      body.replaceChildren(part);
      Array.from(table.tHead.rows[0].cells).forEach((th, i) => {
        if (i === sorted) th.setAttribute("aria-sort", down ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      });
      $("shown").textContent = `${grouped(shown.length)} of ${grouped(data.findings)} shown` +
        (data.findings > items.length ? `; ${grouped(data.findings - items.length)} after the first ${grouped(items.length)} are not in this page` : "");
    }
    const options = (id, key) => Array.from(new Set(items.map((f) => f[key]))).sort().forEach((v) => $(id).appendChild(el("option", {value: v}, v)));
    options("by-verdict", "verdict");
    options("by-host", "host");
    $("host-label").hidden = !several;
    head(table, columns, (i) => { down = sorted === i ? !down : !!columns[i].num; sorted = i; draw(); });
    ["search", "by-verdict", "by-host"].forEach((id) => $(id).addEventListener("input", draw));
    $("controls").addEventListener("submit", (e) => e.preventDefault());
    draw();
  }

  function summary() {
    const say = $("verdict"), lost = data.losses.reduce((a, l) => a + l.count, 0);
    $("span").textContent = data.writes ? `${data.first_text} to ${data.last_text} (${length(span * 1e6)})` +
      (data.what ? `; only ${data.what}` : "") : "No write in it.";
    if (data.findings) {
      say.classList.add("bad");
      say.textContent = `${grouped(data.findings)} finding${data.findings > 1 ? "s" : ""}: ${bytes(data.past_eof)} of blocks left past EOF.`;
    } else if (lost || data.unknown) {
      say.classList.add("blind");
      say.textContent = "No finding, but events were lost or half seen: that proves nothing.";
    } else say.textContent = data.writes ? "No finding, and nothing was lost." : "There is no write in it.";
    if (data.findings && (lost || data.unknown)) say.textContent += " Events were lost or half seen: there may be more.";
    const tile = (t, v) => { const d = el("div"); d.append(el("dt", {}, t), el("dd", {}, v)); $("tiles").appendChild(d); };
    tile("Writes", grouped(data.writes));
    tile("Extending", grouped(data.extending));
    tile("Failed", grouped(data.failed));
    tile("Submitted", bytes(data.submitted));
    tile("Findings", grouped(data.findings));
    tile("Left past EOF", bytes(data.past_eof));
    tile("Unknown", grouped(data.unknown));
    tile("Lost", grouped(lost));
  }

  $("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  summary();
  timeline();
  latency();
  sizes();
  findings();
  const grp = [{key: "findings", title: "Findings", num: true}, {key: "past_eof", title: "Past EOF", num: true, show: bytes}];
  fill("files", grp.concat([{key: "file", title: "File", wide: true}], hostColumn), data.files, "None.", data.files_left);
  fill("commands", grp.concat([{key: "comm", title: "Command"}], hostColumn), data.commands, "None.", data.commands_left);
  fill("dumps", [{key: "host", title: "Host"}, {key: "dir", title: "Directory", wide: true}, {key: "kernel", title: "Kernel"},
    {key: "tier", title: "Tier"}, {key: "options", title: "Options", wide: true}, {key: "packets", title: "Packets", num: true},
    {key: "bad_packets", title: "Bad", num: true}, {key: "missing_packets", title: "Missing", num: true}, {key: "counted", title: "Writes counted", num: true},
    {key: "end", title: "End"}], data.hosts, "None.");
  if (!data.losses.length) $("losses").replaceWith(el("p", {class: "note"}, "Nothing was lost."));
  for (const l of data.losses) $("losses").appendChild(el("li", {}, `${l.loss}: ${grouped(l.count)}` + (several ? ` on ${l.host}` : "")));
})();
