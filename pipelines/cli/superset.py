"""`gong-elt superset`: a dashboard for Apache Superset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    ConnectionOption,
    DatasetOption,
    DestinationOption,
    JsonOption,
    print_result,
    report_errors,
)


def superset(
    to: Annotated[Path, typer.Option(help="File to write")] = Path("gong-superset.zip"),
    uri: Annotated[str | None, typer.Option(help="SQLAlchemy's address of the warehouse as Superset sees it")] = None,
    analytics: Annotated[str, typer.Option(help="Dataset of the marts")] = "gong_analytics",
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Write a dashboard over the marts, with its datasets and charts, as a file that Apache Superset imports."""
    with report_errors():
        from ..analytics.superset.build import SupersetOptions, build_superset
        from ..runtime.connection import Connection, Target

        options = SupersetOptions(to, uri, analytics)
        bundled = build_superset(Connection(connection), Target.of(destination, dataset), options)
    print_result(bundled, as_json=as_json)
