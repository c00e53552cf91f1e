"""JSON repair: valid JSON is decoded as usual."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from sources.gong.json_repair import repair_json
from tests.source.strategies import JSON


@given(JSON)
def test_valid_json_is_not_changed(value: Any) -> None:
    """The repair decodes valid JSON like a strict decoder."""
    assert repair_json(json.dumps(value).encode()) == value
