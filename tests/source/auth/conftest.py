"""A workspace with an OAuth client, and a company that has authorised it."""

from __future__ import annotations

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.source.auth.tokens import CONFIGURED_TOKEN
from tests.support.workspace import Workspace


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """Return a workspace with an OAuth client instead of an API key."""
    for name in ("ACCESS_KEY", "ACCESS_KEY_SECRET"):
        del workspace.settings[f"SOURCES__GONG__CREDENTIALS__{name}"]
    workspace.configure(
        credentials__client_id="demo-client",
        credentials__client_secret="demo-client-secret",
        credentials__refresh_token=CONFIGURED_TOKEN,
    )
    return workspace


@pytest.fixture
def gong(gong: SimulatedGong) -> SimulatedGong:
    """Return a company that has authorised the client."""
    gong.oauth.add_refresh_token(CONFIGURED_TOKEN)
    return gong
