"""`gong-elt export …`: what the marts hold, as text on stdout or in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import ConnectionOption, DatasetOption, DestinationOption, ignore_broken_pipe, report_errors

app = typer.Typer(
    help="Write what the marts hold, which gong-elt models has built, as text.",
    no_args_is_help=True,
)


@app.command()
def transcripts(
    form: Annotated[str, typer.Option("--format", help="jsonl, an object a call, or markdown")] = "jsonl",
    to: Annotated[Path | None, typer.Option(help="File to write; by default stdout")] = None,
    since: Annotated[str | None, typer.Option(help="Begin of the period, e.g. 2026-01-31")] = None,
    until: Annotated[str | None, typer.Option(help="Its end, not part of it")] = None,
    rep: Annotated[str | None, typer.Option(help="Only calls of this host: part of the name")] = None,
    account: Annotated[str | None, typer.Option(help="Only calls with this account: part of its name")] = None,
    side: Annotated[str | None, typer.Option(help="Only what this side says: company, customer or unknown")] = None,
    analytics: Annotated[str, typer.Option(help="Dataset of the marts")] = "gong_analytics",
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
) -> None:
    """Whole conversations with speakers, sides and times, oldest first."""
    with ignore_broken_pipe(), report_errors():
        from ..analytics.export import ExportOptions, export_transcripts
        from ..runtime.atomic_file import write_whole
        from ..runtime.connection import Connection, Target

        options = ExportOptions(form, since, until, rep, account, side, analytics)
        texts = export_transcripts(Connection(connection), Target.of(destination, dataset), options)
        if to is None:
            for text in texts:
                sys.stdout.buffer.write(text.encode())
            return
        write_whole(to, (text.encode() for text in texts))
