"""Job of `gong-elt superset`: write a dashboard over the marts that Apache Superset imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...runtime.atomic_file import write_output_file
from ...runtime.connection import Connection
from ...runtime.errors import UsageError
from ...runtime.result import Status
from ...runtime.target import Target
from ..dbt_build import PROJECT, relation_name
from ..marts import DEFAULT_ANALYTICS, Marts, open_marts
from .bundle import build_bundle, describe_preparation, required_marts
from .dashboard import ROWS, TITLE

DEFAULT_FILE = Path("gong-superset.zip")


@dataclass(frozen=True, slots=True)
class SupersetOptions:
    """Options of a dashboard.

    Attributes:
        to: File to write.
        uri: SQLAlchemy URI of the warehouse as Superset reaches it; None for the one used here.
        analytics: Dataset of the marts.
    """

    to: Path = DEFAULT_FILE
    uri: str | None = None
    analytics: str = DEFAULT_ANALYTICS


@dataclass(frozen=True, slots=True)
class BundleResult:
    """Result of a dashboard; the fields are the keys of `--json`."""

    status: Status
    destination: str
    analytics: str
    file: str
    uri: str
    dashboard: str
    charts: int
    datasets: list[str]

    def lines(self) -> Iterator[str]:
        """Yield the file, and the command that imports it."""
        yield f"dashboard {self.dashboard!r} with {self.charts} charts over {len(self.datasets)} datasets: {self.file}"
        if (preparation := describe_preparation(self.uri)) is not None:
            yield preparation
        yield f"import it with: superset import-dashboards --path {self.file} --username admin"


def build_superset(connection: Connection, target: Target, options: SupersetOptions) -> BundleResult:
    """Write the dashboard.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Marts, URI and file.

    Raises:
        UsageError: If the marts do not exist, the URI is unknown, or the file cannot be written.
    """
    mart_names = required_marts()
    with open_marts(connection, target, options.analytics) as marts:
        uri = options.uri or _uri(target, marts)
        columns = marts.list_columns()
    if missing := [mart for mart in mart_names if mart not in columns]:
        raise UsageError(f"dataset {options.analytics} lacks {', '.join(missing)}: run gong-elt models")
    zip_file = build_bundle(uri, options.analytics, {mart: columns[mart] for mart in mart_names}, _mart_descriptions())
    write_output_file(options.to, [zip_file])
    return BundleResult(
        status="done",
        destination=target.name,
        analytics=options.analytics,
        file=str(options.to),
        uri=uri,
        dashboard=TITLE,
        charts=sum(map(len, ROWS)),
        datasets=mart_names,
    )


def _uri(target: Target, marts: Marts) -> str:
    """Return the URI without a password; Superset asks for it."""
    if (uri := target.warehouse.sqlalchemy_uri(marts.credentials)) is None:
        raise UsageError(f"--uri is missing: give the SQLAlchemy URI of {target.name}")
    return uri


def _mart_descriptions() -> Mapping[str, Any]:
    """Return the descriptions of marts and columns from the dbt project."""
    models = yaml.safe_load((PROJECT / "marts" / "marts.yml").read_text(encoding="utf-8"))["models"]
    return {
        relation_name(model["name"]): {
            "description": model["description"],
            "columns": {column["name"]: column["description"] for column in model["columns"]},
        }
        for model in models
    }
