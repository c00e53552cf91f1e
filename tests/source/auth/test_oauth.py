"""Token refreshes of real commands: each refresh token is used once, and the new one is never lost."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import timedelta

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.endpoints.oauth import TOKEN_PATH
from pipelines.demo.server.faults import Fault, FaultAction, hang, redirect, respond, truncate
from pipelines.demo.server.request_log import RequestLogEntry
from tests.conftest import MakeGong
from tests.source.auth.tokens import (
    CONFIGURED_TOKEN,
    age_stored_tokens,
    assert_prints_no_secret,
    stored_grant,
)
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT
from tests.support.process.waiting import wait_until
from tests.support.workspace import COMMAND, Workspace


@pytest.mark.slow
def test_a_refresh_token_is_used_once_for_several_runs(gong: SimulatedGong, workspace: Workspace) -> None:
    """The first run uses the configured token, later ones the stored access token."""
    summary = workspace.sync()

    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]
    assert summary["requests"] == len(gong.requests) - 1, "a token request does not count as an API request"
    assert_warehouse_matches(workspace, gong)

    workspace.sync()
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]
    assert gong.oauth.reused_tokens == []


def test_an_expiring_access_token_is_refreshed_with_the_stored_token(gong: SimulatedGong, workspace: Workspace) -> None:
    """The configured refresh token is used up after the first run."""
    workspace.sync("--select", "workspaces")
    second = stored_grant(workspace)["refresh_token"]
    age_stored_tokens(workspace)

    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN, second]
    assert gong.oauth.reused_tokens == []


@pytest.mark.parametrize(("lifetime", "early"), [(86_400, 300), (400, 200)], ids=["a day", "minutes"])
def test_a_token_is_refreshed_five_minutes_early_or_at_half_its_lifetime(
    gong: SimulatedGong, workspace: Workspace, lifetime: int, early: int
) -> None:
    """A request must not be sent with a token that expires on the way."""
    gong.oauth.access_token_lifetime = timedelta(seconds=lifetime)
    before = time.time()

    workspace.sync("--select", "workspaces")
    assert before + lifetime - early <= stored_grant(workspace)["refresh_at"] <= time.time() + lifetime - early
    assert len(gong.oauth.exchanged_tokens) == 1


@pytest.mark.slow
def test_two_processes_share_one_refresh(gong: SimulatedGong, workspace: Workspace) -> None:
    """The second process waits for the first one's token instead of using the same refresh token."""
    workspace.sync("--select", "workspaces")
    age_stored_tokens(workspace)
    gong.oauth.expire_access_tokens()
    second = stored_grant(workspace)["refresh_token"]
    for name in ("emea", "apac"):
        workspace.configure(**{f"{name}__credentials__refresh_token": CONFIGURED_TOKEN})
    # Slow enough that both processes need a token at the same time.
    gong.faults.append(Fault(hang(1.5), TOKEN_PATH))

    processes = [
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
    outputs = [process.communicate(timeout=120) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outputs
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN, second]
    assert gong.oauth.reused_tokens == []


@pytest.mark.slow
def test_a_kill_directly_after_a_refresh_loses_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """Tokens are stored before the first request uses them."""
    gong.faults.append(Fault(hang(60), "/v2/"))
    process = workspace.start("sync")
    wait_until(lambda: any(request.path.startswith("/v2/") for request in gong.requests), seconds=60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gong.faults.clear()
    gong.oauth.expire_access_tokens()

    workspace.sync()
    assert gong.oauth.exchanged_tokens[0] == CONFIGURED_TOKEN
    assert len(gong.oauth.exchanged_tokens) == 2
    assert gong.oauth.reused_tokens == []
    assert_warehouse_matches(workspace, gong)


@pytest.mark.slow
def test_an_interrupt_during_a_refresh_keeps_the_new_token(gong: SimulatedGong, workspace: Workspace) -> None:
    """Ctrl-C ends the run after the response of the token endpoint is stored."""
    gong.faults.append(Fault(hang(2), TOKEN_PATH))
    process = workspace.start("sync")
    wait_until(lambda: any(request.path == TOKEN_PATH for request in gong.requests), seconds=60)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]
    gong.faults.clear()

    workspace.sync()
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]
    assert gong.oauth.reused_tokens == []


@pytest.mark.slow
@pytest.mark.parametrize("path", [EXTENSIVE, TRANSCRIPT])
def test_a_token_revoked_during_a_run_is_refreshed_once(make_gong: MakeGong, workspace: Workspace, path: str) -> None:
    """Concurrent requests that are rejected share one refresh, and the run continues."""
    gong = make_gong(calls=250)
    gong.oauth.add_refresh_token(CONFIGURED_TOKEN)

    def revoke(request: RequestLogEntry) -> bool:
        if request.path == path and len(gong.oauth.exchanged_tokens) == 1:
            gong.oauth.expire_access_tokens()
        return False

    gong.faults.append(Fault(respond(500), when=revoke))
    summary = workspace.sync()

    assert len(gong.oauth.exchanged_tokens) == 2
    assert gong.oauth.reused_tokens == []
    assert summary["status"] == "done"
    assert [request for request in gong.requests if request.status == 401]
    assert summary["requests"] == len([request for request in gong.requests if request.path != TOKEN_PATH])
    assert_warehouse_matches(workspace, gong)


def test_a_new_token_that_is_rejected_ends_the_run(gong: SimulatedGong, workspace: Workspace) -> None:
    """A request is sent with a new token once, not again and again."""
    gong.faults.append(Fault(respond(401, errors=["The access token was revoked"]), "/v2/"))

    summary = workspace.sync(code=1)
    assert "does not accept the credential" in summary["reason"]
    assert len(gong.oauth.exchanged_tokens) == 2
    assert len(gong.requests) == 4
    assert summary["requests"] == 2


def test_a_missing_scope_causes_no_refresh(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong's 401 for a missing scope does not mean that the token is invalid."""
    gong.oauth.scopes = frozenset({"api:calls:read:extensive", "api:users:read", "api:workspaces:read"})

    summary = workspace.sync()
    assert summary["resources"]["transcripts"]["status"] == "skipped"
    assert "api:calls:read:transcript" in summary["resources"]["transcripts"]["reason"]
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]


@pytest.mark.parametrize("is_stored", [False, True], ids=["configured", "stored"])
def test_a_revoked_refresh_token_costs_one_request(gong: SimulatedGong, workspace: Workspace, is_stored: bool) -> None:
    """The error asks to authorise again and contains no secret."""
    if is_stored:
        workspace.sync("--select", "workspaces")
        age_stored_tokens(workspace)
    gong.oauth.revoke_refresh_tokens()
    gong.requests.clear()

    result = workspace.run("sync", "--json")
    assert result.code == 1
    assert "authorise again in Gong" in result.json["reason"]
    assert [request.path for request in gong.requests] == [TOKEN_PATH]

    check = workspace.run("check")
    assert check.code == 1
    assert "Traceback" not in check.err + check.out
    assert_prints_no_secret(gong, result, check)


@pytest.mark.parametrize("action", [respond(503), respond(429)], ids=["503", "429"])
def test_a_failed_token_request_is_retried(gong: SimulatedGong, workspace: Workspace, action: FaultAction) -> None:
    """A temporary failure of the token endpoint does not end the run."""
    gong.faults.append(Fault(action, TOKEN_PATH, nth=1))

    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]


def test_a_token_endpoint_that_keeps_failing_is_tried_for_one_request_only(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """All resources need a token, but only the first one waits for the endpoint."""
    gong.faults.append(Fault(respond(503), TOKEN_PATH))
    summary = workspace.sync(code=1)
    assert "may have been lost" in summary["reason"]
    assert [request.path for request in gong.requests] == [TOKEN_PATH] * 4

    gong.faults.clear()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_the_error_mentions_a_lost_token_response(gong: SimulatedGong, workspace: Workspace) -> None:
    """Without the first response, the refresh token is used up and its successor unknown."""
    gong.faults.append(Fault(truncate(), TOKEN_PATH, nth=1))

    summary = workspace.sync(code=1)
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]
    assert "an earlier response was lost" in summary["reason"]
    assert "authorise again in Gong" in summary["reason"]


def test_the_client_secret_does_not_follow_a_redirect(gong: SimulatedGong, workspace: Workspace) -> None:
    """A redirect is an error that names the other host."""
    gong.faults.append(Fault(redirect("https://elsewhere.example/token"), TOKEN_PATH))

    summary = workspace.sync(code=1)
    assert "redirects to https://elsewhere.example: set credentials.token_url" in summary["reason"]
