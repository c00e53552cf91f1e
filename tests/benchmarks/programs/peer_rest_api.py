"""The peer: load the same calls and transcripts with dlt's `rest_api` source, configured as documented."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dlt
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig

_CONTENT = (
    *("structure", "topics", "trackers", "trackerOccurrences", "brief", "outline", "highlights"),
    *("callOutcome", "keyPoints"),
)
_FULL: Mapping[str, Any] = {
    "contentSelector": {
        "context": "Extended",
        "contextTiming": ["Now", "TimeOfCall"],
        "exposedFields": {
            "parties": True,
            "content": dict.fromkeys(_CONTENT, True),
            "interaction": dict.fromkeys(("speakers", "video", "personInteractionStats", "questions"), True),
            "collaboration": {"publicComments": True},
        },
    }
}
"""What a sync requests by default."""


def main() -> None:
    """Load everything into a new DuckDB file and print the duration in seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("file", type=Path)
    parser.add_argument("since")
    parser.add_argument("until")
    parser.add_argument("--full", action="store_true", help="request calls with all their content")
    parser.add_argument("--defaults", action="store_true", help="dlt's default files: compressed INSERT statements")
    parser.add_argument(
        "--parent", action="store_true", help="calls from GET /v2/calls, one transcript request per call"
    )
    options = parser.parse_args()
    if not options.defaults:
        os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    started_at = time.perf_counter()
    config: RESTAPIConfig = {
        "client": {
            "base_url": f"{options.base_url}/v2/",
            "auth": {"type": "http_basic", "username": "demo", "password": "demo-secret"},
        },
        "resource_defaults": {"write_disposition": "append"},
        "resources": _parent_and_child(options.since, options.until)
        if options.parent
        else [
            _paged_resource(
                "calls", "calls/extensive", "calls", options.since, options.until, _FULL if options.full else {}
            ),
            _paged_resource("transcripts", "calls/transcript", "callTranscripts", options.since, options.until),
        ],
    }
    pipeline = dlt.pipeline(
        "peer", destination=dlt.destinations.duckdb(credentials=str(options.file)), dataset_name="gong"
    )
    source = rest_api_source(config, name="gong")
    load = pipeline.run(source) if options.defaults else pipeline.run(source, loader_file_format="parquet")
    load.raise_on_failed_jobs()
    print(json.dumps({"duration_seconds": time.perf_counter() - started_at}))


def _parent_and_child(since: str, until: str) -> list[str | EndpointResource | DltResource]:
    """Return resources as in a simple connector: a list of calls, and one transcript request per call."""
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
                # Gong's response if a call has no transcript.
                "response_actions": [{"status_code": 404, "action": "ignore"}],
            },
        },
    ]


def _paged_resource(
    name: str, path: str, records: str, since: str, until: str, body: Mapping[str, Any] | None = None
) -> EndpointResource:
    return {
        "name": name,
        "endpoint": {
            "path": path,
            "method": "POST",
            "json": {"filter": {"fromDateTime": since, "toDateTime": until}, **(body or {})},
            "data_selector": records,
            "paginator": {"type": "cursor", "cursor_path": "records.cursor", "cursor_body_path": "cursor"},
        },
    }


if __name__ == "__main__":
    main()
