"""Commands over the loaded data: models builds the marts, and the others read them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import (
    DEFAULT_WAIT,
    AccountOption,
    AnalyticsOption,
    ConnectionOption,
    DatasetOption,
    DestinationOption,
    JsonOption,
    PublishOption,
    RepOption,
    SideOption,
    SinceOption,
    UntilOption,
    WaitOption,
    list_choices,
    resolve_marts,
    resolve_publish,
)
from .output import ignore_broken_pipe, print_error, print_line, print_result, report_errors, stderr

app = typer.Typer()
export_app = typer.Typer(
    name="export", help="Export the contents of the marts, which gong-elt models builds.", no_args_is_help=True
)
app.add_typer(export_app)


@app.command("models")
def models_command(
    analytics: AnalyticsOption = None,
    select: Annotated[
        str | None, typer.Option(help="Only these models, as a dbt selector, e.g. calls_enriched+,rep_week")
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild incremental models from scratch")
    ] = False,
    variables: Annotated[
        str,
        typer.Option("--vars", help="JSON: names of your CRM's stages and fields, see pipelines/models/README.md"),
    ] = "{}",
    docs: Annotated[Path | None, typer.Option(help="Write dbt's documentation, one HTML file, to this folder")] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="Engine of --destination iceberg: spark builds the marts as Iceberg tables; default: duckdb"),
    ] = None,
    publish: PublishOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Build and test the marts, a dbt project over the loaded tables."""
    with report_errors():
        from ..analytics.dbt_build import ModelOptions, build_models
        from ..runtime.progress import show_stage

        account, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        options = ModelOptions(marts, select, full_refresh, variables, docs, resolve_publish(publish), engine)
        with show_stage(stderr(), f"building the models in {target.label}"):
            result = build_models(account, target, options)
    print_result(result, as_json=as_json)


@app.command("report")
def report_command(
    to: Annotated[Path, typer.Option(help="File to write")] = Path("gong-report.html"),
    since: Annotated[
        str | None, typer.Option(help="Start of the period, e.g. 2026-01-31; default: 90 days before its end")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End of the period, exclusive; default: now")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team, by its manager's name; default: all")] = None,
    silent_days: Annotated[
        int, typer.Option(help="Days without a call after which an open deal is listed as at risk")
    ] = 14,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Write the report, one self-contained HTML file with charts that can be opened or mailed."""
    with report_errors():
        from ..analytics.report.build import ReportOptions, build_report
        from ..runtime.progress import show_stage

        account, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        options = ReportOptions(to, since, until, team, silent_days, marts)
        with show_stage(stderr(), f"writing {to}"):
            result = build_report(account, target, options)
        if result.reason is not None:
            print_error(result.reason)
    print_result(result, as_json=as_json)


@app.command("search")
def search_command(
    words: Annotated[
        str, typer.Argument(help='Words to find, in any grammatical form; "exact phrase", OR and -excluded work')
    ],
    rep: RepOption = None,
    account: AccountOption = None,
    side: SideOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(help="Maximum number of sentences")] = 10,
    context: Annotated[int, typer.Option(help="Sentences to print before and after each hit")] = 1,
    newest: Annotated[bool, typer.Option("--newest", help="Sort by date, newest call first, not by relevance")] = False,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Print each of the sentences that have the same words, not one of them")
    ] = False,
    mode: Annotated[
        str | None,
        typer.Option(
            help="How to find sentences: words, meaning or both; default: both if gong-elt[semantic] is installed",
            **list_choices("words", "meaning", "both"),
        ),
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild the index from scratch")] = False,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Find sentences, ranked, with speaker, time and the call's URL."""
    with ignore_broken_pipe():
        with report_errors():
            from ..analytics.search.search import SearchOptions, search

            gong, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
            options = SearchOptions(
                *(words, rep, account, side, since, until, limit, context),
                newest=newest,
                duplicates=duplicates,
                mode=mode,
                rebuild=rebuild,
                analytics=marts,
            )
            result = search(gong, target, options, stderr())
            if result.reason is not None:
                print_error(result.reason)
        print_result(result, as_json=as_json, ascii_only=False)


@app.command("show")
def show_command(
    call: Annotated[str, typer.Argument(help="Gong's id of the call, or its URL")],
    text_format: Annotated[
        str, typer.Option("--format", help="text or markdown", **list_choices("text", "markdown"))
    ] = "text",
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Show a call: people, deal, brief, key points, next steps and transcript."""
    with ignore_broken_pipe():
        with report_errors():
            from ..analytics.calls.show import ShowOptions, show_call

            gong, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
            result = show_call(gong, target, ShowOptions(call, text_format, marts))
        if text_format == "markdown" and not as_json:
            sys.stdout.buffer.write(result.as_markdown().encode())
            return
        print_result(result, as_json=as_json, ascii_only=False)


@app.command("brief")
def brief_command(
    account: Annotated[
        str | None, typer.Option(help="Name of the account or a part of it, its domain, CRM id, or a contact's e-mail")
    ] = None,
    deal: Annotated[str | None, typer.Option(help="Name of the deal or a part of it, or its CRM id")] = None,
    since: Annotated[str | None, typer.Option(help="Only calls from this time on, e.g. 2026-01-31")] = None,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Print what is known of an account or a deal as Markdown: risks, people, last calls, next steps, quotes."""
    with ignore_broken_pipe():
        with report_errors():
            from ..evidence.brief_text import brief

            gong, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
            result = brief(gong, target, marts, account, deal, since)
        print_result(result, as_json=as_json, ascii_only=False)


@app.command("superset")
def superset_command(
    to: Annotated[Path, typer.Option(help="File to write")] = Path("gong-superset.zip"),
    uri: Annotated[
        str | None,
        typer.Option(help="SQLAlchemy URI of the warehouse as Superset reaches it; default: the one used here"),
    ] = None,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Write a dashboard with its datasets and charts as a file that Apache Superset imports."""
    with report_errors():
        from ..analytics.superset.build import SupersetOptions, build_superset

        account, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        result = build_superset(account, target, SupersetOptions(to, uri, marts))
    print_result(result, as_json=as_json)


@app.command("notebook")
def notebook_command(
    edit: Annotated[
        Path | None,
        typer.Option(help="Copy the notebook to this file, unless it exists, and open it with its code for changes"),
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 2718,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the notebook in a browser")] = True,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
) -> None:
    """Open a notebook over the marts, with charts, filters and search, in the browser until Ctrl-C."""
    with report_errors():
        from ..analytics.notebook.server import NotebookOptions, serve_notebook
        from ..runtime.process.interruption import is_interrupted

        account, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)

        def report(address: str) -> None:
            print_line(f"the notebook is at {address}; Ctrl-C ends it")
            if browser:
                import webbrowser

                webbrowser.open(address)

        try:
            serve_notebook(account, target, NotebookOptions(marts, edit, port), report)
        except KeyboardInterrupt:
            if not is_interrupted():
                raise
            print_line("the notebook has ended")


@export_app.command("transcripts")
def export_transcripts_command(
    text_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="jsonl (one object per call), markdown, or parquet (one row per turn; needs --to)",
            **list_choices("jsonl", "markdown", "parquet"),
        ),
    ] = "jsonl",
    to: Annotated[Path | None, typer.Option(help="File to write; default: stdout")] = None,
    call_id: Annotated[
        list[str] | None, typer.Option(help="Only this call, by its id or URL; repeat the option for more")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    rep: RepOption = None,
    account: AccountOption = None,
    deal: Annotated[
        str | None, typer.Option(help="Only calls of this deal: its name or a part of it, or its id in the CRM")
    ] = None,
    side: SideOption = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            help="End the text of a call after the last turn that fits into this number of tokens, four characters each"
        ),
    ] = None,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
) -> None:
    """Export whole conversations with speakers, sides and times, oldest first."""
    with ignore_broken_pipe(), report_errors():
        from ..analytics.export import ExportOptions, export_transcripts, export_turns
        from ..runtime.atomic_file import write_output_file

        gong, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        options = ExportOptions(text_format, since, until, rep, account, side, marts, deal, call_id or (), max_tokens)
        if text_format == "parquet" and to is not None:
            export_turns(gong, target, options, to, print_error)
            return
        texts = export_transcripts(gong, target, options, print_error)
        if to is None:
            for text in texts:
                sys.stdout.buffer.write(text.encode())
            return
        write_output_file(to, (text.encode() for text in texts))


@export_app.command("accounts")
def export_accounts_command(
    to: Annotated[Path, typer.Option(help="Folder to write, or to bring up to date")],
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Write a folder of Markdown per account: deals, people, calls and quotes; later runs write only what changed."""
    with report_errors():
        from ..analytics.account_folder.job import AccountFolderOptions, export_accounts
        from ..runtime.progress import show_stage

        account, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        with show_stage(stderr(), f"writing accounts to {to}"):
            result = export_accounts(account, target, AccountFolderOptions(to, marts))
    print_result(result, as_json=as_json)
