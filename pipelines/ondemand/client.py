"""Gong's actions as Python methods: five that read, one that adds a call, and one its recording; no warehouse.

with Gong() as gong:
    for call in gong.extensive(since="2026-01-31", context="Basic"):
        ...
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

from destinations.new_call import new_call
from sources.gong import GongClient

from ..runtime.connection import DEFAULT, Connection, UsageError
from ..write.gong_writer import add_call, add_media, checked_recording
from .query import CallQuery, When, asking, call_request, checked_id, detail_of_calls
from .reader import CallPage, OnDemandReader
from .redaction import Record, redactor_from_settings
from .sync_bridge import Stepwise

T = TypeVar("T")

_COLUMNS = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()


class Gong:
    """One Gong account, asked directly.

    Each method checks what it is given at once and reads while it is iterated, page by page. What is not given is
    as the connection's settings say; so are private calls (left out by default) and pseudonyms. Closing it, or
    leaving its `with`, ends its connections.

    Args:
        connection: `gong`, or the name of another connection.
        tell: Takes what is worth a word, such as how many private calls were left out; by default to stderr.
        given: Settings that are not looked up: `credentials`, `base_url`, `private_calls` and so on.

    Raises:
        UsageError: A setting is missing or of the wrong type.
        ConfigurationError: A setting cannot be used as it is written.
    """

    def __init__(self, connection: str = DEFAULT, *, tell: Callable[[str], None] | None = None, **given: Any) -> None:
        self._connection = Connection(connection, given)
        self._client: GongClient = self._connection.client()
        self._reading = OnDemandReader(
            self._client, self._connection.with_settings(redactor_from_settings), tell or _to_stderr
        )
        self._steps = Stepwise()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends what is open."""
        self._steps.close()

    def calls(
        self,
        since: When | None = None,
        until: When | None = None,
        workspace_id: str | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
    ) -> Generator[Record, None, None]:
        """Calls with their meta data, as GET /v2/calls sends them.

        Args:
            since: Begin of the period; by default the setting `start_date`, else 365 days ago.
            until: Its end, not part of it; by default now.
            workspace_id: Only calls of this workspace.
            cursor: Begins with the page it leads to, as `call_pages` gives it; needs the since and until it came with.
            max_pages: No more pages of a hundred than this.

        Raises:
            UsageError: The period ends before it begins, or an id is none.
            ConfigurationError: A word is not a date.
            GongError: While iterating: Gong's answers did not come to their end.
        """
        return _flat(page.calls for page in self.call_pages(since, until, workspace_id, cursor, max_pages))

    def call_pages(
        self,
        since: When | None = None,
        until: When | None = None,
        workspace_id: str | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
    ) -> Generator[CallPage, None, None]:
        """The same page by page, each with the cursor of the next one; arguments and errors as of `calls`."""
        if cursor is not None and (since is None or until is None):
            raise UsageError("a cursor goes with the period it came with: give since and until as they were then")
        _at_least_one(max_pages, "max_pages")
        return self._each(self._reading.call_pages(self._asked(workspace_id, since, until), cursor, max_pages))

    def extensive(
        self,
        since: When | None = None,
        until: When | None = None,
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
        """Calls with what Gong knows of them, as POST /v2/calls/extensive sends them.

        Args:
            since: Begin of the period; as in `calls`, but calls that are asked for by id have no bound of their own.
            until: Its end, likewise.
            workspace_id: Only calls of this workspace.
            call_ids: Only these calls; a hundred cost one request.
            primary_user_ids: Only calls of these hosts.
            max_results: No more calls than this.
            context: CRM context: `None`, `Basic` or `Extended`.
            context_timing: With `Extended` only: `Now`, `TimeOfCall` or both.
            include_parties: Who took part.
            include_content: Topics, trackers, brief, outline, highlights, key points, outcome.
            include_interaction: Talk times, host statistics, video, question counts.
            include_public_comments: Comments.
            include_media: URLs of recordings, good for eight hours; needs a scope of its own.

        Raises:
            UsageError: As in `calls`, or a context timing without extended context.
            ConfigurationError: A word is unknown.
            GongError: While iterating: Gong's answers did not come to their end.
        """
        request = self._connection.with_settings(
            call_request,
            context=context,
            context_timing=None if context_timing is None else list(context_timing),
            include_parties=include_parties,
            include_content=include_content,
            include_interaction=include_interaction,
            include_public_comments=include_public_comments,
            include_media=include_media,
        )
        if context_timing and request.context != "Extended":
            raise UsageError(
                f"context_timing goes with context Extended only, and context is {request.context}: leave one of them"
            )
        _at_least_one(max_results, "max_results")
        wanted = self._asked(workspace_id, since, until, primary_user_ids, call_ids)
        return _flat(self._each(self._reading.extensive(wanted, request, max_results)))

    def transcripts(
        self,
        since: When | None = None,
        until: When | None = None,
        workspace_id: str | None = None,
        call_ids: Iterable[str] | None = None,
        simplified: bool = False,
    ) -> Generator[Record, None, None]:
        """Transcripts, a record a call, as POST /v2/calls/transcript sends them.

        Calls are asked for first: only they say which are private.

        Args:
            since: Begin of the period; as in `extensive`.
            until: Its end, likewise.
            workspace_id: Only calls of this workspace.
            call_ids: Only these calls.
            simplified: A record a monologue instead, with the speaker's name and side and times as `hh:mm:ss`:
                `callId`, `start`, `end`, `speaker`, `side`, `topic`, `text`.

        Raises:
            UsageError: As in `calls`, or the names of speakers are out of reach of `call_detail = "basic"`.
            ConfigurationError: A word is not a date.
            GongError: While iterating: Gong's answers did not come to their end.
        """
        detail = self._connection.with_settings(detail_of_calls)
        if simplified and detail == "basic":
            raise UsageError("simplified transcripts need call_detail = 'extensive': GET /v2/calls names no speakers")
        wanted = self._asked(workspace_id, since, until, None, call_ids)
        return _flat(self._each(self._reading.transcripts(wanted, basic=detail == "basic", simplified=simplified)))

    def folders(self, workspace_id: str | None = None) -> Generator[Record, None, None]:
        """The library's public folders, as GET /v2/library/folders sends them, each with its `workspaceId`.

        Args:
            workspace_id: Only folders of this workspace; by default those of every one.

        Raises:
            UsageError: The id is none.
            GongError: While iterating: Gong's answers did not come to their end.
        """
        wanted = self._asked(workspace_id)
        return _flat(self._each(self._reading.folders(wanted.workspace_id)))

    def folder_calls(self, folder_id: str) -> Generator[Record, None, None]:
        """The calls in a folder with notes and snippets, as GET /v2/library/folder-content sends them.

        A call that is in it twice comes twice.

        Raises:
            UsageError: The id is none.
            GongError: While iterating: there is no such folder, or Gong's answers did not come to their end.
        """
        return _flat(self._each(self._reading.folder_calls(checked_id(folder_id, "folder_id"))))

    def add_call(self, row: Mapping[str, Any]) -> str:
        """Adds a call, as POST /v2/calls takes it, and gives the id that Gong gave it.

        Adding it twice gives the same call: Gong knows it by its `client_unique_id`.

        Args:
            row: Its fields, as `destinations.new_call.NEW_CALL_FIELDS` names them.

        Raises:
            RowRefused: Something is wrong with it; all faults are named and nothing was sent.
            GongError: Gong refuses it, or gives no usable answer.
        """
        return self._steps.result(self._connected(add_call(self._client, new_call(row))))

    def add_media(self, call_id: str, file: str | Path, *, console: Console | None = None) -> str:
        """Gives a call its recording, as PUT /v2/calls/{id}/media takes it, and gives the call's id.

        The file is read piece by piece as it is sent: memory stays as it is.

        Args:
            call_id: A call that was added without a `download_media_url`.
            file: The recording, up to 1.5 GB.
            console: Where a bar shows how much was sent; by default none is drawn.

        Raises:
            UsageError: The id is none, or the file is not what Gong takes; nothing was sent.
            GongError: Gong refuses it, or gives no usable answer.
        """
        call_id, recording = checked_id(call_id, "call_id"), checked_recording(Path(file))
        shown = console is not None and console.is_terminal
        with (
            Progress(*_COLUMNS, console=console, disable=not shown, transient=True) as progress,
            progress.open(recording, "rb", description=recording.name) as opened,
        ):
            return self._steps.result(self._connected(add_media(self._client, call_id, opened)))

    async def _connected(self, work: Coroutine[Any, Any, T]) -> T:
        async with self._client.session():
            return await work

    def _asked(
        self,
        workspace_id: str | None,
        since: When | None = None,
        until: When | None = None,
        primary_user_ids: Iterable[str] | None = None,
        call_ids: Iterable[str] | None = None,
    ) -> CallQuery:
        which = asking(since, until, primary_user_ids, call_ids)
        return self._connection.with_settings(which, workspace_id=workspace_id)

    def _each(self, items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        return self._steps.each(self._reading.session(items))


def _to_stderr(line: str) -> None:
    print(f"gong-elt: {line}", file=sys.stderr)


def _at_least_one(number: int | None, name: str) -> None:
    if number is not None and number < 1:
        raise UsageError(f"{name} is {number}: give 1 or more")


def _flat(pages: Generator[list[Record], None, None]) -> Generator[Record, None, None]:
    with closing(pages):
        for page in pages:
            yield from page
