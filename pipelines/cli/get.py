"""`gong-elt get …`: what Gong holds, as JSON lines on stdout, without any warehouse."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import ConnectionOption
from .output import open_client, print_lines

if TYPE_CHECKING:
    from ..ondemand.client import Gong

app = typer.Typer(
    help="Ask Gong directly: one action, printed as JSON lines. Needs no warehouse and makes no file.",
    no_args_is_help=True,
)

SinceOption = Annotated[str | None, typer.Option(help="Begin of the period, e.g. 2026-01-31; by default a year ago")]
UntilOption = Annotated[str | None, typer.Option(help="Its end, not part of it; by default now")]
SinceIfByIdOption = Annotated[
    str | None,
    typer.Option("--since", help="Begin of the period, e.g. 2026-01-31; by default a year ago, with --call-ids any"),
]
WorkspaceOption = Annotated[str | None, typer.Option("--workspace-id", help="Only this workspace")]
CallIdsOption = Annotated[
    str | None, typer.Option("--call-ids", help="Only these calls, separated by commas; - reads them from stdin")
]


@app.command()
def calls(
    since: SinceOption = None,
    until: UntilOption = None,
    workspace_id: WorkspaceOption = None,
    cursor: Annotated[str | None, typer.Option(help="Go on with the page that a 'next cursor' leads to")] = None,
    max_pages: Annotated[
        int | None, typer.Option(help="Stop after so many pages of a hundred; the next cursor is told on stderr")
    ] = None,
    connection: ConnectionOption = "gong",
) -> None:
    """List calls with their meta data: GET /v2/calls."""
    with open_client(connection) as gong:
        following, period = cursor, (since or "", until or "")
        try:
            with closing(gong.call_pages(since, until, workspace_id, cursor, max_pages)) as pages:
                for page in pages:
                    print_lines(page.calls)
                    following, period = page.next_cursor, (page.since, page.until)
        except BrokenPipeError:
            following = None
            raise
        finally:
            if following and following != cursor:
                _tell_cursor(following, *period, workspace_id)


@app.command()
def extensive(
    since: SinceIfByIdOption = None,
    until: UntilOption = None,
    workspace_id: WorkspaceOption = None,
    call_ids: CallIdsOption = None,
    primary_user_ids: Annotated[str | None, typer.Option(help="Only calls of these hosts, separated by commas")] = None,
    max_results: Annotated[int | None, typer.Option(help="No more calls than this")] = None,
    context: Annotated[str | None, typer.Option(help="CRM context: None, Basic or Extended")] = None,
    context_timing: Annotated[
        str | None, typer.Option(help="With context Extended: Now, TimeOfCall or both, separated by a comma")
    ] = None,
    include_parties: Annotated[
        bool | None, typer.Option("--include-parties/--no-parties", help="Who took part")
    ] = None,
    include_content: Annotated[
        bool | None, typer.Option("--include-content/--no-content", help="Topics, trackers, brief, outline and so on")
    ] = None,
    include_interaction: Annotated[
        bool | None, typer.Option("--include-interaction/--no-interaction", help="Talk times, statistics, questions")
    ] = None,
    include_public_comments: Annotated[
        bool | None, typer.Option("--include-public-comments/--no-public-comments", help="Comments")
    ] = None,
    include_media: Annotated[
        bool | None, typer.Option("--include-media/--no-media", help="URLs of recordings; needs a scope of its own")
    ] = None,
    connection: ConnectionOption = "gong",
) -> None:
    """Get all that Gong knows of calls: POST /v2/calls/extensive; what is not given is as in the settings."""
    _records(
        connection,
        lambda gong: gong.extensive(
            since,
            until,
            workspace_id,
            _ids(call_ids),
            _words(primary_user_ids),
            max_results,
            context=context,
            context_timing=_words(context_timing),
            include_parties=include_parties,
            include_content=include_content,
            include_interaction=include_interaction,
            include_public_comments=include_public_comments,
            include_media=include_media,
        ),
    )


@app.command()
def transcripts(
    since: SinceIfByIdOption = None,
    until: UntilOption = None,
    workspace_id: WorkspaceOption = None,
    call_ids: CallIdsOption = None,
    simplified: Annotated[
        bool, typer.Option("--simplified", help="A line a monologue: speaker, side, hh:mm:ss, text")
    ] = False,
    connection: ConnectionOption = "gong",
) -> None:
    """Retrieve transcripts: POST /v2/calls/transcript, without those of private calls unless the settings say so."""
    _records(
        connection, lambda gong: gong.transcripts(since, until, workspace_id, _ids(call_ids), simplified=simplified)
    )


@app.command()
def folders(workspace_id: WorkspaceOption = None, connection: ConnectionOption = "gong") -> None:
    """List the library's folders, of one workspace or of all: GET /v2/library/folders."""
    _records(connection, lambda gong: gong.folders(workspace_id))


@app.command()
def folder_calls(
    folder_id: Annotated[str, typer.Option(help="The folder, as `gong-elt get folders` lists it")],
    connection: ConnectionOption = "gong",
) -> None:
    """Get the calls in a folder with notes and snippets: GET /v2/library/folder-content."""
    _records(connection, lambda gong: gong.folder_calls(folder_id))


def _records(connection: str, read: Callable[[Gong], Generator[Any, None, None]]) -> None:
    with open_client(connection) as gong, closing(read(gong)) as records:
        for record in records:
            print_lines([record])


def _tell_cursor(cursor: str, since: str, until: str, workspace_id: str | None) -> None:
    of_workspace = f" --workspace-id {workspace_id}" if workspace_id else ""
    repeated = f"--since {since} --until {until}{of_workspace}"
    print(f"gong-elt: for the next page repeat {repeated} and add --cursor with:", file=sys.stderr)
    print(f"next cursor: {cursor}", file=sys.stderr)


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _ids(text: str | None) -> list[str] | None:
    return sys.stdin.read().replace(",", " ").split() if text == "-" else _words(text)
