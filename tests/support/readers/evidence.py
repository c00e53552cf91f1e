"""Open `gong_elt.Evidence` on the marts of a workspace, and follow its answers to their end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gong_elt import Evidence
from pipelines.evidence.answers import CHARACTERS_PER_TOKEN, MAX_TOKENS
from tests.support.gong_api import Json
from tests.support.workspace import Workspace


@contextmanager
def open_evidence(place: Workspace) -> Iterator[Evidence]:
    """Open evidence on the marts of a workspace, with the settings of its commands."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in place.environment.items():
            patch.setenv(name, value)
        if place.postgres is None:
            patch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(place.folder / "warehouse.duckdb"))
        with Evidence("gong", destination=place.warehouse.destination, dataset="gong") as evidence:
            yield evidence


def collect_pages(ask: Callable[..., Json], key: str, argument: str = "next") -> list[Any]:
    """Return the rows of all pages of a question, each of which has at most the number of tokens of an answer.

    Args:
        ask: Asks for a page; its named argument continues.
        key: Key of the rows.
        argument: Name of the argument that takes `next`.
    """
    rows: list[Any] = []
    answer = ask()
    while True:
        assert len(json.dumps(answer)) <= MAX_TOKENS * CHARACTERS_PER_TOKEN
        rows += answer[key]
        if answer["next"] is None:
            return rows
        assert answer[key], "a page without rows that continues would never end"
        answer = ask(**{argument: answer["next"]})
