"""Exceptions of the Gong source.

The tree::

    GongError                            every error below; carries Gong's requestId and the HTTP status
    ├── ConfigurationError               a setting is invalid; no request was sent
    ├── ServiceUnavailableError          no usable response after the last attempt (network, 5xx, invalid JSON)
    │   └── HostUnreachableError         nothing was ever received from `base_url`
    ├── RequestError                     Gong refused the request (4xx); repeating it changes nothing
    │   ├── AuthenticationError          401 that names no scope: the key or token is invalid
    │   ├── MissingScopeError            401 or 403 for one endpoint: the credential may not use it
    │   └── EmptyResultError             404 with the text that Gong uses for an empty range
    ├── UnexpectedRedirectError          3xx: `base_url` is wrong; credentials are not sent to another host
    ├── PaginationError                  the pages of an endpoint cannot be read to their end
    │   └── CursorExpiredError           400 "cursor has expired": restart from the first page
    └── RunStopped                       the run ends early on purpose; complete pages are kept
        ├── QuotaExceeded                the daily quota is used up, or `Retry-After` is too long
        └── DeadlineExceeded             the run's deadline has passed
"""

from __future__ import annotations


class GongError(Exception):
    """Base class of all errors of this package.

    Args:
        message: One line for a user: problem, place and remedy.
        request_id: Gong's `requestId`, if there was a response. Gong's support asks for it.
        status: HTTP status, if there was a response.
    """

    def __init__(self, message: str, *, request_id: str | None = None, status: int | None = None) -> None:
        super().__init__(f"{message} (requestId {request_id})" if request_id else message)
        self.request_id = request_id
        self.status = status


class ConfigurationError(GongError):
    """A setting is invalid; no request was sent."""


class ServiceUnavailableError(GongError):
    """No attempt of a request got a usable response."""


class HostUnreachableError(ServiceUnavailableError):
    """Nothing was ever received from the host: its name, the network, its certificate or a proxy is the cause."""


class RequestError(GongError):
    """Gong refused the request; repeating it changes nothing."""


class AuthenticationError(RequestError):
    """Gong does not accept the credential (HTTP 401 that names no scope)."""


class MissingScopeError(RequestError):
    """The credential may not use this endpoint (HTTP 401 or 403).

    For a missing OAuth scope, Gong responds with 401 and names the scope in the text.

    Args:
        message: As for `GongError`.
        scope: The missing scope; empty if unknown.
        request_id: As for `GongError`.
        status: As for `GongError`.
    """

    def __init__(self, message: str, *, scope: str, request_id: str | None, status: int) -> None:
        super().__init__(message, request_id=request_id, status=status)
        self.scope = scope


class EmptyResultError(RequestError):
    """The range or filter matches nothing: HTTP 404 "No ... found corresponding to the provided filters"."""


class UnexpectedRedirectError(GongError):
    """Gong redirected to another host: `base_url` is not this company's host."""


class PaginationError(GongError):
    """The pages of an endpoint cannot be read to their end, for example because Gong repeated a cursor."""


class CursorExpiredError(PaginationError):
    """A cursor is older than about an hour; its window or list has to be read from the first page again."""


class RunStopped(GongError):  # noqa: N818 - it ends a run on purpose and is not a failure
    """The run ends early on purpose; complete pages are kept and the next run continues from there."""


class DeadlineExceeded(RunStopped):
    """The run's deadline has passed."""


class QuotaExceeded(RunStopped):
    """The daily quota is used up, or Gong asks for a longer wait than a run may take.

    Args:
        message: As for `GongError`.
        wait_seconds: The wait that Gong asks for; None if the daily quota is used up.
        request_id: As for `GongError`.
    """

    def __init__(self, message: str, *, wait_seconds: float | None = None, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id, status=429 if request_id else None)
        self.wait_seconds = wait_seconds
