"""The soak, `make soak`: runs killed at every stage while Gong's data keeps changing; nothing is lost or doubled.

Each kill is SIGKILL at a moment that is seen from outside: in the requests that came, in dlt's working folder, in the
warehouse's files. Then, with the working folder or without it, one run to its end has to make the warehouse equal to
what the server holds.
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
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace

_SYNC = ("sync", "--since", "2020-01-01", "--select", "calls,transcripts")
_RECONCILE = ("reconcile", "--force")
_LONGEST_RUN = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A moment at which runs are killed.

    Attributes:
        name: For the table.
        command: What runs.
        reached: Whether the run is there, seen from outside.
        jitter: Seconds that are waited at random, so that kills spread over the stage.
    """

    name: str
    command: tuple[str, ...]
    reached: Callable[[SimulatedGong, Workspace], bool]
    jitter: float = 0.3


def _requests(count: int) -> Callable[[SimulatedGong, Workspace], bool]:
    return lambda gong, _: len(gong.requests) >= count


def _file_below(*folders: str) -> Callable[[SimulatedGong, Workspace], bool]:
    def there(_: SimulatedGong, workspace: Workspace) -> bool:
        walked = os.walk(workspace.folder / "working")
        return any(names and f"{Path(*folders)}" in place for place, _, names in walked)

    return there


STAGES = (
    Stage("starting", _SYNC, lambda *_: True, jitter=1.5),
    Stage("mid-page", _SYNC, _requests(2), jitter=0.1),
    Stage("end of reading", _SYNC, _requests(4)),
    Stage("between extract and load", _SYNC, _file_below("normalize", "extracted")),
    Stage("load begins", _SYNC, _file_below("load", "normalized")),
    Stage("mid-load", _SYNC, _file_below("completed_jobs"), jitter=0.8),
    Stage("between load and ledger", _SYNC, _file_below("load", "loaded"), jitter=0.05),
    Stage("reconcile", _RECONCILE, _requests(1), jitter=0.4),
)


@dataclass(slots=True)
class Soak:
    """One soak.

    Attributes:
        killed, too_late: Kills by stage, and runs that had ended before.
        lost, doubled: Calls and sentences, over all comparisons.
    """

    gong: SimulatedGong
    workspace: Workspace
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    too_late: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    differing: int = 0
    added: int = 0

    def kills(self, wanted: int) -> Iterator[str]:
        """Kills runs until so many were hit alive; yields what happened each time."""
        stages = cycle(STAGES)
        while self.killed.total() < wanted:
            stage = next(stages)
            self._change_something(delete=stage.command is _RECONCILE)
            for _ in range(self.chance.choice((1, 1, 2))):
                alive = self._kill(stage)
                (self.killed if alive else self.too_late)[stage.name] += 1
            without = self.chance.random() < 0.5
            if without:
                self.workspace.delete_working_folder()
            outcome = self._repair_and_compare(stage)
            yield f"{stage.name}, {'without' if without else 'with'} working folder: {outcome}"

    def _kill(self, stage: Stage) -> bool:
        self.gong.requests.clear()
        process = self.workspace.start(*stage.command)
        deadline = time.monotonic() + _LONGEST_RUN
        while process.poll() is None and not stage.reached(self.gong, self.workspace):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{stage.name} was never reached")
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0.0, stage.jitter))
        alive = process.poll() is None
        process.kill()
        process.wait()
        return alive

    def _repair_and_compare(self, stage: Stage) -> str:
        for command in {_SYNC, stage.command}:
            ended = self.workspace.run(*command)
            if ended.code != 0:
                self.differing += 1
                return f"{command[0]} ended with {ended.code}: {ended.out[-300:]} {ended.err[-300:]}"
        wanted = {call.id for call in public_calls(self.gong)}
        held = Counter(row[0] for row in self.workspace.rows("SELECT id FROM calls WHERE _deleted_at IS NULL"))
        sentences = self.workspace.rows(
            "SELECT count(*), count(DISTINCT call_id || ' ' || CAST(sentence_index AS VARCHAR))"
            " FROM transcript_sentences"
        )
        self.lost += len(wanted - held.keys())
        self.doubled += held.total() - len(held) + sentences[0][0] - sentences[0][1]
        try:
            assert_warehouse_matches(self.workspace, self.gong)
        except AssertionError as difference:
            self.differing += 1
            return f"DIFFERS: {str(difference)[:300]}"
        return "equal"

    def _change_something(self, *, delete: bool) -> None:
        """Gong goes on living: edits, new and private calls, transcripts that grow and shrink."""
        calls = public_calls(self.gong)
        edited, shrunk, hidden, gone = self.chance.sample(calls, 4)
        self.gong.edit_call(edited.id, title=f"Renamed {self.chance.random():.6f}")
        if shrunk.transcript:
            self.gong.replace_transcript(shrunk.id, shrunk.transcript[: self.chance.randrange(len(shrunk.transcript))])
        self.gong.edit_call(hidden.id, isPrivate=True)
        for call in self.chance.sample([call for call in self.gong.list_calls() if call not in calls], 1):
            self.gong.edit_call(call.id, isPrivate=False)
        model = self.chance.choice(calls)
        moment = (datetime.now(UTC) - timedelta(days=self.chance.uniform(1, 20))).isoformat()
        self.added += 1
        meta = model.record["metaData"] | {"id": f"{9 * 10**17 + self.added}", "started": moment, "scheduled": moment}
        self.gong.add_call({**model.record, "metaData": meta}, model.transcript)
        if delete:
            self.gong.delete_call(gone.id)


def main() -> None:
    """Runs the soak and prints its table; exit code 1 if anything was lost, doubled or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--calls", type=int, default=250)
    parser.add_argument("--destination", choices=("duckdb", "postgres"), default="duckdb")
    given = parser.parse_args()
    console, began = Console(), time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gong-elt-soak-")))
        gong = SimulatedGong(build_company(calls=given.calls, days=20, seed=given.seed, until=datetime.now(UTC)))
        workspace = Workspace(folder)
        if given.destination == "postgres":
            workspace.postgres = stack.enter_context(postgres_server()).create_database()
        workspace.configure(
            credentials__access_key="demo",
            credentials__access_key_secret="demo-secret",
            requests_per_second=1000,
            requests_per_day=1_000_000,
            base_url=stack.enter_context(serve(gong.app)),
        )
        soak = Soak(gong, workspace, random.Random(given.seed))
        with Progress(console=console) as progress:
            task = progress.add_task("kills", total=given.kills)
            for told in soak.kills(given.kills):
                progress.update(task, completed=soak.killed.total())
                progress.console.print(f"{soak.killed.total():3} {told}", highlight=False)
    table = Table(title=f"{given.destination}, seed {given.seed}", title_justify="left")
    for column in ("stage", "killed", "had ended before"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in STAGES:
        table.add_row(stage.name, str(soak.killed[stage.name]), str(soak.too_late[stage.name]))
    console.print(table)
    console.print(
        f"{soak.killed.total()} kills survived in {time.monotonic() - began:.0f} s:"
        f" lost {soak.lost}, doubled {soak.doubled}, warehouses that differed {soak.differing}",
        highlight=False,
    )
    sys.exit(bool(soak.lost or soak.doubled or soak.differing))


if __name__ == "__main__":
    main()
