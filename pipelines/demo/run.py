"""The demo without a Gong account: a simulated Gong on loopback, a sync, the models, example queries, a report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from pipelines.analytics.dbt_build import ModelOptions, build_models, dbt_is_installed
from pipelines.analytics.report.build import DEFAULT_FILE, ReportOptions, build_report, report_packages_are_installed
from pipelines.demo.company.company import build_company
from pipelines.demo.next_steps import list_next_steps, write_settings
from pipelines.demo.questions import MART_QUESTIONS, QUESTIONS, print_answers
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from pipelines.load.sync import SyncOptions, sync
from pipelines.load.sync_result import SyncResult
from pipelines.runtime.connection import Connection
from pipelines.runtime.result import JobResult, show_line
from pipelines.runtime.target import Target
from sources.gong import GongApiKey

ACCESS_KEY, ACCESS_KEY_SECRET = "demo", "demo-secret"


def build_demo_gong(*, calls: int, seed: int = 7) -> SimulatedGong:
    """Return a simulated Gong whose company had its last call just now."""
    return SimulatedGong(build_company(calls=calls, seed=seed, until=datetime.now(UTC)))


def run_demo(folder: Path, calls: int, out: Console, err: Console) -> int:
    """Sync a generated company, build the models, print example queries, write the report; return the exit code.

    Args:
        folder: Folder for the warehouse; the warehouse of an earlier demo is replaced.
        calls: Number of calls of the company.
        out: Console for the results.
        err: Console for the progress.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "warehouse.duckdb"
    file.unlink(missing_ok=True)
    err.print(f"serving a simulated Gong with {calls:,} calls on loopback …", highlight=False)
    with serve(build_demo_gong(calls=calls).app) as base_url:
        connection = Connection(
            overrides={
                "base_url": base_url,
                "credentials": GongApiKey(access_key=ACCESS_KEY, access_key_secret=ACCESS_KEY_SECRET),
                "requests_per_second": 1_000.0,
            }
        )
        target = Target.resolve("duckdb", "gong", file=file, folder=folder / "working")
        summary = sync(connection, target, SyncOptions(), err)
    result = JobResult(summary)
    if summary.status != "done":
        result.show(out)
        for failure in result.failures():
            show_line(err, f"gong-elt: {failure}")
        return result.exit_code
    write_settings(folder)
    show_line(out, _describe_sync(summary, file))
    if summary.warning is not None:
        show_line(out, f"warning: {summary.warning}")
    questions = list(QUESTIONS)
    report = None
    if dbt_is_installed():
        built = JobResult(build_models(connection, target, ModelOptions()))
        built.show(out)
        if built.exit_code:
            for failure in built.failures():
                show_line(err, f"gong-elt: {failure}")
            return built.exit_code
        questions += MART_QUESTIONS
        if report_packages_are_installed():
            report = build_report(connection, target, ReportOptions(to=folder / DEFAULT_FILE))
            JobResult(report).show(out)
    print_answers(file, questions, out)
    out.print()
    if report is not None:
        show_line(out, f"The report, for a browser: {Path(report.file).absolute().as_uri()}")
    for line in list_next_steps(folder):
        show_line(out, line)
    return result.exit_code


def _describe_sync(summary: SyncResult, file: Path) -> str:
    """Return one line for all tables."""
    return (
        f"{summary.calls:,} calls with {summary.transcripts:,} transcripts loaded into {file}:"
        f" {sum(summary.tables.values()):,} rows in {len(summary.tables)} tables,"
        f" {summary.requests:,} requests, {summary.duration_seconds:.1f} s"
    )
