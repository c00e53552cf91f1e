"""Table of commands and failures, `python -m tests.system.failure_table`: lines printed, seconds and exit code.

Each cell runs the real command in a copy of a workspace with a warehouse and its marts, while one thing is wrong. A
failure may print three lines; `check` reports it within ten seconds and every other command within a minute.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong
from tests.support.servers.postgres import postgres_server
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace

MAX_LINES = 3
MAX_SECONDS: Mapping[str, float] = {"check": 10.0}
MAX_SECONDS_OF_OTHERS = 60.0

GONG_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "check": ("check",),
    "sync": ("sync",),
    "sync --json": ("sync", "--json"),
    "sync --plan": ("sync", "--plan"),
    "reconcile": ("reconcile",),
    "get": ("get", "calls"),
    "upload": ("upload", "new-calls.csv"),
    "download-media": ("download-media",),
}
"""Commands that send requests to Gong."""

WAREHOUSE_COMMANDS: Mapping[str, tuple[str, ...]] = {
    **{name: command for name, command in GONG_COMMANDS.items() if name != "get"},
    "status": ("status",),
    "models": ("models",),
    "report": ("report",),
    "search": ("search", "price"),
    "export": ("export", "transcripts"),
    "superset": ("superset",),
}
"""Commands that open the warehouse."""

WRITING_COMMANDS: Mapping[str, tuple[str, ...]] = {
    name: WAREHOUSE_COMMANDS[name]
    for name in ("sync", "sync --json", "reconcile", "upload", "download-media", "models")
}
"""Commands that change the warehouse."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command printed, how long it took and how it ended."""

    code: int
    seconds: float
    text: str

    @property
    def lines(self) -> list[str]:
        """The lines on stdout and stderr."""
        return [line for line in self.text.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that is wrong while a command runs.

    Attributes:
        commands: The commands that it affects.
        cause: Makes it wrong for the duration of a context, which yields options for the command.
        code: The expected exit code.
        signal: Sent to the command once it waits for Gong.
    """

    commands: Mapping[str, tuple[str, ...]]
    cause: Callable[[Workspace], AbstractContextManager[tuple[str, ...]]]
    code: int
    signal: signal.Signals | None = None


def configure(**settings: str) -> Callable[[Workspace], AbstractContextManager[tuple[str, ...]]]:
    """Return a cause that changes settings of `sources.gong`."""

    def cause(workspace: Workspace) -> AbstractContextManager[tuple[str, ...]]:
        workspace.configure(**settings)
        return nullcontext(())

    return cause


def use_postgres(url: str | None) -> Callable[[Workspace], AbstractContextManager[tuple[str, ...]]]:
    """Return a cause that loads into PostgreSQL, at a URL or without any."""

    def cause(workspace: Workspace) -> AbstractContextManager[tuple[str, ...]]:
        if url is not None:
            workspace.settings["DESTINATION__POSTGRES__CREDENTIALS"] = url
        return nullcontext(("--destination", "postgres"))

    return cause


@contextmanager
def use_password_server(workspace: Workspace) -> Iterator[tuple[str, ...]]:
    """Load into a server that asks for a password, with a URL that has none."""
    with postgres_server() as server:
        server.create_role("needs_password", password="not sent")
        url = f"postgresql://needs_password@127.0.0.1:{server.port}/postgres"
        workspace.settings["DESTINATION__POSTGRES__CREDENTIALS"] = url
        yield ("--destination", "postgres")


def open_file_elsewhere(*, read_only: bool) -> Callable[[Workspace], AbstractContextManager[tuple[str, ...]]]:
    """Return a cause that holds the DuckDB file open in another process, longer than the command waits."""

    @contextmanager
    def cause(workspace: Workspace) -> Iterator[tuple[str, ...]]:
        program = (
            f"import duckdb, sys; c = duckdb.connect('warehouse.duckdb', read_only={read_only});"
            " c.execute('SELECT 1'); print('open', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=workspace.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            yield ("--wait", "4")
            holder.kill()

    return cause


def no_cause(_: Workspace) -> AbstractContextManager[tuple[str, ...]]:
    """Return a cause that changes nothing."""
    return nullcontext(())


FAILURES: Mapping[str, Failure] = {
    "wrong key": Failure(GONG_COMMANDS, configure(credentials__access_key_secret="wrong"), 1),
    "unreachable host": Failure(GONG_COMMANDS, configure(base_url="https://127.0.0.1:1"), 1),
    "unknown host": Failure(GONG_COMMANDS, configure(base_url="https://gong.invalid"), 1),
    "no destination settings": Failure(WAREHOUSE_COMMANDS, use_postgres(None), 2),
    "server down": Failure(WAREHOUSE_COMMANDS, use_postgres("postgresql://gong:secret@127.0.0.1:1/nowhere"), 1),
    "no password": Failure(WAREHOUSE_COMMANDS, use_password_server, 2),
    "file in use": Failure(WAREHOUSE_COMMANDS, open_file_elsewhere(read_only=False), 1),
    "a reader's lock": Failure(WRITING_COMMANDS, open_file_elsewhere(read_only=True), 1),
    "Ctrl-C": Failure(GONG_COMMANDS, no_cause, 1, signal.SIGINT),
    "SIGTERM": Failure(GONG_COMMANDS, no_cause, 1, signal.SIGTERM),
}


def prepare_workspace(folder: Path, gong: SimulatedGong, base_url: str, *, marts: bool) -> Workspace:
    """Return a workspace with a warehouse, a file of new calls and, if needed, the marts."""
    workspace = Workspace(folder)
    workspace.use_demo_key()
    workspace.configure(base_url=base_url)
    workspace.sync()
    write_csv(folder, build_upload_rows(gong, 3), "new-calls.csv")
    if marts:
        built = workspace.run("models", timeout_seconds=300)
        assert built.code == 0, built.err
    return workspace


def run_cell(prepared: Workspace, gong: SimulatedGong, command: str, failure_name: str) -> Outcome:
    """Run a command in a copy of the workspace while something is wrong."""
    failure = FAILURES[failure_name]
    with tempfile.TemporaryDirectory(prefix="gong-elt-failure-") as folder, ExitStack() as causes:
        shutil.copytree(prepared.folder, folder, dirs_exist_ok=True)
        workspace = Workspace(Path(folder), dict(prepared.settings))
        options = causes.enter_context(failure.cause(workspace))
        arguments = (*failure.commands[command], *options)
        started_at = time.monotonic()
        if failure.signal is not None:
            return _interrupt(workspace, gong, arguments, failure.signal)
        ended = workspace.run(*arguments, timeout_seconds=2 * MAX_SECONDS_OF_OTHERS)
        return Outcome(ended.code, time.monotonic() - started_at, ended.out + ended.err)


def judge(command: str, failure_name: str, outcome: Outcome) -> list[str]:
    """Return what is wrong with an outcome; an empty list if it is as documented."""
    limit_seconds = MAX_SECONDS.get(command, MAX_SECONDS_OF_OTHERS)
    faults = {
        f"more than {MAX_LINES} lines": len(outcome.lines) > MAX_LINES,
        "no line": not outcome.lines,
        "a traceback": "Traceback" in outcome.text,
        f"more than {limit_seconds:g} s": outcome.seconds > limit_seconds,
        f"exit code other than {FAILURES[failure_name].code}": outcome.code != FAILURES[failure_name].code,
    }
    return [fault for fault, is_present in faults.items() if is_present]


def _interrupt(
    workspace: Workspace, gong: SimulatedGong, arguments: tuple[str, ...], number: signal.Signals
) -> Outcome:
    """Start a command, send it a signal once it waits for Gong, and wait until it ends."""
    fault = Fault(hang(30))
    gong.faults.append(fault)
    process = subprocess.Popen(
        workspace.command(*arguments),
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not fault.hit_count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        started_at = time.monotonic()
        process.send_signal(number)
        text, _ = process.communicate(timeout=30)
    finally:
        gong.faults.remove(fault)
        process.kill()
    return Outcome(process.returncode, time.monotonic() - started_at, text)


def main() -> int:
    """Write the table; return 1 if a cell is not as documented."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, help="Markdown file to write; default: stdout")
    options = parser.parse_args()
    gong = build_recent_gong(calls=30, days=10)
    rows = ["| command | failure | lines | seconds | exit code | first line | fault |", "|---|---|---|---|---|---|---|"]
    is_wrong = False
    with serve(gong.app) as base_url, tempfile.TemporaryDirectory(prefix="gong-elt-failures-") as folder:
        prepared = prepare_workspace(Path(folder), gong, base_url, marts=True)
        for name, failure in FAILURES.items():
            for command in failure.commands:
                outcome = run_cell(prepared, gong, command, name)
                faults = judge(command, name, outcome)
                is_wrong = is_wrong or bool(faults)
                first = outcome.lines[0][:160].replace("|", "\\|") if outcome.lines else ""
                figures = f"{len(outcome.lines)} | {outcome.seconds:.1f} | {outcome.code}"
                rows.append(f"| `{command}` | {name} | {figures} | {first} | {', '.join(faults)} |")
                print(rows[-1], file=sys.stderr)
    table = "\n".join(rows) + "\n"
    if options.to is None:
        print(table)
    else:
        options.to.write_text(table, encoding="utf-8")
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
