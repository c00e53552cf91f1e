"""`gong-elt report`: the marts as one HTML file that a person can open or mail."""

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
from ...runtime.errors import UsageError
from ...runtime.result import Status
from ...runtime.target import Target
from ..marts import DEFAULT_ANALYTICS, marts

DEFAULT_FILE = Path("gong-report.html")
DEFAULT_DAYS = 90
DEFAULT_SILENT_DAYS = 14


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report shows.

    Attributes:
        to: The file to write.
        since: Begin of the period in the user's words; None for 90 days before its end, at midnight UTC.
        until: Its end, not part of it; None for now.
        team: Only calls of this team, a manager's name; None for all, each of which the reader can choose.
        silent_days: After so many days without a call an open deal is at risk.
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
    """A report that was written; the fields are the keys of `--json`.

    Attributes:
        file: Where it is.
        since, until: Its whole period.
        teams, periods: What the reader can choose.
        sections: Rows that each section opens with.
        warnings: What is odd about the figures: marts that lag behind the loaded tables.
    """

    status: Status
    destination: str
    dataset: str
    analytics: str
    file: str
    since: str
    until: str
    teams: list[str]
    periods: list[str]
    sections: Mapping[str, int]
    warnings: list[str]
    duration_seconds: float

    def lines(self) -> Iterator[str]:
        """Yield the warnings, then the file."""
        yield from (f"warning: {warning}" for warning in self.warnings)
        yield f"report: {self.file}"


def report_packages_are_installed() -> bool:
    """Whether the packages of the extra `report` are there."""
    return find_spec("altair") is not None and find_spec("vl_convert") is not None


def build_report(connection: Connection, target: Target, options: ReportOptions) -> ReportResult:
    """Writes the report.

    Args:
        connection: Which Gong account.
        target: Where its marts are.
        options: What the report shows, and where it goes.

    Raises:
        UsageError: There are no marts, an option cannot be used, or the file cannot be written.
        ConfigurationError: A word is not a date.
    """
    if not report_packages_are_installed():
        raise UsageError("the report's charts need packages: pip install 'gong-elt[report]'")
    from .figures import figures  # noqa: PLC0415 - only once it is known to be installed
    from .page import page  # noqa: PLC0415

    clock, now = time.monotonic(), datetime.now(UTC)
    window = _window(options, now)
    if options.silent_days < 1:
        raise UsageError(f"--silent-days {options.silent_days} is not a number of days: take 1 or more")
    with marts(connection, target, options.analytics) as opened:
        found = figures(opened, window, team=options.team, silent_days=options.silent_days, today=now.date())
    text = page(
        found,
        {
            "period": f"{window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}",
            "team": found.teams[0].label if options.team else None,
            "source": f"{target.name}, dataset {options.analytics}",
            "made_at": f"{now:%Y-%m-%d %H:%M} UTC",
            "silent_days": options.silent_days,
        },
    )
    write_output_file(options.to, [text.encode()])
    behind = {"loaded calls are not in the marts yet": found.missing, "calls of the marts are gone by now": found.gone}
    return ReportResult(
        status="done",
        destination=target.name,
        dataset=target.dataset,
        analytics=options.analytics,
        file=str(options.to),
        since=window.since.isoformat(),
        until=window.until.isoformat(),
        teams=[team.label for team in found.teams],
        periods=[period.label for period in found.periods],
        sections={key: len(answers["0-0"].rows) for key, answers in found.answers.items()},
        warnings=[f"{count:,} {what}: run gong-elt models" for what, count in behind.items() if count],
        duration_seconds=round(time.monotonic() - clock, 3),
    )


def _window(options: ReportOptions, now: datetime) -> Window:
    until = parse_datetime_setting(options.until, "--until") if options.until else now
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (
        parse_datetime_setting(options.since, "--since") if options.since else midnight - timedelta(days=DEFAULT_DAYS)
    )
    if since >= until:
        raise UsageError(f"the period is empty: it would begin {since} and end {until}; check --since and --until")
    return Window(since, until)
