"""The walkthrough "Add a resource" of CONTRIBUTING.md works as written, on a copy of the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import duckdb
import pytest

from tests.support.paths import REPOSITORY
from tests.support.servers.ports import find_free_ports
from tests.support.workspace import Workspace

CODE_FOLDERS = ("sources", "destinations", "state", "pipelines")
STEP = re.compile(
    r"(?P<action>Append to|Import it in|Add it to `(?P<tuple>\w+)` in) `(?P<path>[\w/.]+)`:\n\n"
    r" +```python\n(?P<code>.*?)\n +```",
    re.DOTALL,
)
MAX_FILES = 4
"""The fifth file is the resource's test."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the shipped code, changed as the walkthrough describes."""
    folder = tmp_path / "tree"
    for name in CODE_FOLDERS:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for step in read_steps():
        apply_step(folder, step)
    return folder


def read_steps() -> list[re.Match[str]]:
    """Return the steps of the walkthrough that change a file."""
    section = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8").partition("\n## Add a resource\n")[2]
    return list(STEP.finditer(section.partition("\n## ")[0]))


def apply_step(folder: Path, step: re.Match[str]) -> None:
    """Change a file in the copy as a step describes."""
    file = folder / step["path"]
    text = file.read_text("utf-8")
    if step["tuple"]:
        entry = re.search(r"(?s) +\.\.\.,\n +(.*)\n +\)$", step["code"])
        assert entry, step["code"]
        text, count = re.subn(rf"(?m)^({step['tuple']}\b[^=\n]*= \(\n)", rf"\g<1>    {entry[1]}\n", text)
        assert count == 1, f"{step['path']} has no {step['tuple']}"
    elif step["action"].startswith("Import"):
        last_import = list(re.finditer(r"(?m)^from \.\w+ import .*\n", text))[-1]
        text = text[: last_import.end()] + textwrap.dedent(step["code"]) + "\n" + text[last_import.end() :]
    else:
        text += "\n\n" + textwrap.dedent(step["code"]) + "\n"
    file.write_text(text, encoding="utf-8")


@contextmanager
def simulate(tree: Path, workspace: Workspace) -> Iterator[None]:
    """Serve the copy's simulated Gong, and configure the workspace for it."""
    (port,) = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "pipelines.cli", "simulate", "--port", str(port), "--calls", "5"]
    server = subprocess.Popen(command, cwd=tree, env=workspace.environment, stderr=subprocess.DEVNULL)
    try:
        deadline = monotonic() + 60
        while not responds(url):
            assert server.poll() is None, "the simulated Gong has exited"
            assert monotonic() < deadline, "the simulated Gong does not respond"
            sleep(0.2)
        workspace.configure(base_url=url)
        yield
    finally:
        server.terminate()
        server.wait()


def responds(url: str) -> bool:
    """Return whether a server answers at the URL, with any status."""
    try:
        urlopen(url, timeout=5).close()
    except URLError as error:
        return hasattr(error, "code")
    return True


def test_the_walkthrough_changes_few_files() -> None:
    """Adding a resource with its table touches at most five files, the test included."""
    paths = {step["path"] for step in read_steps()}
    assert {path.split("/")[0] for path in paths} == {"sources", "pipelines"}
    assert len(paths) <= MAX_FILES


def test_the_walkthrough_loads_its_table(tree: Path, workspace: Workspace) -> None:
    """The real command loads the new resource from the simulated Gong, pseudonymised as declared."""
    workspace.use_demo_key()
    workspace.configure(pii="hash", pii_key="a secret for this test only")

    with simulate(tree, workspace):
        warehouse = workspace.folder / "warehouse.duckdb"
        command = [sys.executable, "-m", "pipelines.cli", "sync", "--select", "tags", "--json"]
        environment = workspace.environment | {"DESTINATION__DUCKDB__CREDENTIALS": str(warehouse)}
        synced = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)

    assert synced.returncode == 0, synced.stderr
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            "SELECT tag_id, tag_name, length(creator_email), call_count FROM gong.tags ORDER BY tag_id"
        ).fetchall()
    assert rows == [("1", "Renewal", 64, 2), ("2", "Upsell", None, 0)]
