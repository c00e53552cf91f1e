"""What is sent to Gong to be kept there: a call, a call's recording."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from destinations.warehouse import missing_file
from sources.gong import GongClient, GongError
from sources.gong.api.endpoint import Endpoint
from sources.gong.calls.endpoints import ADD_CALL, ADD_MEDIA
from sources.gong.tables.records import decode_record, record_id
from state import uploads

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from ..runtime.warehouse_session import dataset_exists

LARGEST_RECORDING = 1_500_000_000
"""Bytes; Gong's document says 1.5 GB for a recording (POST /v2/calls, `downloadMediaUrl`)."""


async def add_call(client: GongClient, body: Mapping[str, Any]) -> str:
    """Adds a call and gives the id that Gong gave it; sent twice it is there once.

    Args:
        client: Connected.
        body: As `destinations.new_call.new_call` makes it.

    Raises:
        GongError: Gong refuses it, gives no usable answer, or tells no id.
    """
    page = await client.send(ADD_CALL, body=body)
    return _parse_call_id(ADD_CALL, page.records[0], page.request_id)


async def add_media(client: GongClient, call_id: str, recording: BinaryIO) -> str:
    """Gives a call its recording, read piece by piece, and gives the call's id as Gong tells it.

    Args:
        client: Connected.
        call_id: A call that was added without a `download_media_url`.
        recording: Open at its begin; each try reads it from there.

    Raises:
        GongError: As `add_call`.
    """
    endpoint = ADD_MEDIA.with_id(call_id)
    page = await client.send(endpoint, file=("mediaFile", recording))
    return _parse_call_id(endpoint, page.records[0], page.request_id)


def checked_recording(file: Path) -> Path:
    """The file, if Gong would take it.

    Raises:
        UsageError: It is none, is empty, or is larger than 1.5 GB.
    """
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")
    size = file.stat().st_size
    if not size:
        raise UsageError(f"{file.name} is empty: nothing was sent")
    if size > LARGEST_RECORDING:
        raise UsageError(f"{file.name} has {size:,} bytes, and Gong takes {LARGEST_RECORDING:,}: nothing was sent")
    return file


def has_media_url(connection: Connection, target: Target, call_id: str) -> bool:
    """Whether the warehouse knows of an upload of the call that told Gong where to fetch its recording; reads only."""
    if missing_file(target.destination) is not None:
        return False
    with TemporaryDirectory(prefix="gong-elt-media-") as folder:
        pipeline = connection.pipeline(target.destination, target.dataset, Path(folder))
        if not dataset_exists(pipeline, target, uploads.TABLE):
            return False
        with pipeline.sql_client() as sql:
            return uploads.has_media_url(sql, connection.name, call_id)


def _parse_call_id(endpoint: Endpoint, record: Any, request_id: str | None) -> str:
    if not (call_id := record_id({endpoint.records: decode_record(record)}, endpoint.records)):
        raise GongError(f"{endpoint}: Gong took it and told no id of the call", request_id=request_id)
    return call_id
