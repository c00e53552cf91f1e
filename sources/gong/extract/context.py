"""What the resources of one source share: settings, client, run metrics, and what only a driver knows."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from dlt.common import logger

from ..api.client import GongClient
from ..api.endpoint import Endpoint
from ..datetimes import truncate_to_millisecond
from ..errors import MissingScopeError, RunStopped
from ..incremental.lookback import Lookback
from ..incremental.windows import Window
from ..metrics import RunMetrics
from ..settings import GongSettings
from ..tables.known_hashes import KnownHashes
from ..tables.pseudonyms import Pseudonymizer
from .background import BackgroundReader
from .pages import SharedList

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractRun:
    """What only a driver such as `gong-elt sync` knows of a run; the default is a plain dlt pipeline.

    Attributes:
        windows: Windows of calls to read instead of bookmark to now.
        date_window: The same for resources that are read by date.
        pending_transcripts: Ids of calls outside the windows whose transcript is requested again.
        known_hashes: Content hashes in the warehouse: unchanged records are not written again. None if unknown.
        initial_load: The dataset has no tables yet. Rows are appended instead of merged, which is faster.
        state_is_current: False after an interrupted load: hashes in dlt's state are then ignored.
        requests_left: Requests that the run may send. None: `requests_per_day` for a source, no limit for a client.
        deadline: No request is sent after this time; the bookmark then shows how far the run came.
        background: Reads ahead between extracts, each of which takes a part of the calls. By default one extract
            takes all calls.
        metrics: Counters of the run. If set, a resource that fails or lacks a scope is recorded there and the other
            resources continue; otherwise the error is raised.
    """

    windows: Sequence[Window] | None = None
    date_window: Window | None = None
    pending_transcripts: Sequence[str] = ()
    known_hashes: KnownHashes | None = None
    initial_load: bool = False
    state_is_current: bool = True
    requests_left: int | None = None
    deadline: datetime | None = None
    background: BackgroundReader | None = None
    metrics: RunMetrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractContext:
    """What the resources of one source share.

    Attributes:
        settings: Settings of the connection.
        run: What only the driver knows.
        client: Client of the Gong API.
        reader: Thread that sends the requests.
        metrics: Counters of the run.
        pseudonymizer: Replaces personal values; None to keep them.
        now: When the run began, UTC.
        start: Where a first read begins.
        lookback: How far behind a bookmark to read again.
    """

    settings: GongSettings
    run: ExtractRun
    client: GongClient
    reader: BackgroundReader
    metrics: RunMetrics
    pseudonymizer: Pseudonymizer | None
    now: datetime
    start: datetime
    lookback: Lookback
    _shared_lists: dict[tuple[Endpoint, tuple[tuple[str, str], ...]], SharedList] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        settings: GongSettings,
        run: ExtractRun,
        client: GongClient,
        metrics: RunMetrics | None = None,
        pseudonymizer: Pseudonymizer | None = None,
    ) -> ExtractContext:
        """Return the context of a run; sends nothing.

        Args:
            settings: Settings of the connection.
            run: What only the driver knows.
            client: Client of the Gong API.
            metrics: Counters of the run, the same as the client's.
            pseudonymizer: Replaces personal values; None to keep them.

        Raises:
            ConfigurationError: If a setting has an invalid value.
        """
        settings.on_resolved()
        now = truncate_to_millisecond(datetime.now(UTC))
        return cls(
            settings=settings,
            run=run,
            client=client,
            reader=run.background or BackgroundReader(),
            metrics=metrics if metrics is not None else RunMetrics(),
            pseudonymizer=pseudonymizer,
            now=now,
            start=settings.first_read(now),
            lookback=Lookback.parse(settings.lookback),
        )

    async def read_shared(self, endpoint: Endpoint, query: Mapping[str, str] | None = None) -> list[Any]:
        """Return all records of a list that several resources need; it is requested once per run."""
        key = endpoint, tuple(sorted((query or {}).items()))
        shared = self._shared_lists.setdefault(key, SharedList(endpoint, dict(query or {})))
        return await shared.read(self.client)

    async def read(self, work: Awaitable[T]) -> T:
        """Await requests in the reader's thread, with an open session."""

        async def read_in_session() -> T:
            async with self.client.session():
                return await work

        with self.reader:
            return await self.reader.run(read_in_session())

    def pseudonymize(self, resource: str, records: Sequence[Any]) -> list[Any]:
        """Return the records as they may be stored."""
        if self.pseudonymizer is None:
            return list(records)
        return [self.pseudonymizer.apply(resource, record) for record in records]

    def report(self, resource: str, error: Exception) -> None:
        """Record the error in the run metrics, or raise it if the driver passed none."""
        if isinstance(error, RunStopped):
            self.metrics.stopped = str(error)
            if self.run.metrics is None:
                logger.warning(f"gong: {resource} ended early: {error}")
        elif self.run.metrics is None:
            raise error
        elif isinstance(error, MissingScopeError):
            self.metrics.skipped[resource] = str(error)
        else:
            self.metrics.failed[resource] = error
