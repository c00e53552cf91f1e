"""Requests for calls contain what is configured."""

from __future__ import annotations

from datetime import UTC, datetime

from sources.gong.calls.request import CallRequest
from sources.gong.incremental.windows import Window


def test_a_filter_contains_only_configured_values() -> None:
    """Absent settings are not sent, so that Gong applies its defaults."""
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    body = CallRequest(context="Basic", call_ids=["7"], workspace_id="9").body(window)
    assert body is not None
    assert body["filter"] == {
        "fromDateTime": "2026-01-01T00:00:00.000Z", "toDateTime": "2026-01-02T00:00:00.000Z",
        "workspaceId": "9", "callIds": ["7"],
    }  # fmt: skip
    assert "contextTiming" not in body["contentSelector"]
