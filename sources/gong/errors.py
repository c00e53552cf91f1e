"""What can go wrong between us and Gong, as exceptions.

The tree::

    GongError                    anything below; carries what was asked and Gong's requestId
    ├── ConfigurationError           a setting cannot be used as it is written; nothing was sent
    ├── Unreachable              no usable answer after every try (network, 5xx, bodies that are not JSON)
    ├── RequestError           Gong answered 4xx and a repetition would change nothing
    │   ├── AuthenticationError   401 that names no scope: the key or token itself is dead
    │   ├── MissingScopeError         401/403 for one endpoint: the key may not read this, others it may
    │   └── EmptyResultError         404 with the text Gong uses for an empty range
    ├── UnexpectedRedirectError          Gong sent us to another host; credentials do not follow
    ├── PaginationError             the same cursor came twice
    │   └── CursorExpiredError        400 "cursor has expired": its window has to start again
    └── RunStopped             the run ends on purpose, with all that is complete kept
        ├── QuotaExceeded           the day's requests, or a wait longer than the run may take
        └── DeadlineExceeded      the time that the run was given is over
"""

from __future__ import annotations


class GongError(Exception):
    """An error that says what was asked, what Gong answered and what to do about it.

    Args:
        message: One line for a person: what happened and what to do.
        request_id: Gong's `requestId` of the answer, when there was one; Gong's support asks for it.
        status: HTTP status of the answer, when there was one.
    """

    def __init__(self, message: str, *, request_id: str | None = None, status: int | None = None) -> None:
        super().__init__(f"{message} (requestId {request_id})" if request_id else message)
        self.request_id = request_id
        self.status = status


class ConfigurationError(GongError):
    """A setting cannot be used as it is written; nothing was sent."""


class ServiceUnavailableError(GongError):
    """No usable answer came, however often it was asked for."""


class RequestError(GongError):
    """Gong refused a request; sending it again would change nothing."""


class AuthenticationError(RequestError):
    """The credential itself is not accepted (HTTP 401 that names no scope)."""


class MissingScopeError(RequestError):
    """The credential may not use this endpoint (HTTP 401 or 403).

    Gong answers 401, not 403, for a missing OAuth scope and names the scope in the text.
    """

    def __init__(self, message: str, *, scope: str, request_id: str | None, status: int) -> None:
        super().__init__(message, request_id=request_id, status=status)
        self.scope = scope


class EmptyResultError(RequestError):
    """The range or filter matches nothing: HTTP 404 with "No ... found corresponding to the provided filters"."""


class UnexpectedRedirectError(GongError):
    """Gong answered with a redirect: `base_url` is another customer's or region's host."""


class PaginationError(GongError):
    """Paging cannot go on: Gong repeated a cursor that was already used."""


class CursorExpiredError(PaginationError):
    """A paging cursor outlived its hour; the window it belongs to has to be read again from its start."""


class RunStopped(GongError):
    """No further request is sent, on purpose; what is complete is kept and the next run goes on from there."""


class DeadlineExceeded(RunStopped):
    """The time that the run was given is over."""


class QuotaExceeded(RunStopped):
    """No more requests today, or Gong asks for a longer wait than this run may take."""

    def __init__(self, message: str, *, wait_seconds: float | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id, status=429 if request_id else None)
        self.wait_seconds = wait_seconds
