"""Fenced blocks of the documents, and how tests run them: in bash, in a folder, against the simulated Gong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace

PROGRAMS = Path(sys.executable).parent
"""The folder with `gong-elt` and `python`, as in an activated environment."""

_BLOCK = re.compile(r"(?m)^(<!-- not run by tests: .+ -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL)
_SETTINGS_FILE = re.compile(r"# (\.dlt/(?:secrets|config)\.toml)\n")
_TIMEOUT_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        language: The word after the fence.
        text: Its content.
        is_run: Whether tests run it; if not, a comment before the fence has the reason.
    """

    language: str
    text: str
    is_run: bool


def list_blocks(document: str) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    text = (REPOSITORY / document).read_text("utf-8")
    return [Block(language, body, not note) for note, language, body in _BLOCK.findall(text)]


def read_cron_lines(document: str) -> list[str]:
    """Return the commands of the crontab in a document, without the five fields of the time."""
    text = "\n".join(block.text for block in list_blocks(document) if block.language == "text")
    return re.findall(r"(?m)^[\d*]\S* \S+ \S+ \S+ \S+\s+(cd .*)$", text)


def prepare_folder(marts: Workspace, folder: Path) -> Workspace:
    """Return a workspace with a copy of a loaded company and its marts, whose Gong still responds."""
    folder.mkdir(parents=True)
    shutil.copy(marts.folder / "warehouse.duckdb", folder)
    return Workspace(folder, settings=dict(marts.settings))


def run_document(document: str, workspace: Workspace, replaced: Mapping[str, str] | None = None) -> None:
    """Write the settings files and run the commands of a document, in its order, in one folder.

    Args:
        document: Path in the repository.
        workspace: The folder, and the simulated Gong.
        replaced: Further texts to replace, such as the address of a server.
    """
    environment = {**workspace.environment, "PATH": f"{PROGRAMS}:/usr/bin:/bin"}
    folder = workspace.folder
    for block in list_blocks(document):
        text = replace_placeholders(block.text, workspace, replaced or {})
        if not block.is_run:
            continue
        if block.language == "toml":
            write_settings(text, folder)
        elif block.language == "sh":
            # A `cd` holds for the following blocks, as in a reader's shell.
            output = _run_shell(f"{text}\npwd > '{workspace.folder}/.cwd'", folder, environment)
            assert output.returncode == 0, f"{document}:\n{text}\n{output.stdout}\n{output.stderr}"
            folder = Path((workspace.folder / ".cwd").read_text("utf-8").strip())
        elif block.language == "python":
            ended = _run_python(text, folder, environment)
            assert ended.returncode == 0, f"{document}:\n{text}\n{ended.stderr}"


def replace_placeholders(text: str, workspace: Workspace, replaced: Mapping[str, str]) -> str:
    """Return a block with the simulated Gong in place of the reader's account."""
    base_url = workspace.settings["SOURCES__GONG__BASE_URL"]
    texts = {
        'base_url = "https://us-12345.api.gong.io"': f'base_url = "{base_url}"\nrequests_per_second = 1000',
        'access_key = "..."': 'access_key = "demo"',
        'access_key_secret = "..."': 'access_key_secret = "demo-secret"',
        **replaced,
    }
    for documented, used in texts.items():
        text = text.replace(documented, used)
    return text


def write_settings(text: str, folder: Path) -> None:
    """Write a block to the settings file that its first line names."""
    named = _SETTINGS_FILE.match(text)
    assert named, f"the first line does not name a settings file:\n{text}"
    file = folder / named[1]
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")


def run_as_cron(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a crontab with the environment that cron gives it."""
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "user"}
    # Cron replaces the environment; the repository's `make` variables, PATH and settings are gone.
    arguments = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "/bin/sh", "-c", command]
    return subprocess.run(arguments, cwd="/", capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)


def list_commands(document: str) -> Iterator[str]:
    """Yield the command lines of `gong-elt` in the blocks of a document that are not run."""
    for block in list_blocks(document):
        for line in re.findall(r"\bgong-elt (?=[a-z])[^'\"\n`#>|&]*", block.text):
            yield textwrap.shorten(line, 200)


def _run_shell(text: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    script = text.replace("gong-elt demo", "gong-elt demo --calls 60")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )


def _run_python(text: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAMS / "python"), "-c", text],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "")},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
