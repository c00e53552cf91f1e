"""Run what an agent asks for in a thread, log it, and turn each error into one line that is safe to answer with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread

from destinations.warehouse import InvalidWarehouseError, NotPublishedError, WarehouseInUseError
from sources.gong import ConfigurationError
from state.lock import LockHeldError

from ..evidence.evidence import Evidence
from ..runtime.errors import UsageError, exception_chain, one_line, root_cause_message
from .access.audit_log import AuditEntry, AuditLog, AuditLogError

_WRITTEN_FOR_USERS = (
    UsageError,
    ConfigurationError,
    InvalidWarehouseError,
    WarehouseInUseError,
    NotPublishedError,
    LockHeldError,
)
"""Errors whose message is an answer; others can contain a customer's words."""

_MAX_THREADS = 8
"""Queries at the same time; more would only wait for the warehouse."""

Answer = TypeVar("Answer")


class RequestRefusedError(Exception):
    """A request has no answer. The message is the one line that the agent reads."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks.

    Attributes:
        name: Name of the token; `stdio` or `http` without one.
        evidence: What may be read.
    """

    name: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        reader: Who asks.
        client: Name and version that the client reports of itself.
        operation: Name of the tool, or `resources/read`.
        arguments: Arguments as they were sent.
    """

    reader: Reader
    client: str | None
    operation: str
    arguments: Mapping[str, object]


class RequestRunner:
    """Runs requests, several at a time."""

    def __init__(self, audit_log: AuditLog | None, report: Callable[[str], None]) -> None:
        """Keep where requests are logged.

        Args:
            audit_log: Has a line per answer; None for no log.
            report: Prints a line for the operator of the server.
        """
        self._audit_log = audit_log
        self._report = report
        self._limiter = anyio.CapacityLimiter(_MAX_THREADS)

    async def run(
        self, request: Request, work: Callable[[], Answer], count_rows: Callable[[Answer], int] = lambda _: 1
    ) -> Answer:
        """Return what `work` returns, after the line is in the audit log.

        Args:
            request: What is asked.
            work: Reads the warehouse; it is called in another thread.
            count_rows: Returns the number of rows of an answer.

        Raises:
            RequestRefusedError: If `work` fails, or the line cannot be written.
        """
        started = time.monotonic()
        outcome, rows = "cancelled", 0
        try:
            answer = await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)
            outcome, rows = "done", count_rows(answer)
        except Exception as error:
            outcome, message = self._describe(request, error)
            raise RequestRefusedError(message) from error
        finally:
            self._log(request, rows, started, outcome)
        return answer

    def _describe(self, request: Request, error: Exception) -> tuple[str, str]:
        """Return the outcome and the line of the answer."""
        if any(isinstance(cause, _WRITTEN_FOR_USERS) for cause in exception_chain(error)):
            return "refused", root_cause_message(error)
        self._report(f"{one_line(request.operation, 100)} failed: {root_cause_message(error)}")
        return "failed", "an unexpected error; the server has printed it to its stderr"

    def _log(self, request: Request, rows: int, started: float, outcome: str) -> None:
        if self._audit_log is None:
            return
        milliseconds = round((time.monotonic() - started) * 1000)
        entry = AuditEntry(
            request.reader.name, request.client, request.operation, request.arguments, rows, milliseconds, outcome
        )
        try:
            self._audit_log.write(entry)
        except AuditLogError as error:
            self._report(str(error))
            raise RequestRefusedError("the audit log cannot be written, so the request is refused") from error
