"""Commands that add calls and recordings to Gong, and download recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    DEFAULT_WAIT,
    ConnectionOption,
    DatasetOption,
    DeadlineOption,
    DestinationOption,
    JsonOption,
    WaitOption,
    list_choices,
    resolve_target,
)
from .output import open_client, print_records, print_result, report_errors, stderr

app = typer.Typer()


@app.command("add-call")
def add_call_command(
    client_unique_id: Annotated[str, typer.Option(help="Your id of the call; Gong accepts each id once")],
    actual_start: Annotated[str, typer.Option(help="Start of the call with its time zone, e.g. 2026-01-31T14:00:00Z")],
    direction: Annotated[
        str,
        typer.Option(
            help="Inbound, Outbound, Conference or Unknown",
            **list_choices("Inbound", "Outbound", "Conference", "Unknown"),
        ),
    ],
    primary_user: Annotated[str, typer.Option(help="User id of the host")],
    parties: Annotated[
        str, typer.Option(help='JSON list of the participants, host included: [{"userId": "1"}, {"name": "Ana"}]')
    ],
    title: Annotated[str | None, typer.Option(help="Title of the call")] = None,
    purpose: Annotated[str | None, typer.Option(help="Purpose, at most 255 characters")] = None,
    scheduled_start: Annotated[str | None, typer.Option(help="Scheduled start with its time zone")] = None,
    scheduled_end: Annotated[str | None, typer.Option(help="Scheduled end with its time zone")] = None,
    duration: Annotated[str | None, typer.Option(help="Duration in seconds")] = None,
    disposition: Annotated[str | None, typer.Option(help="Disposition, at most 255 characters")] = None,
    context: Annotated[str | None, typer.Option(help="JSON list of links to CRM and other systems")] = None,
    custom_data: Annotated[str | None, typer.Option(help="Free text that Gong stores with the call")] = None,
    speakers_timeline: Annotated[str | None, typer.Option(help="JSON object: which speaker spoke when")] = None,
    meeting_url: Annotated[str | None, typer.Option(help="URL of the meeting")] = None,
    call_provider_code: Annotated[str | None, typer.Option(help="Gong's code of the telephony system")] = None,
    download_media_url: Annotated[str | None, typer.Option(help="URL from which Gong downloads the recording")] = None,
    workspace_id: Annotated[str | None, typer.Option(help="Workspace of the call")] = None,
    language_code: Annotated[str | None, typer.Option(help="Language of the conversation, e.g. en-US")] = None,
    flow_context: Annotated[str | None, typer.Option(help="JSON object: the Engage flow of the call")] = None,
    connection: ConnectionOption = None,
) -> None:
    """Add a call to Gong and print its id: POST /v2/calls. A repeated client unique id returns the same call."""
    row = {name: value for name, value in locals().items() if name != "connection"}
    with open_client(connection) as gong:
        print_records([{"callId": gong.add_call(row)}])


@app.command("upload")
def upload_command(
    file: Annotated[
        Path, typer.Argument(help="Calls as .csv, .jsonl or .parquet, with columns named like the options of add-call")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, send nothing")] = False,
    deadline: DeadlineOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Add calls from a file to Gong, each once. Invalid rows are listed; results are recorded in _uploads."""
    with report_errors():
        from ..write.upload import UploadOptions, upload

        options = UploadOptions(file, dry_run, deadline)
        result = upload(*resolve_target(connection, destination, dataset, wait), options, stderr())
    print_result(result, as_json=as_json)


@app.command("add-media")
def add_media_command(
    call_id: Annotated[str, typer.Argument(help="Id of a call that was added without a download_media_url")],
    file: Annotated[Path, typer.Argument(help="Recording, at most 1.5 GB")],
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
) -> None:
    """Upload the recording of a call and print the call's id: PUT /v2/calls/{id}/media."""
    with open_client(connection) as gong:
        from ..runtime.errors import UsageError
        from ..write.gong_writer import has_media_url

        if has_media_url(*resolve_target(connection, destination, dataset, wait), call_id):
            raise UsageError(
                f"call {call_id} was uploaded with a download_media_url: Gong downloads its recording from there"
            )
        print_records([{"callId": gong.add_media(call_id, file, console=stderr())}])


@app.command("download-media")
def download_media_command(
    to: Annotated[str, typer.Option(help="Folder or s3://bucket/prefix for the recordings")] = "recordings",
    kind: Annotated[str, typer.Option(help="audio, video or all", **list_choices("audio", "video", "all"))] = "all",
    since: Annotated[
        str | None, typer.Option(help="Start of the period of calls, e.g. 2026-01-31; default: 30 days ago")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End of the period of calls, exclusive; default: now")] = None,
    deadline: DeadlineOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Download missing recordings of the calls in the warehouse, and remove those of calls deleted in Gong."""
    with report_errors():
        from ..media.download import DownloadOptions, download_media

        options = DownloadOptions(to, kind, since, until, deadline)
        result = download_media(*resolve_target(connection, destination, dataset, wait), options, stderr())
    print_result(result, as_json=as_json)
