"""The list of promises and the tests agree."""

from __future__ import annotations

import re

from tests.conformance.exceptions import EXCEPTIONS, LIMITS, NOT_APPLICABLE, NOT_TESTED
from tests.conformance.promises import PROMISES
from tests.emulators.connections import EMULATED
from tests.support.paths import REPOSITORY


def test_every_promise_has_a_test() -> None:
    """A row of the page without a test would be a claim."""
    sources = [file.read_text("utf-8") for file in (REPOSITORY / "tests").rglob("test_*.py")]
    tested = {key for source in sources for key in re.findall(r'^@promise\("([^"]+)"\)$', source, re.MULTILINE)}
    assert tested == set(PROMISES)


def test_exceptions_name_promises() -> None:
    """A misspelt exception would never apply."""
    for exceptions in (*EXCEPTIONS.values(), *LIMITS.values(), *NOT_TESTED.values(), *NOT_APPLICABLE.values()):
        assert set(exceptions) <= set(PROMISES)


def test_what_no_test_runs_on_an_emulator_is_stated() -> None:
    """A promise that is tested outside of these folders is tested on real servers only."""
    sources = [
        file.read_text("utf-8")
        for folder in ("conformance", "emulators")
        for file in (REPOSITORY / "tests" / folder).glob("test_*.py")
    ]
    run = {key for source in sources for key in re.findall(r'^@promise\("([^"]+)"\)$', source, re.MULTILINE)}
    for name in EMULATED:
        assert set(PROMISES) - run <= set(NOT_TESTED[name])
