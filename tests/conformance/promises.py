"""The promises that gong-elt makes on every warehouse. Each has a test here, and a row in `docs/destinations.md`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

PROMISES: Mapping[str, str] = {
    "second run": "A run without news writes no row.",
    "new machine": "A run with an empty working folder continues from the warehouse.",
    "edit": "An edited call replaces its row and all its child rows.",
    "shrink": "A call or transcript that becomes shorter, or empty, leaves no old rows.",
    "delete": "Reconcile erases a deleted call everywhere; a call that turns private leaves the warehouse.",
    "late transcript": "A transcript that arrives late is requested again until it is there.",
    "unchanged": "Calls that are read again and have not changed are not written again.",
    "new fields": "A new field of Gong becomes a column; a value of another type is kept beside the old ones.",
    "odd text": "NUL, lone surrogates, emoji and texts of 1 MB arrive.",
    "kill": "A run that is killed at any moment is completed by the next: nothing lost, nothing twice.",
    "whole loads": "A reader that polls during a run sees complete loads only.",
    "one run": "Of two machines, one runs, and the other names the holder.",
    "types": "Times return in UTC, ids of 19 digits as text, JSON as JSON.",
    "other reader": "Another client or engine reads the same sums.",
    "outage": "An unreachable server ends every command within its limits: one line, without the password.",
    "maintain": "Maintenance keeps the data, and frees what erased rows took.",
    "migrate": "A warehouse of an earlier version is upgraded in one transaction, and continues.",
    "models": "All marts are built, and their tests pass.",
}
"""Text of each promise, by its key, in the order of the page."""


def promise(key: str) -> pytest.MarkDecorator:
    """Return the mark of a test that checks a promise.

    Raises:
        KeyError: If there is no promise with this key.
    """
    _ = PROMISES[key]
    return pytest.mark.promise(key)
