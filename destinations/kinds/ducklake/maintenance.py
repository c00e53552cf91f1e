"""Maintenance of a lake: few files without erased rows, and no snapshots or files that nothing needs."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg2
from dlt.destinations.exceptions import DatabaseTransientException

from ...warehouse import Space
from .client import LakeSqlClient
from .lake import SQLITE, LakeAddress, login, quote_name, quote_text
from .months import CALLS, MONTH

_ATTEMPTS = 20
_SECONDS_BETWEEN_ATTEMPTS = 0.5
# Files that no snapshot names are of killed loads, or of loads that another machine has not committed yet.
_ORPHAN_AGE = timedelta(days=1)

# Rows that are in the catalog become files.
_FLUSH = "CALL ducklake_flush_inlined_data({lake}, schema_name => {schema})"
# Rows that were deleted are left out of new files.
_REWRITE = "CALL ducklake_rewrite_data_files({lake}, {table}, schema => {schema}, delete_threshold => 0.0)"
_MERGE = "CALL ducklake_merge_adjacent_files({lake}, {table}, schema => {schema})"
_TABLES = """
SELECT tables.table_name, tables.file_count, tables.delete_file_count
FROM ducklake_table_info({lake}) AS tables
JOIN {catalog}.ducklake_schema AS schemas ON schemas.schema_id = tables.schema_id AND schemas.end_snapshot IS NULL
WHERE schemas.schema_name = {schema}
ORDER BY 1
"""
_PARTITIONS = """
SELECT count(*)
FROM {catalog}.ducklake_partition_info AS partitions
JOIN {catalog}.ducklake_partition_column AS keys USING (partition_id)
JOIN {catalog}.ducklake_table AS tables ON tables.table_id = partitions.table_id AND tables.end_snapshot IS NULL
JOIN {catalog}.ducklake_schema AS schemas ON schemas.schema_id = tables.schema_id AND schemas.end_snapshot IS NULL
JOIN {catalog}.ducklake_column AS columns
    ON columns.table_id = keys.table_id AND columns.column_id = keys.column_id AND columns.end_snapshot IS NULL
WHERE partitions.end_snapshot IS NULL AND schemas.schema_name = {schema} AND tables.table_name = {table}
    AND columns.column_name = {column}
"""
_OLD_SNAPSHOTS = """
SELECT snapshot_id FROM ducklake_snapshots({lake})
WHERE snapshot_time < now() - {retention}
AND snapshot_id < (SELECT max(snapshot_id) FROM ducklake_snapshots({lake})) AND snapshot_id < {oldest_kept}
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
_VACUUM_SQLITE = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
catalog.execute("VACUUM")
catalog.execute("PRAGMA wal_checkpoint(TRUNCATE)")
"""
_READ = "a transaction that is open in another session still reads the lake: run again when it has ended"
_READER_SECONDS = 20.0
# Readers wait behind a statement that waits for an exclusive lock, so these waits are short and repeated.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '500ms'"
_SMALL_LOADS = """
SELECT small.table_name
FROM {schema}.ducklake_inlined_data_tables AS small
JOIN {schema}.ducklake_table AS tables ON tables.table_id = small.table_id AND tables.end_snapshot IS NULL
JOIN {schema}.ducklake_schema AS schemas ON schemas.schema_id = tables.schema_id AND schemas.end_snapshot IS NULL
WHERE schemas.schema_name = %s
"""
_CATALOG_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename LIKE 'ducklake%%' ORDER BY 1"

# A number that no snapshot has.
_NO_SNAPSHOT = 2**63 - 1


def maintain_lake(
    sql: LakeSqlClient, retention: timedelta, datasets: Sequence[str], publish: Callable[[], int] | None = None
) -> Space:
    """Rewrite and merge the files of datasets, and delete what only snapshots need that are older than the retention.

    DuckLake 1.5.5 loses changes of a table that are committed while its files are rewritten, so no other run may write
    to these datasets.

    Args:
        sql: An open connection.
        retention: How long snapshots and replaced files are kept, for queries that still read them.
        datasets: Names of the datasets; those that do not exist are left out.
        publish: Called before snapshots are deleted; returns the oldest one that has to be kept.

    Raises:
        DatabaseException: If the lake rejects it. The data is unchanged.
    """
    address = sql.address()
    files_before, bytes_before = _measure(sql, address)
    for dataset in datasets:
        _end_partitions(sql, address, dataset)
    with _without_retries(sql):
        for dataset in datasets:
            _rewrite_dataset(sql, address, dataset)
    oldest_kept = publish() if publish else _NO_SNAPSHOT
    with _without_retries(sql):
        _delete_old(sql, address, retention, oldest_kept)
    _vacuum(address)
    files_after, bytes_after = _measure(sql, address)
    return Space(bytes_before, bytes_after, files_before, files_after)


@contextmanager
def _without_retries(sql: LakeSqlClient) -> Iterator[None]:
    """Let each statement be tried once within a `with` block, for `_repeat`.

    DuckLake 1.5.5 repeats only the commit when another process has committed first. That of rewritten files then fails
    with an internal error, after which no statement works in this process.
    """
    sql.execute_sql("SET GLOBAL ducklake_max_retry_count = 0")
    try:
        yield
    finally:
        sql.execute_sql("RESET GLOBAL ducklake_max_retry_count")


def _rewrite_dataset(sql: LakeSqlClient, address: LakeAddress, dataset: str) -> None:
    """Give each table of a dataset few files, without deleted rows."""
    lake, schema = quote_text(address.name), quote_text(dataset)
    tables = _TABLES.format(lake=lake, catalog=address.metadata, schema=schema)
    if not sql.execute_sql(tables):
        return
    if address.kind != SQLITE:
        try:
            _wait_for_readers(address, dataset)
        except psycopg2.Error as error:
            raise DatabaseTransientException(error) from None
    _repeat(sql, _FLUSH.format(lake=lake, schema=schema))
    for statement, is_needed in ((_REWRITE, _has_deleted_rows), (_MERGE, _has_several_files)):
        for name, files, delete_files in sql.execute_sql(tables) or ():
            if is_needed(files, delete_files):
                _repeat(sql, statement.format(lake=lake, schema=schema, table=quote_text(name)))


def _end_partitions(sql: LakeSqlClient, address: LakeAddress, dataset: str) -> None:
    """Let new calls be in one file, if an earlier version has partitioned them by month. Their files stay."""
    names = {"schema": quote_text(dataset), "table": quote_text(CALLS), "column": quote_text(MONTH)}
    ((count,),) = sql.execute_sql(_PARTITIONS.format(catalog=address.metadata, **names)) or ((0,),)
    if count:
        calls = ".".join(map(quote_name, (address.name, dataset, CALLS)))
        sql.execute_sql(f"ALTER TABLE {calls} RESET PARTITIONED BY")


def _wait_for_readers(address: LakeAddress, dataset: str) -> None:
    """Wait until no open transaction has read the small loads of a dataset, which are tables of the catalog.

    DuckLake 1.5.5 drops such a table after it has committed, and would wait for these transactions, with all later
    readers behind it. Its wait must not be ended either: it would then delete the files that it has committed.

    Raises:
        psycopg2.Error: If a transaction stays open, or the server cannot be reached.
    """
    deadline = time.monotonic() + _READER_SECONDS
    schema = quote_name(address.metadata_schema)
    with closing(psycopg2.connect(**login(address.catalog))) as session, session.cursor() as cursor:
        cursor.execute(_SMALL_LOADS.format(schema=schema), [dataset])
        tables = ", ".join(f"{schema}.{quote_name(table)}" for (table,) in cursor.fetchall())
        while tables:
            session.rollback()
            cursor.execute(_LOCK_TIMEOUT)
            try:
                cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
            except psycopg2.errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise psycopg2.OperationalError(_READ) from None
                time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
            else:
                return


def _has_deleted_rows(_files: int, delete_files: int) -> bool:
    return delete_files > 0


def _has_several_files(files: int, _delete_files: int) -> bool:
    return files > 1


def _delete_old(sql: LakeSqlClient, address: LakeAddress, retention: timedelta, oldest_kept: int) -> None:
    """Delete snapshots older than the retention and than `oldest_kept`, and files that no other one needs."""
    lake = quote_text(address.name)
    old = _OLD_SNAPSHOTS.format(lake=lake, retention=_interval(retention), oldest_kept=oldest_kept)
    if snapshots := ", ".join(str(snapshot) for (snapshot,) in sql.execute_sql(old) or ()):
        _repeat(sql, _EXPIRE.format(lake=lake, snapshots=snapshots))
    _repeat(sql, _delete_statement(address, retention))
    _repeat(sql, _DELETE_ORPHANS.format(lake=lake, orphan_age=_interval(max(retention, _ORPHAN_AGE))))


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
    ((files, size),) = sql.execute_sql(_SIZE.format(catalog=address.metadata)) or ((0, 0),)
    return int(files), int(size)


def _repeat(sql: LakeSqlClient, statement: str) -> None:
    """Run a statement again while other processes commit at the same moment."""
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
    # DuckDB has an SQLite of its own in this process. When one of two closes a file, the locks of the other are gone.
    command = [sys.executable, "-I", "-c", _VACUUM_SQLITE, address.catalog]
    vacuum = subprocess.run(command, capture_output=True, text=True, check=False)
    if vacuum.returncode:
        raise sqlite3.OperationalError(vacuum.stderr.strip().rpartition("\n")[2])


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
