"""The audit log: a JSON line per answer, with who asked what and the number of rows returned, without content."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...runtime.display.text import escape_json
from ...runtime.errors import UsageError

_MAX_CHARACTERS = 10_000
"""Length to which a text of a request is cut: a refused argument can have megabytes."""


class AuditLogError(Exception):
    """An entry could not be written, so the answer must not be sent."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One answer; the fields are the keys of the line, after `time`.

    Attributes:
        token: Name of the token; `stdio` or `http` if the server needs none.
        client: Name and version that the client reports of itself; None if it reports none.
        tool: Name of the tool, or `resources/read`.
        arguments: Arguments as they were sent, with search words and SQL.
        rows: Number of rows returned.
        milliseconds: Duration.
        outcome: `done`, `refused` (the request was invalid or not allowed), `failed` or `cancelled`.
    """

    token: str
    client: str | None
    tool: str
    arguments: Mapping[str, object]
    rows: int
    milliseconds: int
    outcome: str


class AuditLog:
    """A file to which lines are appended. It is opened for each line, so it can be moved away by a log rotation."""

    def __init__(self, file: Path) -> None:
        """Check that the file can be written, and create it for its owner alone.

        Raises:
            UsageError: If it cannot be written.
        """
        self._file = file.absolute()
        try:
            self._append(b"")
            if stat.S_ISREG(self._file.stat().st_mode):
                self._file.chmod(0o600)
        except OSError as error:
            raise UsageError(f"--audit-log {str(file)!r} cannot be written: {error.strerror or error}") from error

    def write(self, entry: AuditEntry) -> None:
        """Append a line.

        Raises:
            AuditLogError: If it cannot be written.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        fields = {
            "time": time.replace("+00:00", "Z"),
            "token": entry.token,
            "client": _cut(entry.client),
            "tool": _cut(entry.tool),
            "arguments": _cut_arguments(entry.arguments),
            "rows": entry.rows,
            "milliseconds": entry.milliseconds,
            "outcome": entry.outcome,
        }
        line = escape_json(json.dumps(fields, ensure_ascii=False)) + "\n"
        try:
            self._append(line.encode())
        except OSError as error:
            raise AuditLogError(f"the audit log cannot be written: {error.strerror or error}") from error

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # One write: lines of several processes do not mix.
            if os.write(descriptor, line) != len(line):
                raise OSError("a line was written in part")
        finally:
            os.close(descriptor)


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:_MAX_CHARACTERS]


def _cut_arguments(arguments: Mapping[str, object]) -> object:
    text = json.dumps(arguments, ensure_ascii=False, default=str)
    return arguments if len(text) <= 2 * _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]} (cut)"
