"""Serve fakesnow, a Snowflake emulator, on a port of the loopback interface: `python snowflake_server.py PORT`.

fakesnow does not know some statements that dlt and its users send to the real Snowflake. Each function below rewrites
one of them; it can be deleted when fakesnow knows the statement.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import fakesnow.cursor as fakesnow_cursor
import fakesnow.server  # noqa: F401 - read from sys.modules
import uvicorn
from fakesnow import copy_into
from sqlglot import parse_one
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

_STAGE = re.compile(r"""'@("[^'"]+"(?:\."[^'"]+")*)((?:/[^']*)?)'""")
_TEMPORARY = re.compile(r"\b(create\s+or\s+replace)\s+temporary\s+(table|view)\b", re.IGNORECASE)
_FILE_FORMAT = re.compile(r"FILE_FORMAT = \(([^()]*)\)")


def split_statements(sql: str) -> list[str]:
    """Return the statements of a request. dlt creates all tables in one (MULTI_STATEMENT_COUNT=0)."""
    parts, start = [], 0
    for token in Snowflake().tokenize(sql) if ";" in sql else ():
        if token.token_type == TokenType.SEMICOLON:
            parts.append(sql[start : token.start].strip())
            start = token.end + 1
    return [part for part in (*parts, sql[start:].strip()) if part]


def rewrite(sql: str) -> str:
    """Return a statement in the form that fakesnow understands.

    In PUT and COPY INTO, it expects stages without quotes around them, and options without commas or quotes. A
    temporary table or view cannot have a schema; dbt drops those that it creates.
    """
    sql = _TEMPORARY.sub(r"\1 \2", sql)
    sql = sql.replace("MATCH_BY_COLUMN_NAME='CASE_INSENSITIVE'", "MATCH_BY_COLUMN_NAME=CASE_INSENSITIVE")
    sql = sql.replace("OVERWRITE = TRUE, AUTO_COMPRESS", "OVERWRITE = TRUE AUTO_COMPRESS")
    sql = _FILE_FORMAT.sub(lambda match: f"FILE_FORMAT = ({match[1].replace(',', ' ')})", sql)
    return _STAGE.sub(lambda match: f"@{match[1]}{match[2].replace(chr(34), '')}", sql)


# `fakesnow.server` names a function of the package, too.
server: Any = sys.modules["fakesnow.server"]

_execute = fakesnow_cursor.FakeSnowflakeCursor.execute
_parse_one = server.parse_one
_inserts = copy_into._inserts


def _execute_all(self: Any, command: str, *arguments: Any, **options: Any) -> Any:
    statements = split_statements(rewrite(command)) or [command]
    for statement in statements[:-1]:
        _execute(self, statement, server=True)
    return _execute(self, statements[-1], *arguments, **options)


def _parse_last(sql: str, *arguments: Any, **options: Any) -> Any:
    return _parse_one((split_statements(rewrite(sql)) or [sql])[-1], *arguments, **options)


def _match_json_by_name(expression: Any, parameters: Any, urls: list[str], parquet: Any) -> Any:
    """Return the INSERTs of a COPY INTO. fakesnow knows MATCH_BY_COLUMN_NAME for Parquet only."""
    by_name = parameters.match_by_column_name != copy_into.MatchByColumnName.NONE
    if not (by_name and isinstance(parameters.file_format, copy_into.ReadJSON)):
        return _inserts(expression, parameters, urls, parquet)
    table = expression.this.sql(dialect="duckdb")
    return [
        parse_one(
            f"INSERT INTO {table} BY NAME SELECT * FROM read_json('{url}', format='newline_delimited')",
            read="duckdb",
        )
        for url in urls
    ]


def main() -> None:
    """Serve until the process is ended."""
    fakesnow_cursor.FakeSnowflakeCursor.execute = _execute_all
    server.parse_one = _parse_last
    copy_into._inserts = _match_json_by_name
    uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
