"use strict";
// Shows the answers to the reader's choice of team and period. Whatever came from a call is set as text, never as markup.
(() => {
  const SHOWN_AT_ONCE = 25;
  const { sections } = JSON.parse(document.getElementById("data").textContent);
  const selects = { team: document.getElementById("team"), period: document.getElementById("period") };
  const drawn = new Map();

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
  const written = (column, value) => (value === null || value === undefined ? "–" : formats[column.kind](value));

  function element(name, properties = {}, children = []) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function chosen(section) {
    const place = (name) => (section.scope.includes(name) && selects[name] ? selects[name].value : "0");
    return section.answers[`${place("team")}-${place("period")}`];
  }

  function cell(section, row, at) {
    const column = section.columns[at];
    const text = written(column, row[at]);
    const address = column.link ? row[section.names.indexOf(column.link)] : null;
    const linked = typeof address === "string" && address.startsWith("https://");
    const content = linked ? element("a", { href: address, rel: "noopener noreferrer", target: "_blank", textContent: text }) : text;
    return element("td", { className: isFigure(column) ? "figure" : "" }, [content]);
  }

  const isFigure = (column) => !["text", "date"].includes(column.kind);

  function table(section, rows, limit) {
    const heads = section.columns.map((column) =>
      element("th", { scope: "col", className: isFigure(column) ? "figure" : "", textContent: column.label }));
    const lines = rows.slice(0, limit).map((row) => element("tr", {}, section.columns.map((_, at) => cell(section, row, at))));
    const made = [element("table", {}, [element("thead", {}, [element("tr", {}, heads)]), element("tbody", {}, lines)])];
    if (rows.length > limit) {
      const more = element("button", { type: "button", textContent: `Show all ${decimals(0).format(rows.length)} rows` });
      more.addEventListener("click", () => more.parentElement.replaceChildren(...table(section, rows, rows.length)));
      made.push(more);
    }
    return made;
  }

  function tiles(section, rows) {
    const now = rows.find((row) => row[0] === "this period");
    const before = rows.find((row) => row[0] !== "this period");
    return section.columns.slice(1).map((column, index) => {
      const value = now ? now[index + 1] : column.kind === "count" ? 0 : null;
      const figure = element("dd", { textContent: written(column, value) });
      if (before) figure.append(element("small", { textContent: `before ${written(column, before[index + 1])}` }));
      return element("div", {}, [element("dt", { textContent: column.label }), figure]);
    });
  }

  async function draw(section, place, rows) {
    drawn.get(section.key)?.finalize();
    drawn.delete(section.key);
    place.replaceChildren();
    place.hidden = rows.length === 0;
    if (rows.length === 0) return;
    const values = rows.map((row) => Object.fromEntries(section.names.map((name, at) => [name, row[at]])));
    const spec = { ...section.chart, datasets: { rows: values } };
    // Expressions are walked, not compiled: the page allows no code but its own.
    const options = { actions: false, renderer: "svg", ast: true, mode: "vega-lite" };
    drawn.set(section.key, await vegaEmbed(place, spec, options));
  }

  async function show() {
    for (const section of sections) {
      const { sql, rows } = chosen(section);
      const part = document.getElementById(section.key);
      part.querySelector(".query code").textContent = `${sql};`;
      part.querySelector(".figures").replaceChildren(...table(section, rows, SHOWN_AT_ONCE));
      part.querySelector(".empty").hidden = rows.length > 0;
      part.querySelector(".tiles")?.replaceChildren(...tiles(section, rows));
      if (section.chart) await draw(section, part.querySelector(".chart"), rows);
    }
    document.documentElement.dataset.shown = [selects.team?.value ?? 0, selects.period?.value ?? 0].join("-");
  }

  // One choice is shown to its end before the next, whatever the reader does meanwhile.
  let turn = show();
  for (const select of Object.values(selects)) {
    select?.addEventListener("change", () => { turn = turn.then(show); });
  }
})();
