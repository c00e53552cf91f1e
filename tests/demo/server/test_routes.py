"""Routes of the simulated Gong: their areas, and which route a path selects."""

from __future__ import annotations

import re

import pytest

from pipelines.demo.server.routes import ROUTES, match_routes
from tests.support.paths import REPOSITORY


def test_areas_are_those_of_the_source() -> None:
    """An endpoint's handler is in the file with the same name as its declaration in `sources/gong/resources`."""
    handler_areas = {route.path: route.handler.__module__.rpartition(".")[2] for route in ROUTES}
    declared_areas = {
        path: file.stem
        for file in (REPOSITORY / "sources/gong/resources").glob("*.py")
        for path in re.findall(r'"(/v2/[^"]+)"', file.read_text("utf-8"))
    }
    assert len(declared_areas) > 15
    assert {path: handler_areas[path] for path in declared_areas} == declared_areas


@pytest.mark.parametrize(
    ("path", "route", "path_id"),
    [
        ("/v2/calls/extensive", "/v2/calls/extensive", ""),
        ("/v2/calls/77", "/v2/calls/{id}", "77"),
        ("/v2/calls/77/media", "/v2/calls/{id}/media", "77"),
    ],
)
def test_an_exact_path_precedes_a_pattern(path: str, route: str, path_id: str) -> None:
    """An id in the path selects the pattern only if no route has the exact path."""
    routes, found_id = match_routes(path)
    assert ({matched.path for matched in routes.values()}, found_id) == ({route}, path_id)


def test_an_unknown_path_has_no_routes() -> None:
    """The server answers 404 for it."""
    assert match_routes("/v2/nothing/at/all") == ({}, "")
