"""`gong-elt login` through the real command: the test is the administrator's browser."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pipelines.cli.oauth_login import wanted_scopes
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.endpoints.oauth import TOKEN_PATH
from pipelines.demo.server.faults import Fault, respond
from sources.gong.api.endpoint import ENDPOINTS
from tests.support.workspace import Workspace

CLIENT = {"CLIENT_ID": "demo-client", "CLIENT_SECRET": "demo-client-secret"}


@pytest.fixture(autouse=True)
def oauth(workspace: Workspace) -> None:
    """The workspace has an OAuth client and no token."""
    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    workspace.settings |= {f"SOURCES__GONG__CREDENTIALS__{name}": value for name, value in CLIENT.items()}


@pytest.fixture
def port(gong: SimulatedGong) -> int:
    """A free port, which the client's page in Gong names."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    gong.oauth.redirect_uris.add(f"http://127.0.0.1:{number}/callback")
    return number


class Login:
    """A login under way; `address` is what it wants opened."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        self.address = next(line.strip() for line in lines if line.startswith("http"))
        self._process = process

    @property
    def asked(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query).items()}

    def ended(self) -> tuple[int, str, str]:
        out, err = self._process.communicate(timeout=60)
        return self._process.returncode, out, err


@contextmanager
def login(workspace: Workspace, port: int, *arguments: str) -> Iterator[Login]:
    command = workspace.command("login", "--no-browser", "--port", str(port), *arguments)
    with subprocess.Popen(
        command,
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Login(process)
        finally:
            process.kill()


def browse(address: str) -> httpx.Response:
    return httpx.get(address, follow_redirects=True, trust_env=False)


def token_file(workspace: Workspace) -> Path:
    (file,) = (workspace.folder / "working" / "gong-elt" / "tokens").glob("*.json")
    return file


def test_a_consent_is_kept_and_every_run_lives_on_it(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    gong.oauth.scopes = frozenset(wanted_scopes())
    with login(workspace, port) as under_way:
        assert under_way.asked["scope"].split() == wanted_scopes()
        page = browse(under_way.address)
        code, out, err = under_way.ended()
    assert (page.status_code, "can be closed" in page.text) == (200, True)
    assert (code, out) == (0, ""), err
    assert "not granted" not in err
    file = token_file(workspace)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in (*gong.oauth.issued_secrets, "demo-client-secret"):
        assert secret not in err
        assert secret not in page.text
    summary = workspace.sync("--select", "workspaces,users")
    assert {resource["status"] for resource in summary["resources"].values()} == {"loaded"}
    assert gong.oauth.exchanged_tokens == []
    kept = json.loads(file.read_text())
    (name,) = kept["grants"]
    kept["grants"][name]["refresh_at"] = 0.0
    file.write_text(json.dumps(kept))
    workspace.sync("--select", "workspaces")
    assert len(gong.oauth.exchanged_tokens) == 1
    assert gong.oauth.reused_tokens == []


def test_requests_go_to_the_host_that_gong_names(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    host = workspace.settings.pop("SOURCES__GONG__BASE_URL")
    workspace.configure(
        credentials__token_url=f"{host}{TOKEN_PATH}", credentials__authorize_url=f"{host}/oauth2/authorize"
    )
    gong.oauth.host = host
    with login(workspace, port) as under_way:
        browse(under_way.address)
        code, _, err = under_way.ended()
    assert code == 0, err
    assert f"requests go to {host}" in err
    assert workspace.sync("--select", "workspaces")["status"] == "done"


def test_connections_of_one_client_keep_their_own_consents(
    gong: SimulatedGong, workspace: Workspace, port: int
) -> None:
    workspace.settings |= {f"SOURCES__GONG__EMEA__CREDENTIALS__{name}": value for name, value in CLIENT.items()}
    with login(workspace, port, "--connection", "emea") as under_way:
        browse(under_way.address)
        assert under_way.ended()[0] == 0
    assert workspace.run("sync", "--select", "workspaces", "--connection", "emea").code == 0
    ended = workspace.run("sync", "--select", "workspaces", "--dataset", "other")
    assert ended.code == 2
    assert "connection 'gong' has no login: run gong-elt login" in ended.err


def test_scopes_that_were_not_given_are_named(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    gong.oauth.scopes = frozenset({"api:calls:read:basic", "api:workspaces:read"})
    with login(workspace, port, "--scopes", "api:calls:read:basic, api:users:read") as under_way:
        assert under_way.asked["scope"] == "api:calls:read:basic api:users:read"
        browse(under_way.address)
        code, _, err = under_way.ended()
    assert code == 0
    assert "not granted: api:users:read;" in err


def test_an_answer_with_another_state_is_refused_and_the_wait_goes_on(
    gong: SimulatedGong, workspace: Workspace, port: int
) -> None:
    with login(workspace, port) as under_way:
        callback = under_way.asked["redirect_uri"]
        assert under_way.asked["redirect_uri"] == f"http://127.0.0.1:{port}/callback"
        for query in ("?code=forged&state=forged", "?code=forged", ""):
            assert browse(callback + query).status_code == 400
        assert browse(f"http://127.0.0.1:{port}/favicon.ico").status_code == 404
        assert httpx.post(callback, trust_env=False).status_code == 501
        with socket.create_connection(("127.0.0.1", port)):
            pass
        assert browse(under_way.address).status_code == 200
        assert under_way.ended()[0] == 0


def test_a_refusal_is_one_line_and_its_text_is_no_markup(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    gong.oauth.grants_consent = False
    with login(workspace, port) as under_way:
        page = browse(under_way.address)
        code, _, err = under_way.ended()
    assert code == 1
    assert "access_denied" in err
    assert "<b>" not in page.text
    assert "&lt;b&gt;" in page.text
    assert not list((workspace.folder / "working").rglob("*.json"))


def test_a_code_that_gong_takes_no_more_is_one_line_without_it(
    gong: SimulatedGong, workspace: Workspace, port: int
) -> None:
    gong.faults.append(Fault(respond(400, errors=["invalid"]), TOKEN_PATH))
    with login(workspace, port) as under_way:
        browse(under_way.address)
        code, _, err = under_way.ended()
    assert code == 1
    assert "the authorisation code was used or revoked" in err
    assert not [secret for secret in gong.oauth.issued_secrets if secret in err]


def test_nobody_who_consents_ends_it(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    with login(workspace, port, "--timeout", "1s") as under_way:
        code, _, err = under_way.ended()
    assert code == 1
    assert "nobody consented within 1 s" in err


def test_what_stands_in_the_way_is_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = workspace.run("login", "--no-browser", "--port", str(taken.getsockname()[1]))
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "choose another with --port" in ended.err
    workspace.configure(credentials__refresh_token="configured")
    ended = workspace.run("login", "--no-browser")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "take it out" in ended.err
    for name in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    ended = workspace.run("login", "--no-browser")
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "client_id" in ended.err


def test_a_plain_sync_asks_for_no_scope_of_what_is_opt_in() -> None:
    opt_in = {endpoint.scope for endpoint in ENDPOINTS if endpoint.resource == "audit_logs"}
    assert opt_in
    assert not opt_in & set(wanted_scopes())
