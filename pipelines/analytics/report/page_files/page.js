"use strict";
// Show the figures of the selected team, type of calls and period.
(() => {
  const { data, element, find, format, isFigure, link, showBehind, table, whole } = report;
  const NAMES = ["team", "type", "period"];
  const OPTIONS = [data.selections.teams, data.selections.types, data.selections.periods];
  const PRINT_WIDTH = 700;
  const DEPENDS_ON = { calls: 3, team: 1, everything: 0 };
  const isPhone = window.matchMedia("(max-width: 640px)").matches;
  const MOST_ROWS_FIRST = isPhone ? 4 : Infinity;
  const selects = NAMES.map((name) => document.getElementById(name));
  const views = new Map();

  const indexes = () => selects.map((select) => Number(select?.value ?? 0));
  const grain = () => OPTIONS[2][indexes()[2]].grain;
  const selection = (section) => indexes().map((index, place) => (place < DEPENDS_ON[section.scope] ? index : 0)).join("-");

  function recordsOf(section) {
    const { rows, results } = data.figures[section.key];
    return results[selection(section)].map((number) => Object.fromEntries(section.names.map((name, index) => [name, rows[number][index]])));
  }

  // Fill in the placeholders in one pass: names of teams may look like placeholders.
  function sqlOf(section) {
    const values = { ...data.constants, ...data.conditions[selection(section)] };
    return `${section.sql.replace(/\{(\w+)\}/g, (_, name) => values[name])};`;
  }

  function columnsOf(section) {
    return section.columns.map((column) => (column.kind === "period" ? { ...column, label: grain() === "day" ? "Day" : "Week" } : column));
  }

  function behindOf(section, column, record) {
    const behind = column.behind ?? (isFigure(column) ? section.behind : null);
    const value = record[column.name];
    if (!behind || value === null || value === 0) return null;
    return record.measure ? { ...behind, measure: record.measure } : behind;
  }

  const titleOf = (section, column, record) => {
    const names = section.columns.filter((other) => !isFigure(other)).slice(0, 2).map((other) => format(other, record[other.name]));
    return [section.title, ...names, ...(column && names[0] !== column.label && section.layout !== "changes" ? [column.label] : [])].join(" \u00b7 ");
  };

  // Return a value that opens what is behind it, or a link, or a text.
  function valueOf(section, column, record) {
    const text = format(column, record[column.name], record);
    if (column.link) return link(record[column.link], text);
    const behind = behindOf(section, column, record);
    if (!behind) return element("span", { className: "value", textContent: text });
    const button = element("button", { type: "button", className: "value open", textContent: text });
    button.addEventListener("click", () => showBehind(titleOf(section, column, record), behind, record, section.scope, indexes()));
    return button;
  }

  // Return a value as it is shown: 1.04 s is shown as 1.0 s, which is within a range up to 1.
  function rounded(column, value) {
    const steps = { share: 1000, clock: 1 }[column.kind] ?? 10;
    return value === null ? null : Math.round(steps * value) / steps;
  }

  function fill(section) {
    return (record, column) => {
      const parts = [valueOf(section, column, record)];
      const [value, guide] = [rounded(column, record[column.name]), column.guide];
      if (guide && value !== null && (value > (guide.high ?? Infinity) || value < (guide.low ?? -Infinity))) {
        const isAbove = value > (guide.high ?? Infinity);
        const mark = element("span", { className: "mark", textContent: isAbove ? "\u25b2" : "\u25bc", title: `Recommended: ${guide.label}` });
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", `${isAbove ? "above" : "below"} the recommended range`);
        parts.push(mark);
      }
      if (column.mean) parts.push(element("small", { className: "mean", textContent: `team ${format(column, record[column.mean])}` }));
      return parts;
    };
  }

  function changeTiles(section, records) {
    const { compares, compares_all: comparesAll } = OPTIONS[2][indexes()[2]];
    const [, period, recent, before, change] = section.columns;
    return records.map((record) => {
      const tile = [valueOf(section, period, record)];
      if (compares && record.previously !== null && record.recently !== null) {
        const text = format(change, record.change, record);
        const arrow = /^[+]/.test(text) ? "\u25b2" : /^\u2212/.test(text) ? "\u25bc" : "\u25b6";
        const pair = comparesAll ? `from ${format(before, record.previously, record)}`
          : `${format(before, record.previously, record)} to ${format(recent, record.recently, record)}`;
        if (record.change !== null) tile.push(element("small", { className: "change", textContent: `${arrow} ${text.replace(/^[+\u2212]/, "")}` }));
        tile.push(element("small", { textContent: pair }));
      }
      return element("div", {}, [element("dt", { textContent: record.figure }), element("dd", {}, tile)]);
    });
  }

  function columnTiles(section, records) {
    return records.flatMap((record) => section.columns.map((column) =>
      element("div", {}, [element("dt", { textContent: column.label }), element("dd", {}, [valueOf(section, column, record)])])));
  }

  // Describe a chart to screen readers by its number of values, the lowest and the highest.
  function describe(section, records) {
    const [name, figure] = section.summary;
    const column = section.columns.find((other) => other.name === figure);
    const text = (record) => `${format(column, record[figure], record)} (${record[name] ?? "none"})`;
    const sorted = [...records].sort((one, other) => one[figure] - other[figure]);
    return `${section.title}: chart of ${whole.format(records.length)} values of ${column.label.toLowerCase()}, from ${text(sorted[0])} to ${text(sorted.at(-1))}.`;
  }

  function specOf(section, records) {
    const spec = { ...section.chart[grain()], datasets: { ...section.chart[grain()].datasets, rows: records } };
    const sizes = spec.usermeta;
    if (sizes) spec.height = sizes.step * Math.max(1, Math.min(sizes.limit, new Set(records.map((record) => record[sizes.field])).size));
    return spec;
  }

  async function draw(section, container, all) {
    const needed = section.charted.length ? section.charted : [section.summary[1]];
    const records = all.filter((record) => needed.every((name) => record[name] !== null));
    views.get(section.key)?.finalize();
    views.delete(section.key);
    container.replaceChildren();
    container.hidden = records.length === 0;
    if (records.length === 0) return;
    // Interpret expressions: the page's security policy forbids compiling them.
    const options = { actions: false, renderer: "svg", ast: true, mode: "vega-lite" };
    const result = await vegaEmbed(container, specOf(section, records), options);
    views.set(section.key, result);
    // Vega names every chart alike.
    container.setAttribute("role", "img");
    container.setAttribute("aria-label", describe(section, records));
    result.view.addEventListener("click", (_, item) => openMark(section, item?.datum));
  }

  function openMark(section, datum) {
    if (!section.behind || !datum || !Object.values(section.behind.match).every((name) => datum[name] !== undefined)) return;
    // The topics of Other are not in the page.
    if (!find(section.behind, datum, section.scope, indexes()).length) return;
    showBehind(titleOf(section, null, datum), section.behind, datum, section.scope, indexes());
  }

  async function show() {
    document.getElementById("note").textContent = OPTIONS[2][indexes()[2]].note;
    for (const section of data.sections) {
      const records = recordsOf(section);
      const container = document.getElementById(section.key);
      container.querySelector(".query code").textContent = sqlOf(section);
      container.querySelector(".figures").replaceChildren(
        ...(records.length ? table(columnsOf(section), records, Math.min(section.first_rows, MOST_ROWS_FIRST), fill(section)) : []));
      container.querySelector(".empty").hidden = records.length > 0;
      const tiles = section.layout === "changes" ? changeTiles : columnTiles;
      container.querySelector(".tiles")?.replaceChildren(...tiles(section, records));
      if (section.chart) await draw(section, container.querySelector(".chart"), records);
    }
    document.documentElement.dataset.shown = indexes().join("-");
  }

  // The selection is in the address, so that it can be sent. Labels are used because numbers differ between reports.
  function restore() {
    const chosen = new URLSearchParams(location.hash.slice(1));
    selects.forEach((select, place) => {
      const index = OPTIONS[place].findIndex(({ label }) => label === chosen.get(NAMES[place]));
      if (select) select.value = String(Math.max(0, index));
    });
  }

  function remember() {
    const chosen = new URLSearchParams();
    indexes().forEach((index, place) => { if (index > 0) chosen.set(NAMES[place], OPTIONS[place][index].label); });
    history.replaceState(null, "", `#${chosen}`);
  }

  if (isPhone) document.querySelectorAll("details.table").forEach((details) => { details.open = false; });
  restore();
  // Draw charts as wide as a page of paper; on the screen they follow the window.
  window.addEventListener("beforeprint", () => views.forEach(({ view }) => view.width(PRINT_WIDTH).run()));
  window.addEventListener("afterprint", () => window.dispatchEvent(new Event("resize")));
  // Finish showing one selection before the next, even if the reader changes it meanwhile.
  let pending = show();
  const update = () => { pending = pending.then(show); };
  for (const select of selects) select?.addEventListener("change", () => { remember(); update(); });
  window.addEventListener("hashchange", () => { restore(); update(); });
})();
