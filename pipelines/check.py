"""May we: is the credential alive, what may it read, does it see calls, is the warehouse there. Reads only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, Literal

import msgspec
from dlt.destinations.exceptions import DatabaseException
from dlt.pipeline.exceptions import PipelineStepFailed
from rich.console import Console
from rich.table import Table

from destinations.rights import write_right
from destinations.warehouse import missing_file
from sources.gong import CredentialRejected, GongClient, GongError
from sources.gong.answers import Page
from sources.gong.endpoints import (
    ANSWERED_SCORECARDS,
    BRIEFS,
    CALL_OUTCOMES,
    CALLS,
    CALLS_EXTENSIVE,
    FOLDERS,
    SCORECARDS,
    TRACKERS,
    TRANSCRIPTS,
    USERS,
    WORKSPACES,
    Endpoint,
)
from sources.gong.errors import NothingFound, ScopeMissing

from .connection import Connection, Target
from .restored import restored_pipeline

Verdict = Literal["ok", "denied", "failed", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and how it is."""

    what: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings, in the order they were made."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """1 if something failed; a scope that is missing only narrows what can be loaded."""
        return int(any(finding.verdict == "failed" for finding in self.findings))

    def as_json(self) -> str:
        """The object `--json` prints."""
        return json.dumps({"ok": self.exit_code == 0, "findings": [asdict(finding) for finding in self.findings]})

    def show(self, console: Console) -> None:
        """Prints it for a person."""
        table = Table()
        for column in ("what", "verdict", "detail"):
            table.add_column(column, overflow="fold")
        colours = {"ok": "green", "denied": "yellow", "warning": "yellow", "failed": "red"}
        for finding in self.findings:
            table.add_row(finding.what, f"[{colours[finding.verdict]}]{finding.verdict}[/]", finding.detail)
        console.print(table)


_VISIBLE_WITHIN = timedelta(days=90)
_SKEW = timedelta(minutes=2)


def check(connection: Connection, target: Target) -> CheckReport:
    """Asks one question of each kind and changes nothing.

    Args:
        connection: Which Gong account.
        target: Which warehouse.

    Raises:
        UsageError: A setting is missing or cannot be used.
    """
    of_gong = asyncio.run(_Questions(connection.client()).findings())
    return CheckReport((*of_gong, _destination(connection, target)))


class _Questions:
    """One small request for each endpoint that a sync uses."""

    def __init__(self, client: GongClient) -> None:
        self._client = client
        self._findings: list[Finding] = []

    async def findings(self) -> list[Finding]:
        until = datetime.now(UTC)
        span = {
            "fromDateTime": (until - _VISIBLE_WITHIN).isoformat().replace("+00:00", "Z"),
            "toDateTime": until.isoformat().replace("+00:00", "Z"),
        }
        try:
            async with self._client.connected():
                workspaces = await self._ask(WORKSPACES)
                self._clock(workspaces)
                await self._ask(USERS)
                calls = await self._ask(CALLS_EXTENSIVE, body={"filter": span})
                self._visibility(calls)
                await self._ask(CALLS, query=span)
                await self._ask(TRANSCRIPTS, body={"filter": span})
                first = msgspec.json.decode(workspaces.records[0])["id"] if workspaces and workspaces.records else None
                await self._ask(FOLDERS, query={"workspaceId": str(first)} if first else None)
                for endpoint in (TRACKERS, SCORECARDS, CALL_OUTCOMES, BRIEFS):
                    await self._ask(endpoint)
                await self._ask(ANSWERED_SCORECARDS, body={"filter": {"reviewMethod": "BOTH"}})
        except CredentialRejected as rejection:
            self._findings.append(Finding("credential", "failed", str(rejection)))
        return self._findings

    async def _ask(
        self, endpoint: Endpoint, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Page | None:
        page: Page | None = None
        try:
            page = await self._client.send(endpoint, query=query, body=body)
            self._findings.append(Finding(str(endpoint), "ok", endpoint.scope))
        except NothingFound:
            self._findings.append(Finding(str(endpoint), "ok", f"{endpoint.scope}; nothing in the last 90 days"))
        except ScopeMissing as missing:
            self._findings.append(Finding(str(endpoint), "denied", f"{missing.scope} is missing: {missing}"))
        except CredentialRejected:
            raise
        except GongError as failure:
            self._findings.append(Finding(str(endpoint), "failed", str(failure)))
        return page

    def _visibility(self, calls: Page | None) -> None:
        if calls is not None:
            self._findings.append(Finding("calls visible", "ok", f"{calls.total or len(calls.records):,} in 90 days"))
        elif self._findings[-1].verdict == "ok":
            # Gong answers the same for a company without calls and for a key whose owner may see none.
            detail = "none in 90 days: a new company, or a key whose owner may not see calls"
            self._findings.append(Finding("calls visible", "warning", detail))

    def _clock(self, page: Page | None) -> None:
        if page is not None and page.answered_at is not None:
            skew = datetime.now(UTC) - page.answered_at
            verdict: Verdict = "ok" if abs(skew) < _SKEW else "warning"
            self._findings.append(Finding("clock", verdict, f"{skew.total_seconds():+.0f} s against Gong's"))


def _destination(connection: Connection, target: Target) -> Finding:
    what = f"{target.name}, dataset {target.dataset}"
    if (file := missing_file(target.destination)) is not None:
        try:
            with TemporaryFile(dir=file.absolute().parent):
                return Finding(what, "ok", f"{file} can be written: the first sync makes it")
        except OSError as failure:
            return Finding(what, "failed", f"{file} cannot be made: {failure.strerror}")
    try:
        with TemporaryDirectory(prefix="gong-elt-check-") as folder:
            refused = write_right(restored_pipeline(connection, target, Path(folder)))
        return Finding(what, "failed" if refused else "ok", refused or "opened; this user may write")
    except (DatabaseException, PipelineStepFailed, OSError) as failure:
        return Finding(what, "failed", " ".join(str(failure).split())[:200])
