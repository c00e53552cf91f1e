"""Output of all commands: results on stdout, errors as one line on stderr, exit codes."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from ..runtime.process.interruption import raise_interrupts, report_interrupt

if TYPE_CHECKING:
    from rich.console import Console

    from sources.gong.errors import MissingScopeError

    from ..ondemand.client import Gong
    from ..runtime.result import Figures


@contextmanager
def report_errors() -> Iterator[None]:
    """Report expected errors as one line on stderr with the documented exit code."""
    try:
        # Imported modules stay in memory: searching them for garbage while they load only costs time.
        gc.disable()
        import stamina
        from dlt.common.exceptions import DltException

        from destinations.new_call import InvalidCallError
        from destinations.recording_store import RecordingStoreError
        from destinations.warehouse import InvalidWarehouseError
        from sources.gong import ConfigurationError, GongError, RunStopped
        from state.lock import LockHeldError

        from ..runtime.errors import UsageError, root_cause_message

        gc.enable()
        # Its default hook may print retries to stdout, which is reserved for results.
        stamina.instrumentation.set_on_retry_hooks([])

        try:
            with raise_interrupts():
                yield
        except (UsageError, ConfigurationError, InvalidWarehouseError, InvalidCallError, RecordingStoreError) as error:
            fail(2, str(error))
        except RunStopped as error:
            fail(3, str(error))
        except (LockHeldError, GongError, DltException) as error:
            fail(1, root_cause_message(error))
    except KeyboardInterrupt:
        report_interrupt()
        raise typer.Exit(1) from None


@contextmanager
def ignore_broken_pipe() -> Iterator[None]:
    """End quietly when the process that reads stdout exits."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout at exit, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def open_client(connection: str) -> Iterator[Gong]:
    """Open the Gong account of a command that prints what it reads.

    A missing scope, like any other expected error, ends the command with one line on stderr.
    """
    with ignore_broken_pipe(), report_errors():
        from sources.gong.errors import MissingScopeError

        from ..ondemand.client import Gong

        try:
            with Gong(connection) as gong:
                yield gong
        except MissingScopeError as error:
            fail(1, _missing_scope_message(error))


GC_THRESHOLD = (50_000, 20, 100)
"""For `gc.set_threshold`. By default a page of calls, tens of thousands of objects without a cycle, triggers a hundred
collections."""


def tune_runtime() -> None:
    """Keep Python from delaying requests while other threads convert and load pages.

    Call it when all modules are imported. By default a full garbage collection walks all modules and stops every thread
    for 0.1 s, and a busy thread yields to the others only every 5 ms.
    """
    gc.freeze()
    sys.setswitchinterval(0.0001)


def print_result(figures: Figures, *, as_json: bool, ascii_only: bool = True) -> NoReturn:
    """Print the result of a command to stdout, as JSON or for a person, and end with its exit code."""
    from ..runtime.result import JobResult

    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.encoding.lower().startswith("utf"):
        # An encoding such as ASCII lacks most letters: text then has escapes for them, and so has JSON.
        sys.stdout.reconfigure(errors="backslashreplace")
        ascii_only = True
    result = JobResult(figures, ascii_only)
    if as_json:
        print(result.as_json())
    else:
        result.show(stdout())
    raise typer.Exit(result.exit_code)


def print_records(records: list[Any]) -> None:
    """Print records as JSON lines."""
    import msgspec

    sys.stdout.buffer.write(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    sys.stdout.buffer.flush()


def fail(exit_code: int, message: str) -> NoReturn:
    """End the command with one line on stderr."""
    print(f"gong-elt: {' '.join(message.split())}", file=sys.stderr)
    raise typer.Exit(exit_code)


def stdout() -> Console:
    """Return the console for results."""
    from rich.console import Console

    return Console()


def stderr() -> Console:
    """Return the console for messages and progress."""
    from rich.console import Console

    return Console(stderr=True)


def _missing_scope_message(error: MissingScopeError) -> str:
    if not error.scope or error.status == 403:
        return str(error)
    alternative = ", or omit --include-media" if error.scope.endswith("media-url") else ""
    return f"the credential lacks the scope {error.scope}: add it in Gong{alternative} (requestId {error.request_id})"
