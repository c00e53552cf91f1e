"""The command line: usage errors, JSON on stdout, exit codes, status, check and the lock."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang, respond, revoked_token
from sources.gong import OPT_IN_RESOURCES
from sources.gong.datetimes import format_datetime
from sources.gong.resources import ENDPOINTS_BY_RESOURCE
from sources.gong.resources.audit import LOG_TYPES
from tests.support.gong_api import DEMO_AUTHORIZATION
from tests.support.workspace import Workspace


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ({"credentials__access_key": ""}, [], "access_key"),
        ({}, ["--select", "calls,emails"], "--select emails: unknown"),
        ({}, ["--select", ""], "--select names no resource"),
        ({}, ["--since", "yesterday"], "--since 'yesterday' is not a date"),
        ({}, ["--since", "2026-02-01", "--until", "2026-01-01"], "the window is empty"),
        ({}, ["--destination", "nowhere"], "destination 'nowhere'"),
        ({}, ["--dataset", "warehouse"], "has the name of its dataset"),
        ({"base_url": "http://gong.example"}, [], "would send the credential in clear"),
        ({"base_url": "api.gong.io"}, [], "is not a URL"),
        ({"lookback": "a week"}, [], "invalid duration 'a week'"),
        ({"transcript_retry_period": "long"}, [], "invalid duration 'long'"),
        ({"transcript_patience": "7d"}, [], "transcript_patience was renamed: set transcript_retry_period"),
        ({"start_date": "soon"}, [], "start_date 'soon' is not a date"),
        ({"private_calls": "some"}, [], "private_calls 'some' is invalid"),
        ({"context": "Full"}, [], "context 'Full' is invalid"),
        ({"requests_per_second": "fast"}, [], "requests_per_second"),
        ({"requests_per_second": "0"}, [], "requests_per_second"),
        ({"call_detail": "basic", "primary_user_ids": ["1"]}, [], "need call_detail = 'extensive'"),
        ({"lookback": "99999999999d"}, [], "duration '99999999999d' is out of range"),
        ({"lookback": "1d / 7d / 999999d"}, [], "duration '999999d' is out of range"),
        ({"lookback": f"{'9' * 5000}d"}, [], "is out of range"),
        ({"transcript_retry_period": "9999999w"}, [], "duration '9999999w' is out of range"),
        ({"base_url": "https://[::1"}, [], "base_url 'https://[::1' is not a URL"),
        ({"base_url": "https://api.gong.io:99999"}, [], "is not a URL"),
        ({"base_url": "https://"}, [], "is not a URL"),
        ({"requests_per_day": "many"}, [], "requests_per_day 'many' is invalid: expected a whole number"),
        ({"requests_per_day": "0"}, [], "requests_per_day 0 is invalid"),
        ({"requests_per_second": "nan"}, [], "requests_per_second nan is invalid"),
        ({"start_date": "2999-01-01"}, [], "start_date '2999-01-01' is in the future"),
        ({"start_date": "0001-01-01"}, [], "start_date '0001-01-01' is out of range"),
        ({}, ["--since", "0001-01-01"], "--since '0001-01-01' is out of range"),
        ({}, ["--until", "9999-12-31T23:59:59-12:00"], "--until '9999-12-31T23:59:59-12:00' is out of range"),
        ({}, ["--deadline", "9999999w"], "invalid --deadline '9999999w'"),
    ],
)
def test_a_usage_error_is_one_line_and_sends_nothing(
    gong: SimulatedGong, workspace: Workspace, settings: dict[str, object], arguments: list[str], message: str
) -> None:
    """Invalid options and settings end with exit code 2 before a request is sent or a file created."""
    workspace.configure(**settings)
    ended = workspace.run("sync", *arguments)

    assert ended.code == 2, ended.err
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""
    assert gong.requests == []
    assert not (workspace.folder / "warehouse.duckdb").exists()


def test_an_unknown_option_is_a_usage_error(workspace: Workspace) -> None:
    """Typer reports unknown options with exit code 2 and without a traceback."""
    ended = workspace.run("sync", "--everything")
    assert ended.code == 2
    assert "No such option" in ended.err
    assert "Traceback" not in ended.err


def test_json_prints_one_object_to_stdout(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--json` prints exactly one line, so that scripts can parse stdout."""
    ended = workspace.run("sync", "--json")
    assert json.loads(ended.out)["status"] == "done"
    assert ended.out.count("\n") == 1
    assert ended.err == ""


def test_without_json_the_output_is_a_table(gong: SimulatedGong, workspace: Workspace) -> None:
    """A person gets a table of rows written and the counts of the run."""
    ended = workspace.run("sync")
    assert ended.code == 0
    assert "transcript_sentences" in ended.out
    assert "private calls excluded" in ended.out
    assert ended.err == ""


def test_status_before_the_first_load_creates_nothing(workspace: Workspace) -> None:
    """`status` does not create the DuckDB file."""
    ended = workspace.run("status")
    assert ended.code == 0
    assert "nothing loaded yet" in ended.out
    assert [path.name for path in workspace.folder.iterdir() if path.suffix == ".duckdb"] == []


def test_status_shows_bookmarks_pending_transcripts_quota_and_runs(gong: SimulatedGong, workspace: Workspace) -> None:
    """`status --json` agrees with the last sync and does not write to the warehouse."""
    summary = workspace.sync()
    before = (workspace.folder / "warehouse.duckdb").read_bytes()
    status = json.loads(workspace.run("status", "--json").out)

    assert status["bookmarks"]["calls"] == summary["bookmark"]
    assert status["contents"]["calls"] == summary["calls"]
    assert status["pending_transcripts"] == summary["pending_transcripts"]
    assert status["requests_left"] == 10_000 - summary["requests"]
    assert [run["run_id"] for run in status["runs"]] == [summary["run_id"]]
    assert (workspace.folder / "warehouse.duckdb").read_bytes() == before


def test_check_shows_what_the_credential_can_read(gong: SimulatedGong, workspace: Workspace) -> None:
    """Each endpoint is reported as ok or denied, and the warehouse is not created."""
    gong.settings.credentials[DEMO_AUTHORIZATION] = frozenset(
        {"api:calls:read:extensive", "api:calls:read:basic", "api:users:read", "api:workspaces:read"}
    )
    ended = workspace.run("check", "--json")

    assert ended.code == 0

    verdicts = {finding["what"]: finding["verdict"] for finding in json.loads(ended.out)["findings"]}
    assert verdicts["POST /v2/calls/extensive"] == "ok"
    assert verdicts["POST /v2/calls/transcript"] == "denied"
    assert verdicts["GET /v2/library/folders"] == "denied"
    assert verdicts["calls visible"] == "ok"
    assert verdicts["clock"] == "ok"
    assert not (workspace.folder / "warehouse.duckdb").exists()


def test_check_covers_opt_in_resources_and_media(gong: SimulatedGong, workspace: Workspace) -> None:
    """By default opt-in endpoints and media are checked, with one request each; `--select` limits the check."""
    # The audit log needs a recent login, independent of the day of the test.
    gong.company.settings.logs[LOG_TYPES[0]][-1]["eventTime"] = format_datetime(datetime.now(UTC) - timedelta(hours=1))
    opt_in = {str(endpoint) for name in OPT_IN_RESOURCES for endpoint in ENDPOINTS_BY_RESOURCE[name]}
    media = "POST /v2/calls/extensive with include_media"

    def run_check(*arguments: str) -> dict[str, tuple[str, str]]:
        gong.requests.clear()
        ended = workspace.run("check", "--json", *arguments)
        assert ended.code == 0, ended.out
        printed = json.loads(ended.out)["findings"]
        user_id = gong.company.users[0]["id"]
        return {item["what"].replace(user_id, "{id}"): (item["verdict"], item["detail"]) for item in printed}

    # An error of an endpoint that was not selected is only a warning.
    gong.faults.append(Fault(respond(418), "/v2/coaching", count=1))
    findings = run_check()

    assert findings.pop("GET /v2/coaching")[0] == "warning"

    # Users of a profile need the scope of users and are not checked separately.
    expected = opt_in - {"GET /v2/permission-profile/users", "GET /v2/coaching"} | {media}

    assert expected <= findings.keys()
    assert {findings[what][0] for what in expected} == {"ok"}
    assert all(findings[what][1].startswith("opt-in; ") for what in expected)
    assert len(gong.requests) == 1 + sum(" /v2/" in what for what in findings)

    workspace.configure(include_media=True)
    gong.settings.credentials[DEMO_AUTHORIZATION] = frozenset(
        {"api:calls:read:extensive", "api:workspaces:read", "api:logs:read"}
    )
    selected = run_check("--select", "calls,audit_logs,flows,call_access")

    assert selected[media][0] == "denied"
    assert selected[media][1].startswith("api:calls:read:media-url is missing")
    assert selected["GET /v2/logs"] == ("ok", "api:logs:read")
    assert selected["GET /v2/flows"] == ("warning", "not checked: it needs a user, and none was found")
    assert selected["POST /v2/calls/users-access"][0] == "denied"
    assert not {"GET /v2/coaching", "GET /v2/settings/trackers"} & selected.keys()


def test_check_warns_if_the_key_sees_no_calls(gong: SimulatedGong, workspace: Workspace) -> None:
    """A key without visible calls is a warning, because an empty account looks the same."""
    gong.settings.hides_all_calls = True
    findings = json.loads(workspace.run("check", "--json").out)["findings"]
    assert {finding["verdict"] for finding in findings if finding["what"] == "calls visible"} == {"warning"}


def test_check_fails_after_one_request_with_a_rejected_credential(gong: SimulatedGong, workspace: Workspace) -> None:
    """A rejected credential is not tried on every endpoint."""
    workspace.configure(credentials__access_key_secret="wrong")
    ended = workspace.run("check")
    assert ended.code == 1
    assert len(gong.requests) == 1


def test_a_second_run_exits_and_names_the_holder_of_the_lock(gong: SimulatedGong, workspace: Workspace) -> None:
    """A concurrent sync fails with the process id of the running one, and works after that was killed."""
    fault = Fault(hang(20), "/v2/calls/extensive")
    gong.faults.append(fault)
    holder = workspace.start("sync")
    try:
        _wait_for(lambda: fault.hit_count > 0)
        ended = workspace.run("sync", "--wait", "0")
    finally:
        holder.kill()
        holder.wait()

    assert ended.code == 1
    assert "another run holds the lock" in ended.err
    assert f"pid {holder.pid}" in ended.err

    gong.faults.clear()
    workspace.sync()


def test_a_named_connection_has_its_own_settings_and_bookmarks(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--connection emea` reads its own credential and keeps its own bookmark."""
    workspace.settings["SOURCES__GONG__EMEA__CREDENTIALS__ACCESS_TOKEN"] = "demo-token"
    del workspace.settings["SOURCES__GONG__CREDENTIALS__ACCESS_KEY"]
    assert workspace.run("sync").code == 2
    summary = workspace.sync("--connection", "emea", "--dataset", "emea")
    assert summary["calls"] > 0
    status = json.loads(workspace.run("status", "--connection", "emea", "--dataset", "emea", "--json").out)
    assert status["bookmarks"]["calls"] == summary["bookmark"]


def test_secrets_are_in_no_file_and_no_output(gong: SimulatedGong, workspace: Workspace) -> None:
    """The key is not written anywhere, and files are readable by their owner only."""
    ended = workspace.run("sync", "--json")
    secret = workspace.settings["SOURCES__GONG__CREDENTIALS__ACCESS_KEY_SECRET"]
    assert secret not in ended.out + ended.err
    files = [path for path in workspace.folder.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    assert {oct(path.stat().st_mode & 0o077) for path in files} == {"0o0"}


def test_a_token_revoked_during_a_sync_gives_no_traceback(gong: SimulatedGong, workspace: Workspace) -> None:
    """A credential that is rejected in mid-run, while resources are read concurrently, is one message."""
    gong.settings.latency_seconds = 0.2
    gong.faults.append(Fault(revoked_token(), "/v2/", when=lambda _: len(gong.requests) > 5))
    ended = workspace.run("sync")
    assert ended.code == 1
    assert "does not accept the credential" in ended.err
    assert "Traceback" not in ended.err
    assert len(ended.err.splitlines()) <= 3


def _wait_for(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"condition not met within {seconds} s"
        time.sleep(0.02)
