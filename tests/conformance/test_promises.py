"""The list of promises and the tests agree."""

from __future__ import annotations

import re

from tests.conformance.exceptions import EXCEPTIONS, LIMITS, NOT_APPLICABLE
from tests.conformance.promises import PROMISES
from tests.support.paths import REPOSITORY


def test_every_promise_has_a_test() -> None:
    """A row of the page without a test would be a claim."""
    sources = [file.read_text("utf-8") for file in (REPOSITORY / "tests").rglob("test_*.py")]
    tested = {key for source in sources for key in re.findall(r'^@promise\("([^"]+)"\)$', source, re.MULTILINE)}
    assert tested == set(PROMISES)


def test_exceptions_name_promises() -> None:
    """A misspelt exception would never apply."""
    for exceptions in (*EXCEPTIONS.values(), *LIMITS.values(), *NOT_APPLICABLE.values()):
        assert set(exceptions) <= set(PROMISES)
