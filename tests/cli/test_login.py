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

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.endpoints.oauth import TOKEN_PATH
from pipelines.demo.server.faults import Fault, respond
from pipelines.login.oauth_login import default_scopes
from sources.gong.resources.audit import AUDIT_LOGS
from tests.support.workspace import Workspace

CLIENT = {"CLIENT_ID": "demo-client", "CLIENT_SECRET": "demo-client-secret"}


@pytest.fixture(autouse=True)
def oauth(workspace: Workspace) -> None:
    """Configure an OAuth client without a token instead of an API key."""
    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    workspace.settings |= {f"SOURCES__GONG__CREDENTIALS__{name}": value for name, value in CLIENT.items()}


@pytest.fixture
def port(gong: SimulatedGong) -> int:
    """Return a free port that the OAuth client of the simulated Gong accepts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    gong.oauth.redirect_uris.add(f"http://127.0.0.1:{number}/callback")
    return number


class Login:
    """A running `gong-elt login`; `address` is the URL of the consent page."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        self.address = next(line.strip() for line in lines if line.startswith("http"))
        self._process = process

    @property
    def parameters(self) -> dict[str, str]:
        """Return the query parameters of the consent page."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query).items()}

    def wait(self) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr once the command has ended."""
        out, err = self._process.communicate(timeout=60)
        return self._process.returncode, out, err


@contextmanager
def start_login(workspace: Workspace, port: int, *arguments: str) -> Iterator[Login]:
    """Start a login and kill it when the `with` block ends."""
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
    """Open an address as the administrator's browser does."""
    return httpx.get(address, follow_redirects=True, trust_env=False)


def token_file(workspace: Workspace) -> Path:
    """Return the only file with tokens."""
    (file,) = (workspace.folder / "working" / "gong-elt" / "tokens").glob("*.json")
    return file


def test_tokens_of_a_consent_are_used_and_refreshed(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """After a login, syncs use the stored token and refresh it once it expires; no secret is shown."""
    gong.oauth.scopes = frozenset(default_scopes())
    with start_login(workspace, port) as login:
        assert login.parameters["scope"].split() == default_scopes()
        page = browse(login.address)
        code, out, err = login.wait()

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

    tokens = json.loads(file.read_text())
    (name,) = tokens["grants"]
    tokens["grants"][name]["refresh_at"] = 0.0
    file.write_text(json.dumps(tokens))
    workspace.sync("--select", "workspaces")

    assert len(gong.oauth.exchanged_tokens) == 1
    assert gong.oauth.reused_tokens == []


def test_requests_go_to_the_host_in_the_token_response(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """The customer's host in the token response replaces the default base URL."""
    host = workspace.settings.pop("SOURCES__GONG__BASE_URL")
    workspace.configure(
        credentials__token_url=f"{host}{TOKEN_PATH}", credentials__authorize_url=f"{host}/oauth2/authorize"
    )
    gong.oauth.host = host
    with start_login(workspace, port) as login:
        browse(login.address)
        code, _, err = login.wait()

    assert code == 0, err
    assert f"requests go to {host}" in err
    assert workspace.sync("--select", "workspaces")["status"] == "done"


def test_each_connection_has_its_own_tokens(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """A login of one connection does not log in another one with the same OAuth client."""
    workspace.settings |= {f"SOURCES__GONG__EMEA__CREDENTIALS__{name}": value for name, value in CLIENT.items()}
    with start_login(workspace, port, "--connection", "emea") as login:
        browse(login.address)
        assert login.wait()[0] == 0

    assert workspace.run("sync", "--select", "workspaces", "--connection", "emea").code == 0

    ended = workspace.run("sync", "--select", "workspaces", "--dataset", "other")
    assert ended.code == 2
    assert "connection 'gong' has no login: run gong-elt login" in ended.err


def test_scopes_that_were_not_granted_are_listed(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """The message lists requested scopes that the consent did not grant."""
    gong.oauth.scopes = frozenset({"api:calls:read:basic", "api:workspaces:read"})
    with start_login(workspace, port, "--scopes", "api:calls:read:basic, api:users:read") as login:
        assert login.parameters["scope"] == "api:calls:read:basic api:users:read"
        browse(login.address)
        code, _, err = login.wait()
    assert code == 0
    assert "not granted: api:users:read;" in err


def test_a_callback_with_a_wrong_state_is_rejected(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """Forged callbacks get an error, and the login still waits for the real one."""
    with start_login(workspace, port) as login:
        callback = login.parameters["redirect_uri"]

        assert login.parameters["redirect_uri"] == f"http://127.0.0.1:{port}/callback"

        for query in ("?code=forged&state=forged", "?code=forged", ""):
            assert browse(callback + query).status_code == 400

        assert browse(f"http://127.0.0.1:{port}/favicon.ico").status_code == 404
        assert httpx.post(callback, trust_env=False).status_code == 501

        with socket.create_connection(("127.0.0.1", port)):
            pass

        assert browse(login.address).status_code == 200
        assert login.wait()[0] == 0


def test_a_denied_consent_is_one_line(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """A denial ends with exit code 1, stores nothing, and its text is escaped in the browser."""
    gong.oauth.grants_consent = False
    with start_login(workspace, port) as login:
        page = browse(login.address)
        code, _, err = login.wait()

    assert code == 1
    assert "access_denied" in err
    assert "<b>" not in page.text
    assert "&lt;b&gt;" in page.text
    assert not list((workspace.folder / "working").rglob("*.json"))


def test_a_rejected_code_is_one_line_without_the_code(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """A used or revoked authorisation code is not shown in the message."""
    gong.faults.append(Fault(respond(400, errors=["invalid"]), TOKEN_PATH))
    with start_login(workspace, port) as login:
        browse(login.address)
        code, _, err = login.wait()
    assert code == 1
    assert "the authorisation code was used or revoked" in err
    assert not [secret for secret in gong.oauth.issued_secrets if secret in err]


def test_a_login_times_out(gong: SimulatedGong, workspace: Workspace, port: int) -> None:
    """Without a consent the command ends after `--timeout`."""
    with start_login(workspace, port, "--timeout", "1s") as login:
        code, _, err = login.wait()
    assert code == 1
    assert "no consent within 1 s" in err


def test_a_login_that_cannot_start_is_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    """A taken port, a configured refresh token and a missing client end with exit code 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = workspace.run("login", "--no-browser", "--port", str(taken.getsockname()[1]))

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "choose another with --port" in ended.err

    workspace.configure(credentials__refresh_token="configured")
    ended = workspace.run("login", "--no-browser")

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "remove it" in ended.err

    for name in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    ended = workspace.run("login", "--no-browser")

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "client_id" in ended.err


def test_default_scopes_exclude_opt_in_resources() -> None:
    """A login requests only the scopes that a default sync needs."""
    opt_in = {AUDIT_LOGS.endpoint.scope}
    assert not opt_in & set(default_scopes())


def test_a_code_is_worthless_without_the_verifier_of_its_login(
    gong: SimulatedGong, workspace: Workspace, port: int
) -> None:
    """PKCE: the consent page gets the hash of a secret that only this login can send with the code."""
    with start_login(workspace, port) as login:
        assert login.parameters["code_challenge_method"] == "S256"
        assert len(login.parameters["code_challenge"]) == 43
        redirect = httpx.get(login.address, follow_redirects=False, trust_env=False).headers["location"]
        code = parse_qs(urlsplit(redirect).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT["CLIENT_ID"],
            "code": code,
            "redirect_uri": f"http://127.0.0.1:{port}/callback",
            "code_verifier": "guess",
        }
        base_url = workspace.settings["SOURCES__GONG__BASE_URL"]
        stolen = httpx.post(
            f"{base_url}{TOKEN_PATH}", data=form, auth=(CLIENT["CLIENT_ID"], CLIENT["CLIENT_SECRET"]), trust_env=False
        )

    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
