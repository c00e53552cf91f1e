"""The peer: the same calls and transcripts with dlt's own `rest_api` source, configured as its manual says."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import dlt
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig


def main() -> None:
    """Loads everything into a new DuckDB file and prints the seconds it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("file", type=Path)
    parser.add_argument("since")
    parser.add_argument("until")
    parser.add_argument("--defaults", action="store_true", help="dlt's default files: compressed INSERT statements")
    parser.add_argument("--parent", action="store_true", help="calls from GET /v2/calls, transcripts one by one")
    given = parser.parse_args()
    if not given.defaults:
        os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    begun = time.perf_counter()
    config: RESTAPIConfig = {
        "client": {
            "base_url": f"{given.base_url}/v2/",
            "auth": {"type": "http_basic", "username": "demo", "password": "demo-secret"},
        },
        "resource_defaults": {"write_disposition": "append"},
        "resources": _parent_and_child(given.since, given.until)
        if given.parent
        else [
            _pages("calls", "calls/extensive", "calls", given.since, given.until),
            _pages("transcripts", "calls/transcript", "callTranscripts", given.since, given.until),
        ],
    }
    pipeline = dlt.pipeline(
        "peer", destination=dlt.destinations.duckdb(credentials=str(given.file)), dataset_name="gong"
    )
    source = rest_api_source(config, name="gong")
    load = pipeline.run(source) if given.defaults else pipeline.run(source, loader_file_format="parquet")
    load.raise_on_failed_jobs()
    print(json.dumps({"duration_seconds": time.perf_counter() - begun}))


def _parent_and_child(since: str, until: str) -> list[str | EndpointResource | DltResource]:
    """As connectors do that know no better: a list of calls, and a request for each one's transcript."""
    return [
        {
            "name": "calls",
            "endpoint": {
                "path": "calls",
                "params": {"fromDateTime": since, "toDateTime": until},
                "data_selector": "calls",
                "paginator": {"type": "cursor", "cursor_path": "records.cursor", "cursor_param": "cursor"},
            },
        },
        {
            "name": "transcripts",
            "endpoint": {
                "path": "calls/transcript",
                "method": "POST",
                "json": {"filter": {"callIds": ["{resources.calls.id}"]}},
                "data_selector": "callTranscripts",
                "paginator": "single_page",
                # Gong's answer where a call has no transcript.
                "response_actions": [{"status_code": 404, "action": "ignore"}],
            },
        },
    ]


def _pages(name: str, path: str, records: str, since: str, until: str) -> EndpointResource:
    return {
        "name": name,
        "endpoint": {
            "path": path,
            "method": "POST",
            "json": {"filter": {"fromDateTime": since, "toDateTime": until}},
            "data_selector": records,
            "paginator": {"type": "cursor", "cursor_path": "records.cursor", "cursor_body_path": "cursor"},
        },
    }


if __name__ == "__main__":
    main()
