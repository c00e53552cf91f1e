"""Descriptions of the dbt project: columns, types, the semantic layer, the page of the marts, and the sources."""

from __future__ import annotations

import yaml

from docs.generate.marts_page import PAGE, page
from pipelines.analytics.dbt_build import PROJECT, relation_name
from sources.gong.resources import TABLES
from tests.support.marts import columns_of, dataset_of, plain
from tests.support.workspace import Workspace

_TYPES = {
    **dict.fromkeys(("BIGINT", "INTEGER"), "integer"),
    **{"VARCHAR": "text", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date", "JSON": "json"},
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}


def _types_of(place: Workspace, relation: str, dataset: str = "gong_analytics") -> list[str]:
    """Return the documented names of the types of a relation's columns in DuckDB."""
    rows = place.rows(
        "SELECT data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ?"
        " ORDER BY ordinal_position",
        [dataset, relation],
    )
    return [_TYPES[name] for (name,) in rows]


def test_columns_and_descriptions_agree(duckdb_marts: Workspace) -> None:
    """Each column of each model has a description, in the same order, and each description a column."""
    for file in PROJECT.glob("*/*.yml"):
        dataset = dataset_of(file.parent.name)
        for model in yaml.safe_load(file.read_text()).get("models", ()):
            assert model["description"]
            name = relation_name(model["name"])
            assert model["config"]["alias"] == name
            assert [column["name"] for column in model["columns"]] == columns_of(duckdb_marts, name, dataset)
            assert [column["data_type"] for column in model["columns"]] == _types_of(duckdb_marts, name, dataset)
            assert all(column["description"] for column in model["columns"])


def test_measures_give_the_same_value_in_both_warehouses(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    """Expressions of the semantic layer, which dbt does not check, are SQL over columns of the mart."""
    layer = yaml.safe_load((PROJECT / "marts" / "metrics.yml").read_text())
    functions = {"sum": "sum", "average": "avg"}
    measures = set()
    for semantic in layer["semantic_models"]:
        mart = relation_name(semantic["model"].split("'")[1])
        names = {entity["expr"] for entity in semantic["entities"]} | {d["name"] for d in semantic["dimensions"]}
        assert names <= set(columns_of(duckdb_marts, mart))
        for measure in semantic["measures"]:
            measures.add(measure["name"])
            sql = f"SELECT {functions[measure['agg']]}({measure['expr']}) FROM gong_analytics.{mart}"
            ((first,),), ((second,),) = duckdb_marts.rows(sql), postgres_marts.rows(sql)
            assert first is not None
            assert plain(float(first)) == plain(float(second)), measure["name"]
    simple = [metric for metric in layer["metrics"] if metric["type"] == "simple"]

    assert {metric["type_params"]["measure"] for metric in simple} == measures


def test_the_page_of_the_marts_is_up_to_date() -> None:
    """docs/marts.md equals the page generated from the descriptions."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make pages`"


def test_dbt_sources_are_declared_tables() -> None:
    """The dbt project reads only tables that the connector declares."""
    (source,) = yaml.safe_load((PROJECT / "staging" / "sources.yml").read_text())["sources"]
    assert {table["name"] for table in source["tables"]} <= {table.name for table in TABLES}
