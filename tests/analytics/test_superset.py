"""The Superset bundle against the marts: columns, metrics, layout. `make superset` imports it into Superset."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

from pipelines.analytics.superset.dashboard import ROWS
from tests.support.gong_api import Json
from tests.support.workspace import Workspace


def build_bundle(place: Workspace, file: Path, *arguments: str) -> tuple[Json, dict[str, Json]]:
    """Return the output of `gong-elt superset --json`, and the files of the bundle by name."""
    ended = place.run("superset", "--json", "--to", str(file), *arguments)
    assert ended.code == 0, ended.err
    with zipfile.ZipFile(file) as archive:
        files = {name.removeprefix("gong-elt/"): yaml.safe_load(archive.read(name)) for name in archive.namelist()}
    return ended.json, files


def _files_in(files: dict[str, Json], folder: str) -> list[Json]:
    return [content for name, content in files.items() if name.startswith(f"{folder}/")]


@pytest.mark.slow
def test_metrics_and_columns_exist_in_both_warehouses(
    duckdb_marts: Workspace, postgres_marts: Workspace, tmp_path: Path
) -> None:
    """Each metric and column of the datasets can be queried, and charts use only these."""
    for place in (duckdb_marts, postgres_marts):
        _, files = build_bundle(place, tmp_path / "bundle.zip")
        datasets = {dataset["uuid"]: dataset for dataset in _files_in(files, "datasets")}
        for dataset in datasets.values():
            for metric in dataset["metrics"]:
                sql = f"SELECT {metric['expression']} FROM gong_analytics.{dataset['table_name']}"
                ((value,),) = place.rows(sql)
                assert value is not None, metric
            for column in dataset["columns"]:
                place.rows(
                    f"SELECT {column.get('expression') or column['column_name']}"
                    f" FROM gong_analytics.{dataset['table_name']} WHERE 1 = 0"
                )
            times = {column["column_name"] for column in dataset["columns"] if column.get("is_dttm")}
            assert dataset["main_dttm_col"] is None or dataset["main_dttm_col"] in times
        for chart in _files_in(files, "charts"):
            dataset = datasets[chart["dataset_uuid"]]
            metrics = {metric["metric_name"] for metric in dataset["metrics"]}
            columns = {column["column_name"] for column in dataset["columns"]}
            settings = chart["params"]
            used_metrics = [*settings.get("metrics", ()), *([settings["metric"]] if "metric" in settings else [])]
            assert set(used_metrics) <= metrics, chart["slice_name"]
            used_columns = [
                *settings.get("groupby", ()),
                *settings.get("all_columns", ()),
                settings.get("x_axis", "team"),
            ]
            assert set(used_columns) - {"team"} <= columns, chart["slice_name"]


def test_the_dashboard_has_each_chart_once(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Every chart is placed once, rows fill 12 columns, and filters target existing columns."""
    printed, files = build_bundle(duckdb_marts, tmp_path / "bundle.zip")
    (dashboard,) = _files_in(files, "dashboards")
    parts = [part for part in dashboard["position"].values() if isinstance(part, dict)]
    chart_uuids = [part["meta"]["uuid"] for part in parts if part["type"] == "CHART"]

    assert sorted(chart_uuids) == sorted(chart["uuid"] for chart in _files_in(files, "charts"))
    assert len(chart_uuids) == printed["charts"] == sum(map(len, ROWS))
    assert all(sum(chart.width for chart in row) == 12 for row in ROWS)

    datasets = {dataset["uuid"]: dataset for dataset in _files_in(files, "datasets")}
    assert sorted(dataset["table_name"] for dataset in datasets.values()) == printed["datasets"]

    for native_filter in dashboard["metadata"]["native_filter_configuration"]:
        for target in filter(None, native_filter["targets"]):
            columns = {column["column_name"] for column in datasets[target["datasetUuid"]]["columns"]}
            assert target["column"]["name"] in columns


def test_bundles_are_reproducible(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Two exports are byte-identical, so that an import replaces the earlier dashboard."""
    build_bundle(duckdb_marts, tmp_path / "first.zip")
    build_bundle(duckdb_marts, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_the_uri_has_no_password(duckdb_marts: Workspace, postgres_marts: Workspace, tmp_path: Path) -> None:
    """The bundle contains the URI of the warehouse, or the one of `--uri`, without a password."""
    place = Workspace(tmp_path, settings=postgres_marts.settings, postgres=postgres_marts.postgres)
    printed, files = build_bundle(place, tmp_path / "bundle.zip")
    (database,) = _files_in(files, "databases")

    assert database["sqlalchemy_uri"] == printed["uri"]
    assert printed["uri"].startswith("postgresql://")
    assert ":" not in printed["uri"].removeprefix("postgresql://").partition("@")[0]

    printed, _ = build_bundle(duckdb_marts, tmp_path / "bundle.zip")
    assert printed["uri"] == f"duckdb:///{duckdb_marts.folder / 'warehouse.duckdb'}"

    printed, _ = build_bundle(duckdb_marts, tmp_path / "bundle.zip", "--uri", "duckdb:////data/copy.duckdb")
    assert printed["uri"] == "duckdb:////data/copy.duckdb"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--analytics", "elsewhere"), "run gong-elt models"),
        (("--to", "no/such/folder/file"), "cannot be written"),
    ],
)
def test_an_invalid_option_is_one_line(duckdb_marts: Workspace, arguments: tuple[str, ...], message: str) -> None:
    """Usage errors end with exit code 2 and one line that names the remedy."""
    ended = duckdb_marts.run("superset", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
