"""What commands share that ask one Gong account and print JSON lines: the account, its refusals, the lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .options import leave, one_line_for_mistakes, reader_may_leave

if TYPE_CHECKING:
    from sources.gong.errors import ScopeMissing

    from ..ondemand.client import Gong


@contextmanager
def account(connection: str) -> Iterator[Gong]:
    """The account, for a command that prints what it reads; a reader of the pipe that leaves ends it quietly."""
    with reader_may_leave(), one_line_for_mistakes():
        from sources.gong.errors import ScopeMissing

        from ..ondemand.client import Gong

        try:
            with Gong(connection) as gong:
                yield gong
        except ScopeMissing as missing:
            leave(1, _told(missing))


def _told(missing: ScopeMissing) -> str:
    if not missing.scope or missing.status == 403:
        return str(missing)
    instead = ", or leave --include-media out" if missing.scope.endswith("media-url") else ""
    return f"the credential lacks the scope {missing.scope}: add it in Gong{instead} (requestId {missing.request_id})"


def print_lines(records: list[Any]) -> None:
    """Prints records, each as a line of JSON."""
    import msgspec

    sys.stdout.buffer.write(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    sys.stdout.buffer.flush()
