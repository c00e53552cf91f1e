"""Job of `gong-elt superset`: write a dashboard over the marts that Apache Superset imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...runtime.atomic_file import write_output_file
from ...runtime.connection import Connection
from ...runtime.errors import UsageError
from ...runtime.result import Status
from ...runtime.target import Target
from ..dbt_build import PROJECT, relation_name
from ..marts import DEFAULT_ANALYTICS, Marts, open_marts
from .bundle import Mart, MartColumn, build_bundle, describe_preparation, required_marts, used_datasets
from .dashboard import TITLE, list_charts

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
        """Yield the file, its address of the warehouse, and the commands that import it."""
        yield f"dashboard {self.dashboard!r} with {self.charts} charts over {len(self.datasets)} datasets: {self.file}"
        yield f"Superset will open {self.uri}; if it reaches the warehouse at another address, name that with --uri"
        if (preparation := describe_preparation(self.uri)) is not None:
            yield preparation
        yield f"import it with: superset import-dashboards --path {self.file} --username admin"
        yield f"or, over an earlier one: unzip {self.file} && superset import-directory gong-elt --overwrite"


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
        columns, schema = marts.list_columns(), marts.schema
    described = _describe_marts(options.analytics, mart_names, columns)
    zip_file = build_bundle(uri, options.analytics, schema, described)
    write_output_file(options.to, [zip_file])
    return BundleResult(
        status="done",
        destination=target.name,
        analytics=options.analytics,
        file=str(options.to),
        uri=uri,
        dashboard=TITLE,
        charts=len(list(list_charts())),
        datasets=used_datasets(),
    )


def _uri(target: Target, marts: Marts) -> str:
    """Return the URI without a password; Superset asks for it."""
    if (uri := target.warehouse.sqlalchemy_uri(marts.credentials)) is None:
        raise UsageError(f"--uri is missing: give the SQLAlchemy URI of {target.name}")
    return uri


def _describe_marts(
    analytics: str, names: Iterable[str], columns: Mapping[str, Sequence[tuple[str, str]]]
) -> Mapping[str, Mart]:
    """Return marts with their columns: types from the warehouse, meanings from the dbt project.

    Args:
        analytics: Dataset of the marts.
        names: Marts to return.
        columns: Column names and types of each mart in the warehouse.

    Raises:
        UsageError: If a mart or a column is missing.
    """
    models = yaml.safe_load((PROJECT / "marts" / "marts.yml").read_text(encoding="utf-8"))["models"]
    models_by_name = {relation_name(model["name"]): model for model in models}
    marts: dict[str, Mart] = {}
    for name in names:
        model, types = models_by_name[name], dict(columns.get(name, ()))
        if missing := [column["name"] for column in model["columns"] if column["name"] not in types]:
            lacking = f"{name}.{missing[0]}" if types else name
            raise UsageError(f"dataset {analytics} lacks {lacking}: run gong-elt models")
        marts[name] = Mart(
            model["description"],
            [
                MartColumn(column["name"], types[column["name"]], column["data_type"], column["description"])
                for column in model["columns"]
            ],
        )
    return marts
