"""The lock of one connection on one machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from state.lock import LockFileError, LockHeldError, run_lock

_HOLD = """
import sys, time
from pathlib import Path
from state.lock import run_lock
with run_lock(Path(sys.argv[1]), "other-run"):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_releases_its_lock(tmp_path: Path) -> None:
    """A killed run must never block the next one."""
    path = tmp_path / "gong.lock"
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"

    with pytest.raises(LockHeldError, match="run_id other-run"), run_lock(path, "this-run"):
        pass
    process.kill()
    process.wait()
    process.stdout.close()

    with run_lock(path, "this-run"):
        pass


def test_the_holder_file_is_private(tmp_path: Path) -> None:
    """Names of hosts and runs are for the owner of the folder only."""
    path = tmp_path / "gong.lock"

    with run_lock(path, "this-run"):
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}

    assert modes == {"gong.lock": 0o600, "gong.lock.json": 0o600}


def test_a_lock_file_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    """A folder without write access must not look like another run, for which a command waits."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc")):
        path = folder / "gong.lock"
        with pytest.raises(LockFileError, match=re.escape(f"cannot write {path}")), run_lock(path, "this-run"):
            pass
