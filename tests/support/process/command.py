"""Run `gong-elt` in a process forked from a server that has already imported it.

The process calls the console script's function, with its own folder,
environment, output and exit code.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

from pipelines.cli.app import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.support.process.preload"])


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Exit code and output of a command; a killed command's code is the negative signal number."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The object that `--json` printed; stdout must contain nothing else."""
        printed: dict[str, Any] = json.loads(self.out)
        return printed


def run_command(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout_seconds: float,
    clock_shift: timedelta | None = None,
) -> CommandResult:
    """Run `gong-elt` with these arguments and wait until it exits.

    Args:
        arguments: Arguments of the command.
        folder: Its working directory.
        environment: All of its environment variables.
        timeout_seconds: How long it may run.
        clock_shift: How far its clock is ahead of the real time; behind if negative.

    Raises:
        subprocess.TimeoutExpired: If it runs longer than `timeout_seconds`; it is killed.
    """
    with tempfile.TemporaryDirectory(prefix="gong-elt-output") as outputs:
        out, err = Path(outputs, "out"), Path(outputs, "err")
        process = _FORKS.Process(
            target=_run_main, args=(list(arguments), str(folder), dict(environment), out, err, clock_shift)
        )
        process.start()
        process.join(timeout_seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(
                ["gong-elt", *arguments], timeout_seconds, out.read_bytes(), err.read_bytes()
            )
        return CommandResult(process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _run_main(
    arguments: list[str], folder: str, environment: dict[str, str], out: Path, err: Path, clock_shift: timedelta | None
) -> None:
    for stream, file in ((1, out), (2, err)):
        with file.open("wb") as output:
            os.dup2(output.fileno(), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["gong-elt", *arguments]
    if clock_shift is not None:
        time_machine.travel(datetime.now(UTC) + clock_shift, tick=True).start()
    main()
