"""Paths that tests read: the repository, and the shared folder next to it."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
"""Root of the checkout."""

GONG_API = REPOSITORY.parent / "shared" / "gong-api"
"""Gong's OpenAPI document and recorded responses. They are not part of the repository: without them, tests skip."""

OPENAPI = GONG_API / "openapi.json"
