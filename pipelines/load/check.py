"""`gong-elt check`: credential, scopes, visibility of calls, clock and warehouse. Reads only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import Literal

import pendulum
from dlt.destinations.exceptions import DatabaseException
from dlt.pipeline.exceptions import PipelineStepFailed
from rich.console import Console
from rich.text import Text

from sources.gong import RESOURCES, AuthenticationError, GongClient, GongError, Window
from sources.gong.api.responses import Page
from sources.gong.calls.endpoints import CALLS_EXTENSIVE
from sources.gong.errors import EmptyResultError, MissingScopeError, ServiceUnavailableError
from sources.gong.extract.probe import Probe
from sources.gong.resources.account import USERS, WORKSPACES
from state.lock import LockHeldError

from ..runtime.connection import Connection
from ..runtime.display.table import DataTable
from ..runtime.errors import group_by_cause, list_names, root_cause_message
from ..runtime.process.interruption import temporary_folder
from ..runtime.progress import Stage, show_stage
from ..runtime.result import Line, Status
from ..runtime.target import Target
from ..runtime.warehouse_session import correct_future_bookmarks, restore_pipeline
from . import probes

Verdict = Literal["ok", "denied", "failed", "warning"]


_CREDENTIAL, _HOST = _ACCOUNT_CHECKS = "credential", "host"
_COLOURS: dict[Verdict, str] = {"ok": "green", "denied": "yellow", "warning": "yellow", "failed": "red"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of one check."""

    what: str
    verdict: Verdict
    detail: str

    @property
    def is_endpoint(self) -> bool:
        """Whether it is about a request to Gong."""
        return self.what.startswith(("GET ", "POST "))


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

    def lines(self) -> Iterator[Line]:
        """Yield a table of the checks; nothing if the first of them already failed."""
        if any(finding.verdict != "failed" and finding.is_endpoint for finding in self.findings):
            rows = [
                (finding.what, Text(finding.verdict, _COLOURS[finding.verdict]), finding.detail)
                for finding in self.findings
            ]
            yield DataTable(("what", "verdict", "detail"), rows)

    def failures(self) -> Iterator[str]:
        """Yield each cause once, however many checks it affects."""
        failed = {finding.what: finding.detail for finding in self.findings if finding.verdict == "failed"}
        for names, cause in group_by_cause(failed):
            place = "" if names[0] in cause or names[0] in _ACCOUNT_CHECKS else f"{list_names(names)}: "
            yield f"not ready: {place}{cause}"

    def final_line(self, options: str) -> str:
        """Return the verdict and the next command."""
        counts = Counter(finding.verdict for finding in self.findings)
        limits = [
            f"{counts['denied']} without scope" if counts["denied"] else "",
            f"{counts['warning']} with a warning" if counts["warning"] else "",
        ]
        limit = ", ".join(filter(None, limits))
        return f"ready{f' ({limit})' if limit else ''}: run gong-elt sync{options}"


_VISIBILITY_PERIOD = pendulum.duration(days=90)
# A person waits for the verdict: a host that has not responded once after this time is reported.
_FIRST_CONTACT_SECONDS = 8.0
_MAX_CLOCK_SKEW = pendulum.duration(minutes=2)


def check(connection: Connection, target: Target, console: Console, select: Sequence[str] | None = None) -> CheckReport:
    """Open the warehouse, then send one small request per endpoint; return the outcomes. Changes nothing.

    A warehouse that cannot be opened, a host that does not respond and a rejected credential end the check.

    Args:
        connection: The Gong account.
        target: The warehouse.
        console: Where progress is drawn.
        select: Resources that the credential must be able to read; by default those of a sync. Opt-in resources are
            then checked as well, but do not fail the check.

    Raises:
        UsageError: If a setting is missing or has the wrong type.
    """
    client = connection.client()
    client.first_contact_seconds = _FIRST_CONTACT_SECONDS
    with show_stage(console, f"opening {target.label}") as stage:
        warehouse = _check_warehouse(connection, target)
        if warehouse.verdict == "failed":
            return CheckReport(ok=False, findings=(warehouse,))
        checks = PreflightChecks(client, select, stage, needs_media=connection.settings.include_media)
        findings = (warehouse, *asyncio.run(checks.run()))
    return CheckReport(all(finding.verdict != "failed" for finding in findings), findings)


class PreflightChecks:
    """Checks of the Gong account: one small request per endpoint that a sync uses or may use."""

    def __init__(self, client: GongClient, select: Sequence[str] | None, stage: Stage, *, needs_media: bool) -> None:
        self._client = client
        self._select = select
        self._stage = stage
        self._needs_media = needs_media
        self._findings: list[CheckResult] = []

    async def run(self) -> list[CheckResult]:
        """Run the checks until the host does not respond or the credential is rejected; return the outcomes."""
        until = datetime.now(UTC)
        window = Window(until - _VISIBILITY_PERIOD, until)
        try:
            async with self._client.session():
                workspaces = await self._check_endpoint(Probe(WORKSPACES.endpoint), is_first=True)
                self._check_clock(workspaces)
                users = await self._check_endpoint(Probe(USERS.endpoint))
                calls: Page | None = None
                for probe in probes.call_probes(window):
                    page = await self._check_endpoint(probe)
                    if probe.endpoint is CALLS_EXTENSIVE:
                        self._check_visibility(page)
                    calls = calls or page
                samples = probes.sample_ids(window, workspaces, users, calls)
                for resource, probe in (("calls", probes.media_probe(window)), *probes.resource_probes(samples)):
                    if self._select is None or resource in self._select:
                        await self._check_endpoint(probe, opt_in=self._is_opt_in(resource, probe))
        except AuthenticationError as error:
            self._findings.append(CheckResult(_CREDENTIAL, "failed", str(error)))
        except ServiceUnavailableError as error:
            self._findings.append(CheckResult(_HOST, "failed", str(error)))
        return self._findings

    def _is_opt_in(self, resource: str, probe: Probe) -> bool:
        """Return whether the probed resource is optional for this connection."""
        if probe.endpoint is probes.MEDIA:
            return not self._needs_media
        return self._select is None and resource not in RESOURCES

    async def _check_endpoint(self, probe: Probe, *, opt_in: bool = False, is_first: bool = False) -> Page | None:
        """Send a probe, add its outcome to the findings and return the page.

        Raises:
            AuthenticationError: If Gong rejects the credential.
            ServiceUnavailableError: If nothing responds to the first probe.
        """
        endpoint, page = probe.endpoint, None
        self._stage.name = f"checking {endpoint}"
        verdict: Verdict = "ok"
        try:
            if probe.missing:
                verdict, detail = "warning", f"not checked: it needs {probe.missing}, and none was found"
            else:
                page = await self._client.send(endpoint, query=probe.query, body=probe.body)
                detail = endpoint.scope or "Gong documents no scope"
        except EmptyResultError:
            detail = f"{endpoint.scope}; nothing found"
        except MissingScopeError as error:
            verdict, detail = "denied", f"{error.scope} is missing: {error}"
        except AuthenticationError:
            raise
        except GongError as error:
            if is_first and isinstance(error, ServiceUnavailableError):
                raise
            verdict, detail = "warning" if opt_in else "failed", str(error)
        what = f"{endpoint} with include_media" if endpoint is probes.MEDIA else str(endpoint)
        self._findings.append(CheckResult(what, verdict, f"opt-in; {detail}" if opt_in else detail))
        return page

    def _check_visibility(self, calls: Page | None) -> None:
        if calls is not None:
            self._findings.append(
                CheckResult("calls visible", "ok", f"{calls.total or len(calls.records):,} in 90 days")
            )
        elif self._findings[-1].verdict == "ok":
            # Gong sends the same response for a company without calls and for a key whose owner may see none.
            detail = "none in 90 days: a new company, or a key whose owner may not see calls"
            self._findings.append(CheckResult("calls visible", "warning", detail))

    def _check_clock(self, page: Page | None) -> None:
        if page is not None and page.server_time is not None:
            skew = datetime.now(UTC) - page.server_time
            verdict: Verdict = "ok" if abs(skew) < _MAX_CLOCK_SKEW else "warning"
            self._findings.append(
                CheckResult("clock", verdict, f"{skew.total_seconds():+.0f} s compared with Gong's clock")
            )


def _check_warehouse(connection: Connection, target: Target) -> CheckResult:
    what, target = f"{target.name}, dataset {target.dataset}", target.read_only()
    if (file := target.missing_file) is not None:
        try:
            with TemporaryFile(dir=file.absolute().parent):
                return CheckResult(what, "ok", f"{file} can be written; the first sync creates it")
        except OSError as error:
            return CheckResult(what, "failed", f"{file} cannot be created: {error.strerror}")
    try:
        with temporary_folder("check") as folder, target.warehouse.hold():
            pipeline = restore_pipeline(connection, target, folder)
            obstacle = target.warehouse.write_obstacle(pipeline)
            warning = correct_future_bookmarks(pipeline, connection, target, datetime.now(UTC))
        if obstacle is not None:
            return CheckResult(what, "failed", obstacle)
        return CheckResult(what, "warning" if warning else "ok", warning or "opened; this user may write")
    except (DatabaseException, PipelineStepFailed, LockHeldError, OSError) as error:
        return CheckResult(what, "failed", root_cause_message(error))
