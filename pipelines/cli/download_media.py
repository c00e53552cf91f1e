"""`gong-elt download-media`: recordings into a folder or a bucket."""

from __future__ import annotations

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


def download_media(
    to: Annotated[str, typer.Option(help="A folder, or s3://bucket/prefix")] = "recordings",
    kind: Annotated[str, typer.Option(help="audio, video or all")] = "all",
    since: Annotated[str | None, typer.Option(help="Calls from then on; by default of the last 30 days")] = None,
    until: Annotated[str | None, typer.Option(help="Calls up to then")] = None,
    deadline: DeadlineOption = None,
    connection: ConnectionOption = "gong",
    destination: DestinationOption = "duckdb",
    dataset: DatasetOption = "gong",
    as_json: JsonOption = False,
) -> None:
    """Download recordings of the calls in the warehouse; what is there already stays, what is deleted in Gong goes."""
    with report_errors():
        from ..media.download import DownloadOptions
        from ..media.download import download_media as run_download
        from ..runtime.connection import Connection, Target

        options = DownloadOptions(to, kind, since, until, deadline)
        downloaded = run_download(Connection(connection), Target.of(destination, dataset), options, stderr())
    print_result(downloaded, as_json=as_json)
