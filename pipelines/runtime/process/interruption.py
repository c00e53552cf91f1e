"""End a command on a signal: SIGTERM and SIGHUP act like Ctrl-C, and within two seconds the process has ended.

A signal raises KeyboardInterrupt in the main thread, which closes the run's row and removes temporary folders. A thread
that is blocked in a driver delays that, so another thread cancels the statements of the process and, if that does not
help, does what is left to do and ends the process.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_SECONDS_UNTIL_CANCEL = 0.2
_SECONDS_UNTIL_END = 1.0
_SECONDS_FOR_CLEANUP = 0.5
_SECONDS_FOR_COMPLETION = 30.0

_is_interrupted = threading.Event()
_cancellations: list[Callable[[], None]] = []
_cleanups: list[Callable[[], None]] = []
_completions: list[Callable[[float], None]] = []
_sockets: list[socket.socket] = []
_report = threading.Lock()
_json_result = threading.Lock()
_REASON = "interrupted; nothing is lost, run again"


def install_signal_handlers() -> None:
    """Let SIGTERM and SIGHUP act like Ctrl-C, and end the process two seconds after the first signal.

    A signal that the parent process has set to be ignored, as `nohup` does, stays ignored.
    """
    handled = {number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    for number in handled - {signal.SIGINT}:
        signal.signal(number, _raise_interrupt)
    # The C handler writes to this socket at once; Python's handlers run only when the main thread executes bytecode.
    received, written = socket.socketpair()
    written.setblocking(False)
    signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch_signals, args=(received, handled), name="signals", daemon=True).start()
    # A socket that is garbage is closed.
    _sockets.extend((received, written))


def is_interrupted() -> bool:
    """Return whether a signal has asked the process to end."""
    return _is_interrupted.is_set()


def is_caused_by_signal(error: BaseException | None) -> bool:
    """Return whether a signal is the cause of an error; dlt and dbt raise errors of their own."""
    from ..errors import exception_chain  # noqa: PLC0415 - this module is imported before a command is known

    return any(isinstance(cause, KeyboardInterrupt) for cause in exception_chain(error))


@contextmanager
def raise_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt in place of any error that a signal has caused."""
    try:
        yield
    except Exception as error:
        if is_interrupted() or is_caused_by_signal(error):
            raise KeyboardInterrupt from error
        raise


def claim_json_result() -> bool:
    """Return True to the first caller in any thread, which then prints the one object of `--json`."""
    return _json_result.acquire(blocking=False)


def report_interrupt() -> None:
    """Print the line that a user reads after a signal, once, and with `--json` the object that a script reads."""
    if not _report.acquire(blocking=False):
        return
    with suppress(OSError):
        if "--json" in sys.argv[1:] and claim_json_result():
            # Written past Python's buffer, which another thread may have locked.
            os.write(sys.stdout.fileno(), f'{{"status": "failed", "reason": "{_REASON}"}}\n'.encode())
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"gong-elt: {_REASON}\n".encode())


def cancel_on_signal(cancel: Callable[[], None]) -> None:
    """Call `cancel` in another thread if a signal does not end the process at once."""
    _cancellations.append(cancel)


def complete_on_signal(wait: Callable[[float], None]) -> None:
    """Let the process end only after `wait(timeout_seconds)`: for work that cannot be repeated, such as a login."""
    if wait not in _completions:
        _completions.append(wait)


def wait_for_completion() -> None:
    """Wait for the work that `complete_on_signal` names. Call it before the process is ended."""
    for wait in _completions:
        with suppress(Exception):
            wait(_SECONDS_FOR_COMPLETION)


@contextmanager
def cleanup_on_signal(cleanup: Callable[[], None]) -> Iterator[None]:
    """Call `cleanup` in another thread if a signal ends the process while the block is blocked."""
    _cleanups.append(cleanup)
    try:
        yield
    finally:
        _cleanups.remove(cleanup)


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Yield an empty folder, which is removed at the end of the block and by every signal but SIGKILL."""
    with (
        TemporaryDirectory(prefix=f"gong-elt-{purpose}-") as name,
        cleanup_on_signal(lambda: shutil.rmtree(name, ignore_errors=True)),
    ):
        yield Path(name)


def _raise_interrupt(_number: int, _frame: FrameType | None) -> None:
    # asyncio and uvicorn replace the handler of SIGINT while they run, so it is theirs that must act.
    if callable(signal.getsignal(signal.SIGINT)):
        signal.raise_signal(signal.SIGINT)
    else:
        # A shell lets its background processes ignore SIGINT.
        raise KeyboardInterrupt


def _watch_signals(received: socket.socket, handled: set[int]) -> None:
    """Wait for one of the signals, then end the process unless the main thread does.

    Args:
        received: Receives the number of each signal.
        handled: Numbers of the signals that end the process.
    """
    while not handled.intersection(received.recv(16)):
        pass
    _is_interrupted.set()
    pause = threading.Event()
    pause.wait(_SECONDS_UNTIL_CANCEL)
    for cancel in _cancellations:
        with suppress(Exception):
            cancel()
    pause.wait(_SECONDS_UNTIL_END - _SECONDS_UNTIL_CANCEL)
    wait_for_completion()
    cleaning = threading.Thread(target=_run_cleanups, daemon=True)
    cleaning.start()
    cleaning.join(_SECONDS_FOR_CLEANUP)
    report_interrupt()
    os._exit(1)


def _run_cleanups() -> None:
    for cleanup in reversed(_cleanups):
        with suppress(Exception):
            cleanup()
