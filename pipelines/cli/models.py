"""`gong-elt models`: views and metrics over what was loaded."""

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


def models(
    analytics: Annotated[str, typer.Option(help="Dataset that the models are built into")] = "gong_analytics",
    select: Annotated[str | None, typer.Option(help="Only these, in dbt's words: calls_enriched+,rep_week")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build anew what else follows changes")] = False,
    variables: Annotated[
        str,
        typer.Option("--vars", help="JSON: what the CRM calls its stages and fields, see pipelines/models/README.md"),
    ] = "{}",
    docs: Annotated[Path | None, typer.Option(help="Folder for dbt's documentation, one HTML file")] = None,
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Build the marts that BI reads, and test them: a dbt project over the loaded tables."""
    with report_errors():
        from ..analytics.dbt_build import ModelOptions, build_models
        from ..runtime.connection import Connection, Target

        options = ModelOptions(analytics, select, full_refresh, variables, docs)
        built = build_models(Connection(connection), Target.of(destination, dataset), options)
    print_result(built, as_json=as_json)
