"""`gong-elt add-call`: one call into Gong."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import ConnectionOption
from .output import open_client, print_lines


def add_call(
    client_unique_id: Annotated[str, typer.Option(help="Your own id of the call; Gong takes each only once")],
    actual_start: Annotated[str, typer.Option(help="When it began, with a zone, e.g. 2026-01-31T14:00:00Z")],
    direction: Annotated[str, typer.Option(help="Inbound, Outbound, Conference or Unknown")],
    primary_user: Annotated[str, typer.Option(help="User id of the host")],
    parties: Annotated[
        str, typer.Option(help='JSON list of who took part, the host among them: [{"userId": "1"}, {"name": "Ana"}]')
    ],
    title: Annotated[str | None, typer.Option(help="Its title")] = None,
    purpose: Annotated[str | None, typer.Option(help="Up to 255 characters")] = None,
    scheduled_start: Annotated[str | None, typer.Option(help="When it was to begin, with a zone")] = None,
    scheduled_end: Annotated[str | None, typer.Option(help="When it was to end, with a zone")] = None,
    duration: Annotated[str | None, typer.Option(help="Seconds")] = None,
    disposition: Annotated[str | None, typer.Option(help="Up to 255 characters")] = None,
    context: Annotated[str | None, typer.Option(help="JSON list of links to CRM and other systems")] = None,
    custom_data: Annotated[str | None, typer.Option(help="Free text that Gong keeps with it")] = None,
    speakers_timeline: Annotated[str | None, typer.Option(help="JSON object: who spoke when")] = None,
    meeting_url: Annotated[str | None, typer.Option(help="Where people joined")] = None,
    call_provider_code: Annotated[str | None, typer.Option(help="The system it was made with, by Gong's code")] = None,
    download_media_url: Annotated[str | None, typer.Option(help="Where Gong can fetch the recording")] = None,
    workspace_id: Annotated[str | None, typer.Option(help="Workspace it belongs to")] = None,
    language_code: Annotated[str | None, typer.Option(help="Language of the talk, e.g. en-US")] = None,
    flow_context: Annotated[str | None, typer.Option(help="JSON object: the Engage flow it belongs to")] = None,
    connection: ConnectionOption = "gong",
) -> None:
    """Add a call to Gong: POST /v2/calls; prints its id. The same client unique id gives the same call again."""
    row = {name: value for name, value in locals().items() if name != "connection"}
    with open_client(connection) as gong:
        print_lines([{"callId": gong.add_call(row)}])
