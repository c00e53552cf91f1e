"""The file of OAuth tokens: private, locked, replaced atomically, and the only place with tokens."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from sources.gong.auth.token_store import Grant, TokenStore
from sources.gong.errors import ConfigurationError
from tests.source.auth.tokens import (
    CONFIGURED_TOKEN,
    age_stored_tokens,
    assert_prints_no_secret,
    file_mode,
    find_secrets,
    stored_grant,
    token_file,
)
from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace

_KILLED_WITH_LOCK = """
import os, signal, sys
from sources.gong.auth.token_store import TokenStore
with TokenStore("client", "token", sys.argv[1]).locked():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_new_store_has_no_grant_until_one_is_stored(tmp_path: Path) -> None:
    """A store reads what another one with the same client and token has written."""
    file = str(tmp_path / "tokens.json")
    store = TokenStore("client", "token", file)
    assert store.latest() is None

    with store.locked(), store.prepare_write() as write:
        assert store.latest() is None
        write(Grant("access", "refresh", 1.0))

    assert TokenStore("client", "token", file).latest() == Grant("access", "refresh", 1.0)
    assert TokenStore("client", "another token", file).latest() is None
    assert TokenStore("another client", "token", file).latest() is None


def test_a_failed_refresh_leaves_the_stored_grant(tmp_path: Path) -> None:
    """The file is replaced only by a complete one, and nothing else remains."""
    store = TokenStore("client", "token", str(tmp_path / "tokens.json"))
    with store.locked(), store.prepare_write() as write:
        write(Grant("access", "refresh", 1.0))

    with pytest.raises(ZeroDivisionError), store.locked(), store.prepare_write():
        raise ZeroDivisionError

    assert store.latest() == Grant("access", "refresh", 1.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_only_one_thread_holds_the_lock(tmp_path: Path) -> None:
    """A refresh token is used by one thread or process at a time."""
    file = str(tmp_path / "tokens.json")
    holders, most_holders = 0, 0

    def hold() -> None:
        nonlocal holders, most_holders
        for _ in range(5):
            with TokenStore("client", "token", file).locked():
                holders += 1
                most_holders = max(most_holders, holders)
                holders -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most_holders == 1


def test_a_killed_process_releases_the_lock(tmp_path: Path) -> None:
    """A crash must not block the next run."""
    file = str(tmp_path / "tokens.json")
    program = [sys.executable, "-c", _KILLED_WITH_LOCK, file]
    assert subprocess.run(program, cwd=REPOSITORY, check=False).returncode == -9

    with TokenStore("client", "token", file).locked():
        pass


def test_a_grant_shows_no_token() -> None:
    """Grants may appear in logs and tracebacks."""
    assert repr(Grant("access", "refresh", 1.0)) == "Grant(...)"


def test_a_folder_is_not_accepted_as_token_file(tmp_path: Path) -> None:
    """The setting is checked before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"credentials\.token_file: .* cannot be written"):
        TokenStore("client", "token", str(tmp_path))


def test_token_files_are_readable_by_their_owner_only(gong: SimulatedGong, workspace: Workspace) -> None:
    """Tokens give access to all calls of a company."""
    workspace.sync("--select", "workspaces")

    file = token_file(workspace)
    assert file_mode(file) == 0o600
    assert file_mode(file.parent) == 0o700
    assert {file_mode(sibling) for sibling in file.parent.iterdir()} == {0o600}
    assert len(list(file.parent.iterdir())) == 2, "the file and its lock"


def test_token_files_are_private_with_any_umask(gong: SimulatedGong, workspace: Workspace) -> None:
    """The command sets a strict umask; a user's program with the source does not."""
    program = (
        "import dlt\n"
        "from sources.gong import gong_source\n"
        "dlt.pipeline('own', destination='duckdb').run(gong_source().with_resources('workspaces'))\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=workspace.folder, env=workspace.environment, umask=0o022, check=True
    )

    file = token_file(workspace)
    assert (file_mode(file), file_mode(file.parent)) == (0o600, 0o700)
    assert {file_mode(sibling) for sibling in file.parent.iterdir()} == {0o600}
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN]


def test_a_partial_file_of_a_killed_process_is_overwritten(gong: SimulatedGong, workspace: Workspace) -> None:
    """Its content and permissions do not get into the new token file."""
    workspace.sync("--select", "workspaces")
    file = token_file(workspace)
    partial = file.with_name(f"{file.name}.new")
    partial.write_bytes(bytes(99_999))
    partial.chmod(0o644)
    age_stored_tokens(workspace)

    workspace.sync("--select", "workspaces")
    assert len(gong.oauth.exchanged_tokens) == 2
    assert gong.oauth.reused_tokens == []
    assert file_mode(file) == 0o600
    assert stored_grant(workspace)["refresh_token"] == gong.oauth.issued_secrets[-1]
    assert not partial.exists()


@pytest.mark.slow
def test_two_accounts_can_share_a_configured_token_file(gong: SimulatedGong, workspace: Workspace) -> None:
    """The file outlives dlt's working folder, and accounts do not overwrite each other's tokens."""
    file = workspace.folder / "persistent" / "tokens.json"
    workspace.configure(credentials__token_file=str(file), emea__credentials__refresh_token="emea-refresh-token-2222")
    gong.oauth.add_refresh_token("emea-refresh-token-2222")
    workspace.sync("--select", "workspaces")
    workspace.sync("--select", "workspaces", "--connection", "emea", "--dataset", "emea")
    assert gong.oauth.exchanged_tokens == [CONFIGURED_TOKEN, "emea-refresh-token-2222"]
    assert (file_mode(file), file_mode(file.parent)) == (0o600, 0o700)

    workspace.delete_working_folder()
    gong.oauth.expire_access_tokens()
    workspace.sync("--select", "workspaces")
    workspace.sync("--select", "workspaces", "--connection", "emea", "--dataset", "emea")
    assert len(gong.oauth.exchanged_tokens) == 4
    assert gong.oauth.reused_tokens == []


def test_no_token_is_used_if_the_new_one_cannot_be_stored(gong: SimulatedGong, workspace: Workspace) -> None:
    """A folder with the name of the lock file prevents writing, also for root."""
    file = workspace.folder / "tokens.json"
    file.with_name("tokens.json.lock").mkdir()
    workspace.configure(credentials__token_file=str(file))

    summary = workspace.sync(code=1)
    assert "cannot be written" in summary["reason"]
    assert gong.requests == []


def test_another_file_is_neither_overwritten_nor_quoted(gong: SimulatedGong, workspace: Workspace) -> None:
    """A wrong path in `token_file` must not destroy or reveal a file."""
    file = workspace.folder / "secrets.toml"
    file.write_text("precious = 'do not print'")
    workspace.configure(credentials__token_file=str(file))

    summary = workspace.sync(code=1)
    assert "is not a readable token file" in summary["reason"]
    assert "precious" not in summary["reason"]
    assert gong.requests == []
    assert file.read_text() == "precious = 'do not print'"


def test_tokens_are_in_no_other_file_and_in_no_output(gong: SimulatedGong, workspace: Workspace) -> None:
    """Logs, state, traces and the warehouse contain no secret."""
    first = workspace.run("sync")
    gong.oauth.expire_access_tokens()
    second = workspace.run("sync", "--json", "--since", "2020-01-01")
    age_stored_tokens(workspace)
    gong.oauth.revoke_refresh_tokens()
    failed = workspace.run("sync")

    assert (first.code, second.code, failed.code) == (0, 0, 1)
    assert len(gong.oauth.issued_secrets) == 5
    assert_prints_no_secret(gong, first, second, failed)
    files = {path for path in workspace.folder.rglob("*") if path.is_file()} - {token_file(workspace)}
    assert len(files) > 5
    assert {file: secrets for file in files if (secrets := find_secrets(gong, file.read_bytes()))} == {}
