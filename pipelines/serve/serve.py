"""`gong-elt serve`: one process that owns the DuckDB file, loads into it on a schedule and lets others read it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console

from sources.gong import ConfigurationError, parse_duration

from ..analytics.dbt_build import ModelOptions, build_models, dbt_is_installed
from ..load.reconcile import ReconcileOptions, reconcile
from ..load.sync import SyncOptions, sync
from ..publish.publication import plan_publication
from ..runtime.connection import Connection
from ..runtime.display.text import format_time
from ..runtime.errors import UsageError, root_cause_message
from ..runtime.result import Figures, JobResult
from ..runtime.run_options import check_port
from ..runtime.target import Target
from .quack_server import quack_is_installed, serve_file

MIN_TOKEN_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of the server.

    Attributes:
        every: Duration between the starts of two syncs.
        reconcile_every: Duration between the starts of two reconciles; None to run none.
        analytics: Dataset of the marts that are built after each sync; None to build none.
        publish: File that becomes a copy of the warehouse's file after each run.
        port: Port on the loopback interface.
        token: What clients must know; None for a new one.
    """

    every: str = "1h"
    reconcile_every: str | None = None
    analytics: str | None = None
    publish: str | None = None
    port: int = 9494
    token: str | None = None


@dataclass(slots=True)
class _Task:
    """A job and when it runs next."""

    name: str
    run: Callable[[], Figures]
    seconds: float
    due: float = field(default_factory=time.monotonic)


def serve(
    connection: str, target: Target, options: ServeOptions, report: Callable[[str], None], console: Console
) -> None:
    """Serve the warehouse and load into it until a signal ends the process.

    Args:
        connection: Name of the Gong account.
        target: The warehouse.
        options: When to load and where to serve.
        report: Prints a line.
        console: Where progress is drawn.

    Raises:
        UsageError: If an option or setting is invalid, or the packages of the server are missing.
        LockHeldError: If another process has the file open for longer than the command waits.
        KeyboardInterrupt: If a signal has ended it.
    """
    if not quack_is_installed():
        raise UsageError("DuckDB's server is not installed: pip install 'gong-elt[serve]'")
    if options.analytics is not None and not dbt_is_installed():
        raise UsageError("dbt is not installed: pip install 'gong-elt[models]'")
    file = target.warehouse.file
    if file is None:
        raise UsageError(
            f"gong-elt serve serves the file of a DuckDB warehouse, and destination {target.name!r} has none"
        )
    token = _resolve_token(options.token)
    check_port(options.port)
    Connection(connection).validate()
    tasks = _list_tasks(connection, target, options, console)
    publication = plan_publication(target, options.publish, (target.dataset,))
    drafts = () if publication is None else publication.drafts
    target.folder.mkdir(parents=True, exist_ok=True)
    with (
        target.warehouse.hold(create=True),
        serve_file(file, token, options.port, target.folder, drafts) as address,
    ):
        shown = "the configured token" if options.token else f"token {token}"
        report(f"serving {file} at {address} with {shown}; Ctrl-C ends it")
        while True:
            for task in tasks:
                if time.monotonic() >= task.due:
                    task.due = time.monotonic() + task.seconds
                    _run_task(task, report)
            time.sleep(max(0.0, min(task.due for task in tasks) - time.monotonic()))


def _list_tasks(connection: str, target: Target, options: ServeOptions, console: Console) -> list[_Task]:
    every = _parse_interval("--every", options.every)
    # Each run reads the account's settings and tokens again.
    loads = SyncOptions(publish=None if options.analytics else options.publish)
    tasks = [_Task("sync", lambda: sync(Connection(connection), target, loads, console), every)]
    if options.analytics is not None:
        built = ModelOptions(options.analytics, publish=options.publish)
        tasks.append(_Task("models", lambda: build_models(Connection(connection), target, built), every))
    if options.reconcile_every is not None:
        seconds = _parse_interval("--reconcile", options.reconcile_every)
        compared = ReconcileOptions(publish=options.publish)
        tasks.append(_Task("reconcile", lambda: reconcile(Connection(connection), target, compared, console), seconds))
    return tasks


def _run_task(task: _Task, report: Callable[[str], None]) -> None:
    """Run a job and report how it ended; the next one runs as planned."""
    started = format_time(datetime.now(UTC))
    try:
        figures = task.run()
    except Exception as error:
        report(f"{started} {task.name} failed: {root_cause_message(error)}")
        return
    failures = "; ".join(JobResult(figures).failures())
    report(f"{started} {task.name} {figures.status}{f': {failures}' if failures else ''}")


def _resolve_token(token: str | None) -> str:
    if token is None:
        return secrets.token_urlsafe(24)
    if len(token) < MIN_TOKEN_CHARACTERS:
        raise UsageError(f"gong_elt.serve_token is too short: use at least {MIN_TOKEN_CHARACTERS} characters")
    return token


def _parse_interval(option: str, text: str) -> float:
    try:
        seconds = parse_duration(text).total_seconds()
    except ConfigurationError:
        seconds = 0.0
    if seconds <= 0:
        raise UsageError(f"invalid duration {text!r} for {option}: use e.g. 30m, 1h or 7d")
    return seconds
