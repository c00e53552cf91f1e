"""Figures of the report: the result of each section's query for each selection, and the calls and deals behind them.

The page shows every result next to the exact SQL that returned it, and computes nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

from sources.gong import Window

from ..marts import Marts
from .drill_lists import encode_list
from .section import Section
from .sections.all_sections import SECTIONS
from .sections.lists import CALLS, DEALS, RELATIONS
from .selections import (
    Selections,
    find_selections,
    report_conditions,
    report_constants,
    selection_conditions,
)

_DIFFERENCES = """
WITH loaded AS (SELECT call_id FROM {staging}.stg_calls), built AS (SELECT call_id FROM {marts}.calls_enriched)
SELECT
    (SELECT count(*) FROM loaded WHERE call_id NOT IN (SELECT call_id FROM built)) AS missing,
    (SELECT count(*) FROM built WHERE call_id NOT IN (SELECT call_id FROM loaded)) AS removed
"""
# Enough for every figure that is shown, and half the size of a double.
_SIGNIFICANT_DIGITS = 10


@dataclass(frozen=True, slots=True)
class SectionFigures:
    """Results of a section.

    Attributes:
        rows: Distinct rows of all results, with values in the order of the section's columns.
        results: Numbers of the rows of each result, by the indexes of team, type and period, e.g. `0-0-2`. The index is
            0 if the section does not depend on it.
    """

    rows: Sequence[Sequence[Any]]
    results: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Figures:
    """All results that the page can show.

    Attributes:
        selections: Teams, types and periods that can be selected.
        constants: Placeholders of the SQL that no selection changes.
        conditions: Placeholders of the SQL by selection.
        sections: Results by section key.
        lists: Calls and deals behind the figures by list key, as `encode_list` returns them.
        missing_calls: Number of loaded calls that are not in the marts yet.
        removed_calls: Number of calls in the marts that are now private or deleted.
    """

    selections: Selections
    constants: Mapping[str, Any]
    conditions: Mapping[str, Mapping[str, str]]
    sections: Mapping[str, SectionFigures]
    lists: Mapping[str, Mapping[str, Any]]
    missing_calls: int
    removed_calls: int


def load_figures(marts: Marts, window: Window, *, team: str | None, silent_days: int, today: date) -> Figures:
    """Query the marts for all sections, teams, types of calls and periods.

    Args:
        marts: The marts.
        window: The whole period of the report.
        team: The only team of the report; None for all, which makes them selectable.
        silent_days: Number of days without a call after which an open deal is at risk.
        today: Date (UTC) up to which days without a call are counted.

    Raises:
        UsageError: If the marts or the team do not exist.
    """
    selections = find_selections(marts, window, team)
    constants = report_constants(marts, silent_days, today)
    (differences,) = marts.rows(_DIFFERENCES.format(marts=marts.schema, staging=marts.staging_schema))
    choices = product(enumerate(selections.teams), enumerate(selections.call_types), enumerate(selections.periods))
    conditions = {
        f"{team_index}-{type_index}-{period_index}": selection_conditions(one_team, call_type, period)
        for (team_index, one_team), (type_index, call_type), (period_index, period) in choices
    }
    return Figures(
        selections=selections,
        constants=constants,
        conditions=conditions,
        sections={section.key: _query_section(marts, section, conditions, constants) for section in SECTIONS},
        lists=_query_lists(marts, {**constants, **report_conditions(selections.teams[0], window)}),
        missing_calls=differences["missing"],
        removed_calls=differences["removed"],
    )


def _query_section(
    marts: Marts, section: Section, conditions: Mapping[str, Mapping[str, str]], constants: Mapping[str, Any]
) -> SectionFigures:
    names = section.column_names()
    numbers: dict[tuple[Any, ...], int] = {}
    results = {}
    for selection, condition in conditions.items():
        if not _is_distinct(section, selection):
            continue
        sql = section.sql.format(**constants, **condition)
        rows = [tuple(json_value(row[name]) for name in names) for row in marts.rows(sql)]
        results[selection] = [numbers.setdefault(row, len(numbers)) for row in rows]
    return SectionFigures(list(numbers), results)


def _is_distinct(section: Section, selection: str) -> bool:
    """Return whether the selection differs from others in something that the section depends on."""
    ignored = {"calls": 0, "team": 2, "everything": 3}[section.scope]
    return all(index == "0" for index in selection.split("-")[3 - ignored :])


def _query_lists(marts: Marts, placeholders: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    lists = {}
    owners: dict[str, dict[str, int]] = {}
    for owner, key in ((CALLS, "call_id"), (DEALS, "opportunity_id")):
        rows = list(marts.rows(owner.sql.format(**placeholders)))
        lists[owner.key] = encode_list(owner, rows, json_value, {})
        owners[key] = {}
        for number, row in enumerate(rows):
            owners[key].setdefault(row[key], number)
    for relation in RELATIONS:
        lists[relation.key] = encode_list(relation, marts.rows(relation.sql.format(**placeholders)), json_value, owners)
    return lists


def json_value(value: Any) -> Any:
    """Return a SQL value as a value that JSON can represent."""
    if isinstance(value, Decimal | float):
        number = float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
        return int(number) if number.is_integer() else number
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
