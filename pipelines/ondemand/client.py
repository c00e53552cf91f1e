"""Gong's read and write actions as Python methods, without a warehouse.

Example:
    with Gong() as gong:
        for call in gong.extensive(since="2026-01-31", context="Basic"):
            print(call["metaData"]["title"])
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from destinations.gong.new_call import new_call
from sources.gong import GongClient
from sources.gong.calls.request import CallRequest

from ..runtime.connection import DEFAULT, Connection
from ..runtime.display.text import make_printable
from ..runtime.errors import UsageError
from ..write.gong_writer import add_call, add_media, validate_recording
from .query import (
    CallQuery,
    DateSetting,
    parse_call_query,
    validate_id,
)
from .reader import CallPage, OnDemandReader
from .redaction import Record, redactor_from_settings
from .sync_bridge import SyncBridge

T = TypeVar("T")

_UPLOAD_COLUMNS = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()


class Gong:
    """A Gong account.

    Methods validate their arguments when they are called. Those that read return a generator, which requests one page
    at a time. Arguments default to the connection's settings, which also decide about private calls (left out by
    default) and pseudonyms. Close the object, or use it in a `with` statement, to close its connections.

    Args:
        connection: `gong`, or the name of another connection.
        notify: Receives messages such as the number of private calls left out; by default they go to stderr.
        settings: Settings that replace configured ones: `credentials`, `base_url`, `private_calls` and so on.

    Raises:
        UsageError: If a setting is missing or has the wrong type.
        ConfigurationError: If a setting has an invalid value.
    """

    def __init__(
        self, connection: str = DEFAULT, *, notify: Callable[[str], None] | None = None, **settings: Any
    ) -> None:
        self._connection = Connection(connection, settings)
        self._client: GongClient = self._connection.client()
        redactor = redactor_from_settings(self._connection.settings)
        self._reader = OnDemandReader(self._client, redactor, notify or _print_to_stderr)
        self._bridge = SyncBridge()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; generators that are still open end."""
        self._bridge.close()

    def calls(
        self,
        since: DateSetting | None = None,
        until: DateSetting | None = None,
        workspace_id: str | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
    ) -> Generator[Record, None, None]:
        """Yield calls with their metadata, as GET /v2/calls sends them.

        Args:
            since: Start of the period; by default the setting `start_date`, else 365 days ago.
            until: End of the period, exclusive; by default now.
            workspace_id: Only calls of this workspace.
            cursor: Start at the page of this cursor from `call_pages`; requires the same `since` and `until`.
            max_pages: Maximum number of pages of 100 calls.

        Raises:
            UsageError: If the period ends before it starts, or an id is invalid.
            ConfigurationError: If a date is invalid.
            GongError: While iterating, if Gong cannot be read completely.
        """
        return _flatten(page.calls for page in self.call_pages(since, until, workspace_id, cursor, max_pages))

    def call_pages(
        self,
        since: DateSetting | None = None,
        until: DateSetting | None = None,
        workspace_id: str | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
    ) -> Generator[CallPage, None, None]:
        """Yield the pages of `calls`, each with the next page's cursor. Arguments and errors are those of `calls`."""
        if cursor is not None and (since is None or until is None):
            raise UsageError("a cursor needs the period of its page: repeat since and until")
        _require_positive(max_pages, "max_pages")
        return self._iterate(self._reader.call_pages(self._query(workspace_id, since, until), cursor, max_pages))

    def extensive(
        self,
        since: DateSetting | None = None,
        until: DateSetting | None = None,
        workspace_id: str | None = None,
        call_ids: Iterable[str] | None = None,
        primary_user_ids: Iterable[str] | None = None,
        max_results: int | None = None,
        *,
        context: str | None = None,
        context_timing: Sequence[str] | None = None,
        include_parties: bool | None = None,
        include_content: bool | None = None,
        include_interaction: bool | None = None,
        include_public_comments: bool | None = None,
        include_media: bool | None = None,
    ) -> Generator[Record, None, None]:
        """Yield calls in full, as POST /v2/calls/extensive sends them.

        Args:
            since: Start of the period, as in `calls`; no limit with `call_ids`.
            until: End of the period, exclusive; no limit with `call_ids`.
            workspace_id: Only calls of this workspace.
            call_ids: Only these calls; 100 per request.
            primary_user_ids: Only calls of these hosts.
            max_results: Maximum number of calls.
            context: CRM context: `None`, `Basic` or `Extended`.
            context_timing: With `Extended` only: `Now`, `TimeOfCall` or both.
            include_parties: Include participants.
            include_content: Include topics, trackers, brief, outline, highlights, key points and outcome.
            include_interaction: Include talk times, statistics of the host, video and question counts.
            include_public_comments: Include comments.
            include_media: Include URLs of recordings, which are valid for 8 hours; needs a separate scope.

        Raises:
            UsageError: As in `calls`, or if `context_timing` is used without extended context.
            ConfigurationError: If a value is unknown.
            GongError: While iterating, if Gong cannot be read completely.
        """
        settings = self._connection.settings_with(
            context=context,
            context_timing=None if context_timing is None else list(context_timing),
            include_parties=include_parties,
            include_content=include_content,
            include_interaction=include_interaction,
            include_public_comments=include_public_comments,
            include_media=include_media,
        )
        request = CallRequest.from_settings(settings)
        if context_timing and request.context != "Extended":
            raise UsageError(
                f"context_timing needs context Extended, but context is {request.context}: omit one of them"
            )
        _require_positive(max_results, "max_results")
        query = self._query(workspace_id, since, until, primary_user_ids, call_ids)
        return _flatten(self._iterate(self._reader.extensive(query, request, max_results)))

    def transcripts(
        self,
        since: DateSetting | None = None,
        until: DateSetting | None = None,
        workspace_id: str | None = None,
        call_ids: Iterable[str] | None = None,
        simplified: bool = False,
    ) -> Generator[Record, None, None]:
        """Yield transcripts, one record per call, as POST /v2/calls/transcript sends them.

        Calls are read first, because only they show which are private.

        Args:
            since: Start of the period, as in `extensive`.
            until: End of the period, as in `extensive`.
            workspace_id: Only calls of this workspace.
            call_ids: Only these calls.
            simplified: Yield one record per monologue instead, with the speaker's name and side and times as
                `hh:mm:ss`: `callId`, `start`, `end`, `speaker`, `side`, `topic`, `text`.

        Raises:
            UsageError: As in `calls`, or if `simplified` is used with `call_detail = "basic"`, which has no names.
            ConfigurationError: If a date is invalid.
            GongError: While iterating, if Gong cannot be read completely.
        """
        detail = self._connection.settings.call_detail
        if simplified and detail == "basic":
            raise UsageError(
                "simplified transcripts need call_detail = 'extensive': GET /v2/calls does not return speakers"
            )
        query = self._query(workspace_id, since, until, None, call_ids)
        return _flatten(self._iterate(self._reader.transcripts(query, basic=detail == "basic", simplified=simplified)))

    def folders(self, workspace_id: str | None = None) -> Generator[Record, None, None]:
        """Yield the library's public folders, as GET /v2/library/folders sends them, each with its `workspaceId`.

        Args:
            workspace_id: Only folders of this workspace; by default those of all workspaces.

        Raises:
            UsageError: If the id is invalid.
            GongError: While iterating, if Gong cannot be read completely.
        """
        self._query(workspace_id)
        settings = self._connection.settings_with(workspace_id=workspace_id)
        return _flatten(self._iterate(self._reader.folders(settings)))

    def folder_calls(self, folder_id: str) -> Generator[Record, None, None]:
        """Yield the calls in a folder with notes and snippets, as GET /v2/library/folder-content sends them.

        A call that is in the folder twice is returned twice.

        Raises:
            UsageError: If the id is invalid.
            GongError: While iterating, if the folder does not exist, or Gong cannot be read completely.
        """
        return _flatten(self._iterate(self._reader.folder_calls(validate_id(folder_id, "folder_id"))))

    def add_call(self, row: Mapping[str, Any]) -> str:
        """Add a call to Gong with POST /v2/calls and return its id.

        Gong identifies a call by its `client_unique_id`: adding it again returns the same id.

        Args:
            row: The call's fields, with the names of `destinations.gong.new_call.NEW_CALL_FIELDS`.

        Raises:
            InvalidCallError: If fields are invalid. The error lists all of them; nothing was sent.
            GongError: If Gong rejects the call, or sends no usable response.
        """
        return self._bridge.run(self._with_session(add_call(self._client, new_call(row))))

    def add_media(self, call_id: str, file: str | Path, *, console: Console | None = None) -> str:
        """Upload the recording of a call with PUT /v2/calls/{id}/media and return the call's id.

        The file is streamed, so memory does not grow with it.

        Args:
            call_id: A call that was added without a `download_media_url`.
            file: The recording, at most 1.5 GB.
            console: Shows a progress bar if it is a terminal; by default no bar is shown.

        Raises:
            UsageError: If the id or the file is invalid; nothing was sent.
            GongError: If Gong rejects the recording, or sends no usable response.
        """
        call_id, recording = validate_id(call_id, "call_id"), validate_recording(Path(file))
        is_visible = console is not None and console.is_terminal
        with (
            Progress(*_UPLOAD_COLUMNS, console=console, disable=not is_visible, transient=True) as progress,
            progress.open(recording, "rb", description=make_printable(recording.name)) as stream,
        ):
            return self._bridge.run(self._with_session(add_media(self._client, call_id, stream)))

    async def _with_session(self, coroutine: Coroutine[Any, Any, T]) -> T:
        async with self._client.session():
            return await coroutine

    def _query(
        self,
        workspace_id: str | None,
        since: DateSetting | None = None,
        until: DateSetting | None = None,
        primary_user_ids: Iterable[str] | None = None,
        call_ids: Iterable[str] | None = None,
    ) -> CallQuery:
        settings = self._connection.settings_with(workspace_id=workspace_id)
        return parse_call_query(since, until, settings, primary_user_ids, call_ids)

    def _iterate(self, items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        return self._bridge.iterate(self._reader.session(items))


def _print_to_stderr(message: str) -> None:
    print(f"gong-elt: {make_printable(message)}", file=sys.stderr)


def _require_positive(number: int | None, name: str) -> None:
    if number is not None and number < 1:
        raise UsageError(f"{name} is {number}: use 1 or more")


def _flatten(pages: Generator[list[Record], None, None]) -> Generator[Record, None, None]:
    with closing(pages):
        for page in pages:
            yield from page
