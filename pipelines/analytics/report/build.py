"""Job of `gong-elt report`: write the marts as one HTML file that can be opened or mailed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from sources.gong import Window, parse_datetime_setting

from ...runtime.atomic_file import write_output_file
from ...runtime.connection import Connection
from ...runtime.display.text import format_count
from ...runtime.errors import UsageError
from ...runtime.result import Status
from ...runtime.target import Target
from ..marts import DEFAULT_ANALYTICS, Marts, open_marts
from .selections import in_window

DEFAULT_FILE = Path("gong-report.html")
DEFAULT_DAYS = 90
DEFAULT_SILENT_DAYS = 14

_EXTENT = """
SELECT count(*) AS calls, min(started) AS first, max(started) AS last, count(CASE WHEN {period} THEN 1 END) AS matching
FROM {marts}.calls_enriched
"""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options of a report.

    Attributes:
        to: File to write.
        since: Start of the period as the user wrote it; None for 90 days before its end, at midnight UTC.
        until: End of the period, exclusive; None for now.
        team: Only calls of this team, by its manager's name; None for all, which the reader can select.
        silent_days: Number of days without a call after which an open deal is at risk.
        analytics: Dataset of the marts.
    """

    to: Path = DEFAULT_FILE
    since: str | None = None
    until: str | None = None
    team: str | None = None
    silent_days: int = DEFAULT_SILENT_DAYS
    analytics: str = DEFAULT_ANALYTICS


@dataclass(frozen=True, slots=True)
class ReportResult:
    """Result of a report; the fields are the keys of `--json`.

    Attributes:
        file: The file written.
        since: Start of the whole period.
        until: End of the whole period.
        teams: Teams that the reader can select.
        call_types: Types of calls that the reader can select.
        periods: Periods that the reader can select.
        sections: Number of rows in each section when the page is opened.
        warnings: Differences between the marts and the loaded tables.
        reason: Why the report is empty, and what to change; None if it is not.
    """

    status: Status
    destination: str
    dataset: str
    analytics: str
    file: str
    since: str
    until: str
    teams: list[str]
    call_types: list[str]
    periods: list[str]
    sections: Mapping[str, int]
    warnings: list[str]
    duration_seconds: float
    reason: str | None = None

    def lines(self) -> Iterator[str]:
        """Yield the warnings."""
        yield from (f"warning: {warning}" for warning in self.warnings)

    def final_line(self, options: str) -> str:
        """Return the file, and the next command."""
        return f"report: {self.file}; next: gong-elt search WORDS{options}"


def report_packages_are_installed() -> bool:
    """Return whether the packages of the extra `report` are installed."""
    return find_spec("altair") is not None and find_spec("vl_convert") is not None


def build_report(connection: Connection, target: Target, options: ReportOptions) -> ReportResult:
    """Write the report.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Period, team and file.

    Raises:
        UsageError: If the marts do not exist, an option is invalid, or the file cannot be written.
        ConfigurationError: If a date is invalid.
    """
    if not report_packages_are_installed():
        raise UsageError("gong-elt report needs packages: pip install 'gong-elt[report]'")
    from .figures import load_figures  # noqa: PLC0415 - the packages are optional
    from .page import render_page  # noqa: PLC0415

    clock, now = time.monotonic(), datetime.now(UTC)
    window = _window(options, now)
    if options.silent_days < 1:
        raise UsageError(f"--silent-days {options.silent_days} is not a number of days: use 1 or more")
    with open_marts(connection, target, options.analytics) as marts:
        figures = load_figures(marts, window, team=options.team, silent_days=options.silent_days, today=now.date())
        reason = _reason_if_empty(marts, window)
    selections = figures.selections
    html = render_page(
        figures,
        {
            "period": f"{window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}",
            "team": selections.teams[0].label if options.team else None,
            "written_at": f"{now:%Y-%m-%d %H:%M} UTC",
            "silent_days": options.silent_days,
        },
    )
    write_output_file(options.to, [html.encode()])
    differences = {
        "loaded calls are not in the marts yet": figures.missing_calls,
        "calls in the marts are now private or deleted": figures.removed_calls,
    }
    return ReportResult(
        status="done",
        destination=target.name,
        dataset=target.dataset,
        analytics=options.analytics,
        file=str(options.to),
        since=window.since.isoformat(),
        until=window.until.isoformat(),
        teams=[team.label for team in selections.teams],
        call_types=[call_type.label for call_type in selections.call_types],
        periods=[period.label for period in selections.periods],
        sections={key: len(section.results["0-0-0"]) for key, section in figures.sections.items()},
        warnings=[f"{count:,} {difference}: run gong-elt models" for difference, count in differences.items() if count],
        duration_seconds=round(time.monotonic() - clock, 3),
        reason=reason,
    )


def _reason_if_empty(marts: Marts, window: Window) -> str | None:
    """Return why the report is empty, and what to change; None if the period has calls."""
    (extent,) = marts.rows(_EXTENT.format(marts=marts.schema, period=in_window(window)))
    if extent["matching"]:
        return None
    if not extent["calls"]:
        return f"the report is empty: dataset {marts.dataset} has no call yet: run gong-elt sync and gong-elt models"
    calls = f"from {extent['first']:%Y-%m-%d} to {extent['last']:%Y-%m-%d}" if extent["first"] else "without a start"
    return (
        f"the report is empty: no call started from {window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}, and"
        f" {format_count(extent['calls'], 'call is', 'calls are')} {calls}; change --since and --until"
    )


def _window(options: ReportOptions, now: datetime) -> Window:
    until = parse_datetime_setting(options.until, "--until") if options.until else now
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (
        parse_datetime_setting(options.since, "--since") if options.since else midnight - timedelta(days=DEFAULT_DAYS)
    )
    if since >= until:
        raise UsageError(f"the period is empty: it starts at {since} and ends at {until}; check --since and --until")
    return Window(since, until)
