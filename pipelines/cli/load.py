"""Commands that load Gong's data and inspect the copy: sync, reconcile, status, check."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    DEFAULT_WAIT,
    ConnectionOption,
    DatasetOption,
    DeadlineOption,
    DestinationOption,
    JsonOption,
    PublishOption,
    WaitOption,
    resolve_publish,
    resolve_target,
)
from .output import print_result, report_errors, stderr, tune_runtime

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
