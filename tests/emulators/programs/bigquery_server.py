"""Serve bqemulator, a BigQuery emulator, and a token endpoint: `bigquery_server.py REST_PORT GRPC_PORT TOKEN_PORT`.

bqemulator departs from BigQuery in jobs.query, to which the driver sends short queries. It honours `defaultDataset` in
jobs.insert only, so the dataset is added to the names of their tables here. It answers 200 with `errors` to a failed
query, which the driver reads as an empty result; here, it answers the status of the error as BigQuery does.

It has no sessions: each request commits by itself, and `CALL BQ.ABORT_SESSION()` fails as an unknown routine.
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
from bqemulator.domain.errors import DomainError
from starlette.requests import Request

_read_json = Request.json
_fail_job = jobs._failed_job_meta
# Jobs that the emulator names; those of jobs.insert have the driver's names.
_OWN_JOBS = "bqemu_"
# Its message for a dataset that does not exist, to which it denies access. BigQuery answers "Not found: Dataset".
_PERHAPS_MISSING = "or perhaps it does not exist"


class _RejectedQueryError(DomainError):
    """The error of a query that failed, which is not caught as that error is."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message)
        is_missing = _PERHAPS_MISSING in error.message
        self.http_status = 404 if is_missing else error.http_status
        self.bq_reason = "notFound" if is_missing else error.bq_reason


def _raise_or_fail_job(*, job_id: str, **options: Any) -> Any:
    error = sys.exc_info()[1]
    if job_id.startswith(_OWN_JOBS) and isinstance(error, DomainError):
        raise _RejectedQueryError(error)
    return _fail_job(job_id=job_id, **options)


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
    jobs._failed_job_meta = _raise_or_fail_job
    sys.argv = ["bqemulator", "start", "--ephemeral", "--rest-port", rest_port, "--grpc-port", grpc_port]
    run_emulator()


if __name__ == "__main__":
    main()
