"""Fixtures of on-demand tests: the Python client and the messages that it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.ondemand.client import Gong
from sources.gong import GongApiKey
from tests.support.workspace import Workspace

OpenGong = Callable[..., Gong]


@pytest.fixture
def messages() -> list[str]:
    """Collect the messages that the client sends beside its records."""
    return []


@pytest.fixture
def open_gong(gong: SimulatedGong, workspace: Workspace, messages: list[str]) -> Iterator[OpenGong]:
    """Return a function that opens the simulated Gong with the given settings."""
    clients: list[Gong] = []

    def open_client(**settings: Any) -> Gong:
        key = GongApiKey()
        key.access_key, key.access_key_secret = "demo", "demo-secret"
        defaults = {
            "credentials": key,
            "base_url": workspace.settings["SOURCES__GONG__BASE_URL"],
            "requests_per_second": 1000.0,
        }
        clients.append(Gong(notify=messages.append, **{**defaults, **settings}))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()
