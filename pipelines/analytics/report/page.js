"use strict";
// Show the results for the selected team, type of calls and period. Values are set as text, never as markup.
(() => {
  const ROWS_SHOWN_FIRST = 25;
  const FILTERS = { calls: ["team", "type", "period"], team: ["team"], everything: [] };
  const { sections } = JSON.parse(document.getElementById("data").textContent);
  const selects = { team: document.getElementById("team"), type: document.getElementById("type"), period: document.getElementById("period") };
  const views = new Map();

  const decimals = (places) => new Intl.NumberFormat("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  const formats = {
    text: String,
    date: (value) => String(value).slice(0, 10),
    count: (value) => decimals(0).format(value),
    money: (value) => decimals(0).format(value),
    hours: (value) => decimals(1).format(value),
    minutes: (value) => decimals(0).format(value),
    seconds: (value) => `${decimals(1).format(value)} s`,
    number: (value) => decimals(1).format(value),
    share: (value) => `${decimals(1).format(100 * value)} %`,
  };
  const format = (column, value) => (value === null || value === undefined ? "–" : formats[column.kind](value));

  function element(name, properties = {}, children = []) {
    const created = Object.assign(document.createElement(name), properties);
    created.append(...children);
    return created;
  }

  function selectedResult(section) {
    const names = FILTERS[section.scope];
    const index = (name) => (names.includes(name) && selects[name] ? selects[name].value : "0");
    return section.results[["team", "type", "period"].map(index).join("-")];
  }

  function cell(section, row, index) {
    const column = section.columns[index];
    const text = format(column, row[index]);
    const url = column.link ? row[section.names.indexOf(column.link)] : null;
    const isLink = typeof url === "string" && url.startsWith("https://");
    const content = isLink ? element("a", { href: url, rel: "noopener noreferrer", target: "_blank", textContent: text }) : text;
    return element("td", { className: isNumeric(column) ? "figure" : "" }, [content]);
  }

  const isNumeric = (column) => !["text", "date"].includes(column.kind);

  function table(section, rows, limit) {
    const headings = section.columns.map((column) =>
      element("th", { scope: "col", className: isNumeric(column) ? "figure" : "", textContent: column.label }));
    const lines = rows.slice(0, limit).map((row) => element("tr", {}, section.columns.map((_, index) => cell(section, row, index))));
    const parts = [element("table", {}, [element("thead", {}, [element("tr", {}, headings)]), element("tbody", {}, lines)])];
    if (rows.length > limit) {
      const more = element("button", { type: "button", textContent: `Show all ${decimals(0).format(rows.length)} rows` });
      more.addEventListener("click", () => more.parentElement.replaceChildren(...table(section, rows, rows.length)));
      parts.push(more);
    }
    return parts;
  }

  function tiles(section, rows) {
    const current = rows.find((row) => row[0] === "this period");
    const previous = rows.find((row) => row[0] !== "this period");
    return section.columns.slice(1).map((column, index) => {
      const value = current ? current[index + 1] : column.kind === "count" ? 0 : null;
      const figure = element("dd", { textContent: format(column, value) });
      if (previous) figure.append(element("small", { textContent: `previously ${format(column, previous[index + 1])}` }));
      return element("div", {}, [element("dt", { textContent: column.label }), figure]);
    });
  }

  async function draw(section, container, rows) {
    views.get(section.key)?.finalize();
    views.delete(section.key);
    container.replaceChildren();
    container.hidden = rows.length === 0;
    if (rows.length === 0) return;
    const values = rows.map((row) => Object.fromEntries(section.names.map((name, index) => [name, row[index]])));
    const spec = { ...section.chart, datasets: { rows: values } };
    // Interpret expressions: the page's security policy forbids compiling them.
    const options = { actions: false, renderer: "svg", ast: true, mode: "vega-lite" };
    views.set(section.key, await vegaEmbed(container, spec, options));
  }

  async function show() {
    for (const section of sections) {
      const { sql, rows } = selectedResult(section);
      const container = document.getElementById(section.key);
      container.querySelector(".query code").textContent = `${sql};`;
      container.querySelector(".figures").replaceChildren(...table(section, rows, ROWS_SHOWN_FIRST));
      container.querySelector(".empty").hidden = rows.length > 0;
      container.querySelector(".tiles")?.replaceChildren(...tiles(section, rows));
      if (section.chart) await draw(section, container.querySelector(".chart"), rows);
    }
    document.documentElement.dataset.shown = Object.values(selects).map((select) => select?.value ?? 0).join("-");
  }

  // Finish showing one selection before the next, even if the reader changes it meanwhile.
  let pending = show();
  for (const select of Object.values(selects)) {
    select?.addEventListener("change", () => { pending = pending.then(show); });
  }
})();
