"""Maintenance of a lake: few files without erased rows, and no snapshots or files that nothing needs."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import psycopg2
from dlt.destinations.exceptions import DatabaseTransientException

from ...warehouse import Space
from .client import LakeSqlClient
from .lake import SQLITE, LakeAddress, login, quote_name, quote_text

_ATTEMPTS = 3
_SECONDS_BETWEEN_ATTEMPTS = 1.0
# Files that no snapshot names are of killed loads, or of loads that another machine has not committed yet.
_ORPHAN_AGE = timedelta(days=1)

# Rows that are in the catalog become files, and rows that were deleted are left out of new files.
_REWRITE = (
    "CALL ducklake_flush_inlined_data({lake})",
    "CALL ducklake_rewrite_data_files({lake}, delete_threshold => 0.0)",
    "CALL ducklake_merge_adjacent_files({lake})",
)
_OLD_SNAPSHOTS = """
SELECT snapshot_id FROM ducklake_snapshots({lake})
WHERE snapshot_time < now() - {retention} AND snapshot_id < (SELECT max(snapshot_id) FROM ducklake_snapshots({lake}))
"""
_EXPIRE = "CALL ducklake_expire_snapshots({lake}, versions => [{snapshots}])"
_DELETE_ALL = "CALL ducklake_cleanup_old_files({lake}, cleanup_all => true)"
_DELETE_OLD = "CALL ducklake_cleanup_old_files({lake}, older_than => now() - {retention})"
_DELETE_ORPHANS = "CALL ducklake_delete_orphaned_files({lake}, older_than => now() - {orphan_age})"
_SIZE = """
SELECT count(*), coalesce(sum(file_size_bytes), 0) FROM (
    SELECT file_size_bytes FROM {catalog}.ducklake_data_file
    UNION ALL SELECT file_size_bytes FROM {catalog}.ducklake_delete_file
) AS files
"""
_CATALOG_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename LIKE 'ducklake%%' ORDER BY 1"


def maintain_lake(sql: LakeSqlClient, retention: timedelta) -> Space:
    """Rewrite and merge files, and delete what only snapshots need that are older than the retention.

    Args:
        sql: An open connection.
        retention: How long snapshots and replaced files are kept, for queries that still read them.

    Raises:
        DatabaseException: If the lake rejects it. The data is unchanged.
    """
    address = sql.address()
    files_before, bytes_before = _measure(sql, address)
    lake = quote_text(address.name)
    for statement in _REWRITE:
        _repeat(sql, statement.format(lake=lake))
    old = _OLD_SNAPSHOTS.format(lake=lake, retention=_interval(retention))
    if snapshots := ", ".join(str(snapshot) for (snapshot,) in sql.execute_sql(old) or ()):
        _repeat(sql, _EXPIRE.format(lake=lake, snapshots=snapshots))
    _repeat(sql, _delete_statement(address, retention))
    _repeat(sql, _DELETE_ORPHANS.format(lake=lake, orphan_age=_interval(max(retention, _ORPHAN_AGE))))
    _vacuum(address)
    files_after, bytes_after = _measure(sql, address)
    return Space(bytes_before, bytes_after, files_before, files_after)


def _delete_statement(address: LakeAddress, retention: timedelta) -> str:
    """Return the statement that deletes files which no snapshot needs any longer."""
    lake = quote_text(address.name)
    if not retention:
        return _DELETE_ALL.format(lake=lake)
    if address.kind == SQLITE:
        # DuckLake 1.5.5 compares texts there, of which only the dates are written in the same way.
        retention += timedelta(days=1)
    return _DELETE_OLD.format(lake=lake, retention=_interval(retention))


def _measure(sql: LakeSqlClient, address: LakeAddress) -> tuple[int, int]:
    """Return the number of files that the catalog names, and their bytes."""
    catalog = quote_name(f"__ducklake_metadata_{address.name}")
    if address.kind != SQLITE:
        catalog += f".{quote_name(address.metadata_schema)}"
    ((files, size),) = sql.execute_sql(_SIZE.format(catalog=catalog)) or ((0, 0),)
    return int(files), int(size)


def _repeat(sql: LakeSqlClient, statement: str) -> None:
    """Run a statement, which conflicts with one of another run on the same table."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            sql.execute_sql(statement)
        except DatabaseTransientException:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        else:
            return


def _vacuum(address: LakeAddress) -> None:
    """Free what deleted rows took in the catalog, which held small loads.

    Raises:
        DatabaseTransientException: If another process does not let go of the catalog.
    """
    try:
        (_vacuum_sqlite if address.kind == SQLITE else _vacuum_postgres)(address)
    except (sqlite3.Error, psycopg2.Error) as error:
        raise DatabaseTransientException(error) from None


def _vacuum_sqlite(address: LakeAddress) -> None:
    with closing(sqlite3.connect(address.catalog, timeout=30, isolation_level=None)) as catalog:
        catalog.execute("VACUUM")
        catalog.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _vacuum_postgres(address: LakeAddress) -> None:
    with closing(psycopg2.connect(**login(address.catalog))) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(_CATALOG_TABLES, [address.metadata_schema])
            schema = quote_name(address.metadata_schema)
            for (table,) in cursor.fetchall():
                cursor.execute(f"VACUUM (ANALYZE) {schema}.{quote_name(table)}")


def _interval(duration: timedelta) -> str:
    return f"INTERVAL '{duration.total_seconds():.0f} seconds'"
