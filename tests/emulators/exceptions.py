"""What the emulators cannot run, with the defect of the emulator. Everything else must work as in DuckDB."""

from __future__ import annotations

MODELS_WITH_DEFECT: dict[str, dict[str, str]] = {
    "snowflake": {},
}
"""By destination: models that an emulator cannot build, or that depend on one, and why."""
