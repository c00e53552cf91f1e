"""May we: is the credential alive, what may it read, does it see calls, is the warehouse there. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Literal

from dlt.destinations.exceptions import DatabaseException
from dlt.pipeline.exceptions import PipelineStepFailed
from rich.console import RenderableType
from rich.table import Table

from sources.gong import RESOURCES, AuthenticationError, GongClient, GongError, Window
from sources.gong.api.responses import Page
from sources.gong.calls.endpoints import CALLS_EXTENSIVE
from sources.gong.errors import EmptyResultError, MissingScopeError
from sources.gong.extract.probe import Probe
from sources.gong.resources.account import USERS, WORKSPACES

from ..runtime.connection import Connection
from ..runtime.result import Status
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_pipeline
from . import probes

Verdict = Literal["ok", "denied", "failed", "warning"]


_COLOURS: dict[Verdict, str] = {"ok": "green", "denied": "yellow", "warning": "yellow", "failed": "red"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of one check."""

    what: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All checks, in the order they ran; the fields are the keys of `--json`.

    Attributes:
        ok: False if a check failed. A missing scope only limits what can be loaded.
        findings: The checks.
    """

    ok: bool
    findings: tuple[CheckResult, ...]

    @property
    def status(self) -> Status:
        """Return `failed` if a check failed."""
        return "done" if self.ok else "failed"

    def lines(self) -> Iterator[RenderableType]:
        """Yield a table of the checks."""
        table = Table()
        for column in ("what", "verdict", "detail"):
            table.add_column(column, overflow="fold")
        for finding in self.findings:
            table.add_row(finding.what, f"[{_COLOURS[finding.verdict]}]{finding.verdict}[/]", finding.detail)
        yield table


_VISIBLE_WITHIN = timedelta(days=90)
_SKEW = timedelta(minutes=2)


def check(connection: Connection, target: Target, select: Sequence[str] | None = None) -> CheckReport:
    """Asks one question of each kind and changes nothing.

    Args:
        connection: Which Gong account.
        target: Which warehouse.
        select: Resources that the credential is to read; by default those of a sync, and of what is opt-in only is
            told whether it could be read.

    Raises:
        UsageError: A setting is missing or cannot be used.
    """
    wants_media = connection.settings.include_media
    of_gong = asyncio.run(PreflightChecks(connection.client(), select, wants_media=wants_media).findings())
    findings = (*of_gong, _destination(connection, target))
    return CheckReport(all(finding.verdict != "failed" for finding in findings), findings)


class PreflightChecks:
    """One small request for each endpoint that a sync uses, or may use."""

    def __init__(self, client: GongClient, select: Sequence[str] | None, *, wants_media: bool) -> None:
        self._client = client
        self._select = select
        self._wants_media = wants_media
        self._findings: list[CheckResult] = []

    async def findings(self) -> list[CheckResult]:
        until = datetime.now(UTC)
        window = Window(until - _VISIBLE_WITHIN, until)
        try:
            async with self._client.session():
                workspaces = await self._ask(Probe(WORKSPACES.endpoint))
                self._clock(workspaces)
                users = await self._ask(Probe(USERS.endpoint))
                calls: Page | None = None
                for probe in probes.call_probes(window):
                    page = await self._ask(probe)
                    if probe.endpoint is CALLS_EXTENSIVE:
                        self._visibility(page)
                    calls = calls or page
                samples = probes.sample_ids(window, workspaces, users, calls)
                for resource, probe in (("calls", probes.media_probe(window)), *probes.resource_probes(samples)):
                    if self._select is None or resource in self._select:
                        await self._ask(probe, opt_in=self._is_opt_in(resource, probe))
        except AuthenticationError as rejection:
            self._findings.append(CheckResult("credential", "failed", str(rejection)))
        return self._findings

    def _is_opt_in(self, resource: str, probe: Probe) -> bool:
        """Return whether the probed resource is optional for this connection."""
        if probe.endpoint is probes.MEDIA:
            return not self._wants_media
        return self._select is None and resource not in RESOURCES

    async def _ask(self, probe: Probe, *, opt_in: bool = False) -> Page | None:
        endpoint, page = probe.endpoint, None
        verdict: Verdict = "ok"
        try:
            if probe.missing:
                verdict, detail = "warning", f"not asked: it takes {probe.missing}, and none was found"
            else:
                page = await self._client.send(endpoint, query=probe.query, body=probe.body)
                detail = endpoint.scope or "Gong names no scope"
        except EmptyResultError:
            detail = f"{endpoint.scope}; nothing found"
        except MissingScopeError as missing:
            verdict, detail = "denied", f"{missing.scope} is missing: {missing}"
        except AuthenticationError:
            raise
        except GongError as failure:
            verdict, detail = "warning" if opt_in else "failed", str(failure)
        what = f"{endpoint} with include_media" if endpoint is probes.MEDIA else str(endpoint)
        self._findings.append(CheckResult(what, verdict, f"opt-in; {detail}" if opt_in else detail))
        return page

    def _visibility(self, calls: Page | None) -> None:
        if calls is not None:
            self._findings.append(
                CheckResult("calls visible", "ok", f"{calls.total or len(calls.records):,} in 90 days")
            )
        elif self._findings[-1].verdict == "ok":
            # Gong answers the same for a company without calls and for a key whose owner may see none.
            detail = "none in 90 days: a new company, or a key whose owner may not see calls"
            self._findings.append(CheckResult("calls visible", "warning", detail))

    def _clock(self, page: Page | None) -> None:
        if page is not None and page.server_time is not None:
            skew = datetime.now(UTC) - page.server_time
            verdict: Verdict = "ok" if abs(skew) < _SKEW else "warning"
            self._findings.append(CheckResult("clock", verdict, f"{skew.total_seconds():+.0f} s against Gong's"))


def _destination(connection: Connection, target: Target) -> CheckResult:
    what = f"{target.name}, dataset {target.dataset}"
    if (file := target.missing_file) is not None:
        try:
            with TemporaryFile(dir=file.absolute().parent):
                return CheckResult(what, "ok", f"{file} can be written: the first sync makes it")
        except OSError as failure:
            return CheckResult(what, "failed", f"{file} cannot be made: {failure.strerror}")
    try:
        with TemporaryDirectory(prefix="gong-elt-check-") as folder:
            obstacle = target.warehouse.write_obstacle(restore_pipeline(connection, target, Path(folder)))
        return CheckResult(what, "failed" if obstacle else "ok", obstacle or "opened; this user may write")
    except (DatabaseException, PipelineStepFailed, OSError) as failure:
        return CheckResult(what, "failed", " ".join(str(failure).split())[:200])
