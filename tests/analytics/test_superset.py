"""The bundle for Superset against the marts: every column and metric it names. `make superset` tries it for real."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

from pipelines.analytics.superset.dashboard import ROWS
from tests.support.gong_api import Json
from tests.support.workspace import Workspace


def bundled(place: Workspace, file: Path, *arguments: str) -> tuple[Json, dict[str, Json]]:
    """What `gong-elt superset --json` prints, and the files of the bundle by their names."""
    ended = place.run("superset", "--json", "--to", str(file), *arguments)
    assert ended.code == 0, ended.err
    with zipfile.ZipFile(file) as archive:
        files = {name.removeprefix("gong-elt/"): yaml.safe_load(archive.read(name)) for name in archive.namelist()}
    return ended.json, files


def _of(files: dict[str, Json], folder: str) -> list[Json]:
    return [content for name, content in files.items() if name.startswith(f"{folder}/")]


def test_every_metric_and_column_is_one_of_the_warehouse(
    duckdb_marts: Workspace, postgres_marts: Workspace, tmp_path: Path
) -> None:
    for place in (duckdb_marts, postgres_marts):
        _, files = bundled(place, tmp_path / "bundle.zip")
        datasets = {dataset["uuid"]: dataset for dataset in _of(files, "datasets")}
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
        for chart in _of(files, "charts"):
            dataset = datasets[chart["dataset_uuid"]]
            metrics = {metric["metric_name"] for metric in dataset["metrics"]}
            columns = {column["column_name"] for column in dataset["columns"]}
            settings = chart["params"]
            asked = [*settings.get("metrics", ()), *([settings["metric"]] if "metric" in settings else [])]
            assert set(asked) <= metrics, chart["slice_name"]
            named = [*settings.get("groupby", ()), *settings.get("all_columns", ()), settings.get("x_axis", "team")]
            assert set(named) - {"team"} <= columns, chart["slice_name"]


def test_the_dashboard_has_every_chart_once_and_finds_its_filters(duckdb_marts: Workspace, tmp_path: Path) -> None:
    printed, files = bundled(duckdb_marts, tmp_path / "bundle.zip")
    (dashboard,) = _of(files, "dashboards")
    parts = [part for part in dashboard["position"].values() if isinstance(part, dict)]
    placed = [part["meta"]["uuid"] for part in parts if part["type"] == "CHART"]
    assert sorted(placed) == sorted(chart["uuid"] for chart in _of(files, "charts"))
    assert len(placed) == printed["charts"] == sum(map(len, ROWS))
    assert all(sum(chart.width for chart in row) == 12 for row in ROWS)
    datasets = {dataset["uuid"]: dataset for dataset in _of(files, "datasets")}
    assert sorted(dataset["table_name"] for dataset in datasets.values()) == printed["datasets"]
    for chosen in dashboard["metadata"]["native_filter_configuration"]:
        for target in filter(None, chosen["targets"]):
            columns = {column["column_name"] for column in datasets[target["datasetUuid"]]["columns"]}
            assert target["column"]["name"] in columns


def test_a_second_bundle_takes_the_place_of_the_first(duckdb_marts: Workspace, tmp_path: Path) -> None:
    bundled(duckdb_marts, tmp_path / "first.zip")
    bundled(duckdb_marts, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_a_server_is_named_without_its_password(
    duckdb_marts: Workspace, postgres_marts: Workspace, tmp_path: Path
) -> None:
    place = Workspace(tmp_path, settings=postgres_marts.settings, postgres=postgres_marts.postgres)
    printed, files = bundled(place, tmp_path / "bundle.zip")
    (database,) = _of(files, "databases")
    assert database["sqlalchemy_uri"] == printed["uri"]
    assert printed["uri"].startswith("postgresql://")
    assert ":" not in printed["uri"].removeprefix("postgresql://").partition("@")[0]
    printed, _ = bundled(duckdb_marts, tmp_path / "bundle.zip")
    assert printed["uri"] == f"duckdb:///{duckdb_marts.folder / 'warehouse.duckdb'}"
    printed, _ = bundled(duckdb_marts, tmp_path / "bundle.zip", "--uri", "duckdb:////data/copy.duckdb")
    assert printed["uri"] == "duckdb:////data/copy.duckdb"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--analytics", "elsewhere"), "run gong-elt models"),
        (("--to", "no/such/folder/file"), "cannot be written"),
    ],
)
def test_what_cannot_be_bundled_is_told_in_one_line(
    duckdb_marts: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    ended = duckdb_marts.run("superset", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
