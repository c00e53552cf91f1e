"""Loads calls, transcripts, the library, users and workspaces from Gong's API, incrementally and as Arrow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
from dlt.common import logger
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource

from .api.client import GongClient
from .api.rate_limiter import RateLimiter
from .api.urls import DEFAULT_BASE_URL
from .auth.credentials import GongAccessToken, GongApiKey, GongCredentials, GongOAuth
from .calls.lookup import CallLookup
from .calls.reader import CallReader
from .calls.request import CallDetail, CallRequest, Context, ContextTiming, PrivateCalls
from .calls.tables import COLUMNS_KEPT_AFTER_DELETION, REJECTED_TABLE, TABLES
from .calls.transformer import CallTransformer, KnownHashes
from .configured import gong_client
from .datetimes import parse_datetime_setting, parse_duration, truncate_to_millisecond
from .errors import AuthenticationError, ConfigurationError, GongError, MissingScopeError, RunStopped
from .extract.background import BackgroundReader
from .extract.buffer import Batch
from .extract.pages import ExtractContext, UserList, WorkspaceList
from .incremental.bookmarks import plan_window, read_bookmark, save_progress
from .incremental.lookback import Lookback
from .incremental.windows import Window
from .metrics import RunMetrics
from .resources.list_resources import OPT_IN_RESOURCES, RESOURCES, ListResources
from .resources.request_estimate import RequestEstimate, estimate_requests
from .tables.column_types import KnownColumns
from .tables.dlt_hints import declare_tables, declared_tables, mark_for_table
from .tables.pseudonyms import Pii, pseudonyms
from .tables.table_builder import empty_table, with_load_id

__all__ = [
    "COLUMNS_KEPT_AFTER_DELETION",
    "DEFAULT_LOOKBACK",
    "DEFAULT_START",
    "OPT_IN_RESOURCES",
    "RESOURCES",
    "AuthenticationError",
    "BackgroundReader",
    "CallLookup",
    "ConfigurationError",
    "GongAccessToken",
    "GongApiKey",
    "GongClient",
    "GongCredentials",
    "GongError",
    "GongOAuth",
    "KnownHashes",
    "Lookback",
    "RequestEstimate",
    "RunMetrics",
    "RunStopped",
    "Window",
    "call_child_tables",
    "declared_tables",
    "estimate_requests",
    "gong_client",
    "gong_source",
    "parse_datetime_setting",
    "parse_duration",
    "plan_window",
    "read_bookmark",
    "table_names",
    "truncate_to_millisecond",
]

DEFAULT_LOOKBACK = "1d / 7d / 30d"
DEFAULT_START = timedelta(days=365)
"""Without `start_date` the first read goes back so far."""


@dlt.source(name="gong", section="gong", max_table_nesting=0)
def gong_source(  # noqa: PLR0915 - the resources of one source share its settings as closures
    credentials: GongCredentials = dlt.secrets.value,
    base_url: str = DEFAULT_BASE_URL,
    start_date: str | None = None,
    workspace_id: str | None = None,
    primary_user_ids: list[str] | None = None,
    call_ids: list[str] | None = None,
    call_detail: str = "extensive",
    context: str = "Extended",
    context_timing: list[str] | None = None,
    include_parties: bool = True,
    include_content: bool = True,
    include_interaction: bool = True,
    include_public_comments: bool = True,
    include_media: bool = False,
    private_calls: str = "exclude",
    pii: str = "keep",
    pii_key: TSecretStrValue | None = None,
    pii_crm_fields: list[str] | None = None,
    lookback: str = DEFAULT_LOOKBACK,
    requests_per_second: float = 3.0,
    requests_per_day: int = 10_000,
    windows: Sequence[Window] | None = None,
    date_window: Window | None = None,
    pending_transcripts: Sequence[str] = (),
    known_hashes: KnownHashes | None = None,
    initial_load: bool = False,
    state_is_current: bool = True,
    background: BackgroundReader | None = None,
    deadline: datetime | None = None,
    metrics: RunMetrics | None = None,
) -> Iterator[DltResource]:
    """A company's Gong: the resources `RESOURCES`, and `OPT_IN_RESOURCES` where they are selected by name.

    By itself it is incremental on the time calls took place: the end of what was read is kept in dlt's
    resource state, and each run reads a lookback behind it again. Rows are merged by their keys, so reading
    twice never doubles anything. Building the source sends nothing.

    Args:
        credentials: An API key, an OAuth client with a refresh token, or a bearer token: `GongCredentials`.
        base_url: The customer's host; https, or http on loopback.
        start_date: The first read begins here (a date, or a date-time; without a zone it is UTC).
        workspace_id: Only calls and folders of this workspace.
        primary_user_ids: Only calls of these hosts.
        call_ids: Only these calls.
        call_detail: `extensive`, or `basic` for GET /v2/calls alone.
        context: CRM context: `None`, `Basic` or `Extended`.
        context_timing: With `Extended`: `Now`, `TimeOfCall` or both, which is the default.
        include_parties: Who took part.
        include_content: Topics, trackers, brief, outline, highlights, key points, outcome.
        include_interaction: Talk times, host statistics, video, question counts.
        include_public_comments: Comments.
        include_media: URLs of recordings, good for eight hours; needs a scope of its own.
        private_calls: `exclude`, `metadata` (the call's own row without its content) or `include`.
        pii: `keep`, or `hash` for keyed hashes of e-mails, phones and names in place of them.
        pii_key: The secret of these hashes, at least 16 characters.
        pii_crm_fields: CRM fields that are hashed too, `ObjectType.FieldName` or `FieldName`; the usual ones of people.
        lookback: How far behind the bookmark to read again: each run / once a day / once a week.
        requests_per_second: Gong's limit for the company.
        requests_per_day: Requests this run may send.
        windows: Read these windows of calls instead of bookmark to now.
        date_window: For resources read by date, the same.
        pending_transcripts: Calls outside the windows whose transcript is asked for again.
        known_hashes: Asked with `calls` or `transcripts` and ids of calls, gives the content hashes that the
            warehouse holds; what is unchanged is not written again.
        initial_load: Nothing was ever loaded, not even by a load that was killed: rows are appended, which
            is faster than merging them.
        state_is_current: Whether what dlt's state says of lists and days is in the warehouse; not after a broken load.
        background: Reads on between extracts, each of which then takes a part of the calls; by default one takes all.
        deadline: No request is sent after this instant; the bookmark says how far the run came.
        metrics: Where the run is counted. With it, a resource that may not be read or fails is noted there and
            the others go on; without it the error is raised.

    Raises:
        ConfigurationError: A setting cannot be used as it is written.
    """
    counts = metrics if metrics is not None else RunMetrics()
    now = truncate_to_millisecond(datetime.now(UTC))
    start = parse_datetime_setting(start_date, "start_date") if start_date else now - DEFAULT_START
    depths = Lookback.parse(lookback)
    request = CallRequest(
        call_detail=_one_of(call_detail, CallDetail, "call_detail"),
        context=_one_of(context, Context, "context"),
        context_timing=[
            _one_of(timing, ContextTiming, "context_timing") for timing in context_timing or ("Now", "TimeOfCall")
        ],
        include_parties=include_parties,
        include_content=include_content,
        include_interaction=include_interaction,
        include_public_comments=include_public_comments,
        include_media=include_media,
        workspace_id=workspace_id,
        primary_user_ids=primary_user_ids or (),
        call_ids=call_ids or (),
    )
    of_private_calls = _one_of(private_calls, PrivateCalls, "private_calls")
    rate_limiter = RateLimiter(requests_per_second, requests_per_day, deadline=deadline)
    hashed = pseudonyms(pii_key, pii_crm_fields) if _one_of(pii, Pii, "pii") == "hash" else None
    client = GongClient(base_url, credentials.auth(base_url), rate_limiter, counts)
    reader = background or BackgroundReader()
    bookmarks_before: dict[str, datetime | None] = {}

    def note(resource: str, error: Exception) -> None:
        """Keeps an error for whoever reads the tally, or raises it where nobody does."""
        if isinstance(error, RunStopped):
            counts.stopped = str(error)
            if metrics is None:
                logger.warning(f"gong: {resource} ended early: {error}")
        elif metrics is None:
            raise error
        elif isinstance(error, MissingScopeError):
            counts.skipped[resource] = str(error)
        else:
            counts.failed[resource] = error

    @dlt.resource(name="call_feed", selected=False)
    async def call_feed() -> AsyncIterator[Batch]:
        wanted = {"calls", "transcripts"} & set(dlt.current.source().selected_resources)
        states = {name: dlt.current.resource_state(name) for name in sorted(wanted)}
        schema = dlt.current.source_schema()
        load_id = dlt.current.load_package_state()["load_id"]
        for table in TABLES:
            if table.resource in wanted and table.name not in schema.tables:
                yield table.resource, table.name, empty_table(table)

        def begin() -> CallReader:
            bookmarks_before.update({name: read_bookmark(state) for name, state in states.items()})
            return CallReader(
                client,
                request,
                CallTransformer(
                    private_calls=of_private_calls,
                    known_hashes=known_hashes,
                    types=KnownColumns(schema),
                    metrics=counts,
                    synced_at=now,
                    write_calls="calls" in wanted,
                    initial_load=initial_load,
                    pseudonyms=hashed,
                ),
                windows=windows or [plan_window(list(states.values()), start=start, now=now, lookback=depths)],
                pending=pending_transcripts,
                transcripts="transcripts" in wanted,
            )

        with reader:
            async for resource, name, rows in reader.read_part(begin):
                yield resource, name, with_load_id(rows, load_id)
            progress = reader.last_progress
        bookmarks = {"calls": progress.calls_complete_until, "transcripts": progress.transcripts_complete_until}
        if progress.exhausted:
            if progress.calls_error is not None:
                for name in sorted(wanted):
                    note(name, progress.calls_error)
            elif progress.transcripts_error is not None:
                note("transcripts", progress.transcripts_error)
        if not isinstance(progress.transcripts_error, RunStopped | None):
            del bookmarks["transcripts"]
        for name in wanted & bookmarks.keys():
            save_progress(
                states[name],
                progress.windows,
                bookmarks[name],
                previous_bookmark=bookmarks_before[name],
                start=start,
                now=now,
                lookback=depths,
            )

    def calls(batch: Batch) -> Iterator[Any]:
        """Calls with everything Gong knows of them, over the `call_*` tables."""
        resource, table, rows = batch
        if resource == "calls":
            yield mark_for_table(rows, table, counts)

    def transcripts(batch: Batch) -> Iterator[Any]:
        """Transcripts, a row a sentence."""
        resource, table, rows = batch
        if resource == "transcripts":
            yield mark_for_table(rows, table, counts)

    lists = ListResources(
        reading=ExtractContext(
            client,
            WorkspaceList(),
            UserList(),
            workspace_id=workspace_id,
            private_calls_too=of_private_calls == "include",
        ),
        reader=reader,
        metrics=counts,
        note=note,
        pseudonyms=hashed,
        now=now,
        start=start,
        lookback=depths,
        window=date_window,
        state_is_current=state_is_current,
        initial_load=initial_load,
    )
    yield call_feed
    of_calls = dlt.transformer(calls, data_from=call_feed, name="calls")
    of_transcripts = dlt.transformer(transcripts, data_from=call_feed, name="transcripts")
    yield declare_tables(of_calls, append=initial_load)
    yield declare_tables(of_transcripts, [REJECTED_TABLE.name], append=initial_load)
    yield from lists.all()


def table_names(resource: str) -> list[str]:
    """The tables that a resource fills."""
    return [table.name for table in TABLES if table.resource == resource]


def call_child_tables() -> list[str]:
    """The tables beside `calls` whose rows belong to a call, each by its column `call_id`."""
    return [table.name for table in TABLES if table.key[0] == "call_id"]


def _one_of(value: str, allowed: Any, name: str) -> Any:
    choices = allowed.__args__
    if value not in choices:
        raise ConfigurationError(f"{name} {value!r} is unknown: it is one of {', '.join(choices)}")
    return value
