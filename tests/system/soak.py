"""Soak test, `make soak`: kill runs at every stage while Gong's data changes; nothing is lost, duplicated or partial.

A run is killed with SIGKILL once its stage is visible from outside: in the requests, in dlt's working folder, or in the
warehouse's files. What it leaves must be whole loads. After that, with or without the working folder, one complete run
must make the warehouse equal to the server's data.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace

_SYNC = ("sync", "--since", "2020-01-01", "--select", "calls,transcripts")
_RECONCILE = ("reconcile", "--force")
_STAGE_TIMEOUT_SECONDS = 120.0


_PARTIAL_ROWS = (
    *(
        f"SELECT count(*) FROM {table} WHERE _dlt_load_id NOT IN (SELECT load_id FROM _dlt_loads)"
        for table in ("calls", "transcripts", "_dlt_pipeline_state")
    ),
    "SELECT count(*) FROM transcripts AS t WHERE t.sentence_count <>"
    " (SELECT count(*) FROM transcript_sentences AS s WHERE s.call_id = t.call_id)",
    "SELECT count(*) FROM transcript_sentences WHERE call_id NOT IN (SELECT call_id FROM transcripts)",
    "SELECT count(*) FROM call_parties WHERE call_id NOT IN (SELECT id FROM calls)",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage at which runs are killed.

    Attributes:
        name: Name in the table.
        command: The command that is killed.
        is_reached: Whether the run is at this stage.
        jitter_seconds: Maximum of the random wait that spreads kills over the stage.
    """

    name: str
    command: tuple[str, ...]
    is_reached: Callable[[SimulatedGong, Workspace], bool]
    jitter_seconds: float = 0.3


def _received_requests(count: int) -> Callable[[SimulatedGong, Workspace], bool]:
    return lambda gong, _: len(gong.requests) >= count


def _file_below(*folders: str) -> Callable[[SimulatedGong, Workspace], bool]:
    def exists(_: SimulatedGong, workspace: Workspace) -> bool:
        walk = os.walk(workspace.folder / "working")
        return any(names and f"{Path(*folders)}" in folder for folder, _, names in walk)

    return exists


def _all_files_are_read(_: SimulatedGong, workspace: Workspace) -> bool:
    """Return whether all files of a load were read or deferred, and it is not complete: its transaction runs."""
    walk = os.walk(workspace.folder / "working")
    files = {Path(folder).name for folder, _, names in walk if names and f"{Path('load', 'normalized')}" in folder}
    return "completed_jobs" in files and not files & {"new_jobs", "started_jobs"}


STAGES = (
    Stage("starting", _SYNC, lambda *_: True, jitter_seconds=1.5),
    Stage("mid-page", _SYNC, _received_requests(2), jitter_seconds=0.1),
    Stage("end of reading", _SYNC, _received_requests(4)),
    Stage("between extract and load", _SYNC, _file_below("normalize", "extracted")),
    Stage("load begins", _SYNC, _file_below("load", "normalized")),
    Stage("mid-load", _SYNC, _file_below("completed_jobs"), jitter_seconds=0.8),
    Stage("inside the transaction", _SYNC, _all_files_are_read, jitter_seconds=0.2),
    Stage("between load and run log", _SYNC, _file_below("load", "loaded"), jitter_seconds=0.05),
    Stage("publication", _SYNC, _file_below("load", "loaded"), jitter_seconds=2.0),
    Stage("reconcile", _RECONCILE, _received_requests(1), jitter_seconds=0.4),
)


@dataclass(slots=True)
class Soak:
    """State and results of a soak test.

    Attributes:
        killed: Kills by stage.
        too_late: Runs by stage that had ended before their kill.
        lost: Missing calls, over all comparisons.
        duplicated: Duplicate calls and sentences, over all comparisons.
        partial: Rows of a part of a load that were visible after a kill.
        differing: Comparisons in which the warehouse differed.
    """

    gong: SimulatedGong
    workspace: Workspace
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    too_late: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    duplicated: int = 0
    partial: int = 0
    differing: int = 0
    added: int = 0

    def kill_runs(self, count: int) -> Iterator[str]:
        """Kill runs until `count` were killed while running; yield a description of each."""
        is_published = self.workspace.warehouse.destination == "iceberg"
        stages = cycle(stage for stage in STAGES if is_published or stage.name != "publication")
        while self.killed.total() < count:
            stage = next(stages)
            self._change_company(delete=stage.command is _RECONCILE)
            for _ in range(self.chance.choice((1, 1, 2))):
                was_running = self._kill(stage)
                (self.killed if was_running else self.too_late)[stage.name] += 1
                self.partial += self._count_partial_rows()
            is_deleted = self.chance.random() < 0.5
            if is_deleted:
                self.workspace.delete_working_folder()
            result = self._repair_and_compare(stage)
            yield f"{stage.name}, {'without' if is_deleted else 'with'} working folder: {result}"

    def _kill(self, stage: Stage) -> bool:
        self.gong.requests.clear()
        process = self.workspace.start(*stage.command)
        deadline = time.monotonic() + _STAGE_TIMEOUT_SECONDS
        while process.poll() is None and not stage.is_reached(self.gong, self.workspace):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{stage.name} was never reached")
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0.0, stage.jitter_seconds))
        was_running = process.poll() is None
        process.kill()
        process.wait()
        return was_running

    def _count_partial_rows(self) -> int:
        """Return the rows of loads that are not complete, and the transcripts without all of their sentences."""
        is_file = self.workspace.warehouse.destination == "duckdb"
        is_new = is_file and not (self.workspace.folder / "warehouse.duckdb").exists()
        if is_new or not self.workspace.columns("transcript_sentences"):
            return 0
        return sum(int(self.workspace.rows(query)[0][0]) for query in _PARTIAL_ROWS)

    def _repair_and_compare(self, stage: Stage) -> str:
        for command in {_SYNC, stage.command}:
            result = self.workspace.run(*command)
            if result.code != 0:
                self.differing += 1
                return f"{command[0]} ended with {result.code}: {result.out[-300:]} {result.err[-300:]}"
        expected = {call.id for call in public_calls(self.gong)}
        loaded = Counter(row[0] for row in self.workspace.rows("SELECT id FROM calls WHERE _deleted_at IS NULL"))
        sentences = self.workspace.rows(
            "SELECT count(*), count(DISTINCT call_id || ' ' || CAST(sentence_index AS VARCHAR))"
            " FROM transcript_sentences"
        )
        self.lost += len(expected - loaded.keys())
        self.duplicated += loaded.total() - len(loaded) + sentences[0][0] - sentences[0][1]
        try:
            assert_warehouse_matches(self.workspace, self.gong)
        except AssertionError as difference:
            self.differing += 1
            return f"DIFFERS: {str(difference)[:300]}"
        return "equal"

    def _change_company(self, *, delete: bool) -> None:
        """Edit, add, hide and delete calls, and shorten a transcript."""
        calls = public_calls(self.gong)
        edited, shortened, hidden, deleted = self.chance.sample(calls, 4)
        self.gong.edit_call(edited.id, title=f"Renamed {self.chance.random():.6f}")
        if shortened.transcript:
            self.gong.replace_transcript(
                shortened.id, shortened.transcript[: self.chance.randrange(len(shortened.transcript))]
            )
        self.gong.edit_call(hidden.id, isPrivate=True)
        for call in self.chance.sample([call for call in self.gong.list_calls() if call not in calls], 1):
            self.gong.edit_call(call.id, isPrivate=False)
        model = self.chance.choice(calls)
        start = (datetime.now(UTC) - timedelta(days=self.chance.uniform(1, 20))).isoformat()
        self.added += 1
        meta = model.record["metaData"] | {"id": f"{9 * 10**17 + self.added}", "started": start, "scheduled": start}
        self.gong.add_call({**model.record, "metaData": meta}, model.transcript)
        if delete:
            self.gong.delete_call(deleted.id)


def main() -> None:
    """Run the soak test and print its table; exit with 1 if anything was lost, duplicated, partial or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--calls", type=int, default=250)
    parser.add_argument("--destination", choices=("duckdb", "postgres", "ducklake", "iceberg"), default="duckdb")
    options = parser.parse_args()
    console, started_at = Console(), time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gong-elt-soak-")))
        gong = SimulatedGong(build_company(calls=options.calls, days=20, seed=options.seed, until=datetime.now(UTC)))
        workspace = Workspace(folder)
        if options.destination != "duckdb":
            database = stack.enter_context(postgres_server()).create_database()
            if options.destination == "postgres":
                workspace.postgres = database
            elif options.destination == "iceberg":
                workspace.other_warehouse = IcebergConnection(folder, database)
            else:
                workspace.other_warehouse = DuckLakeConnection(folder, database)
        workspace.configure(
            credentials__access_key="demo",
            credentials__access_key_secret="demo-secret",
            requests_per_second=1000,
            requests_per_day=1_000_000,
            base_url=stack.enter_context(serve(gong.app)),
        )
        soak = Soak(gong, workspace, random.Random(options.seed))
        with Progress(console=console) as progress:
            task = progress.add_task("kills", total=options.kills)
            for description in soak.kill_runs(options.kills):
                progress.update(task, completed=soak.killed.total())
                progress.console.print(f"{soak.killed.total():3} {description}", highlight=False)
    table = Table(title=f"{options.destination}, seed {options.seed}", title_justify="left")
    for column in ("stage", "killed", "had ended before"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in STAGES:
        table.add_row(stage.name, str(soak.killed[stage.name]), str(soak.too_late[stage.name]))
    console.print(table)
    console.print(
        f"{soak.killed.total()} kills survived in {time.monotonic() - started_at:.0f} s:"
        f" lost {soak.lost}, duplicated {soak.duplicated}, rows of a part of a load {soak.partial},"
        f" warehouses that differed {soak.differing}",
        highlight=False,
    )
    sys.exit(bool(soak.lost or soak.duplicated or soak.partial or soak.differing))


if __name__ == "__main__":
    main()
