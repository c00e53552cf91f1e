"""Commands that load Gong's data, and inspect and look after the copy."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    DEFAULT_WAIT,
    AnalyticsOption,
    ConnectionOption,
    DatasetOption,
    DeadlineOption,
    DestinationOption,
    JsonOption,
    PublishOption,
    WaitOption,
    resolve_connection_name,
    resolve_marts,
    resolve_publish,
    resolve_target,
)
from .output import print_line, print_result, report_errors, stderr, tune_runtime

app = typer.Typer()


@app.command("sync")
def sync_command(
    select: Annotated[
        str | None, typer.Option(help="Resources to load, separated by commas; default: all that are not opt-in")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Start of an explicit window, e.g. 2026-01-31; default: bookmark minus lookback")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End of an explicit window, exclusive; default: now")] = None,
    deadline: DeadlineOption = None,
    publish: PublishOption = None,
    allow_clear_text: Annotated[
        bool, typer.Option("--allow-clear-text", help="Store personal values in clear where they were stored as hashes")
    ] = False,
    plan_only: Annotated[bool, typer.Option("--plan", help="Estimate requests and duration, load nothing")] = False,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Load new and changed data, from the bookmark minus a lookback to now, or in an explicit window."""
    with report_errors():
        from ..load.plan import plan
        from ..load.sync import SyncOptions, sync
        from ..runtime.run_options import parse_selection

        tune_runtime()
        options = SyncOptions(
            parse_selection(select), since, until, deadline, allow_clear_text, resolve_publish(publish)
        )
        account, target = resolve_target(connection, destination, dataset, wait)
        result = plan(account, target, options) if plan_only else sync(account, target, options, stderr())
    print_result(result, as_json=as_json)


@app.command("reconcile")
def reconcile_command(
    since: Annotated[
        str | None, typer.Option(help="Start of the window to compare, e.g. 2026-01-31; default: the first call")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End of the window, exclusive; default: the bookmark")] = None,
    max_share: Annotated[float, typer.Option(help="Refuse to erase a larger share of the window's calls")] = 0.05,
    force: Annotated[bool, typer.Option("--force", help="Erase any number of calls")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the calls, erase nothing")] = False,
    deadline: DeadlineOption = None,
    publish: PublishOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Find calls that were deleted in Gong, confirm each one, and erase their content."""
    with report_errors():
        from ..load.reconcile import ReconcileOptions, reconcile

        options = ReconcileOptions(since, until, max_share, force, dry_run, deadline, resolve_publish(publish))
        result = reconcile(*resolve_target(connection, destination, dataset, wait), options, stderr())
    print_result(result, as_json=as_json)


@app.command("status")
def status_command(
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Show bookmarks, freshness, pending transcripts, the quota left and the last runs. Read-only."""
    with report_errors():
        from ..load.status import status

        report = status(*resolve_target(connection, destination, dataset, wait))
    print_result(report, as_json=as_json)


@app.command("check")
def check_command(
    select: Annotated[
        str | None, typer.Option(help="Resources to check, separated by commas; default: all, opt-in ones included")
    ] = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = "5s",
    as_json: JsonOption = False,
) -> None:
    """Check the credential, each scope, the visibility of calls, the clock and the destination. Read-only."""
    with report_errors():
        from ..load.check import check
        from ..runtime.run_options import parse_selection

        resources = None if select is None else parse_selection(select)
        result = check(*resolve_target(connection, destination, dataset, wait), stderr(), resources)
    print_result(result, as_json=as_json)


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
