"""Run `gong-elt` and append every SQL text that its own modules send to a file: a program for tests.

python -m tests.support.process.record_statements FILE sync --json
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from pipelines.cli.app import main

REPOSITORY = Path(__file__).parents[3]
_SOURCES = tuple(str(REPOSITORY / folder) for folder in ("destinations", "pipelines", "state"))


def _record_into(file: Path) -> None:
    """Write each statement of ours with the module that sent it; dlt's own statements are dlt's affair."""
    execute_query: Any = DuckDbSqlClient.execute_query

    def execute_and_record(self: DuckDbSqlClient, query: Any, *args: Any, **kwargs: Any) -> Any:
        callers = [
            frame.filename
            for frame in traceback.extract_stack()
            if not frame.filename.endswith(("contextlib.py", "sql_client.py", "typing.py"))
        ]
        # The last caller is this function.
        sender = callers[-2]
        if sender.startswith(_SOURCES):
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([str(Path(sender).relative_to(REPOSITORY)), str(query)]) + "\n")
        return execute_query(self, query, *args, **kwargs)

    DuckDbSqlClient.execute_query = execute_and_record  # type: ignore[method-assign]


if __name__ == "__main__":
    _record_into(Path(sys.argv[1]))
    sys.argv = ["gong-elt", *sys.argv[2:]]
    main()
