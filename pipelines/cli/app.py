"""What a user types: `gong-elt …`. Heavy imports wait until a command needs them, so that `--help` is quick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import add_call, download_media, export, get, login, models, report, search, superset, upload
from .options import ConnectionOption, DatasetOption, DeadlineOption, DestinationOption, JsonOption
from .options import print_result as _print_result
from .options import report_errors as _report_errors
from .options import stderr as _stderr
from .options import stdout as _stdout
from .options import tune_runtime as _tune_runtime

if TYPE_CHECKING:
    from ..runtime.connection import Connection, Target

app = typer.Typer(
    name="gong-elt",
    help="Copies a company's Gong calls, transcripts and library into a SQL warehouse and keeps the copy right.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(get.app, name="get")
app.add_typer(export.app, name="export")


@app.callback()
def _prepare() -> None:
    # dlt reports usage to its makers unless told not to.
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    # Finished load files would pile up in the working folder.
    os.environ.setdefault("LOAD__DELETE_COMPLETED_JOBS", "true")
    # What is made here holds people's words: for the owner's eyes only.
    os.umask(0o077)


@app.command()
def sync(
    select: Annotated[str | None, typer.Option(help="Resources to read, separated by commas")] = None,
    since: Annotated[str | None, typer.Option(help="Begin of an explicit window, e.g. 2026-01-31")] = None,
    until: Annotated[str | None, typer.Option(help="End of an explicit window, not part of it")] = None,
    deadline: DeadlineOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it would cost; loads nothing")] = False,
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Load what is new: from the bookmark, and a lookback behind it, to now; or an explicit window."""
    with _report_errors():
        from ..load.plan import plan as make_plan
        from ..load.sync import SyncOptions
        from ..load.sync import sync as run_sync
        from ..runtime.selection import selection

        _tune_runtime()
        options = SyncOptions(selection(select), since, until, deadline)
        account, target = _opened(connection, destination, dataset)
        outcome = make_plan(account, target, options) if plan else run_sync(account, target, options, _stderr())
    _print_result(outcome, as_json=as_json)


@app.command()
def reconcile(
    since: Annotated[str | None, typer.Option(help="Begin of the window to compare")] = None,
    until: Annotated[str | None, typer.Option(help="Its end, not part of it")] = None,
    max_share: Annotated[float, typer.Option(help="Refuse when a larger share of the calls would go")] = 0.05,
    force: Annotated[bool, typer.Option("--force", help="Erase however many there are")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the list, erase nothing")] = False,
    deadline: DeadlineOption = None,
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Find calls that Gong no longer has, confirm each one, erase their content."""
    with _report_errors():
        from ..load.reconcile import ReconcileOptions
        from ..load.reconcile import reconcile as run_reconcile

        options = ReconcileOptions(since, until, max_share, force, dry_run, deadline)
        reconciled = run_reconcile(*_opened(connection, destination, dataset), options, _stderr())
    _print_result(reconciled, as_json=as_json)


@app.command()
def status(
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Bookmarks, freshness, owed transcripts, quota left and the last runs; reads only."""
    with _report_errors():
        from ..load.status import status as read_status

        report = read_status(*_opened(connection, destination, dataset))
    if as_json:
        print(report.as_json())
    else:
        report.show(_stdout())


@app.command()
def check(
    select: Annotated[str | None, typer.Option(help="Resources to be read, separated by commas")] = None,
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Credentials, each scope, visibility of calls, clock and destination; reads only."""
    with _report_errors():
        from ..load.check import check as run_check
        from ..runtime.selection import selection

        resources = None if select is None else selection(select)
        report = run_check(*_opened(connection, destination, dataset), resources)
    _print_result(report, as_json=as_json)


app.command("download-media")(download_media.download_media)
app.command("login")(login.login)
app.command("add-call")(add_call.add_call)
app.command("upload")(upload.upload)
app.command("add-media")(upload.add_media)
app.command("models")(models.models)
app.command("report")(report.report)
app.command("search")(search.search)
app.command("superset")(superset.superset)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's warehouse is made")] = Path("demo"),
    calls: Annotated[int, typer.Option(min=1, help="Simulated calls")] = 600,
) -> None:
    """The whole thing with no account: a simulated Gong, a sync, questions to ask, and a report."""
    with _report_errors():
        from ..demo.tour import run_demo

        code = run_demo(folder, calls, _stdout(), _stderr())
    raise typer.Exit(code)


@app.command()
def simulate(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 8900,
    calls: Annotated[int, typer.Option(min=1, help="Simulated calls")] = 600,
    seed: Annotated[int, typer.Option(help="Another seed is another company")] = 7,
    requests_per_second: Annotated[float, typer.Option(min=0.1, help="Gong's limit")] = 3.0,
) -> None:
    """The simulated Gong alone, for development."""
    with _report_errors():
        from ..demo.server.serving import serve_forever
        from ..demo.tour import simulated_gong

        gong = simulated_gong(calls=calls, seed=seed)
        gong.rules.requests_per_second = requests_per_second
        _stderr().print(
            f"simulated Gong with {calls} calls on http://127.0.0.1:{port}, access key 'demo', secret 'demo-secret';"
            " Ctrl-C ends it",
            highlight=False,
        )
        serve_forever(gong.app, "127.0.0.1", port)


def _opened(connection: str, destination: str, dataset: str) -> tuple[Connection, Target]:
    from ..runtime.connection import Connection, Target

    return Connection(connection), Target.of(destination, dataset)


def main() -> None:
    """The console script."""
    app()
