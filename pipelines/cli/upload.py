"""`gong-elt upload` and `gong-elt add-media`: many calls into Gong, and a call's recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    ConnectionOption,
    DatasetOption,
    DeadlineOption,
    DestinationOption,
    JsonOption,
    print_result,
    report_errors,
    stderr,
)
from .output import open_client, print_lines


def upload(
    file: Annotated[
        Path, typer.Argument(help="Rows of calls: .csv, .jsonl or .parquet; columns as add-call's options")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, send nothing")] = False,
    deadline: DeadlineOption = None,
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Add many calls to Gong, each once; bad rows are set aside and listed, and each answer stands in _uploads."""
    with report_errors():
        from ..runtime.connection import Connection, Target
        from ..write.upload import UploadOptions
        from ..write.upload import upload as run_upload

        options = UploadOptions(file, dry_run, deadline)
        uploaded = run_upload(Connection(connection), Target.of(destination, dataset), options, stderr())
    print_result(uploaded, as_json=as_json)


def add_media(
    call_id: Annotated[str, typer.Argument(help="A call that was added without a download_media_url")],
    file: Annotated[Path, typer.Argument(help="Its recording, up to 1.5 GB")],
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
) -> None:
    """Give a call its recording: PUT /v2/calls/{id}/media; prints the call's id."""
    with open_client(connection) as gong:
        from ..runtime.connection import Connection, Target, UsageError
        from ..write.gong_writer import has_media_url

        if has_media_url(Connection(connection), Target.of(destination, dataset), call_id):
            raise UsageError(f"call {call_id} was uploaded with a download_media_url: Gong fetches its recording there")
        print_lines([{"callId": gong.add_media(call_id, file, console=stderr())}])
