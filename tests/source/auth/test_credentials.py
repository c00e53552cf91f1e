"""Settings of OAuth: which token, host and account is used, and how mistakes are reported."""

from __future__ import annotations

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.endpoints.oauth import TOKEN_PATH
from sources.gong import ConfigurationError, GongAccessToken, GongApiKey
from tests.source.auth.tokens import CONFIGURED_TOKEN, stored_grant
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.workspace import Workspace


def test_a_new_refresh_token_in_the_configuration_replaces_the_stored_one(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """After a new authorisation, users only change the setting."""
    workspace.sync("--select", "workspaces")
    gong.oauth.revoke_refresh_tokens()
    gong.oauth.expire_access_tokens()
    gong.oauth.add_refresh_token("new-refresh-token-1111")
    workspace.configure(credentials__refresh_token="new-refresh-token-1111")

    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN, "new-refresh-token-1111"]
    assert gong.oauth.reused_tokens == []


def test_requests_go_to_the_host_that_comes_with_the_token(gong: SimulatedGong, workspace: Workspace) -> None:
    """With OAuth, `base_url` does not have to be set."""
    base_url = workspace.settings.pop("SOURCES__GONG__BASE_URL")
    workspace.configure(credentials__token_url=f"{base_url}{TOKEN_PATH}")
    workspace.sync()
    assert stored_grant(workspace)["api_base_url_for_customer"] == base_url
    assert_warehouse_matches(workspace, gong)

    workspace.configure(base_url="https://api.gong.io/")
    workspace.sync()
    assert len(gong.oauth.exchanged_tokens) == 1


def test_a_configured_host_is_used_instead(gong: SimulatedGong, workspace: Workspace) -> None:
    """`base_url` has priority over the host that comes with the token."""
    gong.oauth.host = "https://company-17.api.gong.example"

    workspace.sync("--select", "workspaces")
    assert stored_grant(workspace)["api_base_url_for_customer"] == "https://company-17.api.gong.example"


def test_no_token_is_sent_without_encryption(gong: SimulatedGong, workspace: Workspace) -> None:
    """A returned host must be https, like a configured one."""
    gong.oauth.host = "http://company-17.api.gong.example"
    base_url = workspace.settings.pop("SOURCES__GONG__BASE_URL")
    workspace.configure(credentials__token_url=f"{base_url}{TOKEN_PATH}")

    summary = workspace.sync(code=1)
    assert "would send the credential in clear text" in summary["reason"]
    assert {request.path for request in gong.requests} == {TOKEN_PATH}


@pytest.mark.parametrize(
    ("settings", "unset", "message"),
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
def test_a_mistake_is_reported_in_one_line_before_any_request(
    gong: SimulatedGong, workspace: Workspace, settings: dict[str, str], unset: list[str], message: str
) -> None:
    """A configuration error ends the command with exit code 2."""
    workspace.configure(**settings)
    for name in unset:
        del workspace.settings[f"SOURCES__GONG__{name.upper()}"]

    result = workspace.run("sync")
    assert result.code == 2, result.err
    assert message in result.err
    assert result.err.count("\n") == 1
    assert gong.requests == []


def test_a_connection_does_not_use_another_ones_key(gong: SimulatedGong, workspace: Workspace) -> None:
    """An OAuth connection without a login is an error, even if the default connection has an API key."""
    for name in ("client_id", "client_secret", "refresh_token"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name.upper()}"]
    workspace.configure(
        credentials__access_key="demo",
        credentials__access_key_secret="demo-secret",
        emea__credentials__client_id="demo-client",
        emea__credentials__client_secret="demo-client-secret",
    )
    result = workspace.run("sync", "--connection", "emea", "--select", "workspaces")
    assert (result.code, gong.requests) == (2, [])
    assert "connection 'emea' has no login" in result.err

    workspace.configure(emea__credentials__refresh_token=CONFIGURED_TOKEN)
    workspace.sync("--connection", "emea", "--dataset", "emea", "--select", "workspaces")
    workspace.sync("--select", "workspaces")
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]


@pytest.mark.parametrize("token", ["", " \n", "a b", "a\nb", "tökën"])
def test_an_invalid_access_token_is_not_quoted(token: str) -> None:
    """A token with a line break would otherwise appear in the error message of httpx."""
    with pytest.raises(ConfigurationError, match=r"credentials\.access_token") as raised:
        GongAccessToken(token).auth("https://api.gong.io")
    assert not token.strip() or token not in str(raised.value)


def test_an_empty_key_is_a_configuration_error() -> None:
    """Gong would respond with 401, which does not name the setting."""
    with pytest.raises(ConfigurationError, match="access_key_secret is empty"):
        GongApiKey("key", "").auth("https://api.gong.io")
