"""How tests look into the emulated warehouses: with the real drivers, which only the environment of the clients has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from typing import Any

import pytest

from tests.support.servers.connections import WarehouseConnection
from tests.support.servers.emulators import Emulator, create_service_account
from tests.support.servers.postgres import PASSWORD

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class SnowflakeDatabase:
    """A database of a Snowflake emulator.

    Attributes:
        port: The port of the emulator.
        database: Name of the database; the emulator creates it for the first login.
    """

    port: int
    database: str
    destination = "snowflake"

    @property
    def environment(self) -> Mapping[str, str]:
        server = f"host=127.0.0.1&port={self.port}&protocol=http"
        url = f"snowflake://fake:snow@fakesnow/{self.database}?{server}&warehouse=wh"
        return {"DESTINATION__SNOWFLAKE__CREDENTIALS": url}

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        url = (
            f"snowflake://fake:{PASSWORD}@fakesnow/{self.database}?host=127.0.0.1&port=1&protocol=http&login_timeout=2"
        )
        return {"DESTINATION__SNOWFLAKE__CREDENTIALS": url}

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        import snowflake.connector  # noqa: PLC0415 - not in the environment of the other tests

        with (
            snowflake.connector.connect(
                **{"account": "fakesnow", "user": "fake", "password": "snow", "database": self.database},
                **{"host": "127.0.0.1", "port": self.port, "protocol": "http", "schema": "GONG"},
                session_parameters={"TIMEZONE": "UTC"},
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.replace("?", "%s") if parameters else sql, list(parameters) or None)
            return [tuple(row) for row in cursor.fetchall()]

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.rows(sql, parameters)

    def columns(self, table: str) -> Mapping[str, str]:
        sql = "SELECT lower(column_name), upper(data_type) FROM information_schema.columns WHERE table_schema = 'GONG'"
        return dict(self.rows(f"{sql} AND table_name = ?", [table.upper()]))

    def read_elsewhere(self, sql: str) -> list[str]:
        raise NotImplementedError("only the driver speaks the protocol of the emulator")


@dataclass(frozen=True, slots=True)
class BigQueryProject:
    """A project of a BigQuery emulator.

    Attributes:
        port: The port of the emulator.
        token_port: The port at which the driver signs in.
        project: Id of the project.
    """

    port: int
    token_port: int
    project: str
    destination = "bigquery"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "DESTINATION__BIGQUERY__CREDENTIALS": create_service_account(self.project, self.token_port),
            "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{self.port}",
        }

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        return {
            **self.environment,
            "BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1",
            "DESTINATION__BIGQUERY__RETRY_DEADLINE": "2",
        }

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        from google.api_core.client_options import ClientOptions  # noqa: PLC0415 - not in the other environment
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415
        from google.cloud import bigquery  # noqa: PLC0415
        from google.cloud.bigquery import dbapi  # noqa: PLC0415

        client = bigquery.Client(
            project=self.project,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=f"http://127.0.0.1:{self.port}"),
            default_query_job_config=bigquery.QueryJobConfig(default_dataset=f"{self.project}.gong"),
        )
        cursor = dbapi.connect(client=client, prefer_bqstorage_client=False).cursor()
        cursor.execute(sql.replace("?", "%s") if parameters else sql, list(parameters) or None)
        types = [column.type_code for column in cursor.description or ()]
        return [
            tuple(
                json.dumps(value) if kind == "JSON" and value is not None else value
                for kind, value in zip(types, row.values(), strict=True)
            )
            for row in (cursor.fetchall() if types else ())
        ]

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.rows(sql, parameters)

    def columns(self, table: str) -> Mapping[str, str]:
        sql = f"SELECT column_name, upper(data_type) FROM `{self.project}`.gong.INFORMATION_SCHEMA.COLUMNS"
        return dict(self.rows(f"{sql} WHERE table_name = ?", [table]))

    def read_elsewhere(self, sql: str) -> list[str]:
        raise NotImplementedError("only the driver speaks the protocol of the emulator")


def _connect_to_snowflake(request: pytest.FixtureRequest) -> WarehouseConnection:
    (port,) = _ports(request, "fakesnow")
    return SnowflakeDatabase(port, f"gong_{next(_numbers)}")


def _connect_to_bigquery(request: pytest.FixtureRequest) -> WarehouseConnection:
    rest_port, _, token_port = _ports(request, "bqemulator")
    return BigQueryProject(rest_port, token_port, f"project-{next(_numbers)}")


def _ports(request: pytest.FixtureRequest, fixture: str) -> tuple[int, ...]:
    if find_spec("snowflake") is None:
        pytest.skip("the drivers are not installed: make test-emulators")
    emulator: Emulator = request.getfixturevalue(fixture)
    return emulator.ports


EMULATED: Mapping[str, Callable[[pytest.FixtureRequest], WarehouseConnection]] = {
    "snowflake": _connect_to_snowflake,
    "bigquery": _connect_to_bigquery,
}
"""By the name of its destination: return an empty warehouse of an emulator, whose fixture runs it."""
