"""Statements of our own are SQL that every supported warehouse parses. dlt and dbt write theirs per warehouse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from pipelines.demo.server.media_host import MediaHost
from pipelines.demo.server.serving import serve
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.paths import REPOSITORY
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace

DIALECTS = (
    *("duckdb", "postgres", "snowflake", "bigquery", "databricks", "redshift"),
    *("clickhouse", "mysql", "trino", "spark", "athena"),
)
# SQL Server has no `date_trunc`, `||` or LIMIT; the statements of the report are not for it.
_STATE_DIALECTS = (*DIALECTS, "tsql")
_STATE_FOLDERS = ("state/", "destinations/", "pipelines/runtime/", "pipelines/load/")
# Sent by the modules of DuckDB and PostgreSQL alone.
_OF_ONE_KIND = ("destinations/kinds/",)


def _record(workspace: Workspace, file: Path, *arguments: str) -> None:
    program = [sys.executable, "-m", "tests.support.process.record_statements", str(file), *arguments]
    environment = {**workspace.environment, "PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(program, cwd=workspace.folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, (arguments, result.stderr)


@pytest.mark.slow
def test_every_statement_of_ours_is_parsed_by_every_warehouse(make_gong: MakeGong, workspace: Workspace) -> None:
    """All commands that send SQL are run, and their statements parsed in all dialects."""
    gong = make_gong(calls=40)
    file = workspace.folder / "statements.jsonl"
    upload = write_csv(workspace.folder, build_upload_rows(gong, 2))
    with serve(MediaHost().app) as gong.settings.media_host:
        _record(workspace, file, "sync")
        gong.delete_call(public_calls(gong)[0].id)
        for command in (
            *(["sync", "--since", "2020-01-01"], ["upload", upload], ["download-media"], ["status"], ["check"]),
            *(["models"], ["reconcile", "--force"], ["search", "price"], ["report"], ["export", "transcripts"]),
        ):
            _record(workspace, file, *command)

    statements = {
        re.sub(r"(%s, )+%s", "%s", text): sender for sender, text in map(json.loads, file.read_text().splitlines())
    }
    senders = set(statements.values())
    assert {"state/runs.py", "state/loaded.py", "state/deletions.py", "state/uploads.py", "state/media.py"} <= senders
    assert {"destinations/erasure.py", "pipelines/analytics/marts.py"} <= senders

    refused = [
        f"{dialect}: {sender}: {text[:200]}: {error}"
        for text, sender in statements.items()
        if not sender.startswith(_OF_ONE_KIND)
        for dialect in (_STATE_DIALECTS if sender.startswith(_STATE_FOLDERS) else DIALECTS)
        if (error := _parse_error(text, dialect)) is not None
    ]
    assert refused == []


def _parse_error(text: str, dialect: str) -> str | None:
    """Return why a dialect cannot parse a statement; None if it can."""
    try:
        parsed = sqlglot.parse_one(text.replace("%s", "NULL"), read=dialect)
    except sqlglot.ParseError as error:
        return str(error).splitlines()[0]
    # sqlglot passes on what it does not understand.
    return "not understood" if isinstance(parsed, exp.Command) else None


@pytest.mark.parametrize("text", ["SELECT 1 FROM WHERE", "SELECT * FROM t WINDOW w AS (ORDER BY a) WINDOW"])
def test_a_statement_that_is_no_sql_is_found(text: str) -> None:
    """The check above can fail."""
    assert all(_parse_error(text, dialect) is not None for dialect in DIALECTS)
