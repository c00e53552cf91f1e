"""What the resources of one source share: settings, client, run metrics, and what only a driver knows."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from dlt.common import logger

from ..api.client import GongClient
from ..api.endpoint import Endpoint
from ..datetimes import truncate_to_millisecond
from ..errors import ConfigurationError, MissingScopeError, RunStopped
from ..incremental.coverage import Coverage
from ..incremental.lookback import Lookback
from ..incremental.windows import Window
from ..metrics import RunMetrics
from ..settings import GongSettings, PiiMode
from ..tables.known_hashes import KnownHashes
from ..tables.pseudonyms import Pseudonymizer
from .background import BackgroundReader
from .pages import SharedList

PII_MODE = "pii"
"""Key of dlt's state: the setting `pii` with which a resource was last loaded."""

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
        state_is_current: False if rows may be missing in the warehouse: hashes in dlt's state are then ignored.
        requests_left: Requests that the run may send. None: `requests_per_day` for a source, no limit for a client.
        deadline: No request is sent after this time; the bookmark then shows how far the run came.
        background: Reads ahead between extracts, each of which takes a part of the calls. By default one extract
            takes all calls.
        allow_clear_text: Personal values may be stored in clear again where they were stored as hashes.
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
    allow_clear_text: bool = False
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
        target: What the settings ask for: where a first read begins, and the filters of calls.
        lookback: How far behind a bookmark to read again.
    """

    settings: GongSettings
    run: ExtractRun
    client: GongClient
    reader: BackgroundReader
    metrics: RunMetrics
    pseudonymizer: Pseudonymizer | None
    now: datetime
    target: Coverage
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
            target=Coverage.from_settings(settings, now),
            lookback=Lookback.parse(settings.lookback),
        )

    @property
    def latest_bookmark(self) -> datetime:
        """When the run began, by Gong's clock if this machine's is ahead: nothing later is known to be complete."""
        return self.metrics.correct_time(self.now)

    async def read_shared(self, endpoint: Endpoint, query: Mapping[str, str] | None = None) -> list[Any]:
        """Return all records of a list that several resources need; it is requested once per run."""
        key = endpoint, tuple(sorted((query or {}).items()))
        shared = self._shared_lists.setdefault(key, SharedList(endpoint, dict(query or {})))
        return await shared.read(self.client)

    def save_pii_mode(self, state: MutableMapping[str, Any]) -> None:
        """Keep in a resource's state whether its personal values are stored as hashes.

        Raises:
            ConfigurationError: If they were, and would be stored in clear from now on.
        """
        check_pii_mode(state, self.settings.pii, allow_clear_text=self.run.allow_clear_text)
        state[PII_MODE] = self.settings.pii

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


def check_pii_mode(state: Mapping[str, Any], mode: PiiMode, *, allow_clear_text: bool = False) -> None:
    """Refuse to store personal values in clear next to hashes unless that is intended.

    Args:
        state: dlt's state of a resource.
        mode: The setting `pii`.
        allow_clear_text: Whether it is intended.

    Raises:
        ConfigurationError: If the resource was loaded with `hash`, and is now to be loaded with `keep`.
    """
    if mode == "keep" and state.get(PII_MODE) == "hash" and not allow_clear_text:
        raise ConfigurationError(
            "pii is 'keep', but the warehouse was loaded with pii = 'hash': set pii = 'hash' again, or use"
            " --allow-clear-text to store names, e-mail addresses and phone numbers in clear from now on"
        )
