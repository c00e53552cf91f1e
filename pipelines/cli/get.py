"""Commands that read Gong without a warehouse: `gong-elt get …` prints records as JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import ConnectionOption, list_choices, split_list
from .output import open_client, print_records

if TYPE_CHECKING:
    from ..ondemand.client import Gong

app = typer.Typer(
    name="get",
    help="Read from Gong and print JSON lines. Needs no warehouse and creates no file.",
    no_args_is_help=True,
)

SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="Start of the period, e.g. 2026-01-31; default: start_date, else 365 days ago"),
]
SinceUnlessByIdOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        help="Start of the period, e.g. 2026-01-31; default: start_date, else 365 days ago; no limit with --call-ids",
    ),
]
UntilOption = Annotated[str | None, typer.Option("--until", help="End of the period, exclusive; default: now")]
WorkspaceOption = Annotated[str | None, typer.Option("--workspace-id", help="Only this workspace; default: all")]
CallIdsOption = Annotated[
    str | None, typer.Option("--call-ids", help="Only these calls, separated by commas; - reads them from stdin")
]


@app.command("calls")
def calls_command(
    since: SinceOption = None,
    until: UntilOption = None,
    workspace_id: WorkspaceOption = None,
    cursor: Annotated[str | None, typer.Option(help="Start at the page of this cursor, from an earlier run")] = None,
    max_pages: Annotated[
        int | None, typer.Option(help="Stop after this number of pages of 100 calls and print the cursor to stderr")
    ] = None,
    connection: ConnectionOption = None,
) -> None:
    """List calls with their metadata: GET /v2/calls."""
    with open_client(connection) as gong:
        next_cursor, period = cursor, (since or "", until or "")
        try:
            with closing(gong.call_pages(since, until, workspace_id, cursor, max_pages)) as pages:
                for page in pages:
                    print_records(page.calls)
                    next_cursor, period = page.next_cursor, (page.since, page.until)
        except BrokenPipeError:
            next_cursor = None
            raise
        finally:
            if next_cursor and next_cursor != cursor:
                _print_cursor(next_cursor, *period, workspace_id)


@app.command("extensive")
def extensive_command(
    since: SinceUnlessByIdOption = None,
    until: UntilOption = None,
    workspace_id: WorkspaceOption = None,
    call_ids: CallIdsOption = None,
    primary_user_ids: Annotated[
        str | None, typer.Option(help="Only calls with these hosts, user ids separated by commas")
    ] = None,
    max_results: Annotated[int | None, typer.Option(help="Stop after this number of calls")] = None,
    context: Annotated[
        str | None,
        typer.Option(help="CRM context: None, Basic or Extended", **list_choices("None", "Basic", "Extended")),
    ] = None,
    context_timing: Annotated[
        str | None, typer.Option(help="For context Extended: Now, TimeOfCall, or both separated by a comma")
    ] = None,
    include_parties: Annotated[
        bool | None, typer.Option("--include-parties/--no-parties", help="Include participants")
    ] = None,
    include_content: Annotated[
        bool | None,
        typer.Option("--include-content/--no-content", help="Include topics, trackers, brief, outline and highlights"),
    ] = None,
    include_interaction: Annotated[
        bool | None,
        typer.Option("--include-interaction/--no-interaction", help="Include talk times, statistics and questions"),
    ] = None,
    include_public_comments: Annotated[
        bool | None, typer.Option("--include-public-comments/--no-public-comments", help="Include public comments")
    ] = None,
    include_media: Annotated[
        bool | None,
        typer.Option("--include-media/--no-media", help="Include URLs of recordings; needs a separate scope"),
    ] = None,
    connection: ConnectionOption = None,
) -> None:
    """Get calls in full: POST /v2/calls/extensive. Options default to the connection's settings."""
    _print_all(
        connection,
        lambda gong: gong.extensive(
            since,
            until,
            workspace_id,
            _read_ids(call_ids),
            split_list(primary_user_ids),
            max_results,
            context=context,
            context_timing=split_list(context_timing),
            include_parties=include_parties,
            include_content=include_content,
            include_interaction=include_interaction,
            include_public_comments=include_public_comments,
            include_media=include_media,
        ),
    )


@app.command("transcripts")
def transcripts_command(
    since: SinceUnlessByIdOption = None,
    until: UntilOption = None,
    workspace_id: WorkspaceOption = None,
    call_ids: CallIdsOption = None,
    simplified: Annotated[
        bool, typer.Option("--simplified", help="Print one line per monologue: speaker, side, hh:mm:ss, text")
    ] = False,
    connection: ConnectionOption = None,
) -> None:
    """Get transcripts: POST /v2/calls/transcript. Those of private calls only if private_calls is include."""
    _print_all(
        connection,
        lambda gong: gong.transcripts(since, until, workspace_id, _read_ids(call_ids), simplified=simplified),
    )


@app.command("folders")
def folders_command(workspace_id: WorkspaceOption = None, connection: ConnectionOption = None) -> None:
    """List the library's folders: GET /v2/library/folders."""
    _print_all(connection, lambda gong: gong.folders(workspace_id))


@app.command("folder-calls")
def folder_calls_command(
    folder_id: Annotated[str, typer.Option(help="Id of the folder, as gong-elt get folders prints it")],
    connection: ConnectionOption = None,
) -> None:
    """Get the calls in a library folder with notes and snippets: GET /v2/library/folder-content."""
    _print_all(connection, lambda gong: gong.folder_calls(folder_id))


def _print_all(connection: str | None, read: Callable[[Gong], Generator[Any, None, None]]) -> None:
    with open_client(connection) as gong, closing(read(gong)) as records:
        for record in records:
            print_records([record])


def _print_cursor(cursor: str, since: str, until: str, workspace_id: str | None) -> None:
    from ..runtime.display.text import make_printable

    workspace = f" --workspace-id {workspace_id}" if workspace_id else ""
    options = f"--since {since} --until {until}{workspace}"
    print(f"gong-elt: for the next page repeat {options} and add --cursor with:", file=sys.stderr)
    print(f"next cursor: {make_printable(cursor)}", file=sys.stderr)


def _read_ids(option: str | None) -> list[str] | None:
    return sys.stdin.read().replace(",", " ").split() if option == "-" else split_list(option)
