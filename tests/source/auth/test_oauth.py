"""OAuth through the real command: each refresh token is used once, and what it gave is never lost."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.endpoints.oauth import TOKEN_PATH
from pipelines.demo.server.faults import Fault, FaultAction, hang, redirect, respond, truncate
from pipelines.demo.server.request_log import RequestLogEntry
from tests.conftest import MakeGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT
from tests.support.process import CommandResult
from tests.support.workspace import COMMAND, Workspace

CONFIGURED = "configured-refresh-token-0000"


@pytest.fixture(autouse=True)
def oauth(workspace: Workspace) -> None:
    """The workspace has an OAuth client in place of an API key."""
    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    workspace.configure(
        credentials__client_id="demo-client",
        credentials__client_secret="demo-client-secret",
        credentials__refresh_token=CONFIGURED,
    )


@pytest.fixture
def gong(gong: SimulatedGong) -> SimulatedGong:
    """A company that has authorised the client."""
    gong.oauth.add_refresh_token(CONFIGURED)
    return gong


def test_the_first_sync_exchanges_the_token_once_and_the_next_ones_use_what_it_gave(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    summary = workspace.sync()
    assert gong.oauth.exchanged_tokens == [CONFIGURED]
    assert summary["requests"] == len(gong.requests) - 1, "an exchange is no request to the API"
    assert_warehouse_matches(workspace, gong)
    workspace.sync()
    assert gong.oauth.exchanged_tokens == [CONFIGURED]
    assert gong.oauth.reused_tokens == []


def test_tokens_are_for_the_owners_eyes_only(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "workspaces")
    file = _token_file(workspace)
    assert _mode(file) == 0o600
    assert _mode(file.parent) == 0o700
    assert {_mode(beside) for beside in file.parent.iterdir()} == {0o600}
    assert len(list(file.parent.iterdir())) == 2, "the file and its lock, nothing half written"


def test_tokens_are_as_private_in_a_program_of_ones_own(gong: SimulatedGong, workspace: Workspace) -> None:
    """The command takes everybody else's rights away from all it makes; a program that uses the source may not."""
    program = (
        "import dlt\n"
        "from sources.gong import gong_source\n"
        "dlt.pipeline('own', destination='duckdb').run(gong_source().with_resources('workspaces'))\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=workspace.folder, env=workspace.environment, umask=0o022, check=True
    )
    file = _token_file(workspace)
    assert (_mode(file), _mode(file.parent)) == (0o600, 0o700)
    assert {_mode(beside) for beside in file.parent.iterdir()} == {0o600}
    assert gong.oauth.exchanged_tokens == [CONFIGURED]


def test_an_access_token_near_its_end_is_renewed_with_the_kept_token_not_the_configured_one(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.sync("--select", "workspaces")
    second = _kept(workspace)["refresh_token"]
    _let_expire(workspace)
    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED, second]
    assert gong.oauth.reused_tokens == []


@pytest.mark.parametrize(("lifetime", "early"), [(86_400, 300), (400, 200)], ids=["a day", "minutes"])
def test_a_token_is_renewed_five_minutes_early_or_at_half_its_life(
    gong: SimulatedGong, workspace: Workspace, lifetime: int, early: int
) -> None:
    gong.oauth.access_token_lifetime = timedelta(seconds=lifetime)
    before = time.time()
    workspace.sync("--select", "workspaces")
    assert before + lifetime - early <= _kept(workspace)["refresh_at"] <= time.time() + lifetime - early
    assert len(gong.oauth.exchanged_tokens) == 1


def test_two_processes_exchange_one_token_once(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "workspaces")
    _let_expire(workspace)
    gong.oauth.expire_access_tokens()
    second = _kept(workspace)["refresh_token"]
    # Slow enough that both want a token at the same time.
    gong.faults.append(Fault(hang(1.5), TOKEN_PATH))
    runs = [
        subprocess.Popen(
            [str(COMMAND), "sync", "--json", "--connection", name, "--dataset", name],
            cwd=workspace.folder,
            env=workspace.environment
            | {"DESTINATION__DUCKDB__CREDENTIALS": f"duckdb:///{workspace.folder}/{name}_warehouse.duckdb"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("emea", "apac")
    ]
    ended = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ended
    assert gong.oauth.exchanged_tokens == [CONFIGURED, second]
    assert gong.oauth.reused_tokens == []


def test_a_kill_right_after_an_exchange_loses_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(hang(60), "/v2/"))
    process = workspace.start("sync")
    _until(lambda: any(request.path.startswith("/v2/") for request in gong.requests))
    process.send_signal(signal.SIGKILL)
    process.wait()
    gong.faults.clear()
    gong.oauth.expire_access_tokens()
    workspace.sync()
    assert gong.oauth.exchanged_tokens[0] == CONFIGURED
    assert len(gong.oauth.exchanged_tokens) == 2
    assert gong.oauth.reused_tokens == []
    assert_warehouse_matches(workspace, gong)


def test_what_a_kill_left_half_written_is_in_nobodys_way(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "workspaces")
    file = _token_file(workspace)
    left = file.with_name(f"{file.name}.new")
    left.write_bytes(bytes(99_999))
    left.chmod(0o644)
    _let_expire(workspace)
    workspace.sync("--select", "workspaces")
    assert len(gong.oauth.exchanged_tokens) == 2
    assert gong.oauth.reused_tokens == []
    assert _mode(file) == 0o600
    assert _kept(workspace)["refresh_token"] == gong.oauth.issued_secrets[-1]
    assert not left.exists()


def test_ctrl_c_during_an_exchange_keeps_what_it_gives(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(hang(2), TOKEN_PATH))
    process = workspace.start("sync")
    _until(lambda: any(request.path == TOKEN_PATH for request in gong.requests))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1
    assert gong.oauth.exchanged_tokens == [CONFIGURED]
    gong.faults.clear()
    workspace.sync()
    assert gong.oauth.exchanged_tokens == [CONFIGURED]
    assert gong.oauth.reused_tokens == []


@pytest.mark.parametrize("path", [EXTENSIVE, TRANSCRIPT])
def test_a_token_revoked_in_the_middle_is_renewed_once_and_the_run_goes_on(
    make_gong: MakeGong, workspace: Workspace, path: str
) -> None:
    gong = make_gong(calls=250)
    gong.oauth.add_refresh_token(CONFIGURED)

    def revoke(request: RequestLogEntry) -> bool:
        if request.path == path and len(gong.oauth.exchanged_tokens) == 1:
            gong.oauth.expire_access_tokens()
        return False

    gong.faults.append(Fault(respond(500), when=revoke))
    summary = workspace.sync()
    assert len(gong.oauth.exchanged_tokens) == 2
    assert gong.oauth.reused_tokens == []
    assert summary["status"] == "done"
    refused = [request for request in gong.requests if request.status == 401]
    assert refused
    assert summary["requests"] == len([request for request in gong.requests if request.path != TOKEN_PATH])
    assert_warehouse_matches(workspace, gong)


def test_a_new_token_that_is_refused_too_is_a_dead_credential(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(respond(401, errors=["The access token was revoked"]), "/v2/"))
    summary = workspace.sync(code=1)
    assert "does not accept the credential" in summary["reason"]
    assert len(gong.oauth.exchanged_tokens) == 2
    assert len(gong.requests) == 4
    assert summary["requests"] == 2


def test_a_missing_scope_exchanges_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.oauth.scopes = frozenset({"api:calls:read:extensive", "api:users:read", "api:workspaces:read"})
    summary = workspace.sync()
    assert summary["resources"]["transcripts"]["status"] == "skipped"
    assert "api:calls:read:transcript" in summary["resources"]["transcripts"]["reason"]
    assert gong.oauth.exchanged_tokens == [CONFIGURED]


@pytest.mark.parametrize("first", [True, False], ids=["configured", "kept"])
def test_a_revoked_refresh_token_costs_one_request_and_says_to_authorise_again(
    gong: SimulatedGong, workspace: Workspace, first: bool
) -> None:
    if not first:
        workspace.sync("--select", "workspaces")
        _let_expire(workspace)
    gong.oauth.revoke_refresh_tokens()
    gong.requests.clear()
    ended = workspace.run("sync", "--json")
    assert ended.code == 1
    assert "authorise again in Gong" in ended.json["reason"]
    assert [request.path for request in gong.requests] == [TOKEN_PATH]
    ended = workspace.run("check")
    assert ended.code == 1
    assert "Traceback" not in ended.err + ended.out
    _assert_no_token_in(gong, ended)


def test_a_token_newly_put_into_the_configuration_wins(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "workspaces")
    gong.oauth.revoke_refresh_tokens()
    gong.oauth.expire_access_tokens()
    gong.oauth.add_refresh_token("pasted-refresh-token-1111")
    workspace.configure(credentials__refresh_token="pasted-refresh-token-1111")
    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED, "pasted-refresh-token-1111"]
    assert gong.oauth.reused_tokens == []


def test_a_token_file_of_ones_own_serves_two_accounts(gong: SimulatedGong, workspace: Workspace) -> None:
    file = workspace.folder / "kept" / "tokens.json"
    workspace.configure(credentials__token_file=str(file), emea__credentials__refresh_token="emea-refresh-token-2222")
    gong.oauth.add_refresh_token("emea-refresh-token-2222")
    workspace.sync("--select", "workspaces")
    workspace.sync("--select", "workspaces", "--connection", "emea", "--dataset", "emea")
    assert gong.oauth.exchanged_tokens == [CONFIGURED, "emea-refresh-token-2222"]
    assert (_mode(file), _mode(file.parent)) == (0o600, 0o700)
    workspace.delete_working_folder()
    gong.oauth.expire_access_tokens()
    workspace.sync("--select", "workspaces")
    workspace.sync("--select", "workspaces", "--connection", "emea", "--dataset", "emea")
    assert len(gong.oauth.exchanged_tokens) == 4
    assert gong.oauth.reused_tokens == []


def test_the_default_host_gives_way_to_the_one_that_gong_names(gong: SimulatedGong, workspace: Workspace) -> None:
    served_at = workspace.settings.pop("SOURCES__GONG__BASE_URL")
    workspace.configure(credentials__token_url=f"{served_at}{TOKEN_PATH}")
    workspace.sync()
    assert _kept(workspace)["api_base_url_for_customer"] == served_at
    assert_warehouse_matches(workspace, gong)
    workspace.configure(base_url="https://api.gong.io/")
    workspace.sync()
    assert len(gong.oauth.exchanged_tokens) == 1


def test_a_configured_host_wins(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.oauth.host = "https://company-17.api.gong.example"
    workspace.sync("--select", "workspaces")
    assert _kept(workspace)["api_base_url_for_customer"] == "https://company-17.api.gong.example"


def test_a_host_that_would_see_the_token_in_clear_is_refused(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.oauth.host = "http://company-17.api.gong.example"
    served_at = workspace.settings.pop("SOURCES__GONG__BASE_URL")
    workspace.configure(credentials__token_url=f"{served_at}{TOKEN_PATH}")
    summary = workspace.sync(code=1)
    assert "would send the credential in clear" in summary["reason"]
    assert {request.path for request in gong.requests} == {TOKEN_PATH}


@pytest.mark.parametrize("act", [respond(503), respond(429)], ids=["503", "429"])
def test_an_exchange_that_fails_on_the_way_is_tried_again(
    gong: SimulatedGong, workspace: Workspace, act: FaultAction
) -> None:
    gong.faults.append(Fault(act, TOKEN_PATH, nth=1))
    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED]


def test_a_token_endpoint_that_never_answers_ends_the_run_and_is_not_asked_for_each_resource(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    gong.faults.append(Fault(respond(503), TOKEN_PATH))
    summary = workspace.sync(code=1)
    assert "may have been lost" in summary["reason"]
    assert [request.path for request in gong.requests] == [TOKEN_PATH] * 4
    gong.faults.clear()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_a_token_lost_with_its_answer_is_told(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(truncate(), TOKEN_PATH, nth=1))
    summary = workspace.sync(code=1)
    assert gong.oauth.exchanged_tokens == [CONFIGURED]
    assert "an earlier response was lost" in summary["reason"]
    assert "authorise again in Gong" in summary["reason"]


def test_the_credential_does_not_follow_a_redirect(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.faults.append(Fault(redirect("https://elsewhere.example/token"), TOKEN_PATH))
    summary = workspace.sync(code=1)
    assert "redirects to https://elsewhere.example: set credentials.token_url" in summary["reason"]


def test_nothing_is_exchanged_where_nothing_can_be_kept(gong: SimulatedGong, workspace: Workspace) -> None:
    """What stands in the way here is a folder with the name of the lock, which stops root as well."""
    file = workspace.folder / "tokens.json"
    file.with_name("tokens.json.lock").mkdir()
    workspace.configure(credentials__token_file=str(file))
    summary = workspace.sync(code=1)
    assert "cannot be written" in summary["reason"]
    assert gong.requests == []


def test_another_file_is_not_taken_for_a_token_file(gong: SimulatedGong, workspace: Workspace) -> None:
    file = workspace.folder / "secrets.toml"
    file.write_text("precious = 'do not print'")
    workspace.configure(credentials__token_file=str(file))
    summary = workspace.sync(code=1)
    assert "is not a readable token file" in summary["reason"]
    assert "precious" not in summary["reason"]
    assert gong.requests == []
    assert file.read_text() == "precious = 'do not print'"


@pytest.mark.parametrize(
    ("settings", "unset", "said"),
    [
        ({}, ["credentials__refresh_token"], "connection 'gong' has no login: run gong-elt login, or set"),
        ({}, ["credentials__client_secret"], "credentials.client_secret of connection 'gong' is missing"),
        ({"credentials__client_id": ""}, [], "credentials.client_id is empty"),
        ({"credentials__refresh_token": ""}, [], "credentials.refresh_token is empty"),
        (
            {},
            ["credentials__client_id", "credentials__client_secret", "credentials__refresh_token"],
            "or client_id, client_secret and refresh_token",
        ),
        ({"credentials__access_token": "t"}, [], "has credentials of several kinds (refresh_token, access_token)"),
        ({"credentials__token_url": "http://app.gong.example/token"}, [], "credentials.token_url 'http://app"),
        ({"credentials__token_file": "/dev/null/tokens.json"}, [], "credentials.token_file: "),
    ],
)
def test_a_mistake_gets_one_line_exit_code_2_and_sends_nothing(
    gong: SimulatedGong, workspace: Workspace, settings: dict[str, str], unset: list[str], said: str
) -> None:
    workspace.configure(**settings)
    for name in unset:
        del workspace.settings[f"SOURCES__GONG__{name.upper()}"]
    ended = workspace.run("sync")
    assert ended.code == 2, ended.err
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert gong.requests == []


def test_another_accounts_key_does_not_stand_in_for_a_missing_part(gong: SimulatedGong, workspace: Workspace) -> None:
    for name in ("client_id", "client_secret", "refresh_token"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name.upper()}"]
    workspace.configure(
        credentials__access_key="demo",
        credentials__access_key_secret="demo-secret",
        emea__credentials__client_id="demo-client",
        emea__credentials__client_secret="demo-client-secret",
    )
    ended = workspace.run("sync", "--connection", "emea", "--select", "workspaces")
    assert (ended.code, gong.requests) == (2, [])
    assert "connection 'emea' has no login" in ended.err
    workspace.configure(emea__credentials__refresh_token=CONFIGURED)
    workspace.sync("--connection", "emea", "--dataset", "emea", "--select", "workspaces")
    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED]


def test_no_token_is_left_anywhere_but_in_its_file(gong: SimulatedGong, workspace: Workspace) -> None:
    done = workspace.run("sync")
    gong.oauth.expire_access_tokens()
    again = workspace.run("sync", "--json", "--since", "2020-01-01")
    _let_expire(workspace)
    gong.oauth.revoke_refresh_tokens()
    failed = workspace.run("sync")
    assert (done.code, again.code, failed.code) == (0, 0, 1)
    assert len(gong.oauth.issued_secrets) == 5
    _assert_no_token_in(gong, done, again, failed)
    kept = _token_file(workspace)
    files = [file for file in workspace.folder.rglob("*") if file.is_file() and file != kept]
    assert len(files) > 5
    for file in files:
        content = file.read_bytes()
        found = [
            secret for secret in (*gong.oauth.issued_secrets, gong.oauth.client_secret) if secret.encode() in content
        ]
        assert not found, f"{file} holds {found}"


def _assert_no_token_in(gong: SimulatedGong, *ended: CommandResult) -> None:
    for each in ended:
        assert not [
            secret for secret in (*gong.oauth.issued_secrets, gong.oauth.client_secret) if secret in each.out + each.err
        ]


def _token_files(workspace: Workspace) -> Iterator[Path]:
    yield from (workspace.folder / "working" / "gong-elt" / "tokens").glob("*.json")


def _token_file(workspace: Workspace) -> Path:
    (file,) = _token_files(workspace)
    return file


def _kept(workspace: Workspace) -> dict[str, Any]:
    (grant,) = json.loads(_token_file(workspace).read_text())["grants"].values()
    assert isinstance(grant, dict)
    return grant


def _let_expire(workspace: Workspace) -> None:
    """What a day does: the access token on the disk is past its time."""
    file = _token_file(workspace)
    content = json.loads(file.read_text())
    for grant in content["grants"].values():
        grant["refresh_at"] = time.time() - 1
    file.write_text(json.dumps(content))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _until(reached: Any) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)
