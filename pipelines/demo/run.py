"""The demo without a Gong account: a simulated Gong on loopback, a sync, the models, example queries, a report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from rich.console import Console
from rich.text import Text

from pipelines.analytics.dbt_build import ModelOptions, build_models, dbt_is_installed
from pipelines.analytics.report.build import ReportOptions, build_report, report_packages_are_installed
from pipelines.analytics.search.search import search_packages_are_installed
from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from pipelines.load.sync import SyncOptions, sync
from pipelines.runtime.connection import Connection
from pipelines.runtime.display.table import DataTable
from pipelines.runtime.result import JobResult, show_line
from pipelines.runtime.target import Target
from sources.gong import GongApiKey

ACCESS_KEY, ACCESS_KEY_SECRET = "demo", "demo-secret"

QUESTIONS = (
    (
        "Who hosts most calls, and how long are they?",
        "SELECT u.first_name || ' ' || u.last_name AS host, count(*) AS calls, round(avg(c.duration) / 60) AS minutes"
        " FROM gong.calls c JOIN gong.users u ON u.id = c.primary_user_id GROUP BY ALL ORDER BY calls DESC LIMIT 5",
    ),
    (
        "Which trackers are mentioned most, and on how many calls?",
        "SELECT name, sum(count) AS mentions, count(*) FILTER (count > 0) AS calls"
        " FROM gong.call_trackers GROUP BY ALL ORDER BY mentions DESC LIMIT 5",
    ),
    (
        "What do customers say about the price?",
        "SELECT s.text, count(DISTINCT s.call_id) AS calls FROM gong.transcript_sentences s"
        " JOIN gong.call_parties p ON p.call_id = s.call_id AND p.speaker_id = s.speaker_id"
        " WHERE p.affiliation = 'External' AND s.text ILIKE '%price%' GROUP BY ALL ORDER BY calls DESC LIMIT 5",
    ),
)
"""Title and SQL of queries over the tables."""

MODEL_QUESTIONS = (
    (
        "How do reps talk, month by month?",
        "SELECT rep_name, month, call_count AS calls, round(talk_ratio, 2) AS talk_ratio,"
        " round(longest_monologue_seconds) AS longest, round(questions_per_hour) AS questions"
        " FROM gong_analytics.rep_month WHERE call_count >= 5 ORDER BY month DESC, calls DESC LIMIT 5",
    ),
    (
        "Which open deals had no call for the longest time?",
        "SELECT opportunity_name, stage_path, days_since_last_call AS days, external_people AS people"
        " FROM gong_analytics.deal_activity WHERE NOT is_closed ORDER BY days DESC, opportunity_name LIMIT 5",
    ),
)
"""Title and SQL of queries over the marts."""


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
    result.show(out)
    for failure in result.failures():
        show_line(err, f"gong-elt: {failure}")
    if summary.status == "done":
        _print_queries(file, QUESTIONS, out)
        if dbt_is_installed():
            out.print()
            built = JobResult(build_models(connection, target, ModelOptions()))
            built.show(out)
            if built.exit_code:
                return built.exit_code
            _print_queries(file, MODEL_QUESTIONS, out)
            if report_packages_are_installed():
                out.print()
                report = build_report(connection, target, ReportOptions(to=folder / "gong-report.html"))
                JobResult(report).show(out)
        out.print()
        for line in _next_steps(folder):
            show_line(out, line)
    return result.exit_code


def _print_queries(file: Path, questions: Sequence[tuple[str, str]], out: Console) -> None:
    with duckdb.connect(str(file), read_only=True) as warehouse:
        for question, sql in questions:
            _print_query(warehouse, question, sql, out)


def _print_query(warehouse: duckdb.DuckDBPyConnection, question: str, sql: str, out: Console) -> None:
    result = warehouse.execute(sql)
    headings = [str(column[0]) for column in result.description or ()]
    out.print()
    show_line(out, Text(question, style="bold"))
    show_line(out, Text(f"{sql};", style="cyan"))
    show_line(out, DataTable(headings, [[str(value) for value in row] for row in result.fetchall()]))


def _next_steps(folder: Path) -> Iterator[str]:
    """Yield the commands to try next; they find the warehouse in the demo's folder."""
    yield f"The warehouse is {folder / 'warehouse.duckdb'}. Open it with DuckDB or any tool that reads DuckDB files."
    yield f"next: cd {shlex.quote(str(folder))}"
    yield "      gong-elt status"
    if search_packages_are_installed() and dbt_is_installed():
        yield "      gong-elt search price"
    missing = {
        "models": dbt_is_installed(),
        "report": report_packages_are_installed(),
        "search": search_packages_are_installed(),
    }
    if extras := ",".join(name for name, is_installed in missing.items() if not is_installed):
        yield f"The demo shows more after: pip install 'gong-elt[{extras}]'"
