"""Stored OAuth tokens of a workspace: find, read and age them."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

from pipelines.demo.server.app import SimulatedGong
from tests.support.process.command import CommandResult
from tests.support.workspace import Workspace

CONFIGURED_TOKEN = "configured-refresh-token-0000"


def token_file(workspace: Workspace) -> Path:
    """Return the only token file in the default folder."""
    (file,) = (workspace.folder / "working" / "gong-elt" / "tokens").glob("*.json")
    return file


def stored_grant(workspace: Workspace) -> dict[str, Any]:
    """Return the only grant in the token file."""
    (grant,) = json.loads(token_file(workspace).read_text())["grants"].values()
    assert isinstance(grant, dict)
    return grant


def age_stored_tokens(workspace: Workspace) -> None:
    """Let the stored access tokens reach the time of their refresh, as a day later."""
    file = token_file(workspace)
    content = json.loads(file.read_text())
    for grant in content["grants"].values():
        grant["refresh_at"] = time.time() - 1
    file.write_text(json.dumps(content))


def file_mode(path: Path) -> int:
    """Return the permission bits of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def find_secrets(gong: SimulatedGong, content: str | bytes) -> list[str]:
    """Return the secrets of the simulated Gong that the content contains."""
    searched = content.encode() if isinstance(content, str) else content
    return [secret for secret in (*gong.oauth.issued_secrets, gong.oauth.client_secret) if secret.encode() in searched]


def assert_prints_no_secret(gong: SimulatedGong, *results: CommandResult) -> None:
    """Assert that the commands printed neither a token nor the client secret."""
    assert [find_secrets(gong, result.out + result.err) for result in results] == [[]] * len(results)
