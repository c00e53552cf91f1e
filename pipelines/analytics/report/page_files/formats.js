"use strict";
// Texts of values, and elements of the page. Values are set as text, never as markup.
window.report = (() => {
  const decimals = (places) => new Intl.NumberFormat("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  const [whole, one] = [decimals(0), decimals(1)];

  function clock(value) {
    const seconds = Math.round(value);
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  const formats = {
    text: String,
    date: (value) => String(value).slice(0, 10),
    period: (value) => String(value).slice(0, 10),
    count: (value) => whole.format(value),
    money: (value) => whole.format(value),
    hours: (value) => one.format(value),
    minutes: (value) => whole.format(value),
    seconds: (value) => `${one.format(value)} s`,
    clock,
    number: (value) => one.format(value),
    share: (value) => `${one.format(100 * value)}%`,
  };

  function formatChange(value, kind) {
    const text = one.format(Math.abs(100 * value));
    const sign = Number(text.replaceAll(",", "")) === 0 ? "" : value > 0 ? "+" : "\u2212";
    return `${sign}${text}${kind === "share" ? " points" : "%"}`;
  }

  // Return the text of a value; `record` has the other values of its row.
  function format(column, value, record = {}) {
    if (value === null || value === undefined) return "\u2013";
    if (column.kind === "change") return formatChange(value, record.kind);
    const text = formats[column.kind === "by_row" ? record.kind : column.kind](value);
    const unit = column.unit ? record[column.unit] : null;
    return unit ? `${unit} ${text}` : text;
  }

  function element(name, properties = {}, children = []) {
    const created = Object.assign(document.createElement(name), properties);
    created.append(...children);
    return created;
  }

  function link(url, text) {
    if (typeof url !== "string" || !url.startsWith("https://")) return element("span", { className: "value", textContent: text });
    return element("a", { className: "value", href: url, rel: "noopener noreferrer", target: "_blank", textContent: text });
  }

  const classOf = (column) => (isFigure(column) ? "figure" : ["date", "period"].includes(column.kind) ? "date" : "");
  const isFigure = (column) => !["text", "date", "period"].includes(column.kind);

  // Return a table whose cells become cards on a phone. `fill` returns the elements of a cell.
  function table(columns, rows, limit, fill) {
    const headings = columns.map((column) => element("th", { scope: "col", className: isFigure(column) ? "figure" : "" }, [
      column.label, ...(column.guide ? [element("small", { textContent: column.guide.label })] : []),
    ]));
    const lines = rows.slice(0, limit).map((row) => element("tr", {}, columns.map((column) => {
      const cell = element("td", { className: classOf(column) }, fill(row, column));
      cell.dataset.label = column.label;
      return cell;
    })));
    const parts = [element("table", {}, [element("thead", {}, [element("tr", {}, headings)]), element("tbody", {}, lines)])];
    if (rows.length > limit) {
      const more = element("button", { type: "button", className: "more", textContent: `Show all ${whole.format(rows.length)} rows` });
      more.addEventListener("click", () => more.parentElement.replaceChildren(...table(columns, rows, rows.length, fill)));
      parts.push(more);
    }
    return parts;
  }

  return { data: JSON.parse(document.getElementById("data").textContent), element, format, isFigure, link, table, whole };
})();
