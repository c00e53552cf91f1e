"""Commands that look after the warehouse: serve, maintain, migrate."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    DEFAULT_WAIT,
    AnalyticsOption,
    ConnectionOption,
    DatasetOption,
    DestinationOption,
    JsonOption,
    PublishOption,
    WaitOption,
    resolve_connection_name,
    resolve_marts,
    resolve_publish,
    resolve_target,
)
from .output import print_line, print_result, report_errors, stderr

app = typer.Typer()


@app.command("serve")
def serve_command(
    every: Annotated[str, typer.Option(help="Time between the starts of two syncs")] = "1h",
    with_models: Annotated[bool, typer.Option("--models", help="Build the marts after each sync")] = False,
    reconcile_every: Annotated[
        str | None, typer.Option("--reconcile", help="Time between the starts of two reconciles; default: none runs")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 9494,
    publish: PublishOption = None,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
) -> None:
    """Let other processes read the DuckDB file over DuckDB's protocol quack while this one syncs. Experimental."""
    with report_errors():
        from ..runtime.configuration.command_defaults import read_command_defaults
        from ..runtime.process.interruption import is_interrupted
        from ..serve.serve import ServeOptions, serve

        _, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        options = ServeOptions(
            every,
            reconcile_every,
            marts if with_models else None,
            resolve_publish(publish),
            port,
            read_command_defaults().serve_token,
        )
        try:
            serve(resolve_connection_name(connection), target, options, print_line, stderr())
        except KeyboardInterrupt:
            if not is_interrupted():
                raise
            print_line("ended by a signal; clients can no longer connect")


@app.command("maintain")
def maintain_command(
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Free the space of rows that were deleted or replaced. The data stays as it is."""
    with report_errors():
        from ..maintenance.maintain import maintain

        result = maintain(*resolve_marts(connection, destination, dataset, analytics, wait))
    print_result(result, as_json=as_json)


@app.command("migrate")
def migrate_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, change nothing")] = False,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Upgrade the tables of an earlier version, in one transaction."""
    with report_errors():
        from ..maintenance.migrate import migrate

        result = migrate(*resolve_target(connection, destination, dataset, wait), dry_run=dry_run)
    print_result(result, as_json=as_json)
