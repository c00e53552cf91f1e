"""The command in a process forked from one that has its imports behind it: they are a third of a short run.

What runs is what the console script calls, with a folder, an environment, output and an exit code of its own.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.cli.app import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "pipelines.cli",
        "pipelines.load.check",
        "pipelines.load.plan",
        "pipelines.load.reconcile",
        "pipelines.load.status",
        "pipelines.load.sync",
        "pipelines.analytics.dbt_build",
        "pipelines.analytics.report.build",
        "pipelines.analytics.search.search",
        "dbt.adapters.duckdb",
        "dbt.adapters.postgres",
        "dbt.cli.main",
        "dlt.destinations.impl.duckdb.duck",
        "dlt.destinations.impl.postgres.postgres",
        "dlt.sources.helpers.requests",
    ]
)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that ended; the exit code is minus the signal's number where one killed it."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What `--json` printed; it is all that stands on stdout."""
        printed: dict[str, Any] = json.loads(self.out)
        return printed


def run_forked(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float
) -> CommandResult:
    """Runs `gong-elt` with these arguments to its end.

    Raises:
        subprocess.TimeoutExpired: It took longer than `seconds` and was killed.
    """
    with tempfile.TemporaryDirectory(prefix="gong-elt-output") as outputs:
        out, err = Path(outputs, "out"), Path(outputs, "err")
        process = _FORKS.Process(target=_command, args=(list(arguments), str(folder), dict(environment), out, err))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["gong-elt", *arguments], seconds, out.read_bytes(), err.read_bytes())
        return CommandResult(process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _command(arguments: list[str], folder: str, environment: dict[str, str], out: Path, err: Path) -> None:
    for stream, file in ((1, out), (2, err)):
        with file.open("wb") as opened:
            os.dup2(opened.fileno(), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["gong-elt", *arguments]
    main()
