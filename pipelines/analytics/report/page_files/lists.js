"use strict";
// Find the calls and deals behind a figure in the lists of the page.
(() => {
  const { lists, selections } = report.data;
  const OWNERS = { call_id: "calls", opportunity_id: "deals" };
  const readers = new Map();

  function urlReader({ dictionary, codes, numbers }, callIds) {
    const counts = dictionary.map((template) => (template ? template.split("{}").length - 1 : 0));
    const starts = [];
    codes.reduce((start, code) => (starts.push(start), start + counts[code]), 0);
    return (row) => {
      let next = starts[row];
      return dictionary[codes[row]]?.replace("{id}", () => callIds(row)).replaceAll("{}", () => numbers[next++]) ?? null;
    };
  }

  // Return a function from a row's number to its value. Relations have the columns of their call and deal, too.
  function reader(key, name) {
    const id = `${key} ${name}`;
    if (!readers.has(id)) readers.set(id, makeReader(key, name));
    return readers.get(id);
  }

  function makeReader(key, name) {
    const column = lists[key].columns[name];
    const isOwner = Object.values(OWNERS).includes(key);
    if (column && !(name in OWNERS && !isOwner)) {
      if (column.numbers) return urlReader(column, reader(key, "call_id"));
      return column.codes ? (row) => column.dictionary[column.codes[row]] : (row) => column.values[row];
    }
    for (const [reference, owner] of Object.entries(OWNERS)) {
      const numbers = isOwner ? null : lists[key].columns[reference];
      if (numbers && lists[owner].columns[name]) {
        const read = reader(owner, name);
        return (row) => read(numbers.values[row]);
      }
    }
    return undefined;
  }

  const ownerOf = (key) => (key === "calls" || lists[key].columns.call_id ? "calls" : "deals");
  const numberOf = (key) => {
    const owner = ownerOf(key);
    const numbers = owner === key ? null : lists[key].columns[owner === "calls" ? "call_id" : "opportunity_id"].values;
    return (row) => (numbers ? numbers[row] : row);
  };

  function selectionFilter(key, scope, [team, type, period]) {
    const isInTeam = (name) => team.every || (name ?? null) === team.name;
    if (scope === "calls" && ownerOf(key) === "calls") {
      const [teams, types, started] = ["team", "call_type", "started_epoch_ms"].map((name) => reader(key, name));
      return (row) => started(row) !== null && started(row) >= period.since && started(row) < period.until
        && type.types.includes(types(row)) && isInTeam(teams(row));
    }
    if (scope === "team" && ownerOf(key) === "deals") {
      const teams = reader(key, "last_team");
      return (row) => isInTeam(teams(row));
    }
    return () => true;
  }

  const select = (indexes) => [selections.teams[indexes[0]], selections.types[indexes[1]], selections.periods[indexes[2]]];

  function conditions(key, match, record, grain) {
    return Object.entries(match).map(([name, other]) => {
      const read = reader(key, name === "started_period" ? (grain === "day" ? "started_date" : "started_week") : name);
      const wanted = record[other] ?? null;
      return (row) => (read(row) ?? null) === wanted;
    });
  }

  // Return the rows behind a figure as numbers of `key`, each with the number of its call or deal as `owner`.
  function find(behind, record, scope, indexes) {
    const selection = select(indexes);
    const { list: key, without } = behind;
    const grain = selection[2].grain;
    const left = new Set();
    if (without) {
      const matches = conditions(without, behind.match, record, grain);
      const number = numberOf(without);
      for (let row = 0; row < lists[without].length; row++) if (matches.every((holds) => holds(row))) left.add(number(row));
    }
    const holds = [
      selectionFilter(key, scope, selection),
      ...(without ? [] : conditions(key, behind.match, record, grain)),
      ...Object.entries(behind.where).map(([name, value]) => { const read = reader(key, name); return (row) => read(row) === value; }),
      ...behind.known.map((name) => { const read = reader(key, name); return (row) => (read(row) ?? null) !== null; }),
    ];
    const number = numberOf(key);
    const found = [];
    for (let row = 0; row < lists[key].length; row++) {
      if (holds.every((condition) => condition(row)) && !left.has(number(row))) found.push({ row, owner: number(row) });
    }
    found.sort((one, other) => one.owner - other.owner);
    const measure = behind.measure ? reader(key, behind.measure) : null;
    if (measure) found.sort((one, other) => order(measure(one.row), measure(other.row)));
    return found;
  }

  function order(one, other) {
    if (one === other) return 0;
    if (one === null) return 1;
    if (other === null) return -1;
    return typeof one === "string" ? (one < other ? -1 : 1) : other - one;
  }

  Object.assign(report, { find, reader, ownerOf, select });
})();
