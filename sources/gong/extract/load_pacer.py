"""When to load: choose the end of a batch so that loading delays the run as little as possible. Pure."""

from __future__ import annotations

import math

_LOAD_TIME_FACTOR = 1.8
"""A load takes up to this many times as long as the one before it."""
_LOAD_START_SLACK_SECONDS = 0.3
_IGNORE_DELAY_SECONDS = 1.0
"""Responses that arrive within this time are not worth a load of their own."""


class LoadPacer:
    """Predict when the last response arrives, and end batches so that no load is running then.

    The last load delays the end of the run, because no request runs beside it. It is short if the load before it
    begins late, but ends before the last response.

    Args:
        seconds_per_request: Time between two requests at the company's rate.
    """

    def __init__(self, seconds_per_request: float) -> None:
        self._seconds_per_request = seconds_per_request
        self._expected_end = math.inf

    def expect_end(self, requests_left: int, now: float) -> None:
        """Predict the end of the run from the number of requests without a response.

        Args:
            requests_left: Requests that are queued or sent, once no more can be added.
            now: Time of the monotonic clock, in seconds.
        """
        seconds_left = requests_left * self._seconds_per_request
        if seconds_left > _IGNORE_DELAY_SECONDS or self._expected_end < math.inf:
            self._expected_end = now + seconds_left

    def batch_end(self, planned_end: float, load_seconds: float, now: float) -> float:
        """Return when the current batch ends, by the monotonic clock.

        Args:
            planned_end: When it would end at the usual interval.
            load_seconds: How long the load of a batch takes.
            now: Time of the monotonic clock, in seconds.
        """
        latest = self._expected_end - _LOAD_TIME_FACTOR * load_seconds
        if planned_end + load_seconds < latest or planned_end == math.inf:
            return planned_end
        return latest if now < latest + _LOAD_START_SLACK_SECONDS else math.inf
