"""Credentials, scopes and rate limits of the simulated Gong."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx

from pipelines.demo.server.app import SimulatedGong
from tests.support.gong_api import EXTENSIVE, USERS, WORKSPACES
from tests.support.servers.gong_client import UNTIL, open_client, read_error


def test_a_missing_scope_and_an_invalid_credential_have_different_texts(gong: SimulatedGong) -> None:
    """The connector skips a resource for the first and stops for the second."""
    gong.settings.credentials["Bearer limited"] = frozenset({"api:calls:read:extensive"})
    with open_client(gong, "Bearer limited") as client:
        assert client.post(EXTENSIVE, json={"filter": {}}).status_code == 200
        missing = (401, ["You don't have permission to use 'api:users:read' in your app."])
        assert read_error(client.get(USERS)) == missing
        media = {"filter": {}, "contentSelector": {"exposedFields": {"media": True}}}
        missing = (401, ["You don't have permission to use 'api:calls:read:media-url' in your app."])
        assert read_error(client.post(EXTENSIVE, json=media)) == missing

        invalid = client.get(USERS, headers={"Authorization": "Bearer unknown"})
        assert invalid.status_code == 401
        assert "permission" not in invalid.text
        assert client.get(USERS, headers={"Authorization": ""}).status_code == 401
        assert client.get(USERS, auth=("demo", "demo-secret")).status_code == 200


def test_the_limit_per_second_is_a_sliding_window(gong: SimulatedGong, client: httpx.Client) -> None:
    """Rejected requests carry `Retry-After: 1`, and the next second accepts requests again."""
    gong.settings.requests_per_second = 3
    responses = [client.get(WORKSPACES) for _ in range(5)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429, 429]
    assert responses[-1].headers["retry-after"] == "1"
    assert responses[0].json()["requestId"] != responses[1].json()["requestId"]
    time.sleep(1.05)
    assert client.get(WORKSPACES).status_code == 200


def test_an_exceeded_daily_quota_lasts_until_midnight_utc(gong: SimulatedGong, client: httpx.Client) -> None:
    """`Retry-After` can be hours, for which a run must not wait."""
    gong.clock = lambda: UNTIL
    gong.settings.requests_per_day = 2
    responses = [client.get(WORKSPACES) for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert int(responses[-1].headers["retry-after"]) == 6 * 3600 + 1
    gong.clock = lambda: UNTIL + timedelta(days=1)
    assert client.get(WORKSPACES).status_code == 200
