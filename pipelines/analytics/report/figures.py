"""The figures of the report: every section's query, asked for each team and period that a reader can choose.

What the page shows under a choice is the answer to the very SQL that it shows beside it; the page adds nothing up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.analytics.marts import Marts
from pipelines.analytics.report.section import Section
from pipelines.analytics.report.sections import KEY_FIGURES, SECTIONS
from pipelines.runtime.errors import UsageError
from sources.gong import Window

_NO_TEAM = "No team"
_ALL_TEAMS = "All teams"
# Periods that can be chosen beside the whole one, where it is longer.
_LATEST_DAYS = (30, 7)

_TEAMS = "SELECT DISTINCT team FROM {marts}.calls_enriched WHERE {period} ORDER BY team"
_FIRST = "SELECT min(started) AS started FROM {marts}.calls_enriched"
_BEHIND = """
WITH loaded AS (SELECT call_id FROM {marts}.stg_calls), built AS (SELECT call_id FROM {marts}.calls_enriched)
SELECT
    (SELECT count(*) FROM loaded WHERE call_id NOT IN (SELECT call_id FROM built)) AS missing,
    (SELECT count(*) FROM built WHERE call_id NOT IN (SELECT call_id FROM loaded)) AS gone
"""


@dataclass(frozen=True, slots=True)
class Team:
    """A choice of the reader: all teams, one of them, or hosts without a manager.

    Attributes:
        label: As the reader sees it.
        condition: The same in SQL, with `{}` for the column; None for all.
    """

    label: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """A choice of the reader.

    Attributes:
        label: As the reader sees it.
        window: The time it stands for.
        has_before: Whether the warehouse has calls from before the period of the same length that precedes it.
    """

    label: str
    window: Window
    has_before: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A query as it was asked, and its rows in the order of the section's columns."""

    sql: str
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the page can show.

    Attributes:
        teams, periods: What the reader can choose, the first being what the page opens with.
        answers: By section, then by the places of team and period, such as `0-2`; what a section does not follow is 0.
        missing: Loaded calls that the marts do not have yet.
        gone: Calls of the marts that are private or deleted by now.
    """

    teams: Sequence[Team]
    periods: Sequence[Period]
    answers: Mapping[str, Mapping[str, Answer]]
    missing: int
    gone: int


def figures(marts: Marts, window: Window, *, team: str | None, silent_days: int, today: date) -> Figures:
    """Asks the marts.

    Args:
        marts: Where the answers are.
        window: The whole period of the report.
        team: The only team of the report; None for all, each of which can then be chosen.
        silent_days: After so many days without a call an open deal is at risk.
        today: Up to which days of silence are counted, in UTC.

    Raises:
        UsageError: There are no marts, or no such team.
    """
    teams = _teams(marts, window, team)
    periods = _periods(marts, window)
    fixed = {"marts": marts.schema, "today": f"DATE '{today.isoformat()}'", "silent_days": silent_days}
    (behind,) = marts.rows(_BEHIND.format(**fixed))
    return Figures(
        teams=teams,
        periods=periods,
        answers={section.key: _answers(marts, section, teams, periods, fixed) for section in SECTIONS},
        missing=behind["missing"],
        gone=behind["gone"],
    )


def _teams(marts: Marts, window: Window, wanted: str | None) -> list[Team]:
    names = [row["team"] for row in marts.rows(_TEAMS.format(marts=marts.schema, period=_within(window)))]
    known = [
        *(Team(name, "{} = " + _quoted(name)) for name in names if name is not None),
        *([Team(_NO_TEAM, "{} IS NULL")] if None in names else []),
    ]
    if wanted is None:
        return [Team(_ALL_TEAMS, None), *known] if len(known) > 1 else [Team(_ALL_TEAMS, None)]
    chosen = [team for team in known if team.label.casefold() == wanted.casefold()]
    if not chosen:
        labels = ", ".join(team.label for team in known) or "none at all"
        raise UsageError(f"--team {wanted!r} has no calls in the period; a team is a manager's name, here: {labels}")
    return chosen[:1]


def _periods(marts: Marts, window: Window) -> list[Period]:
    (first,) = marts.rows(_FIRST.format(marts=marts.schema))
    latest = {f"Last {days} days": Window(window.until - timedelta(days=days), window.until) for days in _LATEST_DAYS}
    shorter = {label: part for label, part in latest.items() if part.since > window.since}

    return [
        Period(label, part, has_before=first["started"] is not None and first["started"] <= _before(part).since)
        for label, part in {"Whole period": window, **shorter}.items()
    ]


def _before(window: Window) -> Window:
    """The period of the same length that precedes it."""
    return Window(window.since - (window.until - window.since), window.since)


def _answers(
    marts: Marts, section: Section, teams: Sequence[Team], periods: Sequence[Period], fixed: Mapping[str, Any]
) -> dict[str, Answer]:
    answers = {}
    for at_team, team in enumerate(teams if section.scope != "everything" else [Team(_ALL_TEAMS, None)]):
        for at_period, period in enumerate(periods if section.scope == "team and period" else periods[:1]):
            sql = section.sql.format(**fixed, **_conditions(team, period)).strip()
            rows = [[_plain(row[column]) for column in columns_of(section)] for row in marts.rows(sql)]
            if section is KEY_FIGURES and not period.has_before:
                rows = [row for row in rows if row[0] == "this period"]
            answers[f"{at_team}-{at_period}"] = Answer(sql, rows)
    return answers


def columns_of(section: Section) -> list[str]:
    """The columns that a section's rows have: those that are shown, then addresses that they link to."""
    return [column.name for column in section.columns] + [c.link for c in section.columns if c.link]


def _conditions(team: Team, period: Period) -> dict[str, str]:
    def of_team(column: str) -> str:
        return "" if team.condition is None else " AND " + team.condition.replace("{}", column, 1)

    both = Window(_before(period.window).since if period.has_before else period.window.since, period.window.until)
    return {
        "since": _instant(period.window.since),
        "chosen": _within(period.window) + of_team("team"),
        "chosen_and_before": _within(both) + of_team("team"),
        "team": of_team("team"),
        "team_of_deal": of_team("last_team"),
    }


def _within(window: Window) -> str:
    return f"started >= {_instant(window.since)} AND started < {_instant(window.until)}"


def _instant(moment: datetime) -> str:
    return f"TIMESTAMP WITH TIME ZONE '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value
