"""What can go wrong between us and Gong, as exceptions.

The tree::

    GongError                    anything below; carries what was asked and Gong's requestId
    ├── SettingRefused           a setting cannot be used as it is written; nothing was sent
    ├── Unreachable              no usable answer after every try (network, 5xx, bodies that are not JSON)
    ├── RequestRefused           Gong answered 4xx and a repetition would change nothing
    │   ├── CredentialRejected   401 that names no scope: the key or token itself is dead
    │   ├── ScopeMissing         401/403 for one endpoint: the key may not read this, others it may
    │   └── NothingFound         404 with the text Gong uses for an empty range
    ├── RedirectRefused          Gong sent us to another host; credentials do not follow
    ├── PagingBroken             the same cursor came twice
    │   └── CursorExpired        400 "cursor has expired": its window has to start again
    └── StoppedEarly             the run ends on purpose, with all that is complete kept
        ├── QuotaSpent           the day's requests, or a wait longer than the run may take
        └── DeadlineReached      the time that the run was given is over
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


class SettingRefused(GongError):
    """A setting cannot be used as it is written; nothing was sent."""


class Unreachable(GongError):
    """No usable answer came, however often it was asked for."""


class RequestRefused(GongError):
    """Gong refused a request; sending it again would change nothing."""


class CredentialRejected(RequestRefused):
    """The credential itself is not accepted (HTTP 401 that names no scope)."""


class ScopeMissing(RequestRefused):
    """The credential may not use this endpoint (HTTP 401 or 403).

    Gong answers 401, not 403, for a missing OAuth scope and names the scope in the text.
    """

    def __init__(self, message: str, *, scope: str, request_id: str | None, status: int) -> None:
        super().__init__(message, request_id=request_id, status=status)
        self.scope = scope


class NothingFound(RequestRefused):
    """The range or filter matches nothing: HTTP 404 with "No ... found corresponding to the provided filters"."""


class RedirectRefused(GongError):
    """Gong answered with a redirect: `base_url` is another customer's or region's host."""


class PagingBroken(GongError):
    """Paging cannot go on: Gong repeated a cursor that was already used."""


class CursorExpired(PagingBroken):
    """A paging cursor outlived its hour; the window it belongs to has to be read again from its start."""


class StoppedEarly(GongError):
    """No further request is sent, on purpose; what is complete is kept and the next run goes on from there."""


class DeadlineReached(StoppedEarly):
    """The time that the run was given is over."""


class QuotaSpent(StoppedEarly):
    """No more requests today, or Gong asks for a longer wait than this run may take."""

    def __init__(self, message: str, *, wait_seconds: float | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id, status=429 if request_id else None)
        self.wait_seconds = wait_seconds
