"""Snowflake: requests that end in time, and how dbt connects."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.destinations import snowflake
from dlt.destinations.impl.snowflake.configuration import SnowflakeClientConfiguration, SnowflakeCredentials

from ..warehouse import DbtConnection

_DBT_THREADS = 4
_SECRETS = ("password", "token", "private_key", "private_key_passphrase")
_LOGIN = ("warehouse", "role", "authenticator", "host", "port", "protocol")
# The driver expects numbers, and a URL has texts.
_NUMBERS = ("login_timeout", "network_timeout", "socket_timeout", "port")

# The driver logs each repetition with the URL, beside the error that the command prints.
logging.getLogger("snowflake.connector.vendored.urllib3").setLevel(logging.ERROR)


@configspec(init=False)
class SnowflakeLogin(SnowflakeCredentials):
    """Credentials with limits for requests. Without them, the driver repeats a failed request for as long as it runs.

    Attributes:
        login_timeout: Seconds after which a login is given up.
        network_timeout: Seconds after which any other request is given up, repetitions included. A query may take
            longer: the driver asks for its result in several requests.
    """

    login_timeout: int = 30
    network_timeout: int = 120

    def get_query(self) -> dict[str, Any]:
        """Return the driver's parameters."""
        query = {
            "login_timeout": self.login_timeout,
            "network_timeout": self.network_timeout,
            **super().get_query(),
        }
        return {name: int(value) if name in _NUMBERS else value for name, value in query.items()}


@configspec
class SnowflakeSettings(SnowflakeClientConfiguration):
    """Settings of `destination.snowflake`."""

    credentials: SnowflakeLogin = None  # type: ignore[assignment]


class BoundedSnowflake(snowflake):
    """dlt's Snowflake destination with limits for requests, named as dlt's own in its state."""

    spec: Any = SnowflakeSettings

    @property
    def destination_type(self) -> str:
        """The name under which dlt finds this kind of destination."""
        return "dlt.destinations.snowflake"


def connect_dbt(pipeline: dlt.Pipeline) -> DbtConnection:
    """Return a connection as that of dlt. Secrets are in the environment only."""
    credentials: Any = pipeline.sql_client().credentials
    login: Mapping[str, Any] = {
        "password": credentials.password,
        "private_key": credentials.private_key,
        "private_key_passphrase": credentials.private_key_passphrase,
        **credentials.get_query(),
    }
    variables = {name: f"DBT_ENV_SECRET_GONG_ELT_{name.upper()}" for name in _SECRETS if login.get(name)}
    output = {
        "type": "snowflake",
        "threads": _DBT_THREADS,
        "account": credentials.host,
        "user": credentials.username,
        "database": credentials.database,
        "connect_timeout": login["login_timeout"],
        **{name: login[name] for name in _LOGIN if login.get(name)},
        **{name: f"{{{{ env_var('{variable}') }}}}" for name, variable in variables.items()},
    }
    return DbtConnection(output, {variable: str(login[name]) for name, variable in variables.items()})


def sqlalchemy_uri(credentials: Any) -> str:
    """Return SQLAlchemy's URI without a password."""
    warehouse = f"?warehouse={credentials.warehouse}" if credentials.warehouse else ""
    return f"snowflake://{credentials.username}@{credentials.host}/{credentials.database}{warehouse}"
