"""Figures of the report: the result of each section's query for each team, type of call and period to select.

The page shows every result next to the exact SQL that returned it, and computes nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from sources.gong import Window

from ...runtime.errors import UsageError
from ..marts import Marts
from .section import Section
from .sections import KEY_FIGURES, SECTIONS

_NO_TEAM = "No team"
_ALL_TEAMS = "All teams"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Selectable periods besides the whole one, if it is longer.
_RECENT_DAYS = (30, 7)

_CALL_TYPES = """
SELECT is_external, call_type FROM {marts}.calls_enriched WHERE {period} GROUP BY 1, 2
"""
_TEAMS = "SELECT DISTINCT team FROM {marts}.calls_enriched WHERE {period} ORDER BY team"
_FIRST_CALL = "SELECT min(started) AS started FROM {marts}.calls_enriched"
_DIFFERENCES = """
WITH loaded AS (SELECT call_id FROM {staging}.stg_calls), built AS (SELECT call_id FROM {marts}.calls_enriched)
SELECT
    (SELECT count(*) FROM loaded WHERE call_id NOT IN (SELECT call_id FROM built)) AS missing,
    (SELECT count(*) FROM built WHERE call_id NOT IN (SELECT call_id FROM loaded)) AS removed
"""


@dataclass(frozen=True, slots=True)
class Team:
    """A selectable team: all teams, one team, or hosts without a manager.

    Attributes:
        label: Text of the option.
        condition: SQL condition with `{}` for the column; None for all teams.
    """

    label: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class CallType:
    """A selectable type of calls.

    Attributes:
        label: Text of the option.
        condition: SQL condition on `is_external` and `call_type`; None for all calls.
        types: Types that it has.
    """

    label: str
    condition: str | None
    types: frozenset[str]


_EXTERNAL = CallType("External calls", "is_external", frozenset({"meeting", "dial", "short_dial", "other"}))
_SELECTABLE_TYPES = (
    CallType("Meetings", "call_type = 'meeting'", frozenset({"meeting"})),
    CallType("Dials", "call_type IN ('dial', 'short_dial')", frozenset({"dial", "short_dial"})),
    CallType("Internal calls", "NOT is_external", frozenset({"internal"})),
    CallType("All calls", None, _EXTERNAL.types | {"internal"}),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A selectable period.

    Attributes:
        label: Text of the option.
        window: The period.
        has_previous: Whether the warehouse reaches back to the start of the previous period of the same length.
    """

    label: str
    window: Window
    has_previous: bool


@dataclass(frozen=True, slots=True)
class SectionResult:
    """A query and its rows, with values in the order of the section's columns."""

    sql: str
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Figures:
    """All results that the page can show.

    Attributes:
        teams: Selectable teams; the page opens with the first.
        call_types: Selectable types of calls; the page opens with the first, external calls.
        periods: Selectable periods; the page opens with the first.
        results: By section key, then by the indexes of team, type and period, e.g. `0-0-2`. The index is 0 if the
            section does not depend on it.
        missing_calls: Number of loaded calls that are not in the marts yet.
        removed_calls: Number of calls in the marts that are now private or deleted.
    """

    teams: Sequence[Team]
    call_types: Sequence[CallType]
    periods: Sequence[Period]
    results: Mapping[str, Mapping[str, SectionResult]]
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
    teams = _selectable_teams(marts, window, team)
    call_types = _selectable_types(marts, window)
    periods = _selectable_periods(marts, window)
    constants = {
        "marts": marts.schema,
        "staging": marts.staging_schema,
        "today": f"{(today - _EPOCH.date()).days:d}",
        "silent_days": silent_days,
    }
    (differences,) = marts.rows(_DIFFERENCES.format(**constants))
    return Figures(
        teams=teams,
        call_types=call_types,
        periods=periods,
        results={
            section.key: _query_section(marts, section, teams, call_types, periods, constants) for section in SECTIONS
        },
        missing_calls=differences["missing"],
        removed_calls=differences["removed"],
    )


def column_names(section: Section) -> list[str]:
    """Return the columns of a section's rows: those of the table, then the URLs that they link to."""
    return [column.name for column in section.columns] + [column.link for column in section.columns if column.link]


def in_window(window: Window) -> str:
    """Return the SQL condition that a call started in the window."""
    return f"started_epoch_ms >= {_epoch_ms(window.since)} AND started_epoch_ms < {_epoch_ms(window.until)}"


def _selectable_teams(marts: Marts, window: Window, name: str | None) -> list[Team]:
    names = [row["team"] for row in marts.rows(_TEAMS.format(marts=marts.schema, period=in_window(window)))]
    teams = [
        *(Team(manager, "{} = " + _quote(manager)) for manager in names if manager is not None),
        *([Team(_NO_TEAM, "{} IS NULL")] if None in names else []),
    ]
    if name is None:
        return [Team(_ALL_TEAMS, None), *teams] if len(teams) > 1 else [Team(_ALL_TEAMS, None)]
    matching = [team for team in teams if team.label.casefold() == name.casefold()]
    if not matching:
        labels = ", ".join(team.label for team in teams) or "there are no teams"
        raise UsageError(f"--team {name!r} has no calls in the period: use the name of a manager ({labels})")
    return matching[:1]


def _selectable_types(marts: Marts, window: Window) -> list[CallType]:
    """Return external calls, then each other type that differs from those before."""
    rows = marts.rows(_CALL_TYPES.format(marts=marts.schema, period=in_window(window)))
    found = {row["call_type"] for row in rows}
    selectable = [_EXTERNAL]
    for call_type in _SELECTABLE_TYPES:
        matching = call_type.types & found
        if matching and all(matching != other.types & found for other in selectable):
            selectable.append(call_type)
    return selectable


def _selectable_periods(marts: Marts, window: Window) -> list[Period]:
    (first_call,) = marts.rows(_FIRST_CALL.format(marts=marts.schema))
    started = first_call["started"]
    recent = {f"Last {days} days": Window(window.until - timedelta(days=days), window.until) for days in _RECENT_DAYS}
    shorter = {label: part for label, part in recent.items() if part.since > window.since}
    return [
        Period(label, part, has_previous=started is not None and started <= _previous(part).since)
        for label, part in {"Whole period": window, **shorter}.items()
    ]


def _previous(window: Window) -> Window:
    """Return the period of the same length that ends where this one starts."""
    return Window(window.since - (window.until - window.since), window.since)


def _query_section(
    marts: Marts,
    section: Section,
    teams: Sequence[Team],
    call_types: Sequence[CallType],
    periods: Sequence[Period],
    constants: Mapping[str, Any],
) -> dict[str, SectionResult]:
    results = {}
    selections = product(
        enumerate(teams if section.scope != "everything" else [Team(_ALL_TEAMS, None)]),
        enumerate(call_types if section.scope == "calls" else call_types[:1]),
        enumerate(periods if section.scope == "calls" else periods[:1]),
    )
    for (team_index, team), (type_index, call_type), (period_index, period) in selections:
        sql = section.sql.format(**constants, **_conditions(team, call_type, period)).strip()
        rows = [[_json_value(row[column]) for column in column_names(section)] for row in marts.rows(sql)]
        if section is KEY_FIGURES and not period.has_previous:
            rows = [row for row in rows if row[0] == "this period"]
        results[f"{team_index}-{type_index}-{period_index}"] = SectionResult(sql, rows)
    return results


def _conditions(team: Team, call_type: CallType, period: Period) -> dict[str, str]:
    def in_team(column: str) -> str:
        return "" if team.condition is None else " AND " + team.condition.replace("{}", column, 1)

    window = period.window
    of_type = "" if call_type.condition is None else f" AND {call_type.condition}"
    with_previous = Window(_previous(window).since if period.has_previous else window.since, window.until)
    return {
        "since": _epoch_ms(window.since),
        "filter": in_window(window) + of_type + in_team("team"),
        "filter_with_previous": in_window(with_previous) + of_type + in_team("team"),
        "team": in_team("team"),
        "team_of_deal": in_team("last_team"),
    }


def _epoch_ms(value: datetime) -> str:
    """Return milliseconds as SQL, with the date-time in a comment for the reader of the page."""
    return f"{(value - _EPOCH) // timedelta(milliseconds=1)} /* {value.astimezone(UTC):%Y-%m-%d %H:%M} */"


def _quote(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _json_value(value: Any) -> Any:
    """Return a SQL value as a value that JSON can represent."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
