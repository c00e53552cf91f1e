"""Write requests to Gong: add a call, add a call's recording."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from sources.gong import GongClient, GongError
from sources.gong.api.endpoint import Endpoint
from sources.gong.calls.endpoints import ADD_CALL, ADD_MEDIA
from sources.gong.tables.records import decode_record, record_id
from state import uploads

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.process.interruption import temporary_folder
from ..runtime.target import Target
from ..runtime.warehouse_session import dataset_exists

MAX_RECORDING_BYTES = 1_500_000_000
"""Gong's documentation: 1.5 GB per recording (POST /v2/calls, `downloadMediaUrl`)."""


async def add_call(client: GongClient, body: Mapping[str, Any]) -> str:
    """Add a call and return Gong's id. Gong recognises a call that is sent twice by its client unique id.

    Args:
        client: A client inside its `session()`.
        body: Request body from `destinations.gong.new_call.new_call`.

    Raises:
        GongError: If Gong refuses the call, sends no usable response, or returns no id.
    """
    page = await client.send(ADD_CALL, body=body)
    return _parse_call_id(ADD_CALL, page.records[0], page.request_id)


async def add_media(client: GongClient, call_id: str, recording: BinaryIO) -> str:
    """Upload the recording of a call in chunks and return the call's id as Gong sends it.

    Args:
        client: A client inside its `session()`.
        call_id: A call that was added without a `download_media_url`.
        recording: A file opened at its start; each retry reads it again from there.

    Raises:
        GongError: If Gong refuses the recording, sends no usable response, or returns no id.
    """
    endpoint = ADD_MEDIA.with_id(call_id)
    page = await client.send(endpoint, file=("mediaFile", recording))
    return _parse_call_id(endpoint, page.records[0], page.request_id)


def validate_recording(file: Path) -> Path:
    """Return the file if it can be uploaded as a recording.

    Raises:
        UsageError: If it does not exist, is empty, or is larger than 1.5 GB.
    """
    if not file.is_file():
        raise UsageError(f"file {file} does not exist")
    size = file.stat().st_size
    if not size:
        raise UsageError(f"{file.name} is empty: nothing was sent")
    if size > MAX_RECORDING_BYTES:
        raise UsageError(
            f"{file.name} has {size:,} bytes; Gong accepts at most {MAX_RECORDING_BYTES:,}: nothing was sent"
        )
    return file


def has_media_url(connection: Connection, target: Target, call_id: str) -> bool:
    """Return whether the call was uploaded with a URL of its recording, according to the warehouse. Reads only."""
    target = target.read_only()
    if target.missing_file is not None:
        return False
    with temporary_folder("media") as folder, target.warehouse.hold():
        pipeline = connection.pipeline(target.destination, target.dataset, folder)
        if not dataset_exists(pipeline, target, uploads.TABLE):
            return False
        with pipeline.sql_client() as sql:
            return uploads.has_media_url(sql, connection.name, call_id)


def _parse_call_id(endpoint: Endpoint, record: Any, request_id: str | None) -> str:
    if not (call_id := record_id({endpoint.records: decode_record(record)}, endpoint.records)):
        raise GongError(f"{endpoint}: Gong accepted it but returned no call id", request_id=request_id)
    return call_id
