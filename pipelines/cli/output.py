"""What commands share that ask one Gong account and print JSON lines: the account, its refusals, the lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .options import fail, ignore_broken_pipe, report_errors

if TYPE_CHECKING:
    from sources.gong.errors import MissingScopeError

    from ..ondemand.client import Gong


@contextmanager
def open_client(connection: str) -> Iterator[Gong]:
    """The account, for a command that prints what it reads; a reader of the pipe that leaves ends it quietly."""
    with ignore_broken_pipe(), report_errors():
        from sources.gong.errors import MissingScopeError

        from ..ondemand.client import Gong

        try:
            with Gong(connection) as gong:
                yield gong
        except MissingScopeError as missing:
            fail(1, _missing_scope_message(missing))


def _missing_scope_message(missing: MissingScopeError) -> str:
    if not missing.scope or missing.status == 403:
        return str(missing)
    instead = ", or leave --include-media out" if missing.scope.endswith("media-url") else ""
    return f"the credential lacks the scope {missing.scope}: add it in Gong{instead} (requestId {missing.request_id})"


def print_lines(records: list[Any]) -> None:
    """Prints records, each as a line of JSON."""
    import msgspec

    sys.stdout.buffer.write(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    sys.stdout.buffer.flush()
