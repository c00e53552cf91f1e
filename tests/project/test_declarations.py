"""Declarations of tables, endpoints and records agree with each other."""

from __future__ import annotations

from inspect import signature, unwrap
from typing import get_type_hints

from pipelines.demo.server.routes import ROUTES
from sources.gong import GongSettings, gong_source
from sources.gong.resources import ENDPOINTS, TABLES
from state import media, uploads
from state.runs import COLUMN_TYPES, Run


def test_names_of_tables_are_unique() -> None:
    """Each table belongs to one resource; what is inside a declaration is checked when it is imported."""
    assert len({table.name for table in TABLES}) == len(TABLES)


def test_the_simulated_gong_serves_every_endpoint() -> None:
    """Each endpoint of the source can be tested, with its scope."""
    routes = {(route.method, route.path, route.scope) for route in ROUTES}
    assert {(endpoint.method, endpoint.path, endpoint.scope) for endpoint in ENDPOINTS} <= routes


def test_bookkeeping_tables_have_a_column_per_field() -> None:
    """Rows of `_runs`, `_media` and `_uploads` are written in the order of their dataclass."""
    assert tuple(COLUMN_TYPES) == tuple(Run.__dataclass_fields__)
    assert tuple(media.COLUMN_TYPES) == tuple(media.Recording.__dataclass_fields__)
    assert tuple(uploads.COLUMN_TYPES) == tuple(uploads.Upload.__dataclass_fields__)


def test_the_source_takes_every_setting_with_its_type_and_default() -> None:
    """`gong_source` and `GongSettings` are two views of the same settings; only gong-elt retries transcripts."""
    hints = get_type_hints(GongSettings)
    settings = {
        name: (hints[name], getattr(GongSettings, name))
        for name in GongSettings.get_resolvable_fields()
        if name != "transcript_retry_period"
    }

    function = unwrap(gong_source)
    types = get_type_hints(function)
    arguments = {
        # An empty text is missing: `dlt init` writes a placeholder for a secret whose default is None.
        name: (types[name], None if parameter.default == "" else parameter.default)
        for name, parameter in signature(function).parameters.items()
        if name not in ("credentials", "run")
    }

    assert arguments == settings
