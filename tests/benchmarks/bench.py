"""Run a program in a process of its own, measure it, and verify what it loaded.

Every run starts in an empty folder. Its DuckDB file is compared with the data of the simulated Gong; a run that lost,
duplicated or altered a row ends the benchmark.
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

from tests.benchmarks.programs.gong_server import (
    EDITS_PATH,
    REQUEST_COUNTS_PATH,
    Contents,
    Edit,
    RequestCounts,
    ServerInfo,
)
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT
from tests.support.paths import REPOSITORY
from tests.support.servers.connections import WarehouseConnection

ROOT = REPOSITORY
FULL_CONTENT: Mapping[str, str] = {}
"""The default settings of a sync."""

MINIMAL_CONTENT = {
    "SOURCES__GONG__CONTEXT": "None",
    "SOURCES__GONG__INCLUDE_PARTIES": "false",
    "SOURCES__GONG__INCLUDE_CONTENT": "false",
    "SOURCES__GONG__INCLUDE_INTERACTION": "false",
    "SOURCES__GONG__INCLUDE_PUBLIC_COMMENTS": "false",
}
"""Only the metadata of calls, which is what the floor and the peer request."""

UNTHROTTLED = {"SOURCES__GONG__REQUESTS_PER_SECOND": "100000"}
WITH_PRIVATE_CALLS = {"SOURCES__GONG__PRIVATE_CALLS": "include"}

_DAYS = 120
_SHUTDOWN_SECONDS = 20.0
_SUMS = "SELECT count(*), coalesce(sum(strlen(text)), 0)::BIGINT, coalesce(sum({end}), 0)::BIGINT FROM {table}"
_LOADED = """
SELECT
    (SELECT count(*) FROM {dataset}.calls), count(*), coalesce(sum(bit_length(text)), 0) / 8, coalesce(sum(end_ms), 0)
FROM {dataset}.transcript_sentences
"""


class BenchmarkError(Exception):
    """A program failed or loaded wrong data, so its measurements are invalid."""


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """One run of one program.

    Attributes:
        wall_seconds: Duration of the whole process.
        cpu_seconds: CPU time of the process with its threads and children.
        peak_megabytes: Maximum resident memory. None of the programs starts another process.
        reported_seconds: Duration that the program reports: without interpreter start and imports.
        output: The JSON object that the program prints.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    reported_seconds: float
    output: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """Rows written to all tables, if the program reports them."""
        return sum(self.output.get("tables", {}).values())


class Bench:
    """Runs programs in folders below a temporary one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0

    def empty_folder(self) -> Path:
        """Create and return a folder for one run, or for several runs that share a warehouse."""
        self._runs += 1
        folder = self._folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    def sync(
        self,
        gong: GongServer,
        settings: Mapping[str, str],
        folder: Path | None = None,
        *,
        select: str = "calls,transcripts",
        since: datetime | None = None,
        until: datetime | None = None,
        target: WarehouseConnection | None = None,
        dataset: str = "gong",
        program: str = "pipelines.cli",
    ) -> ProgramRun:
        """Run `gong-elt sync` and verify the contents of the warehouse.

        Args:
            gong: The server to read.
            settings: Environment variables with settings.
            folder: Folder of an earlier sync; by default a new one.
            select: Selected resources; if empty, the default ones.
            since: Start of an explicit window.
            until: Its end. The warehouse is not verified then, because Gong has later calls.
            target: Where it loads; by default into a DuckDB file in the folder.
            dataset: Dataset of the tables.
            program: Module that runs the command line.

        Raises:
            BenchmarkError: If the sync fails, or if the warehouse differs from Gong.
        """
        folder = folder or self.empty_folder()
        variables = {
            "SOURCES__GONG__BASE_URL": gong.info.url,
            "SOURCES__GONG__CREDENTIALS__ACCESS_KEY": "demo",
            "SOURCES__GONG__CREDENTIALS__ACCESS_KEY_SECRET": "demo-secret",
            "SOURCES__GONG__START_DATE": gong.since.isoformat(),
            **settings,
            **(target.environment if target else {}),
        }
        destination = target.destination if target else "duckdb"
        values = {
            "--select": select,
            "--since": since and since.isoformat(),
            "--until": until and until.isoformat(),
            "--dataset": dataset,
        }
        options = [word for option, value in values.items() if value for word in (option, value)]
        run = self._run(program, ["sync", *options, "--destination", destination, "--json"], folder, variables)
        if until is not None:
            return run
        expected = gong.info.all_calls if WITH_PRIVATE_CALLS.items() <= settings.items() else gong.info.public_calls
        if target:
            _compare(destination, Contents(*map(int, target.rows(_LOADED.format(dataset=dataset))[0])), expected)
        else:
            _verify(
                folder / "warehouse.duckdb", expected, f"{dataset}.calls", f"{dataset}.transcript_sentences", "end_ms"
            )
        return run

    def run_floor(self, gong: GongServer) -> ProgramRun:
        """Run the program without a framework. Raises as `sync` does."""
        folder = self.empty_folder()
        run = self._run("tests.benchmarks.programs.floor", _program_arguments(gong, folder), folder)
        _verify(folder / "loaded.duckdb", gong.info.all_calls, "calls", "sentences", "end_ms")
        return run

    def run_peer(
        self, gong: GongServer, *, full: bool = False, defaults: bool = False, parent: bool = False
    ) -> ProgramRun:
        """Run the program with dlt's `rest_api`. Raises as `sync` does.

        Args:
            gong: The server to read.
            full: Request calls with everything that a sync requests by default.
            defaults: Write dlt's default files instead of uncompressed Parquet.
            parent: Send one transcript request per call of GET /v2/calls.
        """
        folder = self.empty_folder()
        flags = [*["--full"] * full, *["--defaults"] * defaults, *["--parent"] * parent]
        run = self._run("tests.benchmarks.programs.peer_rest_api", [*_program_arguments(gong, folder), *flags], folder)
        sentences = "gong.transcripts__transcript__sentences"
        _verify(folder / "loaded.duckdb", gong.info.all_calls, "gong.calls", sentences, '"end"')
        return run

    def build_models(self, folder: Path, target: WarehouseConnection | None = None) -> ProgramRun:
        """Run `gong-elt models` in the folder of a sync. Raises as `sync` does."""
        return self.run_command("models", folder, target)

    def run_command(
        self, command: str, folder: Path, target: WarehouseConnection | None = None, dataset: str = "gong"
    ) -> ProgramRun:
        """Run a command on the warehouse of an earlier sync.

        Args:
            command: Its name, such as `maintain`.
            folder: Folder of the sync.
            target: Where the sync has loaded; by default a DuckDB file in the folder.
            dataset: Dataset of the tables.

        Raises:
            BenchmarkError: If it fails.
        """
        options = ["--dataset", dataset, *(["--destination", target.destination] if target else [])]
        return self._run("pipelines.cli", [command, *options, "--json"], folder, target.environment if target else None)

    def maintain(self, folder: Path, target: WarehouseConnection) -> ProgramRun:
        """Run `gong-elt maintain` in the folder of a sync. Raises as `sync` does."""
        options = ["--destination", target.destination, "--json"]
        return self._run("pipelines.cli", ["maintain", *options], folder, target.environment)

    def search(self, folder: Path, *arguments: str) -> ProgramRun:
        """Run `gong-elt search` in a folder with models. Raises as `sync` does."""
        return self._run("pipelines.cli", ["search", "--json", *arguments], folder)

    def measure_start(self, arguments: Sequence[str], folder: Path) -> float:
        """Return the duration in seconds of a command that only prints. Raises as `sync` does."""
        return self._run("pipelines.cli", arguments, folder).wall_seconds

    def _run(
        self, module: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
    ) -> ProgramRun:
        # The user's environment variables may contain settings that change the measurement.
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
            started_at = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], cwd=folder, env=environment, stdout=stdout, stderr=stderr
            )
            try:
                # Unlike `Popen.wait`, this returns the resource usage.
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            wall = time.perf_counter() - started_at
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed = (err.read_text() + out.read_text())[-2_000:]
            raise BenchmarkError(f"{module} ended with {process.returncode}:\n{printed}")
        output: Mapping[str, Any] = json.loads(out.read_text()) if "--help" not in arguments else {}
        maxrss_bytes = 1 if sys.platform == "darwin" else 1_024
        return ProgramRun(
            wall_seconds=wall,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_megabytes=usage.ru_maxrss * maxrss_bytes / 1e6,
            reported_seconds=output.get("duration_seconds", wall),
            output=output,
        )


@dataclass(frozen=True, slots=True)
class GongServer:
    """A simulated Gong in another process."""

    info: ServerInfo
    days: int = _DAYS

    @property
    def since(self) -> datetime:
        """A time before the first call."""
        return self.info.until - timedelta(days=self.days + 10)

    def edit_calls(self, edit: Edit) -> list[str]:
        """Change calls and their transcripts, and return the ids of these calls."""
        body = msgspec.json.encode(edit)
        response = httpx.post(self.info.url + EDITS_PATH, content=body, trust_env=False, timeout=60).raise_for_status()
        return msgspec.json.decode(response.content, type=list[str])

    def reset_request_counts(self) -> RequestCounts:
        """Return the requests since the last reset, and reset their counts."""
        response = httpx.delete(self.info.url + REQUEST_COUNTS_PATH, trust_env=False).raise_for_status()
        return msgspec.json.decode(response.content, type=RequestCounts)


@dataclass(frozen=True, slots=True)
class CallRequests:
    """The number of requests to the two endpoints that a sync of calls and transcripts needs."""

    calls: int
    transcripts: int

    @classmethod
    def from_counts(cls, counts: RequestCounts) -> CallRequests:
        """Return the two numbers.

        Raises:
            BenchmarkError: If another path was requested.
        """
        if other := counts.paths.keys() - {EXTENSIVE, TRANSCRIPT}:
            raise BenchmarkError(f"unexpected requests: {', '.join(sorted(other))}")
        return cls(counts.paths.get(EXTENSIVE, 0), counts.paths.get(TRANSCRIPT, 0))

    @property
    def total(self) -> int:
        """The sum of both."""
        return self.calls + self.transcripts

    def __str__(self) -> str:
        return f"{self.total}: {self.calls} extensive, {self.transcripts} transcript"


@contextmanager
def open_bench() -> Iterator[Bench]:
    """Create a bench and delete its folder at the end."""
    with tempfile.TemporaryDirectory(prefix="gong-elt-bench-") as folder:
        yield Bench(Path(folder))


@contextmanager
def simulated_gong(
    *,
    calls: int,
    sentences: int | None = None,
    copies: int = 1,
    days: int = _DAYS,
    seed: int | None = None,
    requests_per_second: float | None = None,
    latency: float = 0.0,
) -> Iterator[GongServer]:
    """Run a simulated Gong in another process, which ends with the context or with this process.

    Args:
        calls: Number of calls before they are copied.
        sentences: Sentences per call; by default they depend on the kind of call, and some calls have none.
        copies: How often each call exists.
        days: Days until now with calls.
        seed: Seed of the company's random numbers; by default always the same.
        requests_per_second: Gong's rate limit; by default none.
        latency: Seconds before each response.
    """
    arguments = {
        "calls": calls,
        "sentences": sentences,
        "copies": copies,
        "days": days,
        "seed": seed,
        "requests-per-second": requests_per_second,
        "latency": latency,
    }
    options = [f"--{name}={value}" for name, value in arguments.items() if value is not None]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.programs.gong_server", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not (line := process.stdout.readline()):
                raise BenchmarkError("the simulated Gong did not start")
            yield GongServer(msgspec.json.decode(line, type=ServerInfo), days)
        finally:
            process.stdin.close()
            try:
                process.wait(_SHUTDOWN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _program_arguments(gong: GongServer, folder: Path) -> list[str]:
    until = gong.info.until + timedelta(minutes=1)
    return [gong.info.url, str(folder / "loaded.duckdb"), gong.since.isoformat(), until.isoformat()]


def _verify(file: Path, expected: Contents, calls: str, sentences: str, end: str) -> None:
    with duckdb.connect(str(file), read_only=True) as warehouse:
        (call_count,) = warehouse.execute(f"SELECT count(*) FROM {calls}").fetchone() or (0,)
        sums = warehouse.execute(_SUMS.format(end=end, table=sentences)).fetchone() or (0, 0, 0)
    _compare(file.name, Contents(call_count, *sums), expected)


def _compare(name: str, loaded: Contents, expected: Contents) -> None:
    if loaded != expected:
        raise BenchmarkError(f"{name} has {loaded}, but Gong has {expected}")
