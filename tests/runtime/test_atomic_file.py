"""Atomic file writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.runtime.atomic_file import write_output_file
from pipelines.runtime.errors import UsageError


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A reader must never see half of a report."""
    file = tmp_path / "report.html"
    write_output_file(file, [b"old"])

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise RuntimeError("query failed")

    with pytest.raises(RuntimeError):
        write_output_file(file, chunks())

    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"old", [file])


def test_a_missing_folder_is_reported_with_the_option(tmp_path: Path) -> None:
    """The user named the file on the command line."""
    with pytest.raises(UsageError, match=r"--to .* cannot be written"):
        write_output_file(tmp_path / "missing" / "report.html", [b""])
