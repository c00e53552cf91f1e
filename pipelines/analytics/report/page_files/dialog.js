"use strict";
// Show the calls or deals behind a figure in a dialog, with links into Gong.
(() => {
  const { element, find, format, link, ownerOf, reader, table, whole } = report;
  const ROWS_SHOWN_FIRST = 50;
  const dialog = document.getElementById("behind");
  const MEASURES = {
    host_talk_ratio: ["Talk ratio", "share"],
    longest_monologue_seconds: ["Longest monologue", "clock"],
    interactivity: ["Interactivity", "number"],
    patience_seconds: ["Patience", "seconds"],
    company_questions_per_hour: ["Questions per hour", "number"],
    customer_questions_per_hour: ["Customer questions per hour", "number"],
    next_step_count: ["Next steps", "count"],
  };
  const RELATIONS = [
    ["mentions", "Mentions", "count"],
    ["start_time", "First mention", "text", "moment_url"],
    ["topic_seconds", "Time on the topic", "clock"],
    ["scorecard_name", "Scorecard", "text"],
    ["reviewed_name", "Rep reviewed", "text"],
    ["reviewer_name", "Reviewer", "text"],
    ["score", "Score", "number"],
  ];
  const CALLS = [
    ["started_epoch_ms", "Started (UTC)", "time"],
    ["title", "Call", "text", "url"],
    ["host_name", "Rep", "text"],
    ["account_name", "Account", "text"],
    ["stage_at_call", "Stage", "text"],
    ["duration_seconds", "Length", "clock"],
  ];
  const DEALS = [
    ["opportunity_name", "Deal", "text", "deal_url"],
    ["account_name", "Account", "text"],
    ["stage_now", "Stage", "text"],
    ["amount_now", "Amount", "money"],
    ["outcome", "Outcome", "text"],
    ["warnings", "Warnings", "count"],
    ["close_date", "Close date", "date"],
    ["call_count", "Calls", "count"],
    ["last_call", "Last call", "date", "last_call_url"],
    ["owner", "Owner", "text"],
  ];

  function columnsOf(key, measure) {
    const has = (name) => reader(key, name) !== undefined;
    const described = ownerOf(key) === "calls"
      ? [...CALLS, ...(MEASURES[measure] ? [[measure, ...MEASURES[measure]]] : []), ...RELATIONS.filter(([name]) => has(name))]
      : DEALS;
    return described.map(([name, label, kind, url]) => ({ name, label, kind: kind === "time" ? "date" : kind, isTime: kind === "time", url }));
  }

  function fill(key) {
    return ({ row }, column) => {
      const value = reader(key, column.name)(row);
      const text = column.isTime && value !== null
        ? new Date(value).toISOString().slice(0, 16).replace("T", " ")
        : format({ ...column, unit: column.name === "amount_now" ? "currency" : null }, value,
          { currency: column.name === "amount_now" ? reader(key, "currency")(row) : null });
      if (column.name === "call_count" && value > 0 && reader(key, "is_closed")(row) === 0) return [callsButton(key, row, text)];
      if (column.url) return [link(reader(key, column.url)(row), text)];
      return [element("span", { className: "value", textContent: text })];
    };
  }

  // Lead from an open deal to its calls; those of closed deals are not in the page.
  function callsButton(key, row, text) {
    const deal = { opportunity_id: reader(key, "opportunity_id")(row) };
    const button = element("button", { type: "button", className: "value open", textContent: text });
    const behind = { list: "deal_calls", match: { opportunity_id: "opportunity_id" }, where: {}, known: [] };
    button.addEventListener("click", () => showBehind(reader(key, "opportunity_name")(row) ?? "Deal", behind, deal, "everything", [0, 0, 0]));
    return button;
  }

  // Open the dialog with the rows behind a figure; `record` is the figure's row.
  function showBehind(title, behind, record, scope, indexes) {
    const found = find(behind, record, scope, indexes);
    const owners = new Set(found.map(({ owner }) => owner)).size;
    const noun = ownerOf(behind.list) === "calls" ? ["call", "calls"] : ["deal", "deals"];
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("p").textContent = `${whole.format(owners)} ${noun[owners === 1 ? 0 : 1]}`;
    dialog.querySelector(".figures").replaceChildren(
      ...(found.length ? table(columnsOf(behind.list, behind.measure), found, ROWS_SHOWN_FIRST, fill(behind.list)) : []));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  report.showBehind = showBehind;
})();
