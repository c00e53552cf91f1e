"""Output of all commands: results on stdout, errors as one line per cause on stderr, exit codes."""

from __future__ import annotations

import gc
import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from ..runtime.process.interruption import (
    claim_json_result,
    is_interrupted,
    raise_interrupts,
    report_interrupt,
    wait_for_completion,
)

if TYPE_CHECKING:
    from rich.console import Console

    from sources.gong.errors import MissingScopeError

    from ..ondemand.client import Gong
    from ..runtime.result import Figures

_REPEATED_OPTIONS = ("--connection", "--destination", "--dataset", "--analytics")
# What the parser of the command line returns for Ctrl-C.
_INTERRUPTED_EXIT_CODE = 130
_MAX_FAILURE_LINES = 3
"""Lines that a failure may have; further causes are counted."""


def run_command_line(app: typer.Typer) -> NoReturn:
    """Run the command that the arguments name and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A console without Unicode must not end a command that has done its work.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        exit_code = app(standalone_mode=False) or 0
        if exit_code == _INTERRUPTED_EXIT_CODE:
            raise KeyboardInterrupt
        sys.stdout.flush()
    except KeyboardInterrupt:
        report_interrupt()
        exit_code = 1
    except BrokenPipeError:
        _discard(sys.stdout)
        exit_code = 1
    except Exception as error:
        exit_code = _report_exception(error)
    _end(exit_code)


@contextmanager
def report_errors() -> Iterator[None]:
    """Report errors as one line on stderr with the documented exit code."""
    try:
        # Imported modules stay in memory: searching them for garbage while they load only costs time.
        gc.disable()
        import stamina

        gc.enable()
        # Its default hook may print retries to stdout, which is reserved for results.
        stamina.instrumentation.set_on_retry_hooks([])
        with raise_interrupts():
            yield
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        report_interrupt()
        raise typer.Exit(1) from None
    except Exception as error:
        fail(*_describe_failure(error))


@contextmanager
def ignore_broken_pipe() -> Iterator[None]:
    """End quietly when the process that reads stdout exits."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)


@contextmanager
def open_client(connection: str | None) -> Iterator[Gong]:
    """Open the Gong account of a command that prints what it reads.

    A missing scope, like any other expected error, ends the command with one line on stderr.
    """
    with ignore_broken_pipe(), report_errors():
        from sources.gong.errors import MissingScopeError

        from ..ondemand.client import Gong
        from .options import resolve_connection_name

        try:
            with Gong(resolve_connection_name(connection)) as gong:
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
    """Print the result of a command to stdout, as JSON or for a person, its failures to stderr, and end with its code.

    Args:
        figures: What the command found or did.
        as_json: Print the JSON object.
        ascii_only: Whether the JSON object escapes all other characters.
    """
    from ..runtime.result import JobResult

    # An encoding such as ASCII lacks most letters; text then has escapes for them, and so must have JSON.
    has_unicode = not isinstance(sys.stdout, io.TextIOWrapper) or sys.stdout.encoding.lower().startswith("utf")
    result = JobResult(figures, ascii_only or not has_unicode)
    try:
        if as_json:
            text = result.as_json()
            if claim_json_result():
                print(text)
        else:
            result.show(stdout(), _options_to_repeat(sys.argv[1:]))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(sys.stdout)
        fail(result.exit_code or 1, f"the output cannot be written: {error.strerror}")
    print_failures(result.failures())
    raise typer.Exit(result.exit_code)


def print_failures(failures: Sequence[str]) -> None:
    """Print the causes of a failure to stderr, three lines at most."""
    is_long = len(failures) > _MAX_FAILURE_LINES
    for failure in failures[: _MAX_FAILURE_LINES - 1] if is_long else failures:
        print_error(failure)
    if is_long:
        print_error(f"and {len(failures) - _MAX_FAILURE_LINES + 1} other causes: --json lists all")


def print_records(records: list[Any]) -> None:
    """Print records as JSON lines."""
    import msgspec

    from ..runtime.display.text import escape_json

    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    sys.stdout.buffer.write(escape_json(lines.decode()).encode())
    sys.stdout.buffer.flush()


def fail(exit_code: int, message: str) -> NoReturn:
    """End the command with one line on stderr and, with `--json`, one object on stdout."""
    raise typer.Exit(_report(exit_code, message))


def stdout() -> Console:
    """Return the console for results. Lines in a file or pipe are not wrapped."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=_UNLIMITED_WIDTH)


_UNLIMITED_WIDTH = 10_000


def stderr() -> Console:
    """Return the console for messages and progress."""
    from rich.console import Console

    return Console(stderr=True)


def _report_exception(error: Exception) -> int:
    """Report an error that a command did not report itself, such as an unknown option; return the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        # The help has been printed.
        return 2
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        # An error of the command-line parser.
        return _report(getattr(error, "exit_code", 2), f"{format_message().rstrip('.')}; see gong-elt --help")
    return _report(*_describe_failure(error))


def _describe_failure(error: Exception) -> tuple[int, str]:
    """Return the exit code and the line for an error that ended a command."""
    if os.environ.get("GONG_ELT_TRACEBACK"):
        raise error
    from dlt.common.configuration.exceptions import ConfigurationException

    from destinations.gong.new_call import InvalidCallError
    from destinations.recording_store import RecordingStoreError
    from destinations.warehouse import DeadlineReachedError, InvalidWarehouseError
    from sources.gong import ConfigurationError, RunStopped

    from ..runtime.errors import UsageError, exception_chain, root_cause_message

    chain = exception_chain(error)
    if any(isinstance(cause, RunStopped | DeadlineReachedError) for cause in chain):
        return 3, root_cause_message(error)
    if isinstance(error, InvalidCallError | RecordingStoreError):
        return 2, str(error)
    user_errors = (UsageError, ConfigurationError, ConfigurationException, InvalidWarehouseError)
    return 2 if any(isinstance(cause, user_errors) for cause in chain) else 1, root_cause_message(error)


def _report(exit_code: int, message: str) -> int:
    """Print why a command ended without a result; return the exit code."""
    if "--json" in sys.argv[1:] and claim_json_result():
        import json

        from ..runtime.errors import one_line

        status = "stopped" if exit_code == 3 else "failed"
        print(json.dumps({"status": status, "reason": one_line(message)}))
    print_error(message)
    return exit_code


def print_line(text: str) -> None:
    """Print one line to stdout at once, without control characters."""
    from ..runtime.display.text import make_printable

    print(make_printable(" ".join(text.split())), flush=True)


def print_error(message: str) -> None:
    """Print one line to stderr, without control characters."""
    from ..runtime.display.text import make_printable

    # Without stderr there is nowhere to report to.
    with suppress(OSError):
        print(f"gong-elt: {make_printable(' '.join(message.split()))}", file=sys.stderr)


def _end(exit_code: int) -> NoReturn:
    """End the process. Python would print its own error if stdout cannot be written at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        if exit_code == 0:
            print_error(f"the output cannot be written: {error.strerror}")
            exit_code = 1
    if is_interrupted():
        # Everything is closed, and unloading the modules would take another second.
        sys.stderr.flush()
        wait_for_completion()
        os._exit(exit_code)
    sys.exit(exit_code)


def _discard(stream: Any) -> None:
    """Send what is left of a stream nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _options_to_repeat(arguments: Sequence[str]) -> str:
    """Return the options among the arguments that select the account and warehouse, each with a leading space."""
    repeated = ""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in _REPEATED_OPTIONS:
            values = [value] if equals else arguments[position + 1 : position + 2]
            repeated += "".join(f" {name} {shlex.quote(value)}" for value in values)
    return repeated


def _missing_scope_message(error: MissingScopeError) -> str:
    if not error.scope or error.status == 403:
        return str(error)
    alternative = ", or omit --include-media" if error.scope.endswith("media-url") else ""
    return f"the credential lacks the scope {error.scope}: add it in Gong{alternative} (requestId {error.request_id})"
