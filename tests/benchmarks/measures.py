"""Takes figures: runs a program as a process of its own, counts its seconds and checks what it loaded.

Every run starts from an empty folder. What it leaves in DuckDB is compared with what the simulated Gong holds;
a run that lost, doubled or altered a row ends the benchmark.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import msgspec

from tests.benchmarks.server import RECEIVED_PATH, Contents, Received, Served
from tests.support.paths import REPOSITORY

ROOT = REPOSITORY
FULL_CONTENT: Mapping[str, str] = {}
"""The settings a sync has by itself."""

MINIMAL_CONTENT = {
    "SOURCES__GONG__CONTEXT": "None",
    "SOURCES__GONG__INCLUDE_PARTIES": "false",
    "SOURCES__GONG__INCLUDE_CONTENT": "false",
    "SOURCES__GONG__INCLUDE_INTERACTION": "false",
    "SOURCES__GONG__INCLUDE_PUBLIC_COMMENTS": "false",
}
"""Calls as meta data alone, which is what the floor and the peer ask for."""

UNTHROTTLED = {"SOURCES__GONG__REQUESTS_PER_SECOND": "100000"}
WITH_PRIVATE_CALLS = {"SOURCES__GONG__PRIVATE_CALLS": "include"}

_DAYS_READ = 130  # a simulated company has 120 days of calls
_SECONDS_TO_END = 20.0
_CALLS_PATH, _TRANSCRIPTS_PATH = "/v2/calls/extensive", "/v2/calls/transcript"
_SUMS = "SELECT count(*), coalesce(sum(strlen(text)), 0)::BIGINT, coalesce(sum({end}), 0)::BIGINT FROM {table}"


class BenchmarkFailed(Exception):
    """A program failed, or did not load what it was given; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of one program.

    Attributes:
        wall_seconds: Of the whole process.
        cpu_seconds: Of the process, all its threads and children.
        peak_megabytes: Largest resident memory; none of the programs starts another process.
        own_seconds: As the program tells them: without the interpreter's start and the imports.
        told: Everything the program tells of itself.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    own_seconds: float
    told: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """Rows written over all tables, where the program tells them."""
        return sum(self.told.get("tables", {}).values())


class Bench:
    """A temporary folder for all that the runs leave behind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0

    def empty_folder(self) -> Path:
        """A new folder for a run, or for several that belong together."""
        self._runs += 1
        folder = self._folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    def sync(
        self,
        gong: Gong,
        settings: Mapping[str, str],
        folder: Path | None = None,
        *,
        select: str = "calls,transcripts",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Load:
        """The real command, into an own DuckDB file.

        Args:
            gong: Where to read.
            settings: The variables that set it up.
            folder: Where an earlier sync has been; by default an empty one.
            select: Which resources; empty for those of a plain sync.
            since: Begin of an explicit window.
            until: Its end; the warehouse is not checked then, because Gong has more.

        Raises:
            BenchmarkFailed: It failed, or the warehouse is not what Gong holds.
        """
        folder = folder or self.empty_folder()
        variables = {
            "SOURCES__GONG__BASE_URL": gong.served.url,
            "SOURCES__GONG__CREDENTIALS__ACCESS_KEY": "demo",
            "SOURCES__GONG__CREDENTIALS__ACCESS_KEY_SECRET": "demo-secret",
            "SOURCES__GONG__START_DATE": gong.since.isoformat(),
            **settings,
        }
        chosen = {"--select": select, "--since": since and since.isoformat(), "--until": until and until.isoformat()}
        options = [word for option, value in chosen.items() if value for word in (option, value)]
        load = self._run("pipelines.cli", ["sync", *options, "--destination", "duckdb", "--json"], folder, variables)
        if until is not None:
            return load
        kept = gong.served.everything if WITH_PRIVATE_CALLS.items() <= settings.items() else gong.served.public
        _check(folder / "warehouse.duckdb", kept, "gong.calls", "gong.transcript_sentences", "end_ms")
        return load

    def floor(self, gong: Gong) -> Load:
        """The same without a framework. Raises as `sync` does."""
        folder = self.empty_folder()
        load = self._run("tests.benchmarks.floor", _range(gong, folder), folder)
        _check(folder / "loaded.duckdb", gong.served.everything, "calls", "sentences", "end_ms")
        return load

    def peer(self, gong: Gong, *, defaults: bool = False, parent: bool = False) -> Load:
        """The same with dlt's `rest_api`. Raises as `sync` does.

        Args:
            gong: Where to read.
            defaults: With dlt's default files, instead of uncompressed Parquet.
            parent: With a transcript request for each call of GET /v2/calls.
        """
        folder = self.empty_folder()
        flags = [*["--defaults"] * defaults, *["--parent"] * parent]
        load = self._run("tests.benchmarks.peer_rest_api", [*_range(gong, folder), *flags], folder)
        sentences = "gong.transcripts__transcript__sentences"
        _check(folder / "loaded.duckdb", gong.served.everything, "gong.calls", sentences, '"end"')
        return load

    def models(self, folder: Path) -> Load:
        """The real command builds the models where a sync has been; raises as `sync` does."""
        return self._run("pipelines.cli", ["models", "--json"], folder)

    def search(self, folder: Path, *arguments: str) -> Load:
        """The real command looks for sentences where models have been built; raises as `sync` does."""
        return self._run("pipelines.cli", ["search", "--json", *arguments], folder)

    def start(self, arguments: Sequence[str], folder: Path) -> float:
        """Seconds that a command takes which only prints; raises as `sync` does."""
        return self._run("pipelines.cli", arguments, folder).wall_seconds

    def _run(
        self, module: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
    ) -> Load:
        # Only these variables: settings of whoever runs the benchmark would change what is measured.
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(self._folder / "bytecode"),
            "DLT_DATA_DIR": str(folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "NO_PROXY": "127.0.0.1",
            **(variables or {}),
        }
        out, err = folder / "stdout", folder / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            begun = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], cwd=folder, env=environment, stdout=stdout, stderr=stderr
            )
            try:
                # Unlike `Popen.wait` this tells what the process used.
                _, status, used = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed = (err.read_text() + out.read_text())[-2_000:]
            raise BenchmarkFailed(f"{module} ended with {process.returncode}:\n{printed}")
        told: Mapping[str, Any] = json.loads(out.read_text()) if "--help" not in arguments else {}
        unit = 1 if sys.platform == "darwin" else 1_024
        return Load(
            wall_seconds=wall,
            cpu_seconds=used.ru_utime + used.ru_stime,
            peak_megabytes=used.ru_maxrss * unit / 1e6,
            own_seconds=told.get("duration_seconds", wall),
            told=told,
        )


@dataclass(frozen=True, slots=True)
class Gong:
    """A running simulated Gong."""

    served: Served

    @property
    def since(self) -> datetime:
        """Before the first of its calls."""
        return self.served.until - timedelta(days=_DAYS_READ)

    def received(self) -> Received:
        """What came in since this was asked last."""
        answer = httpx.delete(self.served.url + RECEIVED_PATH, trust_env=False).raise_for_status()
        return msgspec.json.decode(answer.content, type=Received)


@dataclass(frozen=True, slots=True)
class CallRequests:
    """How many requests went to the two endpoints that a sync of calls and transcripts needs."""

    calls: int
    transcripts: int

    @classmethod
    def among(cls, received: Received) -> CallRequests:
        """Those among everything received; another path would be one too many, so it is an error."""
        if other := received.paths.keys() - {_CALLS_PATH, _TRANSCRIPTS_PATH}:
            raise BenchmarkFailed(f"requests that nobody expected: {', '.join(sorted(other))}")
        return cls(received.paths.get(_CALLS_PATH, 0), received.paths.get(_TRANSCRIPTS_PATH, 0))

    @property
    def total(self) -> int:
        """Both together."""
        return self.calls + self.transcripts

    def __str__(self) -> str:
        return f"{self.total}: {self.calls} extensive, {self.transcripts} transcript"


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench whose folder is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gong-elt-bench-") as folder:
        yield Bench(Path(folder))


@contextmanager
def simulated_gong(
    *,
    calls: int,
    sentences: int | None = None,
    copies: int = 1,
    requests_per_second: float | None = None,
    latency: float = 0.0,
) -> Iterator[Gong]:
    """A simulated Gong in a process of its own; it ends with the context, and when this process dies.

    Args:
        calls: How many the company has.
        sentences: In every call; by default the kind of call decides, and some have none.
        copies: So many calls of each.
        requests_per_second: Gong's limit; by default none.
        latency: Seconds before each answer.
    """
    arguments = {
        "calls": calls,
        "sentences": sentences,
        "copies": copies,
        "requests-per-second": requests_per_second,
        "latency": latency,
    }
    options = [f"--{name}={value}" for name, value in arguments.items() if value is not None]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.server", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not (line := process.stdout.readline()):
                raise BenchmarkFailed("the simulated Gong did not start")
            yield Gong(msgspec.json.decode(line, type=Served))
        finally:
            process.stdin.close()
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()


def _range(gong: Gong, folder: Path) -> list[str]:
    until = gong.served.until + timedelta(minutes=1)
    return [gong.served.url, str(folder / "loaded.duckdb"), gong.since.isoformat(), until.isoformat()]


def _check(file: Path, expected: Contents, calls: str, sentences: str, end: str) -> None:
    with duckdb.connect(str(file), read_only=True) as warehouse:
        (of_calls,) = warehouse.execute(f"SELECT count(*) FROM {calls}").fetchone() or (0,)
        sums = warehouse.execute(_SUMS.format(end=end, table=sentences)).fetchone() or (0, 0, 0)
    if (found := Contents(of_calls, *sums)) != expected:
        raise BenchmarkFailed(f"{file.name} holds {found}, but Gong has {expected}")
