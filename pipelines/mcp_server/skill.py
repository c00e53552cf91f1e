"""The skill for coding agents: a file that explains how to work with gong-elt."""

from __future__ import annotations

from pathlib import Path

from ..runtime.atomic_file import write_output_file
from ..runtime.errors import UsageError

SKILL = Path(__file__).with_name("SKILL.md")
"""The file, a part of the package."""


def read_skill() -> str:
    """Return the text of the skill."""
    return SKILL.read_text("utf-8")


def install_skill(folder: Path) -> Path:
    """Write the skill below a folder of skills, and return its path.

    Raises:
        UsageError: If it cannot be written.
    """
    file = folder / "gong-elt" / SKILL.name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--to {str(folder)!r} cannot be written: {error.strerror or error}") from error
    write_output_file(file, [SKILL.read_bytes()])
    return file
