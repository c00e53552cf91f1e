"""`gong-elt search`: who said it, where, and what around it."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    ConnectionOption,
    DatasetOption,
    DestinationOption,
    JsonOption,
    ignore_broken_pipe,
    print_result,
    report_errors,
    stderr,
)


def search(
    words: Annotated[str, typer.Argument(help='Words, in any of their forms; "side by side", OR, -without')],
    rep: Annotated[str | None, typer.Option(help="Only calls of this host: part of the name")] = None,
    account: Annotated[str | None, typer.Option(help="Only calls with this account: part of its name")] = None,
    side: Annotated[str | None, typer.Option(help="Only what this side says: company, customer or unknown")] = None,
    since: Annotated[str | None, typer.Option(help="Begin of the period, e.g. 2026-01-31")] = None,
    until: Annotated[str | None, typer.Option(help="Its end, not part of it")] = None,
    limit: Annotated[int, typer.Option(help="How many sentences")] = 10,
    context: Annotated[int, typer.Option(help="How many sentences before and after each")] = 1,
    newest: Annotated[bool, typer.Option("--newest", help="The newest call first, not the best match")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index from scratch")] = False,
    analytics: Annotated[str, typer.Option(help="Dataset of the marts")] = "gong_analytics",
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Find sentences in the marts, which gong-elt models has built: ranked, with speaker, time and the call's page."""
    with ignore_broken_pipe():
        with report_errors():
            from ..analytics.search.search import SearchOptions
            from ..analytics.search.search import search as run_search
            from ..runtime.connection import Connection, Target

            options = SearchOptions(words, rep, account, side, since, until, limit, context, newest, rebuild, analytics)
            searched = run_search(Connection(connection), Target.of(destination, dataset), options, stderr())
        print_result(searched, as_json=as_json)
