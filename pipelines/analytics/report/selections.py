"""What a reader of the report can select: team, type of calls and period, and the SQL conditions of a selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sources.gong import Window

from ...runtime.errors import UsageError
from ..marts import Marts

_NO_TEAM = "No team"
_ALL_TEAMS = "All teams"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Selectable periods besides the whole one, if it is longer, and the periods to compare if the warehouse is too young.
_RECENT_DAYS = (30, 7)
_LONGEST_DAILY_PERIOD = timedelta(days=31)
_NEVER = "1 = 0"

_CALL_TYPES = """
SELECT is_external, call_type FROM {marts}.calls_enriched WHERE {period} GROUP BY 1, 2
"""
_TEAMS = "SELECT DISTINCT team FROM {marts}.calls_enriched WHERE {period} ORDER BY team"
_FIRST_CALL = "SELECT min(started) AS started FROM {marts}.calls_enriched"


@dataclass(frozen=True, slots=True)
class Team:
    """A selectable team: all teams, one team, or hosts without a manager.

    Attributes:
        label: Text of the option.
        condition: SQL condition with `{}` for the column; None for all teams.
        name: Name of the manager; None for all teams, and for no manager.
    """

    label: str
    condition: str | None
    name: str | None = None

    def add_condition(self, column: str) -> str:
        """Return the condition on a column, to append to others."""
        return "" if self.condition is None else " AND " + self.condition.replace("{}", column, 1)


ALL_TEAMS = Team(_ALL_TEAMS, None)


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
CALL_TYPES = (_EXTERNAL, *_SELECTABLE_TYPES)
"""Types that readers of calls can select; external calls are the default."""


@dataclass(frozen=True, slots=True)
class Period:
    """A selectable period.

    Attributes:
        label: Text of the option.
        window: The period.
        compared: The period whose figures are compared with those before; None if the warehouse is too young.
        before: The period of the same length before it.
        note: What is compared, for the reader.
    """

    label: str
    window: Window
    compared: Window | None
    before: Window | None
    note: str

    @property
    def grain(self) -> Literal["day", "week"]:
        """Whether charts over time have a point per day or per week."""
        return "day" if self.window.until - self.window.since <= _LONGEST_DAILY_PERIOD else "week"


@dataclass(frozen=True, slots=True)
class Selections:
    """What can be selected; the page opens with the first of each."""

    teams: tuple[Team, ...]
    call_types: tuple[CallType, ...]
    periods: tuple[Period, ...]


def find_selections(marts: Marts, window: Window, team: str | None) -> Selections:
    """Return the teams, types and periods that have calls.

    Args:
        marts: The marts.
        window: The whole period of the report.
        team: The only team of the report; None for all, which makes them selectable.

    Raises:
        UsageError: If the marts or the team do not exist.
    """
    return Selections(
        teams=_find_teams(marts, window, team),
        call_types=_find_types(marts, window),
        periods=_find_periods(marts, window),
    )


def selection_conditions(team: Team, call_type: CallType, period: Period) -> dict[str, str]:
    """Return the placeholders of a section's SQL for a selection."""
    of_type = "" if call_type.condition is None else f" AND {call_type.condition}"
    of_team = team.add_condition("team")

    def in_period(window: Window | None) -> str:
        return _NEVER if window is None else in_window(window) + of_type + of_team

    return {
        "started_period": "started_date" if period.grain == "day" else "started_week",
        "filter": in_period(period.window),
        "filter_recent": in_period(period.compared),
        "filter_before": in_period(period.before),
        "team": of_team,
        "team_of_deal": team.add_condition("last_team"),
    }


def report_conditions(team: Team, window: Window) -> dict[str, str]:
    """Return the placeholders of the lists, which have all calls that a reader can select."""
    return {
        "in_report": in_window(window) + team.add_condition("team"),
        "team": team.add_condition("team"),
        "team_of_deal": team.add_condition("last_team"),
        "team_of_activity": team.add_condition("activity.last_team"),
    }


def report_constants(marts: Marts, silent_days: int, today: date) -> dict[str, Any]:
    """Return the placeholders that no selection changes."""
    return {"marts": marts.schema, "today": f"{(today - _EPOCH.date()).days:d}", "silent_days": silent_days}


def in_window(window: Window) -> str:
    """Return the SQL condition that a call started in the window."""
    return f"started_epoch_ms >= {_epoch_sql(window.since)} AND started_epoch_ms < {_epoch_sql(window.until)}"


def describe_selections(selections: Selections) -> Mapping[str, Any]:
    """Return what the page needs to find the calls of a selection."""
    return {
        "teams": [
            {"label": team.label, "every": team.condition is None, "name": team.name} for team in selections.teams
        ],
        "types": [{"label": kind.label, "types": sorted(kind.types)} for kind in selections.call_types],
        "periods": [
            {
                "label": period.label,
                "since": epoch_ms(period.window.since),
                "until": epoch_ms(period.window.until),
                "grain": period.grain,
                "note": period.note,
                "compares": period.compared is not None,
                "compares_all": period.compared is period.window,
            }
            for period in selections.periods
        ],
    }


def epoch_ms(value: datetime) -> int:
    """Return milliseconds since 1970-01-01 UTC."""
    return (value - _EPOCH) // timedelta(milliseconds=1)


def _find_teams(marts: Marts, window: Window, name: str | None) -> tuple[Team, ...]:
    names = [row["team"] for row in marts.rows(_TEAMS.format(marts=marts.schema, period=in_window(window)))]
    teams = (
        *(Team(manager, "{} = " + _quote(manager), manager) for manager in names if manager is not None),
        *([Team(_NO_TEAM, "{} IS NULL")] if None in names else []),
    )
    if name is None:
        return (ALL_TEAMS, *teams) if len(teams) > 1 else (ALL_TEAMS,)
    matching = tuple(team for team in teams if team.label.casefold() == name.casefold())
    if not matching:
        labels = ", ".join(team.label for team in teams) or "there are no teams"
        raise UsageError(f"--team {name!r} has no calls in the period: use the name of a manager ({labels})")
    return matching[:1]


def _find_types(marts: Marts, window: Window) -> tuple[CallType, ...]:
    """Return external calls, then each other type that differs from those before."""
    rows = marts.rows(_CALL_TYPES.format(marts=marts.schema, period=in_window(window)))
    found = {row["call_type"] for row in rows}
    selectable = [_EXTERNAL]
    for call_type in _SELECTABLE_TYPES:
        matching = call_type.types & found
        if matching and all(matching != other.types & found for other in selectable):
            selectable.append(call_type)
    return tuple(selectable)


def _find_periods(marts: Marts, window: Window) -> tuple[Period, ...]:
    (first_call,) = marts.rows(_FIRST_CALL.format(marts=marts.schema))
    recent = {f"Last {days} days": _last_days(window, days) for days in _RECENT_DAYS}
    shorter = {label: part for label, part in recent.items() if part.since > window.since}
    return tuple(
        _compare(label, part, first_call["started"]) for label, part in {"Whole period": window, **shorter}.items()
    )


def _compare(label: str, window: Window, first_call: datetime | None) -> Period:
    """Return the period with the longest pair of periods to compare that the warehouse covers."""
    candidates = [window, *(_last_days(window, days) for days in _RECENT_DAYS)]
    for compared in candidates:
        before = _previous(compared)
        is_whole = compared is window
        if first_call is not None and first_call <= before.since and compared.since >= window.since:
            days = max(1, round((compared.until - compared.since) / timedelta(days=1)))
            pair = f"{_day(compared.since)} to {_day(compared.until)} with the {days} days before"
            if is_whole:
                return Period(label, window, compared, before, f"Compared: {pair}.")
            return Period(label, window, compared, before, f"{_too_young(window, first_call)} Compared: {pair}.")
    if first_call is None:
        return Period(label, window, None, None, "No call is loaded.")
    return Period(label, window, None, None, f"{_too_young(window, first_call)} No changes are shown.")


def _too_young(window: Window, first_call: datetime) -> str:
    return (
        f"The first call loaded is of {_day(first_call)}, so the period before ({_day(_previous(window).since)} to"
        f" {_day(window.since)}) is not complete."
    )


def _day(value: datetime) -> str:
    """Return a date that a line can break in only at spaces."""
    return f"{value.astimezone(UTC).day} {value.astimezone(UTC):%b %Y}"


def _last_days(window: Window, days: int) -> Window:
    return Window(window.until - timedelta(days=days), window.until)


def _previous(window: Window) -> Window:
    """Return the period of the same length that ends where this one starts."""
    return Window(window.since - (window.until - window.since), window.since)


def _epoch_sql(value: datetime) -> str:
    """Return milliseconds as SQL, with the date-time in a comment for the reader of the page."""
    return f"{epoch_ms(value)} /* {value.astimezone(UTC):%Y-%m-%d %H:%M} */"


def _quote(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
