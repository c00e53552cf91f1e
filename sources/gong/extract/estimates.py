"""Estimates of the number of requests that a read takes, for `--plan`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .context import ExtractContext

RequestEstimator = Callable[[ExtractContext], Awaitable[int]]


def constant(requests: int) -> RequestEstimator:
    """Return the estimator of a read that always takes this number of requests."""

    async def estimate(_: ExtractContext) -> int:
        return requests

    return estimate


ONE_REQUEST = constant(1)
