"""Superset's import format: a ZIP file with YAML for dashboard, charts, datasets and database."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from .dashboard import METRICS, ROWS, TEAM_COLUMNS, TIME_COLUMNS, TITLE, Chart

Json = dict[str, Any]

_ROOT = "gong-elt"
_LAKE = "duckdb:///ducklake:"
_TEAM = "team"
_HEIGHT = 50
_FIGURE_HEIGHT = 20
# A fixed date, the earliest of the ZIP format: bundles of the same marts are byte-identical.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def build_bundle(
    uri: str, schema: str, columns: Mapping[str, Sequence[tuple[str, str]]], descriptions: Mapping[str, Json]
) -> bytes:
    """Return the ZIP file.

    Args:
        uri: SQLAlchemy URI of the warehouse.
        schema: Dataset of the marts.
        columns: Column names and types of each required mart.
        descriptions: `description` and, by column, `columns` of each mart, from the dbt project.
    """
    files: Json = {
        "metadata.yaml": {
            "version": "1.0.0",
            "type": "Dashboard",
            "timestamp": datetime(*_ZIP_DATE, tzinfo=UTC).isoformat(),
        },
        "databases/gong.yaml": _database(uri),
        f"dashboards/{_slug(TITLE)}.yaml": _dashboard(),
    }
    for mart, mart_columns in columns.items():
        files[f"datasets/gong/{mart}.yaml"] = _dataset(schema, mart, mart_columns, descriptions[mart])
    for chart in _charts():
        files[f"charts/{_slug(chart.title)}.yaml"] = _chart(chart)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{_ROOT}/{name}", _ZIP_DATE)
            archive.writestr(entry, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return buffer.getvalue()


def required_marts() -> list[str]:
    """Return the marts that the dashboard reads."""
    return sorted({chart.mart for chart in _charts()})


def describe_preparation(uri: str) -> str | None:
    """Return what has to exist on Superset's machine before the import; None if nothing has."""
    secret = uri.removeprefix(_LAKE)
    if secret == uri or ":" in secret:
        return None
    return f"create the DuckDB secret {secret} on Superset's machine first: docs/how-to/bi-tools.md"


def _charts() -> list[Chart]:
    return [chart for row in ROWS for chart in row]


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


def _dataset(schema: str, mart: str, columns: Sequence[tuple[str, str]], description: Json) -> Json:
    return {
        "table_name": mart,
        "main_dttm_col": TIME_COLUMNS.get(mart),
        "description": description["description"],
        "schema": schema,
        "sql": None,
        "filter_select_enabled": True,
        "metrics": [
            {"metric_name": name, "verbose_name": name.replace("_", " ").capitalize(), "expression": expression}
            for name, expression in METRICS[mart].items()
        ],
        "columns": [
            {
                "column_name": name,
                "is_dttm": "TIMESTAMP" in kind.upper() or kind.upper() == "DATE",
                "is_active": True,
                "type": kind.upper(),
                "groupby": True,
                "filterable": True,
                "description": description["columns"].get(name),
            }
            for name, kind in columns
        ]
        + _calculated(mart),
        "uuid": _uuid(f"dataset {mart}"),
        "version": "1.0.0",
        "database_uuid": _uuid("database"),
    }


def _calculated(mart: str) -> list[Json]:
    """Return a column `team`, which the dashboard's filter needs, if the mart has it under another name."""
    column = TEAM_COLUMNS.get(mart, _TEAM)
    if column == _TEAM:
        return []
    return [{"column_name": _TEAM, "expression": column, "is_active": True, "groupby": True, "filterable": True}]


def _chart(chart: Chart) -> Json:
    return {
        "slice_name": chart.title,
        "viz_type": chart.kind,
        "params": {"viz_type": chart.kind, "adhoc_filters": [], "time_range": "No filter", **chart.settings},
        "uuid": _uuid(f"chart {chart.title}"),
        "version": "1.0.0",
        "dataset_uuid": _uuid(f"dataset {chart.mart}"),
    }


def _dashboard() -> Json:
    return {
        "dashboard_title": TITLE,
        "description": "Activity, talk ratios, topics, trackers, deals, library and data quality",
        "css": "",
        "published": True,
        "slug": _slug(TITLE),
        "uuid": _uuid("dashboard"),
        "position": _positions(),
        "metadata": {"native_filter_configuration": [_period_filter(), _team_filter()], "cross_filters_enabled": True},
        "version": "1.0.0",
    }


def _positions() -> Json:
    rows = [f"ROW-{number}" for number in range(len(ROWS))]
    positions: Json = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": rows, "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": TITLE}},
    }
    for row, charts in zip(rows, ROWS, strict=True):
        names = [f"CHART-{_slug(chart.title)}" for chart in charts]
        positions[row] = {
            "type": "ROW",
            "id": row,
            "children": names,
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for name, chart in zip(names, charts, strict=True):
            positions[name] = {
                "type": "CHART",
                "id": name,
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", row],
                "meta": {
                    "uuid": _uuid(f"chart {chart.title}"),
                    # Superset requires a number and replaces it on import.
                    "chartId": _charts().index(chart) + 1,
                    "sliceName": chart.title,
                    "width": chart.width,
                    "height": _FIGURE_HEIGHT if chart.kind == "big_number_total" else _HEIGHT,
                },
            }
    return positions


def _period_filter() -> Json:
    return _filter("Period", "filter_time", [{}], {})


def _team_filter() -> Json:
    targets = [{"datasetUuid": _uuid("dataset calls_enriched"), "column": {"name": _TEAM}}]
    return _filter("Team", "filter_select", targets, {"multiSelect": True, "searchAllOptions": False})


def _filter(name: str, kind: str, targets: Sequence[Json], controls: Json) -> Json:
    return {
        "id": f"NATIVE_FILTER-{_slug(name)}",
        "name": name,
        "filterType": kind,
        "type": "NATIVE_FILTER",
        "targets": targets,
        "controlValues": {"enableEmptyFilter": False, **controls},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "description": "",
    }


def _uuid(name: str) -> str:
    """Return a stable UUID, so that an import replaces an earlier one."""
    return str(uuid5(NAMESPACE_URL, f"gong-elt/superset/{name}"))


def _slug(title: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in title).lower().split())
