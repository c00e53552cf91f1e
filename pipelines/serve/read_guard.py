"""Allow SELECT statements over tables and nothing else: the check of each statement that `gong-elt serve` receives.

The check is a macro, because DuckDB calls it in connections of its own. It parses the statement with DuckDB's parser,
which yields JSON for SELECT statements only, and compares the names of functions and tables in it with lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# In memory, so that neither the warehouse nor a published copy holds the check.
_CATALOG = "gong_elt_guard"
CHECK = f"{_CATALOG}.main.is_read"

_TABLE_FUNCTIONS = ("generate_series", "range", "unnest")
_WINDOW_FUNCTIONS = (
    *("cume_dist", "dense_rank", "fill", "first_value", "lag", "last_value", "lead", "nth_value", "ntile"),
    *("percent_rank", "rank", "rank_dense", "row_number"),
)
_REFUSED_FUNCTIONS = (
    # They show settings, which may hold secrets, or have effects.
    *("current_setting", "getvariable", "json_deserialize_sql", "nextval", "setseed", "write_log"),
)
_REFUSED_TABLES = ("duckdb_logs", "duckdb_settings", "pg_settings")

# Names in the JSON of a statement. Quotes within texts are escaped there, so a text is never taken for a name.
_FUNCTION_NAME = r'"function_name":"((?:[^"\\]|\\.)*)"'
# A table with a name like a path would be read from a file.
_PATH_AS_TABLE = r'"table_name":"(?:[^"\\]|\\.)*[/.:*?]'
_REFUSED_TABLE = rf'(?i)"table_name":"(?:{"|".join(_REFUSED_TABLES)})"'


def install_read_guard(connection: DuckDBPyConnection, readable_folder: Path, writable_files: Sequence[str]) -> None:
    """Let the database refuse all files but those of a folder, and create the check.

    Args:
        connection: A connection to the database that is served.
        readable_folder: Folder whose files this process loads.
        writable_files: Files that this process writes.
    """
    connection.execute(f"ATTACH ':memory:' AS {_CATALOG}")
    names = [*_TABLE_FUNCTIONS, *_WINDOW_FUNCTIONS]
    connection.execute(
        f"CREATE TABLE {_CATALOG}.functions AS SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions()"
        " WHERE internal AND function_type IN ('scalar', 'aggregate', 'macro')"
        " AND function_name NOT LIKE 'quack_%' AND NOT list_contains($refused, function_name)"
        " UNION SELECT unnest($names)",
        {"refused": list(_REFUSED_FUNCTIONS), "names": names},
    )
    connection.execute(f"""
        CREATE MACRO {CHECK}(session_id, statement) AS (
            SELECT is_select
                AND NOT regexp_matches(tree, {_literal(_PATH_AS_TABLE)})
                AND NOT regexp_matches(tree, {_literal(_REFUSED_TABLE)})
                AND NOT EXISTS (
                    SELECT 1
                    FROM (SELECT unnest(regexp_extract_all(tree, {_literal(_FUNCTION_NAME)}, 1)) AS name) AS used
                    WHERE lower(name) NOT IN (SELECT name FROM {_CATALOG}.functions)
                )
            FROM (
                SELECT CAST(json_serialize_sql(CAST(statement AS VARCHAR)) AS VARCHAR) AS tree,
                    json_extract_string(tree, '$.error') = 'false' AS is_select
            ) AS parsed
        )""")
    folder = str(readable_folder.absolute())
    connection.execute(
        f"SET GLOBAL allowed_directories = [{_literal(folder)}, {_literal(str(readable_folder.resolve()))}]"
    )
    connection.execute(f"SET GLOBAL allowed_paths = [{', '.join(map(_literal, writable_files))}]")
    # Names of tables are not looked up in this process's Python.
    connection.execute("SET GLOBAL python_enable_replacements = false")
    # It cannot be enabled again.
    connection.execute("SET GLOBAL enable_external_access = false")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
