"""Write the contents of a DuckDB file into a new file, and replace an earlier copy by it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...warehouse import Warehouse, try_once
from .file import close_file, open_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COPY = "published_copy"
# DuckDB prints its progress bar to stdout, which is reserved for results.
_SETTINGS = {"threads": min(4, os.cpu_count() or 1), "memory_limit": "400MB", "enable_progress_bar": False}

_VIEWS = "SELECT sql FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"
# In JSON, quotes within a text are escaped, so only names of catalogs are replaced.
_WITHOUT_CATALOG = """
SELECT json_deserialize_sql(CAST(
    replace(CAST(json_serialize_sql($query) AS VARCHAR), $catalog, '"catalog_name":""') AS JSON
))
"""


def write_copy(warehouse: Warehouse, source: Path, draft: Path, name: str) -> None:
    """Write all tables and views of a warehouse's file into a new file, as they are now.

    The rows are written again: the bytes of deleted rows, which DuckDB keeps in its file, are not copied.

    Args:
        warehouse: The warehouse.
        source: Its file.
        draft: The new file.
        name: Name that the new file will have.

    Raises:
        WarehouseInUseError: If another process has the file open for longer than the command waits.
        duckdb.Error: If the copy cannot be written.
    """
    with warehouse.hold():
        connection = open_file(source, read_only=False, retry=try_once)
        try:
            # The file is held meanwhile, so that no other run changes it.
            _copy_database(connection, draft)
        finally:
            close_file(connection)
    if Path(name).stem != source.stem:
        _release_views(draft, source.stem)


def replace_copy(draft: Path, file: Path) -> None:
    """Let the draft replace the file, with the owner and the permissions that the file has.

    Programs that have the previous file open go on reading it.

    Raises:
        OSError: If it cannot be replaced.
    """
    with suppress(FileNotFoundError):
        previous = file.stat()
        draft.chmod(previous.st_mode & 0o777)
        # Only the superuser may give a file away.
        with suppress(PermissionError):
            os.chown(draft, previous.st_uid, previous.st_gid)
    _sync_to_disk(draft)
    # A program that opened the previous copy for writing left changes that do not belong to this one.
    file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
    draft.replace(file)
    _sync_to_disk(file.parent)


def delete_drafts(folder: Path, prefix: str) -> None:
    """Delete what a killed run left: the files and folders whose names start with the prefix.

    Raises:
        OSError: If one cannot be deleted.
    """
    for path in folder.iterdir():
        if path.name.startswith(prefix):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _copy_database(connection: DuckDBPyConnection, draft: Path) -> None:
    _limit(connection)
    (catalog,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    connection.execute(f"ATTACH {_quote(str(draft), chr(39))} AS {_COPY}")
    try:
        connection.execute(f"COPY FROM DATABASE {_quote(catalog)} TO {_COPY}")
        connection.execute(f"CHECKPOINT {_COPY}")
    finally:
        connection.execute(f"DETACH {_COPY}")


def _release_views(file: Path, catalog: str) -> None:
    """Let the views of a copy read its own tables: dbt writes the name of the warehouse's file into each view.

    A view that does not work in the warehouse either is left as it is.

    Args:
        file: The copy.
        catalog: Name under which the views refer to the warehouse.
    """
    import duckdb  # noqa: PLC0415 - takes 0.1 s

    with closing(duckdb.connect(str(file))) as connection:
        _limit(connection)
        views = list(_portable_views(connection, catalog))
        while views:
            # A view over another one can be replaced only after it.
            left = [view for view in views if not _succeeds(connection, view)]
            if len(left) == len(views):
                break
            views = left
        connection.execute("CHECKPOINT")


def _portable_views(connection: DuckDBPyConnection, catalog: str) -> Iterator[str]:
    """Yield the statements that define the views without the name of the catalog."""
    import duckdb  # noqa: PLC0415

    for (sql,) in connection.execute(_VIEWS).fetchall():
        header, _, query = sql.rstrip(";").partition(" AS ")
        names = {"query": query, "catalog": f'"catalog_name":{json.dumps(catalog, ensure_ascii=False)}'}
        with suppress(duckdb.Error):
            (portable,) = connection.execute(_WITHOUT_CATALOG, names).fetchone() or (query,)
            yield f"{header.replace('CREATE VIEW', 'CREATE OR REPLACE VIEW', 1)} AS {portable}"


def _limit(connection: DuckDBPyConnection) -> None:
    for setting, value in _SETTINGS.items():
        connection.execute(f"SET {setting} = '{value}'")


def _succeeds(connection: DuckDBPyConnection, statement: str) -> bool:
    import duckdb  # noqa: PLC0415

    try:
        connection.execute(statement)
    except duckdb.Error:
        return False
    return True


def _quote(name: str, quote: str = '"') -> str:
    return f"{quote}{name.replace(quote, quote * 2)}{quote}"


def _sync_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
