"""Serve bqemulator, a BigQuery emulator, and a token endpoint: `bigquery_server.py REST_PORT GRPC_PORT TOKEN_PORT`.

bqemulator honours `defaultDataset` in jobs.insert only. The driver sends short queries to jobs.query, so the dataset is
added to the names of their tables here.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import duckdb
import duckdb_extensions
from bqemulator.api.routes import jobs
from bqemulator.cli import main as run_emulator
from starlette.requests import Request

_read_json = Request.json


async def _read_json_with_dataset(self: Request) -> Any:
    body = await _read_json(self)
    is_query = self.url.path.endswith("/queries") and isinstance(body, dict) and body.get("defaultDataset")
    # The function that adds the dataset does not understand names in backticks, and those have their dataset.
    if is_query and "`" not in body["query"]:
        project = body["defaultDataset"].get("projectId", "")
        body["query"] = jobs._apply_default_dataset(body["query"], body, request_project_id=project)
    return body


class _TokenEndpoint(BaseHTTPRequestHandler):
    """Return a token for any request: the driver signs in before its first one."""

    def do_POST(self) -> None:
        body = json.dumps({"access_token": "token", "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def main() -> None:
    """Serve until the process is ended."""
    rest_port, grpc_port, token_port = sys.argv[1:]
    # bqemulator would download it.
    duckdb_extensions.import_extension("spatial", con=duckdb.connect())
    tokens = HTTPServer(("127.0.0.1", int(token_port)), _TokenEndpoint)
    threading.Thread(target=tokens.serve_forever, daemon=True).start()
    Request.json = _read_json_with_dataset
    sys.argv = ["bqemulator", "start", "--ephemeral", "--rest-port", rest_port, "--grpc-port", grpc_port]
    run_emulator()


if __name__ == "__main__":
    main()
