"""`gong-elt report`: the BI page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    ConnectionOption,
    DatasetOption,
    DestinationOption,
    JsonOption,
    print_result,
    report_errors,
)


def report(
    to: Annotated[Path, typer.Option(help="File to write")] = Path("gong-report.html"),
    since: Annotated[str | None, typer.Option(help="Begin of the period; by default 90 days before its end")] = None,
    until: Annotated[str | None, typer.Option(help="Its end, not part of it; by default now")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team: its manager's name")] = None,
    silent_days: Annotated[int, typer.Option(help="An open deal without a call for so long is at risk")] = 14,
    analytics: Annotated[str, typer.Option(help="Dataset of the marts")] = "gong_analytics",
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Write the marts as one HTML page with charts, which needs nothing else: open it or mail it."""
    with report_errors():
        from ..analytics.report.build import ReportOptions, build_report
        from ..runtime.connection import Connection, Target

        options = ReportOptions(to, since, until, team, silent_days, analytics)
        reported = build_report(Connection(connection), Target.of(destination, dataset), options)
    print_result(reported, as_json=as_json)
