"""A client of `gong-elt serve`, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_CLIENT = """
import importlib.util, json, pathlib, sys
import duckdb
client = duckdb.connect()
for name in ("httpfs", "quack"):
    (folder,) = importlib.util.find_spec("duckdb_extension_" + name).submodule_search_locations
    client.execute(f"LOAD '{pathlib.Path(folder, 'extensions', 'v' + duckdb.__version__, name)}.duckdb_extension'")
address, token = sys.argv[1:]
for line in sys.stdin:
    request = json.loads(line)
    try:
        if request.get("own"):
            rows = client.execute(request["sql"]).fetchall()
        else:
            query = "SELECT * FROM quack_query(?, ?, token => ?)"
            rows = client.execute(query, [address, request["sql"], token]).fetchall()
        answer = {"rows": rows}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer, default=str), flush=True)
"""


@dataclass(frozen=True, slots=True)
class QuackClient:
    """A connected client; statements run one after the other."""

    process: subprocess.Popen[str]

    def ask(self, sql: str, *, own: bool = False) -> Mapping[str, Any]:
        """Return the rows of a statement, or its error.

        Args:
            sql: A statement for the server.
            own: Run the statement in the client's DuckDB.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"sql": sql, "own": own}) + "\n")
        self.process.stdin.flush()
        answer: Mapping[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def open_client(address: str, token: str) -> Iterator[QuackClient]:
    """Start a client; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, address, token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield QuackClient(process)
        finally:
            process.kill()
