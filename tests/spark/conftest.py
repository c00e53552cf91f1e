"""Fixtures of Spark. `make test-spark` runs these tests in the environment that has Spark, chDB and Polars."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from destinations.kinds.iceberg.spark import POSTGRES_JAR
from tests.spark.spark_marts import SparkMarts, SparkWorkspace
from tests.support.servers.postgres import PostgresServer


@pytest.fixture
def workspace(postgres: PostgresServer, tmp_path: Path) -> SparkWorkspace:
    """Return a workspace whose commands load into Iceberg tables, and build models with Spark."""
    if shutil.which("java") is None:
        pytest.skip("Java is not installed: apt-get install openjdk-17-jre-headless")
    if not POSTGRES_JAR.exists():
        pytest.skip("PostgreSQL's driver for Java is not installed: apt-get install libpostgresql-jdbc-java")
    if find_spec("pyspark") is None:
        pytest.skip("Spark is not installed: make test-spark")
    (tmp_path / "iceberg").mkdir()
    place = SparkWorkspace(tmp_path / "iceberg")
    place.other_warehouse = SparkMarts(place.folder, postgres.create_database())
    place.use_demo_key()
    return place
