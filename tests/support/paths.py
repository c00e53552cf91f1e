"""Locations that tests read: the repository, and the shared folder beside it."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
"""Root of the checkout."""

GONG_API = REPOSITORY.parent / "shared" / "gong-api"
"""Gong's OpenAPI document and recorded answers: not ours to ship, so tests that need them are skipped if missing."""

OPENAPI = GONG_API / "openapi.json"
