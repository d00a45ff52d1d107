// Tables of the page: they fetch JSON, draw it as text, and fetch again. Nothing that a device said becomes HTML.
"use strict";

const netvitals = (() => {
  const REFRESH_MS = Number(document.querySelector("meta[name=nv-refresh]")?.content ?? 10_000);
  const DETAILS_MS = 45_000;
  const STATUSES = ["online", "offline", "unreachable", "unknown", "disabled"];
  const ORDER = ["offline", "unreachable", "unknown", "online", "disabled"];
  const HOT = { cpu_percent: 85, memory_percent: 90, disk_percent: 85, temperature_celsius: 60 };
  const NARROW = window.matchMedia("(max-width: 700px)");
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;
  const PREFIXES = ["", "k", "M", "G", "T", "P"];

  // --- words -------------------------------------------------------------------------------------------------

  const digits = (v) => (v >= 100 || Number.isInteger(v) ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toPrecision(2));

  function scaled(v, unit) {
    let power = 0;
    while (Math.abs(v) >= 1000 && power < PREFIXES.length - 1) { v /= 1000; power += 1; }
    return `${digits(v)} ${PREFIXES[power]}${unit}`;
  }

  function value(v, unit) {
    if (v === null || v === undefined || Number.isNaN(v)) return "–";
    if (unit === "b/s" || unit === "/s") return v === 0 ? `0 ${unit}` : scaled(v, unit);
    if (unit === "s") return span(v);
    return `${Number.isInteger(v) || Math.abs(v) >= 100 ? Math.round(v) : v.toFixed(1)} ${unit}`;
  }

  function span(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86400)} d`;
  }

  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const short = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const clock = (at) => (NARROW.matches ? short : full).format(at * 1000);
  const deviceUrl = (id) => `/device?id=${encodeURIComponent(id)}`;

  // --- cells -------------------------------------------------------------------------------------------------

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function status(word) {
    return element("span", word, `nv-status nv-${STATUSES.includes(word) ? word : "unknown"}`);
  }

  function statusCell(p) {
    if (!p.value) return "";
    const cell = element("span", undefined, "nv-cell");
    cell.append(status(p.value));
    if (p.data.maintenance) cell.append(element("span", "maintenance", "nv-tag"));
    return cell;
  }

  function linkCell(p) {
    const link = element("a", p.value === "" ? "(no name)" : p.value);
    link.href = deviceUrl(p.data.id);
    link.tabIndex = -1;
    return link;
  }

  function siteCell(p) {
    const link = element("a", p.value === "" ? "(no site)" : p.value);
    link.href = `/?site=${encodeURIComponent(p.value)}`;
    link.tabIndex = -1;
    return link;
  }

  function sparkline(p) {
    const values = p.value;
    if (!values || values.filter((v) => v !== null).length < 2) return element("span", "", "nv-muted");
    const [width, height] = [96, 22];
    const top = Math.max(1.15 * Math.max(...values.filter((v) => v !== null)), p.colDef.context?.atLeast ?? 1e-9);
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("class", "nv-spark");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `highest ${digits(Math.max(...values.filter((v) => v !== null)))}`);
    let path = "";
    let broken = true;
    values.forEach((v, i) => {
      if (v === null) { broken = true; return; }
      const x = (i / (values.length - 1)) * width;
      const y = height - 1.5 - (v / top) * (height - 3);
      path += `${broken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
      broken = false;
    });
    const line = document.createElementNS(ns, "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  // --- columns -----------------------------------------------------------------------------------------------

  // `context.from` is the width of the window, in pixels, from which on a column is shown.
  const number = (field, headerName, unit, more = {}) => ({
    field, headerName, type: "rightAligned", width: 78, minWidth: 64, filter: "agNumberColumnFilter",
    valueFormatter: (p) => value(p.value, unit),
    cellClass: (p) => (p.value === null || p.value === undefined ? "nv-num nv-muted" : p.value >= (HOT[field] ?? Infinity) ? "nv-num nv-hot" : "nv-num"),
    sortingOrder: ["desc", "asc", null], ...more,
  });
  const text = (field, headerName, more = {}) => ({ field, headerName, filter: "agTextColumnFilter", minWidth: 80, tooltipField: field, comparator: byName, ...more });
  const worst = (a, b) => ORDER.indexOf(a) - ORDER.indexOf(b);
  const statusColumn = (field, headerName, more = {}) => text(field, headerName, { cellRenderer: statusCell, width: 122, minWidth: 116, comparator: worst, tooltipField: undefined, ...more });
  const ago = (field, headerName) => ({
    field, headerName, type: "rightAligned", width: 86, minWidth: 78, cellClass: "nv-num", filter: false,
    valueFormatter: (p) => (p.value ? span(Date.now() / 1000 - p.value) : "never"),
    sortingOrder: ["desc", "asc", null],
  });
  const trend = (headerName, more = {}) => ({
    field: "trend", headerName, width: 116, minWidth: 116, sortable: false, filter: false, cellDataType: false, cellRenderer: sparkline, ...more,
  });
  const from = (pixels, more = {}) => ({ context: { from: pixels, ...more } });

  const COLUMNS = {
    fleet: [
      statusColumn("status", "Status", { sort: "asc", sortIndex: 0 }),
      text("name", "Device", { cellRenderer: linkCell, flex: 2, minWidth: window.innerWidth < 700 ? 120 : 170, sort: "asc", sortIndex: 1 }),
      text("address", "Address", { width: 118, ...from(800) }),
      text("site", "Site", { width: 104, ...from(900) }),
      text("type", "Type", { width: 92, ...from(1650) }),
      number("cpu_percent", "CPU", "%"),
      number("memory_percent", "Memory", "%", { width: 86, ...from(560) }),
      number("temperature_celsius", "Temp.", "°C", from(1000)),
      number("disk_percent", "Disk", "%", from(1000)),
      number("ping_rtt_ms", "Round trip", "ms", { width: 96, ...from(1550) }),
      trend("3 hours", { headerTooltip: "CPU; the round-trip time of devices that tell no CPU", ...from(700, { atLeast: 10 }) }),
      number("in", "In", "b/s", { sortable: false, filter: false, width: 92, ...from(1100) }),
      number("out", "Out", "b/s", { sortable: false, filter: false, width: 92, ...from(1100) }),
      { ...ago("seen", "Answered"), ...from(1000) },
      text("why", "Why", { flex: 3, minWidth: 150, ...from(760) }),
    ],
    sites: [
      text("site", "Site", { cellRenderer: siteCell, flex: 2, minWidth: 110 }),
      text("path", "Path", { width: 84, cellClass: (p) => (p.value ? "nv-hot" : ""), ...from(600) }),
      number("devices", "Devices", "", { width: 90 }), number("online", "Online", "", { width: 90, ...from(460) }),
      number("offline", "Offline", "", { width: 90, cellClass: (p) => (p.value ? "nv-num nv-hot" : "nv-num nv-muted"), sort: "desc" }),
      number("unreachable", "Unreachable", "", { width: 116, ...from(600) }), number("unknown", "Unknown", "", { width: 100, ...from(600) }),
      number("disabled", "Disabled", "", { width: 100, ...from(700) }),
    ],
    events: [
      { field: "at", headerName: "When", width: NARROW.matches ? 118 : 190, minWidth: 110, filter: false, valueFormatter: (p) => clock(p.value), cellClass: "nv-num-left", sort: "desc", sortingOrder: ["desc", "asc"] },
      text("name", "Device", { cellRenderer: linkCell, width: 190, minWidth: 90, ...(NARROW.matches ? { flex: 1 } : {}) }),
      statusColumn("before", "Was", from(560)), statusColumn("after", "Is"),
      text("site", "Site", { width: 120, ...from(900) }),
      text("cause", "Cause", { width: 130, ...from(760) }),
      text("detail", "Detail", { flex: 1, minWidth: 160, ...from(700) }),
    ],
    interfaces: [
      text("name", "Interface", { width: 170, minWidth: 104 }),
      text("description", "Description", { flex: 2, minWidth: 120, ...from(620) }),
      text("oper", "Status", { width: 84, cellClass: (p) => (p.value === "up" ? "nv-good" : p.value === "down" ? "nv-bad" : "nv-muted"), ...from(620) }),
      number("in", "In", "b/s", { width: 96 }), number("out", "Out", "b/s", { width: 96 }),
      number("used", "Used", "%", { cellClass: (p) => (p.value >= 80 ? "nv-num nv-hot" : "nv-num"), ...from(480) }),
      number("faults", "Faults", "/s", { width: 84, headerTooltip: "Errors and discards, both directions", cellClass: (p) => (p.value > 0 ? "nv-num nv-hot" : "nv-num nv-muted"), ...from(700) }),
      trend("In, 70 min", from(800)),
      number("speed", "Speed", "b/s", { width: 96, ...from(900) }),
      text("type", "Type", { width: 130, ...from(1200) }),
      number("index", "Index", "", { width: 76, valueFormatter: (p) => p.value ?? "", ...from(1000) }),
    ],
  };
  const KEY = { fleet: "id", sites: "site", events: "number", interfaces: "name" };

  // --- one table ---------------------------------------------------------------------------------------------

  class Table {
    constructor(kind, api, options) {
      Object.assign(this, { kind, api, options, known: new Map(), details: new Map(), wanted: new Set(), seconds: 86400, first: true });
      const grid = {
        defaultColDef: { sortable: true, resizable: true, suppressHeaderMenuButton: false, suppressMovable: NARROW.matches },
        rowHeight: 34, headerHeight: 36, animateRows: false, deltaSort: true, suppressCellFocus: false,
        enableCellTextSelection: true, tooltipShowDelay: 600,
        overlayNoRowsTemplate: "",
      };
      api.updateGridOptions({ ...grid, columnDefs: this.columns() });
      window.addEventListener("resize", () => {
        const hidden = this.columns().filter((column) => column.hide).length;
        if (hidden !== this.hidden) api.setGridOption("columnDefs", this.columns());
        this.hidden = hidden;
      });
      api.addEventListener("cellKeyDown", (e) => { if (e.event.key === "Enter") this.open(e.data); });
      api.addEventListener("rowClicked", (e) => { if (this.kind === "interfaces") this.open(e.data); });
      if (kind === "fleet") {
        for (const event of ["viewportChanged", "modelUpdated"]) api.addEventListener(event, () => this.lookSoon());
        this.site = new URLSearchParams(location.search).get("site");
        api.setGridOption("isExternalFilterPresent", () => this.wanted.size > 0 || this.site !== null);
        api.setGridOption("doesExternalFilterPass", (node) =>
          (this.wanted.size === 0 || this.wanted.has(node.data.status)) && (this.site === null || node.data.site === this.site));
      }
      this.bindSearch();
      this.bindSpans();
      this.refresh();
      setInterval(() => { if (!document.hidden) this.refresh(); }, REFRESH_MS);
      document.addEventListener("visibilitychange", () => { if (!document.hidden) this.refresh(); });
    }

    columns() {
      return COLUMNS[this.kind].map((column) => ({ ...column, hide: window.innerWidth < (column.context?.from ?? 0) }));
    }

    open(row) {
      if (this.kind === "interfaces") emitEvent("interface", row.name);
      else location.href = this.kind === "sites" ? `/?site=${encodeURIComponent(row.site)}` : deviceUrl(row.id);
    }

    bindSearch() {
      const box = document.getElementById("nv-search");
      if (!box) return;
      let timer;
      box.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.api.setGridOption("quickFilterText", box.value), 120);
      });
      document.addEventListener("keydown", (e) => {
        if (e.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) { e.preventDefault(); box.focus(); }
      });
    }

    bindSpans() {
      for (const chip of document.querySelectorAll(".nv-chip[data-seconds]")) {
        chip.addEventListener("click", () => {
          document.querySelectorAll(".nv-chip[data-seconds]").forEach((each) => each.setAttribute("aria-pressed", String(each === chip)));
          this.seconds = Number(chip.dataset.seconds);
          this.refresh();
        });
      }
    }

    url() {
      if (this.kind === "events") return `/data/events?seconds=${this.seconds}`;
      if (this.kind === "interfaces") return `/data/interfaces?id=${encodeURIComponent(this.options.id)}`;
      return `/data/${this.kind}`;
    }

    async refresh() {
      if (this.busy) return;
      this.busy = true;
      try {
        const answer = await fetch(this.url(), { signal: AbortSignal.timeout(60_000) });
        const document_ = await answer.json();
        if (document_.error) throw new Error(document_.error);
        this.show(document_);
        live(true);
        if (document_.pending) setTimeout(() => this.refresh(), 500);
        notice(this.kind, [document_.notice, ...(document_.lost ?? []).map((site) => (site ? `The path to site ${site} is lost.` : "Nearly all devices are silent at once: look at the way to them."))].filter(Boolean).join(" · "));
      } catch (error) {
        live(false);
        notice(this.kind, error instanceof TypeError ? "netvitals ui does not answer." : error.name === "TimeoutError" ? "No answer within a minute." : error.message);
      } finally {
        this.busy = false;
      }
    }

    show({ columns, rows }) {
      const key = KEY[this.kind];
      const [add, update, seen] = [[], [], new Set()];
      const said = [];
      for (const values of rows) {
        const row = {};
        columns.forEach((name, i) => { row[name] = values[i]; });
        const id = String(row[key]);
        seen.add(id);
        const text_ = JSON.stringify(values);
        const before = this.known.get(id);
        if (before?.text === text_) continue;
        if (before && before.row.status !== row.status && row.status) said.push(`${row.name} is ${row.status}`);
        Object.assign(row, this.details.get(id)?.shown);
        (before ? update : add).push(row);
        this.known.set(id, { text: text_, row });
      }
      const remove = [];
      for (const [id, { row }] of this.known) if (!seen.has(id)) { remove.push(row); this.known.delete(id); }
      if (this.first || this.known.size < 1) this.api.setGridOption("rowData", add);
      else if (add.length || update.length || remove.length) this.api.applyTransaction({ add, update, remove, addIndex: this.kind === "events" ? 0 : undefined });
      this.first = false;
      if (this.kind === "interfaces") {
        const isShort = this.known.size <= 11;
        this.api.setGridOption("domLayout", isShort ? "autoHeight" : "normal");
        document.querySelector(".nv-table-interfaces").classList.toggle("nv-short", isShort);
      }
      if (this.kind === "fleet") this.counts();
      if (said.length) say(said.length > 5 ? `${said.length} devices changed their status` : said.join(", "));
      this.api.refreshCells({ columns: this.kind === "fleet" ? ["seen"] : [], force: true });
    }

    counts() {
      const place = document.getElementById("nv-counts");
      const counted = new Map();
      let all = 0;
      for (const { row } of this.known.values()) {
        if (this.site !== null && row.site !== this.site) continue;
        all += 1;
        counted.set(row.status, (counted.get(row.status) ?? 0) + 1);
      }
      const focused = document.activeElement?.dataset?.status;
      place.replaceChildren(this.chip("", all, this.site === null ? "devices" : `devices of ${this.site || "no site"}`));
      for (const word of STATUSES) if (counted.get(word)) place.append(this.chip(word, counted.get(word), word));
      if (this.site !== null) {
        const clear = element("a", "All sites", "nv-chip");
        clear.href = "/";
        place.append(clear);
      }
      if (focused !== undefined) place.querySelector(`[data-status="${focused}"]`)?.focus();
    }

    chip(word, count, label) {
      const chip = element("button", undefined, `nv-chip ${word ? `nv-${word}` : ""}`);
      chip.dataset.status = word;
      chip.setAttribute("aria-pressed", String(word ? this.wanted.has(word) : this.wanted.size === 0));
      chip.append(element("b", count.toLocaleString()), ` ${label}`);
      chip.addEventListener("click", () => {
        if (!word) this.wanted.clear();
        else if (!this.wanted.delete(word)) this.wanted.add(word);
        this.counts();
        this.api.onFilterChanged();
      });
      return chip;
    }

    // What takes a query per device is asked for the rows that are seen, once they stand still.
    lookSoon() {
      clearTimeout(this.looking);
      this.looking = setTimeout(() => this.look(), 250);
    }

    async look() {
      const now = Date.now();
      const nodes = this.api.getRenderedNodes().filter((node) => node.data && now - (this.details.get(node.data.id)?.at ?? 0) > DETAILS_MS).slice(0, 150);
      if (!nodes.length || window.innerWidth < 700) return;
      for (const node of nodes) this.details.set(node.data.id, { at: now, shown: this.details.get(node.data.id)?.shown });
      try {
        const answer = await fetch("/data/details", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(nodes.map((node) => node.data.id)) });
        const found = await answer.json();
        for (const node of nodes) {
          const shown = found[node.data.id];
          if (!shown) continue;
          this.details.set(node.data.id, { at: now, shown });
          Object.assign(node.data, shown);
        }
        this.api.refreshCells({ rowNodes: nodes, columns: ["trend", "in", "out"], force: true });
      } catch { /* the next look tries again; the table's own refresh tells what is wrong */ }
    }
  }

  // --- the page around it ------------------------------------------------------------------------------------

  const notices = new Map();

  function notice(kind, words) {
    notices.set(kind, words);
    const place = document.getElementById("nv-notice");
    const all = [...new Set([...notices.values()].filter(Boolean))].join(" · ");
    if (place.textContent !== all) place.textContent = all;
    place.hidden = !all;
  }

  function say(words) {
    document.getElementById("nv-said").textContent = words;
  }

  function live(isLive) {
    const place = document.getElementById("nv-live");
    place.className = `nv-live ${isLive ? "nv-online" : "nv-offline"}`;
    place.textContent = isLive ? `live · ${new Date().toLocaleTimeString()}` : "not live";
  }

  function switchTheme() {
    const dark = !document.body.classList.contains("body--dark");
    document.cookie = `netvitals-theme=${dark ? "dark" : "light"}; path=/; max-age=31536000; SameSite=Strict`;
    Quasar.Dark.set(dark);
  }

  return { rowId: (kind, row) => String(row[KEY[kind]]), start: (kind, api, options) => new Table(kind, api, options), value, switchTheme };
})();
