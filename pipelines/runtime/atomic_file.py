"""A file that the user named with `--to`: there whole, or as it was before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .connection import UsageError


def write_whole(file: Path, parts: Iterable[bytes]) -> None:
    """Writes the parts one after another, beside the file's place until all are there.

    Raises:
        UsageError: The file cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as opened:
            opened.writelines(parts)
        part.replace(file)
    except OSError as failure:
        raise UsageError(f"--to {str(file)!r} cannot be written: {failure.strerror}") from failure
    finally:
        part.unlink(missing_ok=True)
