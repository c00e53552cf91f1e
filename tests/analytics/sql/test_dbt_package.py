"""The dbt package in a project with models of the same names, for readers of the marts only, and after an upgrade."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from pipelines.analytics.dbt_build import PROJECT
from tests.support.marts import build_models
from tests.support.workspace import Workspace

ROOT = PROJECT.parents[1]
_PROJECT = """
name: acme
version: "1.0.0"
profile: acme
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
"""
_PROFILE = "acme: {{target: dev, outputs: {{dev: {{type: duckdb, path: '{path}', schema: acme}}}}}}"
_PACKAGES = "packages: [{{local: '{package}'}}]"
_MODELS = {
    "stg_users": "select 1 as id",
    "calls_by_user": "select host_name, count(*) as calls from {{ ref('gong__calls_enriched') }} group by host_name",
}


def _copy_warehouse(place: Workspace, folder: Path) -> Workspace:
    shutil.copy(place.folder / "warehouse.duckdb", folder)
    return Workspace(folder, settings=dict(place.settings))


@pytest.mark.slow
def test_a_project_with_its_own_stg_users_builds(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """A project that uses the package and has a model `stg_users` builds both, in schemas of their own."""
    place, project = _copy_warehouse(duckdb_marts, tmp_path), tmp_path / "project"
    (project / "models").mkdir(parents=True)
    for name, sql in _MODELS.items():
        (project / "models" / f"{name}.sql").write_text(sql)
    (project / "dbt_project.yml").write_text(_PROJECT)
    (project / "packages.yml").write_text(_PACKAGES.format(package=PROJECT))
    (project / "profiles.yml").write_text(_PROFILE.format(path=tmp_path / "warehouse.duckdb"))
    dbt = [str(Path(sys.executable).with_name("dbt"))]
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    for command in (["deps"], ["run", "--select", "stg_users", "stg_gong__users", "+calls_by_user"]):
        ended = subprocess.run(
            [*dbt, *command, "--no-version-check"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-3_000:]

    assert place.rows("SELECT id FROM acme.stg_users") == [(1,)]
    ((users,),) = place.rows("SELECT count(*) FROM acme_staging.stg_users")
    ((calls,),) = place.rows("SELECT sum(calls) FROM acme.calls_by_user")
    assert users > 1
    assert calls == len(place.rows("SELECT 1 FROM gong_analytics.calls_enriched"))


def test_the_documented_grant_shows_the_marts_only(postgres_marts: Workspace) -> None:
    """A role with the GRANTs of docs/how-to/postgres.md reads every mart, and nothing below them."""
    page = (ROOT / "docs" / "how-to" / "postgres.md").read_text(encoding="utf-8")
    statements = re.findall(r"^(?:CREATE ROLE bi|GRANT|ALTER DEFAULT).*;$", page, re.MULTILINE)
    assert len(statements) == 4
    with psycopg2.connect(postgres_marts.postgres) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET ROLE bi")
        cursor.execute("SELECT count(*) FROM gong_analytics.calls_enriched")
        (row,) = cursor.fetchall()
        assert row[0] > 0
        for schema in ("gong", "gong_analytics_staging", "gong_analytics_intermediate"):
            cursor.execute("SELECT has_schema_privilege('bi', %s, 'USAGE')", [schema])
            assert cursor.fetchall() == [(False,)], schema
        session.rollback()


@pytest.mark.slow
def test_models_of_an_earlier_version_are_dropped_from_the_marts(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """Staging and intermediate models that were built among the marts go; tables of others stay."""
    place = _copy_warehouse(duckdb_marts, tmp_path)
    place.execute("CREATE VIEW gong_analytics.stg_calls AS SELECT * FROM gong.calls")
    place.execute("CREATE TABLE gong_analytics.int_speech AS SELECT '1' AS call_id")
    place.execute("CREATE TABLE gong_analytics.stg_own AS SELECT 1 AS id")

    assert build_models(place, "--select", "stg_users")["failed"] == []

    names = {name for (name,) in place.rows("SELECT table_name FROM information_schema.tables")}
    here = place.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'gong_analytics'"
        " AND (starts_with(table_name, 'stg_') OR starts_with(table_name, 'int_'))"
    )
    assert here == [("stg_own",)]
    assert {"stg_calls", "int_speech"} <= names
