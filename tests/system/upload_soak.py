"""The soak of uploads, `make soak-upload`: a long file with bad rows, kills at random moments, failures of Gong.

Each upload is killed (SIGKILL) after a random time and run again until one comes to its end. Then every good row is in
Gong once and in `_uploads` once, with Gong's id, and every bad one is named with its faults.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, FaultAction, reset_connection, respond
from pipelines.demo.server.request_log import RequestLogEntry
from pipelines.demo.server.serving import serve
from tests.support.workspace import Workspace

_BAD: tuple[dict[str, str], ...] = (
    {"direction": "Sideways"},
    {"actual_start": "yesterday"},
    {"parties": "[{]"},
    {"client_unique_id": ""},
    {"primary_user": ""},
    {"purpose": "x" * 256},
)
_FAILURES: tuple[tuple[FaultAction, float], ...] = (
    (respond(500), 0.004),
    (respond(503), 0.003),
    (respond(429), 0.001),
    (reset_connection(), 0.003),
)
"""What happens to requests, and to which share of them."""


def main() -> None:
    """Runs the soak and prints its line; exit code 1 if anything was lost, doubled, or not written down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--bad", type=float, default=0.03, help="share of bad rows")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    chance, console = random.Random(given.seed), Console(highlight=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gong-elt-upload-soak-")))
        gong = SimulatedGong(build_company(calls=5, seed=given.seed, until=datetime.now(UTC)))
        workspace = Workspace(folder)
        workspace.configure(
            credentials__access_key="demo",
            credentials__access_key_secret="demo-secret",
            requests_per_second=200,
            requests_per_day=1_000_000,
            base_url=stack.enter_context(serve(gong.app)),
        )
        _let_requests_fail(gong, chance)
        good, bad = _write(folder / "calls.csv", gong, chance, given.rows, round(given.rows * given.bad))
        began, killed = time.monotonic(), 0
        while killed < given.kills:
            sent = _killed(workspace, gong, chance, per_run=len(good) / (given.kills + 1))
            killed += 1
            console.print(f"killed {killed}: {sent:,} requests so far")
        ended = workspace.run("upload", "calls.csv", "--json", timeout_seconds=7200)
        seconds = time.monotonic() - began
        failures = sum(fault.hit_count for fault in gong.faults)
        wrong = _wrong(workspace, gong, good, bad, ended.json)
    told = ", ".join(f"{what} {count}" for what, count in wrong.items())
    console.print(
        f"{given.rows:,} rows, {len(bad):,} bad; {killed} kills survived, {failures:,} failures of Gong;"
        f" {len(gong.requests):,} requests in {seconds:.0f} s; {told}"
    )
    sys.exit(any(wrong.values()) or ended.code != 1)


def _let_requests_fail(gong: SimulatedGong, chance: random.Random) -> None:
    for act, share in _FAILURES:

        def due(_: RequestLogEntry, share: float = share) -> bool:
            return chance.random() < share

        gong.faults.append(Fault(act, when=due))


def _write(
    file: Path, gong: SimulatedGong, chance: random.Random, rows: int, bad: int
) -> tuple[set[str], dict[int, str]]:
    """The names of the good calls, and of each bad row the column that is wrong."""
    host = next(user["id"] for user in gong.company.users if user["active"])
    parties = json.dumps([{"userId": host}, {"name": "Ana Bell", "emailAddress": "ana.bell@acme.example"}])
    wrong = {number: chance.choice(_BAD) for number in chance.sample(range(1, rows + 1), bad)}
    columns = ("client_unique_id", "actual_start", "direction", "primary_user", "parties", "purpose")
    names = set()
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(columns)
        for number in range(1, rows + 1):
            values = (f"pbx-{number}", "2026-05-20T10:00:00Z", "Outbound", host, parties, "Renewal")
            row = dict(zip(columns, values, strict=True)) | wrong.get(number, {})
            writer.writerow(row.values())
            if number not in wrong:
                names.add(row["client_unique_id"])
    return names, {number: next(iter(change)) for number, change in wrong.items()}


def _killed(workspace: Workspace, gong: SimulatedGong, chance: random.Random, *, per_run: float) -> int:
    """Kills an upload once it has sent some requests; how many all of them have sent."""
    until = len(gong.requests) + chance.uniform(0.0, 2 * per_run)
    process = workspace.start("upload", "calls.csv")
    while process.poll() is None and len(gong.requests) < until:
        time.sleep(0.002)
    time.sleep(chance.uniform(0.0, 0.05))
    if process.poll() is not None:
        raise RuntimeError(f"an upload ended with {process.returncode} before it was killed")
    process.kill()
    process.wait()
    return len(gong.requests)


def _wrong(
    workspace: Workspace, gong: SimulatedGong, good: set[str], bad: dict[int, str], told: dict[str, Any]
) -> dict[str, int]:
    """What is not as it should be, counted."""
    named = {call.id: call.record["metaData"].get("clientUniqueId") for call in gong.list_calls()}
    added = Counter(name for name in named.values() if name is not None and name.startswith("pbx-"))
    rows = workspace.rows("SELECT client_unique_id, row, status, call_id, error FROM _uploads")
    written = Counter(name for name, _, status, call_id, _ in rows if status == "added" and named.get(call_id) == name)
    aside = {row: str(error) for _, row, status, _, error in rows if status == "invalid"}
    listed = {row["row"]: "; ".join(row["faults"]) for row in told["invalid"]}
    return {
        "lost": len(good - added.keys()),
        "doubled": added.total() - len(added) + len(added.keys() - good),
        "not recorded once": len(good - {name for name, times in written.items() if times == 1})
        + (len(rows) - len(good) - len(bad)),
        "bad not named": sum(
            f"{column}:" not in texts.get(row, "") for row, column in bad.items() for texts in (aside, listed)
        ),
    }


if __name__ == "__main__":
    main()
