"""Promises that a warehouse does not keep or cannot have, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

_JSON_IN_JSON = "dlt encodes a JSON text a second time, so the column holds a JSON string instead of the object."

EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "sqlalchemy": {
        "new fields": _JSON_IN_JSON,
        "odd text": "dlt creates columns of type TEXT, which hold 64 KB: a longer text fails the load, in one line.",
        "types": _JSON_IN_JSON,
        "maintain": "There is no module of the kind MariaDB, so nothing is maintained.",
    },
}
"""Promises whose tests fail: reasons by the name of the destination and the key of the promise."""

NOT_APPLICABLE: Mapping[str, Mapping[str, str]] = {
    "duckdb": {
        "outage": "A file has no server.",
        "other reader": "DuckDB alone reads its file.",
    },
}
"""Promises without a meaning for a kind of warehouse."""
