"""Promises that a warehouse does not keep or cannot have, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "sqlalchemy": {"models": "There is no dbt adapter that the models support; `gong-elt models` says so in one line."},
}
"""Promises whose tests fail: reasons by the name of the destination and the key of the promise."""

_FREES_ITSELF = "The service frees space by itself: the command changes nothing and ends with success."

LIMITS: Mapping[str, Mapping[str, str]] = {
    "snowflake": {"maintain": _FREES_ITSELF},
    "bigquery": {"maintain": _FREES_ITSELF},
    "ducklake": {
        "whole loads": "With a catalog in SQLite, a reader with several threads can see a part of a load at the moment"
        " of its commit (DuckDB 1.5.5): `SET threads = 1`. A catalog in PostgreSQL has no such limit.",
        "maintain": "Files and snapshots younger than `destination.ducklake.snapshot_retention` (1 hour) stay until the"
        " next time, for queries that still read them.",
    },
    "iceberg": {
        "whole loads": "Readers need the views, or the rows of `gong_loads`, if a REST catalog commits the tables.",
        "maintain": "Files and snapshots younger than `destination.iceberg.snapshot_retention` (1 hour) stay until the"
        " next time, and so do those of the last load.",
        "models": "Marts are built in the lake, and not published as Iceberg tables.",
    },
    "sqlalchemy": {
        "migrate": "MariaDB commits each new table and column by itself: an upgrade that is killed or fails leaves some"
        " of them, and the next one adds the others.",
    },
}
"""What a warehouse does not keep of a promise whose test passes."""

_ONE_CLIENT = "The emulator understands no other client than the driver."
_NOT_POLLED = "No test reads the emulator during a run; each load is committed in one transaction."

NOT_TESTED: Mapping[str, Mapping[str, str]] = {
    "snowflake": {
        "kill": "fakesnow answers 500, instead of waiting, if a row that a transaction has changed is changed elsewhere"
        ", and a lease that expires soon is renewed during a load.",
        "whole loads": _NOT_POLLED,
        "other reader": _ONE_CLIENT,
    },
    "bigquery": {
        "whole loads": _NOT_POLLED,
        "new fields": 'bqemulator adds one column at a time ("Only one ALTER command per statement is supported").',
        "other reader": _ONE_CLIENT,
        "migrate": "bqemulator's tables.get returns columns that ALTER TABLE has dropped.",
    },
}
"""Promises that no test shows on an emulator, by the name of the destination: the defect with which the test fails, or
that there is no test."""

SOMETIMES_PASSES = frozenset({("snowflake", "kill")})
"""Names of destinations and keys of promises with a test that fails or not, depending on when a run is killed."""

NOT_APPLICABLE: Mapping[str, Mapping[str, str]] = {
    "duckdb": {
        "outage": "A file has no server.",
        "other reader": "DuckDB alone reads its file.",
    },
}
"""Promises without a meaning for a kind of warehouse."""
