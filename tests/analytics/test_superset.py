"""The Superset bundle against the marts: columns, metrics, layout. `make superset` imports it into Superset."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
import yaml

from pipelines.analytics.dbt_build import PROJECT
from pipelines.analytics.superset.bundle import required_marts
from tests.support.gong_api import Json
from tests.support.marts import HOSTILE_TEXT
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


def _expressions(dataset: Json) -> dict[str, str]:
    """Return the SQL of each column of a dataset, which is the name of those that the warehouse has."""
    return {column["column_name"]: column.get("expression") or column["column_name"] for column in dataset["columns"]}


def _select(dataset: Json, chart: Json) -> str:
    """Return the query of a chart, as Superset builds it."""
    settings, columns = chart["params"], _expressions(dataset)
    metrics = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    # Superset would take a column for the metric of the same name.
    assert not metrics.keys() & columns.keys(), dataset["table_name"]
    used = [*settings.get("metrics", ()), *([settings["metric"]] if "metric" in settings else [])]
    groups = [columns[name] for name in (settings.get("x_axis"), *settings.get("groupby", ())) if name is not None]
    plain = [columns[name] for name in settings.get("all_columns", ())]
    conditions = [
        each["sqlExpression"] if each["expressionType"] == "SQL" else f"{columns[each['subject']]} IS NOT NULL"
        for each in settings["adhoc_filters"]
    ]
    order = [columns[json.loads(each)[0]] for each in settings.get("order_by_cols", ())]
    if (sort := settings.get("timeseries_limit_metric")) is not None:
        order = [metrics[sort]]
    source = f"({dataset['sql']})" if dataset["sql"] else f"{dataset['schema']}.{dataset['table_name']}"
    clauses = [f"SELECT {', '.join((*groups, *plain, *(metrics[name] for name in used)))} FROM {source} AS source"]
    clauses += [f"WHERE {' AND '.join(conditions)}"] if conditions else []
    clauses += [f"GROUP BY {', '.join(groups)}"] if groups else []
    clauses += [f"ORDER BY {', '.join(order)}"] if order else []
    return " ".join(clauses)


@pytest.mark.parametrize("warehouse", ["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def test_every_chart_has_rows(request: pytest.FixtureRequest, warehouse: str, tmp_path: Path) -> None:
    """The query of each chart runs in the warehouse and finds something, and so do all columns and metrics."""
    place: Workspace = request.getfixturevalue(f"{warehouse}_marts")
    _, files = build_bundle(place, tmp_path / "bundle.zip")
    datasets = {dataset["uuid"]: dataset for dataset in _files_in(files, "datasets")}
    for chart in _files_in(files, "charts"):
        assert place.rows(_select(datasets[chart["dataset_uuid"]], chart)), chart["slice_name"]
    for dataset in datasets.values():
        source = f"({dataset['sql']})" if dataset["sql"] else f"{dataset['schema']}.{dataset['table_name']}"
        place.rows(f"SELECT {', '.join(_expressions(dataset).values())} FROM {source} AS source")
        place.rows(f"SELECT {', '.join(metric['expression'] for metric in dataset['metrics'])} FROM {source} AS source")
        times = {column["column_name"] for column in dataset["columns"] if column.get("is_dttm")}
        assert dataset["main_dttm_col"] is None or dataset["main_dttm_col"] in times


def test_figures_are_readable(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Columns have a heading and a meaning, and numbers, shares and times a format."""
    _, files = build_bundle(duckdb_marts, tmp_path / "bundle.zip")
    datasets = {dataset["uuid"]: dataset for dataset in _files_in(files, "datasets")}
    for dataset in datasets.values():
        for column in dataset["columns"]:
            assert column["description"], column
            assert re.fullmatch(r"[A-Z][^_]*", column["verbose_name"]), column
        for metric in dataset["metrics"]:
            assert metric["d3format"], metric
            assert re.fullmatch(r"[A-Z][^_]*", metric["verbose_name"]), metric
    for chart in _files_in(files, "charts"):
        columns = {column["column_name"]: column for column in datasets[chart["dataset_uuid"]]["columns"]}
        shown = [columns[name] for name in chart["params"].get("all_columns", ())]
        headings = [column["verbose_name"] for column in shown]
        assert len(headings) == len(set(headings)), headings
        for column in shown:
            is_figure = re.search("INT|DOUBLE|DECIMAL|DATE|TIME", column.get("type", ""))
            formats = chart["params"]["column_config"].get(column["column_name"])
            assert bool(is_figure) == bool(formats), column

    talk_ratio = next(chart for chart in _files_in(files, "charts") if chart["slice_name"] == "Talk ratio of hosts")
    assert talk_ratio["params"]["y_axis_format"] == ".1%"
    deals = next(chart for chart in _files_in(files, "charts") if chart["slice_name"] == "Deals at risk")
    assert deals["params"]["column_config"]["amount_now"] == {"d3NumberFormat": ",.0f"}


def test_links_are_the_only_html(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """What customers say or write cannot become a link or picture in the dashboard, and URLs run no script."""
    _, files = build_bundle(duckdb_marts, tmp_path / "bundle.zip")
    datasets = {dataset["uuid"]: dataset for dataset in _files_in(files, "datasets")}
    tables = [chart for chart in _files_in(files, "charts") if chart["viz_type"] == "table"]
    linked = [chart for chart in tables if chart["params"]["allow_render_html"]]
    assert 3 <= len(linked) < len(tables)
    for chart in linked:
        columns = {column["column_name"]: column for column in datasets[chart["dataset_uuid"]]["columns"]}
        texts = [name for name, column in columns.items() if column.get("type") == "VARCHAR"]
        others = [name for name, column in columns.items() if column.get("type", "VARCHAR") != "VARCHAR"]
        hostile = ", ".join((*(f"? AS {name}" for name in texts), *(f"NULL AS {name}" for name in others)))
        for name in chart["params"]["all_columns"]:
            expression = columns[name].get("expression", name)
            ((value,),) = duckdb_marts.rows(f"SELECT {expression} FROM (SELECT {hostile})", [HOSTILE_TEXT] * len(texts))
            assert "<" not in (value or ""), (chart["slice_name"], name)
            if name.endswith("_as_text"):
                assert value.replace("\u2039", "<") == HOSTILE_TEXT

    calls = next(dataset for dataset in datasets.values() if dataset["table_name"] == "calls_enriched")
    link = f"SELECT {_expressions(calls)['call_link']} FROM (SELECT ? AS url)"
    ((value,),) = duckdb_marts.rows(link, ["https://gong.example/call?id=1&from=%5B2"])
    assert value.startswith('<a href="https://gong.example/call?id=1&from=%5B2" target="_blank"')
    for url in ('https://a" onclick="x', "https://a/<b>", "javascript:alert(1)", "http://gong.example", None):
        assert duckdb_marts.rows(link, [url]) == [(None,)], url


def test_the_dashboard_has_each_chart_once(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Every chart is placed once, and rows fill 12 columns."""
    printed, files = build_bundle(duckdb_marts, tmp_path / "bundle.zip")
    (dashboard,) = _files_in(files, "dashboards")
    positions = {name: part for name, part in dashboard["position"].items() if isinstance(part, dict)}
    chart_uuids = [part["meta"]["uuid"] for part in positions.values() if part["type"] == "CHART"]

    assert sorted(chart_uuids) == sorted(chart["uuid"] for chart in _files_in(files, "charts"))
    assert len(chart_uuids) == printed["charts"]
    for part in positions.values():
        if part["type"] == "ROW":
            assert sum(positions[child]["meta"]["width"] for child in part["children"]) == 12
        for child in part.get("children", ()):
            assert positions[child]["parents"] == [*part.get("parents", ()), part["id"]]
    tables = sorted(dataset["table_name"] for dataset in _files_in(files, "datasets"))
    assert tables == printed["datasets"]


def test_filters_apply_where_they_can(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """The dashboard opens with external calls of 90 days; a filter leaves out the charts without its column."""
    _, files = build_bundle(duckdb_marts, tmp_path / "bundle.zip")
    (dashboard,) = _files_in(files, "dashboards")
    datasets = {dataset["uuid"]: dataset for dataset in _files_in(files, "datasets")}
    charts = {chart["uuid"]: chart for chart in _files_in(files, "charts")}
    numbers = {
        part["meta"]["chartId"]: charts[part["meta"]["uuid"]]
        for part in dashboard["position"].values()
        if isinstance(part, dict) and part["type"] == "CHART"
    }
    filters = {each["name"]: each for each in dashboard["metadata"]["native_filter_configuration"]}
    assert list(filters) == ["Period", "External or internal", "Type of call", "Team", "Rep", "Account"]
    assert "-90, day" in filters["Period"]["defaultDataMask"]["extraFormData"]["time_range"]
    (default,) = filters["External or internal"]["defaultDataMask"]["extraFormData"]["filters"]
    assert default == {"col": "audience", "op": "IN", "val": ["External"]}
    for name, each in filters.items():
        for number, chart in numbers.items():
            dataset = datasets[chart["dataset_uuid"]]
            applies = number not in each["scope"]["excluded"]
            if name == "Period":
                ranges = [part for part in chart["params"]["adhoc_filters"] if part.get("operator") == "TEMPORAL_RANGE"]
                assert applies == bool(ranges) == bool(dataset["main_dttm_col"]), chart["slice_name"]
            else:
                (target,) = each["targets"]
                assert applies == (target["column"]["name"] in _expressions(dataset)), (name, chart["slice_name"])
    excluded = {numbers[number]["slice_name"] for number in filters["Period"]["scope"]["excluded"]}
    # A deal that is silent for longer than the period is the one to see.
    assert {"Deals at risk", "Accounts", "Data quality"} <= excluded
    assert not {"Calls", "Reps", "Trackers"} & excluded


def test_dbt_lists_the_marts_of_the_dashboard() -> None:
    """The lineage of dbt shows which marts the dashboard needs."""
    exposures = yaml.safe_load((PROJECT / "marts" / "exposures.yml").read_text("utf-8"))["exposures"]
    (dashboard,) = [exposure for exposure in exposures if exposure["name"] == "gong_superset"]
    assert sorted(dashboard["depends_on"]) == [f"ref('gong__{mart}')" for mart in required_marts()]


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
