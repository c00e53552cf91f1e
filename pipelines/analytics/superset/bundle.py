"""Superset's import format: a ZIP file with YAML for dashboard, charts, datasets and database."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from .charts import Chart
from .columns import format_column, label_column
from .dashboard import TITLE, list_charts
from .datasets import DATASETS, Calculated, Dataset
from .layout import list_filters, place_charts, slug

Json = dict[str, Any]

_ROOT = "gong-elt"
_LAKE = "duckdb:///ducklake:"
# A fixed date, the earliest of the ZIP format: bundles of the same marts are byte-identical.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_CALLS = "calls_enriched"
# Superset renders a text with a tag as HTML in a table with links. Without this letter, a text has no tag.
_TEXT_SUFFIX = "_as_text"
_NO_TAG = "\u2039"


@dataclass(frozen=True, slots=True)
class MartColumn:
    """A column of a mart.

    Attributes:
        name: Name.
        sql_type: Type in the warehouse.
        data_type: Type in the dbt project, such as `number`.
        description: Meaning.
    """

    name: str
    sql_type: str
    data_type: str
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A mart as the warehouse and the dbt project describe it."""

    description: str
    columns: Sequence[MartColumn]


def build_bundle(uri: str, dataset: str, schema: str, marts: Mapping[str, Mart]) -> bytes:
    """Return the ZIP file.

    Args:
        uri: SQLAlchemy URI of the warehouse.
        dataset: Dataset of the marts.
        schema: The same, quoted for SQL.
        marts: The required marts by name.
    """
    files: Json = {
        "metadata.yaml": {
            "version": "1.0.0",
            "type": "Dashboard",
            "timestamp": datetime(*_ZIP_DATE, tzinfo=UTC).isoformat(),
        },
        "databases/gong.yaml": _database(uri),
        f"dashboards/{slug(TITLE)}.yaml": _dashboard(marts),
    }
    for name in used_datasets():
        files[f"datasets/gong/{name}.yaml"] = _dataset(name, dataset, schema, marts)
    for chart in list_charts():
        files[f"charts/{slug(chart.title)}.yaml"] = _chart(chart, marts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{_ROOT}/{name}", _ZIP_DATE)
            archive.writestr(entry, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return buffer.getvalue()


def used_datasets() -> list[str]:
    """Return the names of the datasets that have a chart."""
    return sorted({chart.dataset for chart in list_charts()})


def required_marts() -> list[str]:
    """Return the marts that the dashboard reads."""
    return sorted({mart for name in used_datasets() for mart in DATASETS[name].marts})


def describe_preparation(uri: str) -> str | None:
    """Return what has to exist on Superset's machine before the import; None if nothing has."""
    secret = uri.removeprefix(_LAKE)
    if secret == uri or ":" in secret:
        return None
    return f"create the DuckDB secret {secret} on Superset's machine first: docs/how-to/bi-tools.md"


def _database(uri: str) -> Json:
    extra = {"engine_params": {"connect_args": _connect_args(uri)}} if uri.startswith("duckdb:") else {}
    return {
        "database_name": "Gong",
        "sqlalchemy_uri": uri,
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": extra,
        "uuid": _uuid("database"),
        "version": "1.0.0",
    }


def _connect_args(uri: str) -> Json:
    # A server that opens a DuckDB file for writing would block syncs.
    arguments: Json = {"read_only": True}
    if uri.startswith(f"{_LAKE}sqlite:"):
        # With more threads, a query could see a part of a load; docs/how-to/ducklake.md.
        arguments["config"] = {"threads": 1}
    return arguments


def _dataset(name: str, dataset: str, schema: str, marts: Mapping[str, Mart]) -> Json:
    described = DATASETS[name]
    columns = _columns_of(described, marts)
    return {
        "table_name": name,
        "main_dttm_col": described.time_column,
        "description": marts[described.marts[0]].description,
        "schema": dataset,
        "sql": None if described.query is None else described.query.format(schema=schema),
        "filter_select_enabled": True,
        "metrics": [
            {
                "metric_name": metric_name,
                "verbose_name": metric.label,
                "expression": metric.expression,
                "d3format": metric.number_format,
            }
            for metric_name, metric in described.metrics.items()
        ],
        "columns": [
            *(_mart_column(name, column) for column in columns),
            *(_calculated(column, calculated) for column, calculated in described.calculated.items()),
            *(_as_text(name, column) for column in columns if column.name in _texts_beside_links(name, columns)),
        ],
        "uuid": _uuid(f"dataset {name}"),
        "version": "1.0.0",
        "database_uuid": _uuid("database"),
    }


def _columns_of(dataset: Dataset, marts: Mapping[str, Mart]) -> list[MartColumn]:
    """Return the columns of a dataset in their order, with those that its query adds."""
    found = {column.name: column for mart in reversed(dataset.marts) for column in marts[mart].columns}
    names = dataset.query_columns or [column.name for column in marts[dataset.marts[0]].columns]
    added = [
        MartColumn(name, data_type, data_type, description)
        for name, (data_type, description) in dataset.columns.items()
    ]
    return [*(found[name] for name in names), *added]


def _mart_column(dataset: str, column: MartColumn) -> Json:
    return {
        "column_name": column.name,
        "verbose_name": label_column(dataset, column.name),
        "is_dttm": column.data_type in ("date", "timestamp"),
        "is_active": True,
        "type": column.sql_type.upper(),
        "groupby": True,
        "filterable": True,
        "description": column.description,
    }


def _calculated(name: str, calculated: Calculated) -> Json:
    return {
        "column_name": name,
        "verbose_name": calculated.label,
        "expression": calculated.expression,
        "is_active": True,
        "groupby": True,
        "filterable": True,
        "description": calculated.description,
    }


def _as_text(dataset: str, column: MartColumn) -> Json:
    return _calculated(
        f"{column.name}{_TEXT_SUFFIX}",
        Calculated(
            label_column(dataset, column.name),
            f"replace({column.name}, '<', '{_NO_TAG}')",
            f"{column.description} Without tags, for tables with links.",
        ),
    )


def _texts_beside_links(dataset: str, columns: Sequence[MartColumn]) -> set[str]:
    """Return the columns of text that tables with links show."""
    shown = {name for chart in list_charts() if chart.dataset == dataset and _has_links(chart) for name in _raw(chart)}
    return {column.name for column in columns if column.data_type == "text" and column.name in shown}


def _raw(chart: Chart) -> Sequence[str]:
    columns: Sequence[str] = chart.settings.get("all_columns", ())
    return columns


def _has_links(chart: Chart) -> bool:
    calculated = DATASETS[chart.dataset].calculated
    return any(name in calculated and calculated[name].is_html for name in _raw(chart))


def _chart(chart: Chart, marts: Mapping[str, Mart]) -> Json:
    return {
        "slice_name": chart.title,
        "description": chart.description,
        "viz_type": chart.kind,
        "params": {
            "viz_type": chart.kind,
            **chart.settings,
            **(_table_settings(chart, marts) if chart.kind == "table" else {}),
            "adhoc_filters": list(_conditions(chart)),
        },
        "uuid": _uuid(f"chart {chart.title}"),
        "version": "1.0.0",
        "dataset_uuid": _uuid(f"dataset {chart.dataset}"),
    }


def _table_settings(chart: Chart, marts: Mapping[str, Mart]) -> Json:
    """Return the formats of the columns, and the columns without tags if the table has links."""
    columns = _columns_of(DATASETS[chart.dataset], marts)
    has_links = _has_links(chart)
    texts = _texts_beside_links(chart.dataset, columns) if has_links else set()
    formats: Json = {}
    for column in columns:
        number_format = format_column(column.name, column.data_type)
        if number_format is not None and column.name in _raw(chart):
            is_time = column.data_type in ("date", "timestamp")
            formats[column.name] = {"d3TimeFormat" if is_time else "d3NumberFormat": number_format}
    return {
        "allow_render_html": has_links,
        "all_columns": [f"{name}{_TEXT_SUFFIX}" if name in texts else name for name in _raw(chart)],
        "column_config": formats,
    }


def _conditions(chart: Chart) -> Iterator[Json]:
    time_column = DATASETS[chart.dataset].time_column
    if time_column is not None:
        yield {
            "expressionType": "SIMPLE",
            "clause": "WHERE",
            "subject": time_column,
            "operator": "TEMPORAL_RANGE",
            # The filter of the dashboard replaces it.
            "comparator": "No filter",
        }
    if chart.where is not None:
        yield {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": chart.where}


def _dashboard(marts: Mapping[str, Mart]) -> Json:
    charts = list(list_charts())
    ids = {chart.title: number for number, chart in enumerate(charts, 1)}

    def charts_with(column: str) -> list[int]:
        return [ids[chart.title] for chart in charts if column in _filter_columns(DATASETS[chart.dataset], marts)]

    filters = list_filters(
        _uuid(f"dataset {_CALLS}"),
        charts_with,
        [ids[chart.title] for chart in charts if DATASETS[chart.dataset].time_column is not None],
        ids.values(),
    )
    return {
        "dashboard_title": TITLE,
        "description": "Calls, deals at risk, accounts, reps, coaching, trackers, topics and data quality",
        "css": "",
        "published": True,
        "slug": slug(TITLE),
        "uuid": _uuid("dashboard"),
        "position": place_charts(lambda chart: _uuid(f"chart {chart.title}"), lambda chart: ids[chart.title]),
        "metadata": {"native_filter_configuration": filters, "cross_filters_enabled": True},
        "version": "1.0.0",
    }


def _filter_columns(dataset: Dataset, marts: Mapping[str, Mart]) -> set[str]:
    return {*dataset.calculated, *(column.name for column in _columns_of(dataset, marts))}


def _uuid(name: str) -> str:
    """Return a stable UUID, so that an import replaces an earlier one."""
    return str(uuid5(NAMESPACE_URL, f"gong-elt/superset/{name}"))
