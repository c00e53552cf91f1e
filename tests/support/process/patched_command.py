"""Run `gong-elt` in a process that runs another program first, which changes a class or a function."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process.command import CommandResult
from tests.support.workspace import Workspace

_ENTER_PROGRAM = "\nimport sys\nfrom pipelines.cli.app import main\nsys.argv[0] = 'gong-elt'\nmain()\n"


def run_patched(workspace: Workspace, program: str, *arguments: str) -> CommandResult:
    """Run a command of a workspace after a program in Python, in one process."""
    _, *options = workspace.command(*arguments)
    process = subprocess.run(
        [sys.executable, "-c", program + _ENTER_PROGRAM, *options],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return CommandResult(process.returncode, process.stdout, process.stderr)
