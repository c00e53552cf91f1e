"""Soak test of uploads, `make soak-upload`: a long file with invalid rows, random kills, and failures of Gong.

Each upload is killed with SIGKILL after a random time; the last one runs to its end. Then every valid row is in Gong
once and in `_uploads` once, with Gong's id, and every invalid row is reported with its faults.
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

from rich.console import Console

from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, FaultAction, reset_connection, respond
from pipelines.demo.server.request_log import RequestLogEntry
from pipelines.demo.server.serving import serve
from tests.support.gong_api import Json
from tests.support.workspace import Workspace

_INVALID_CHANGES: tuple[dict[str, str], ...] = (
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
"""Faults, and the share of requests that they affect."""


def main() -> None:
    """Run the soak test and print its result; exit with 1 if a row was lost, duplicated or not recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--bad", type=float, default=0.03, help="share of invalid rows")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    chance, console = random.Random(options.seed), Console(highlight=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gong-elt-upload-soak-")))
        gong = SimulatedGong(build_company(calls=5, seed=options.seed, until=datetime.now(UTC)))
        workspace = Workspace(folder)
        workspace.configure(
            credentials__access_key="demo",
            credentials__access_key_secret="demo-secret",
            requests_per_second=200,
            requests_per_day=1_000_000,
            base_url=stack.enter_context(serve(gong.app)),
        )
        _add_random_faults(gong, chance)
        valid, invalid = _write_file(
            folder / "calls.csv", gong, chance, options.rows, round(options.rows * options.bad)
        )
        started_at, killed = time.monotonic(), 0
        while killed < options.kills:
            sent = _kill_upload(workspace, gong, chance, per_run=len(valid) / (options.kills + 1))
            killed += 1
            console.print(f"killed {killed}: {sent:,} requests so far")
        result = workspace.run("upload", "calls.csv", "--json", timeout_seconds=7200)
        seconds = time.monotonic() - started_at
        failures = sum(fault.hit_count for fault in gong.faults)
        errors = _count_errors(workspace, gong, valid, invalid, result.json)
    summary = ", ".join(f"{error} {count}" for error, count in errors.items())
    console.print(
        f"{options.rows:,} rows, {len(invalid):,} invalid; {killed} kills, {failures:,} failures of Gong;"
        f" {len(gong.requests):,} requests in {seconds:.0f} s; {summary}"
    )
    sys.exit(any(errors.values()) or result.code != 1)


def _add_random_faults(gong: SimulatedGong, chance: random.Random) -> None:
    for act, share in _FAILURES:

        def is_due(_: RequestLogEntry, share: float = share) -> bool:
            return chance.random() < share

        gong.faults.append(Fault(act, when=is_due))


def _write_file(
    file: Path, gong: SimulatedGong, chance: random.Random, rows: int, bad: int
) -> tuple[set[str], dict[int, str]]:
    """Write the file; return the ids of the valid rows, and the invalid column by row number."""
    host = next(user["id"] for user in gong.company.users if user["active"])
    parties = json.dumps([{"userId": host}, {"name": "Ana Bell", "emailAddress": "ana.bell@acme.example"}])
    wrong = {number: chance.choice(_INVALID_CHANGES) for number in chance.sample(range(1, rows + 1), bad)}
    columns = ("client_unique_id", "actual_start", "direction", "primary_user", "parties", "purpose")
    names = set()
    with file.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(columns)
        for number in range(1, rows + 1):
            values = (f"pbx-{number}", "2026-05-20T10:00:00Z", "Outbound", host, parties, "Renewal")
            row = dict(zip(columns, values, strict=True)) | wrong.get(number, {})
            writer.writerow(row.values())
            if number not in wrong:
                names.add(row["client_unique_id"])
    return names, {number: next(iter(change)) for number, change in wrong.items()}


def _kill_upload(workspace: Workspace, gong: SimulatedGong, chance: random.Random, *, per_run: float) -> int:
    """Kill an upload after a random number of requests; return the number of all requests so far."""
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


def _count_errors(
    workspace: Workspace, gong: SimulatedGong, valid: set[str], invalid: dict[int, str], output: Json
) -> dict[str, int]:
    """Return the number of errors of each kind."""
    ids = {call.id: call.record["metaData"].get("clientUniqueId") for call in gong.list_calls()}
    added = Counter(name for name in ids.values() if name is not None and name.startswith("pbx-"))
    rows = workspace.rows("SELECT client_unique_id, row, status, call_id, error FROM _uploads")
    recorded = Counter(name for name, _, status, call_id, _ in rows if status == "added" and ids.get(call_id) == name)
    recorded_faults = {row: str(error) for _, row, status, _, error in rows if status == "invalid"}
    printed_faults = {row["row"]: "; ".join(row["faults"]) for row in output["invalid"]}
    return {
        "lost": len(valid - added.keys()),
        "duplicated": added.total() - len(added) + len(added.keys() - valid),
        "not recorded once": len(valid - {name for name, times in recorded.items() if times == 1})
        + (len(rows) - len(valid) - len(invalid)),
        "invalid not reported": sum(
            f"{column}:" not in texts.get(row, "")
            for row, column in invalid.items()
            for texts in (recorded_faults, printed_faults)
        ),
    }


if __name__ == "__main__":
    main()
