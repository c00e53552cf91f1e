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
def replace_output_file(file: Path, option: str = "--to") -> Iterator[Path]:
    """Yield a temporary path that replaces the file named by an option when the block ends without an error.

    Args:
        file: The file.
        option: The option, for the error.

    Raises:
        UsageError: If the file cannot be written.
    """
    try:
        with replace_file(file) as temporary:
            yield temporary
    except OSError as error:
        raise UsageError(f"{option} {str(file)!r} cannot be written: {error.strerror or error}") from error


def write_output_file(file: Path, chunks: Iterable[bytes], option: str = "--to") -> None:
    """Write the chunks to the file named by an option.

    Args:
        file: The file.
        chunks: Its content.
        option: The option, for the error.

    Raises:
        UsageError: If the file cannot be written.
    """
    with replace_output_file(file, option) as temporary, temporary.open("wb") as opened:
        opened.writelines(chunks)
