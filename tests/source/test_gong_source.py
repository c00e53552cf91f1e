"""`gong_source` in another dlt project: complete, incremental, and shipped by `dlt init`."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.extract import DltSource

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.call_index import parse_effective_time
from pipelines.demo.server.faults import Fault, respond
from sources.gong import (
    OPT_IN_RESOURCES,
    RESOURCES,
    BackgroundReader,
    ExtractRun,
    GongAccessToken,
    GongApiKey,
    GongError,
    Window,
    gong_source,
)
from tests.conftest import MakeGong
from tests.packaging.network import ConnectionLog
from tests.support.companies import public_calls
from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace


class Project:
    """Another dlt project that uses the source."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder = folder
        self._base_url = base_url

    def pipeline(self) -> dlt.Pipeline:
        """Return the project's pipeline."""
        return dlt.pipeline(
            "other_project",
            destination=dlt.destinations.duckdb(str(self._folder / "lake.duckdb")),
            dataset_name="gong_data",
            pipelines_dir=str(self._folder / "pipelines"),
        )

    def source(self, *resources: str, **arguments: Any) -> DltSource:
        """Return the source with these resources selected."""
        source = gong_source(
            GongApiKey(access_key="demo", access_key_secret="demo-secret"),
            base_url=self._base_url,
            requests_per_second=1000,
            **arguments,
        )
        return source.with_resources(*resources) if resources else source

    def run(self, *resources: str, **arguments: Any) -> dlt.Pipeline:
        """Load the source and return the pipeline."""
        pipeline = self.pipeline()
        pipeline.run(self.source(*resources, **arguments))
        return pipeline

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the project's DuckDB file."""
        with duckdb.connect(str(self._folder / "lake.duckdb"), read_only=True) as lake:
            lake.execute("SET search_path = 'gong_data'")
            return lake.execute(sql).fetchall()


@pytest.fixture
def project(make_gong: MakeGong, gong: SimulatedGong, workspace: Workspace, tmp_path: Path) -> Project:
    """Return a project that reads the simulated Gong."""
    return Project(tmp_path, workspace.settings["SOURCES__GONG__BASE_URL"])


def test_building_the_source_sends_no_request(gong: SimulatedGong, workspace: Workspace) -> None:
    """Default resources are selected, opt-in ones are available, and Gong is not contacted."""
    base_url = workspace.settings["SOURCES__GONG__BASE_URL"]
    source = gong_source(GongAccessToken(access_token="demo-token"), base_url=base_url)
    assert set(source.selected_resources) == set(RESOURCES)
    assert set(source.resources) == {*RESOURCES, *OPT_IN_RESOURCES, "call_pages"}
    assert gong.requests == []


def test_the_source_loads_everything_without_our_pipelines(gong: SimulatedGong, project: Project) -> None:
    """`pipeline.run(gong_source())` in any dlt project loads all default resources."""
    project.run()
    calls = {call.id for call in public_calls(gong)}
    assert {row[0] for row in project.rows("SELECT id FROM calls")} == calls
    assert {row[0] for row in project.rows("SELECT call_id FROM transcripts")} <= calls
    assert project.rows("SELECT count(*) FROM users")[0][0] == len(gong.company.users)


def test_the_source_is_incremental_with_its_bookmark_in_dlt_state(gong: SimulatedGong, project: Project) -> None:
    """A second run starts one lookback before the bookmark and changes no rows."""
    started_at = datetime.now(UTC) - timedelta(milliseconds=1)
    state = project.run("calls", "transcripts").state["sources"]["gong"]["resources"]
    bookmark = datetime.fromisoformat(state["calls"]["bookmark"])
    assert bookmark >= started_at

    before = project.rows("SELECT * FROM call_parties ORDER BY ALL")
    gong.requests.clear()
    project.run("calls", "transcripts")
    (request,) = [request for request in gong.requests if request.path == "/v2/calls/extensive"]
    assert datetime.fromisoformat(request.body["filter"]["fromDateTime"]) == bookmark - timedelta(days=1)
    assert project.rows("SELECT * FROM call_parties ORDER BY ALL") == before
    assert project.rows("SELECT count(*), count(DISTINCT id) FROM calls") == [(len(public_calls(gong)),) * 2]


def test_a_changed_call_replaces_its_child_rows(gong: SimulatedGong, project: Project) -> None:
    """Removed topics are deleted also by a pipeline without local state."""
    project.run("calls")
    call = next(call for call in public_calls(gong) if call.record.get("content", {}).get("topics"))
    record = {**call.record, "content": {**call.record["content"], "topics": []}}
    gong.replace_call(call.id, record)
    project.pipeline().drop()
    project.run("calls")
    assert project.rows(f"SELECT count(*) FROM call_topics WHERE call_id = '{call.id}'") != [(0,)]

    project.run("calls", run=ExtractRun(windows=[Window(datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC))]))
    assert project.rows(f"SELECT count(*) FROM call_topics WHERE call_id = '{call.id}'") == [(0,)]


def test_transcripts_can_be_loaded_without_calls(gong: SimulatedGong, project: Project) -> None:
    """The resource `transcripts` reads calls for their ids but writes none of their tables."""
    project.run("transcripts")
    tables = {row[0] for row in project.rows("SELECT table_name FROM information_schema.tables")}
    assert "transcript_sentences" in tables
    assert "call_parties" not in tables


def test_transcripts_selected_later_are_read_from_the_start(gong: SimulatedGong, project: Project) -> None:
    """The bookmark of calls does not apply to transcripts."""
    project.run("calls")
    project.run("calls", "transcripts")
    with_transcript = {call.id for call in public_calls(gong) if call.transcript_json is not None}
    assert {row[0] for row in project.rows("SELECT call_id FROM transcripts")} == with_transcript


@pytest.mark.slow
def test_each_bookmark_of_a_window_read_in_parts_is_correct(
    make_gong: MakeGong, workspace: Workspace, tmp_path: Path
) -> None:
    """Rows before a bookmark are always loaded, and no page is requested twice."""
    gong = make_gong(calls=500, days=100)
    gong.settings.page_size = 50
    gong.settings.latency_seconds = 0.5
    project = Project(tmp_path, workspace.settings["SOURCES__GONG__BASE_URL"])
    bookmarks = {"calls": set[datetime](), "transcripts": set[datetime]()}
    with BackgroundReader(seconds=0) as background:
        source = project.source("calls", "transcripts", run=ExtractRun(background=background))
        while not bookmarks["calls"] or not background.exhausted:
            pipeline = project.pipeline()
            pipeline.run(source)
            for resource, key in (("calls", "id"), ("transcripts", "call_id")):
                state = pipeline.state["sources"]["gong"]["resources"].get(resource, {})
                reached = datetime.fromisoformat(state.get("bookmark", "2020-01-01T00:00:00+00:00"))
                bookmarks[resource].add(reached)
                complete = [call for call in public_calls(gong) if _effective_time(call) < reached]
                expected = {call.id for call in complete if resource == "calls" or call.transcript_json is not None}
                assert expected <= {row[0] for row in project.rows(f"SELECT {key} FROM {resource}")}
    assert all(len(values) > 2 for values in bookmarks.values())
    assert project.rows("SELECT count(*), count(DISTINCT id) FROM calls") == [(len(public_calls(gong)),) * 2]

    requests = [request for request in gong.requests if request.path == "/v2/calls/extensive"]
    assert len({request.cursor for request in requests}) == len(requests), "a page was requested twice"


@pytest.mark.slow
def test_the_transcript_bookmark_waits_for_pending_transcripts(
    make_gong: MakeGong, workspace: Workspace, tmp_path: Path
) -> None:
    """Pending transcripts from before the window are loaded before the bookmark exists."""
    gong = make_gong(calls=500, days=100)
    gong.settings.page_size = 50
    gong.settings.latency_seconds = 0.5
    project = Project(tmp_path, workspace.settings["SOURCES__GONG__BASE_URL"])
    with_transcript = sorted(
        (call for call in public_calls(gong) if call.transcript_json is not None), key=_effective_time
    )
    started_at = _effective_time(with_transcript[20])
    pending_ids = {call.id for call in with_transcript[:20]}
    parts = 0
    with BackgroundReader(seconds=0) as background:
        source = project.source(
            "calls",
            "transcripts",
            run=ExtractRun(
                background=background,
                windows=[Window(started_at, datetime.now(UTC))],
                pending_transcripts=sorted(pending_ids),
            ),
        )
        while not parts or not background.exhausted:
            parts += 1
            pipeline = project.pipeline()
            pipeline.run(source)
            if "bookmark" in pipeline.state["sources"]["gong"]["resources"].get("transcripts", {}):
                assert pending_ids <= {row[0] for row in project.rows("SELECT call_id FROM transcripts")}
    assert parts > 1
    assert "bookmark" in pipeline.state["sources"]["gong"]["resources"]["transcripts"]


def test_an_error_is_raised_and_nothing_is_loaded(gong: SimulatedGong, project: Project) -> None:
    """Without run metrics, the source raises errors, and the next run loads everything."""
    gong.faults.append(Fault(respond(400, errors=["Bad request"]), "/v2/calls/transcript"))
    with pytest.raises(Exception, match="Bad request") as raised:
        project.run("calls", "transcripts")
    causes = [raised.value, raised.value.__cause__, getattr(raised.value.__cause__, "__cause__", None)]
    assert any(isinstance(cause, GongError) for cause in causes)
    gong.faults.clear()
    project.run("calls", "transcripts")
    assert project.rows("SELECT count(*) FROM calls") == [(len(public_calls(gong)),)]


def test_dlt_init_copies_the_source_into_another_project(
    gong: SimulatedGong, workspace: Workspace, tmp_path: Path
) -> None:
    """`dlt init gong duckdb --location ...` yields a project that runs, and contacts no one but Gong."""
    project = tmp_path / "project"
    (tmp_path / "home").mkdir()
    project.mkdir()
    connections = ConnectionLog.create(tmp_path / "hook")
    hook, log = connections.variables["PYTHONPATH"], connections.variables
    environment = {**workspace.environment, **log, "HOME": str(tmp_path / "home"), "PYTHONPATH": f"{project}:{hook}"}
    dlt_command = Path(sys.executable).parent / "dlt"
    _run([dlt_command, "init", "gong", "duckdb", "--location", _create_repository(tmp_path)], project, environment)
    assert (project / "gong" / "__init__.py").exists()

    secrets, config = ((project / ".dlt" / f"{name}.toml").read_text() for name in ("secrets", "config"))
    assert tomllib.loads(secrets) == {"sources": {"gong": {"credentials": {"access_key": "", "access_key_secret": ""}}}}
    assert tomllib.loads(config)["runtime"]["dlthub_telemetry"] is False
    assert "<" not in secrets + config

    out = _run([sys.executable, "gong_pipeline.py"], project, environment)
    assert "loaded" in out.lower()
    assert "WARNING" not in out
    assert not connections.is_empty
    assert connections.remote_addresses() == set()
    with duckdb.connect(str(project / "gong.duckdb"), read_only=True) as lake:
        assert lake.execute("SELECT count(*) FROM gong_data.calls").fetchall() == [(len(public_calls(gong)),)]

    gong.requests.clear()
    unfilled = {name: value for name, value in environment.items() if "CREDENTIALS" not in name}
    program = "from gong import gong_source; gong_source()"
    for value in ('""', '"<configure me>"'):
        (project / ".dlt" / "secrets.toml").write_text(secrets.replace('""', value))
        assert "access_key_secret" in _run([sys.executable, "-c", program], project, unfilled, code=1)
    bearer = unfilled | {"SOURCES__GONG__CREDENTIALS__ACCESS_TOKEN": "demo-token"}
    _run([sys.executable, "-c", program], project, bearer)
    assert gong.requests == []


def _effective_time(call: Call) -> datetime:
    return parse_effective_time(call.record["metaData"])


def _create_repository(folder: Path) -> Path:
    """Create a git repository with the current sources, as `dlt init` requires, and return its path."""
    tree = folder / "tree"
    tree.mkdir()
    _run(["git", "init", "-q", tree], folder, dict(os.environ))
    _run(["cp", "-r", REPOSITORY / "sources", tree], folder, dict(os.environ))
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    _run(["git", *identity, "add", "-A"], tree, dict(os.environ))
    _run(["git", *identity, "commit", "-qm", "sources"], tree, dict(os.environ))
    return tree


def _run(command: list[Any], folder: Path, environment: dict[str, str], code: int = 0) -> str:
    process = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        input="y\n",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout + process.stderr
