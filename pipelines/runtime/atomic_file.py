"""Atomic file writes: a reader sees the old file or the complete new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UsageError


@contextmanager
def replace_file(file: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder, which replaces `file` when the block ends without an error."""
    temporary = file.with_name(f"{file.name}.part")
    try:
        yield temporary
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replace_output_file(file: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces the file named by `--to` when the block ends without an error.

    Raises:
        UsageError: If the file cannot be written.
    """
    try:
        with replace_file(file) as temporary:
            yield temporary
    except OSError as error:
        raise UsageError(f"--to {str(file)!r} cannot be written: {error.strerror or error}") from error


def write_output_file(file: Path, chunks: Iterable[bytes]) -> None:
    """Write the chunks to the file named by `--to`.

    Raises:
        UsageError: If the file cannot be written.
    """
    with replace_output_file(file) as temporary, temporary.open("wb") as opened:
        opened.writelines(chunks)
