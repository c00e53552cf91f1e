"""`gong-elt demo`: its output, and every command that it prints, run as printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlparse

import pytest

from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong
from tests.support.pages.notebook import run_notebook
from tests.support.workspace import COMMAND

_TIMEOUT_SECONDS = 240


class Demo(NamedTuple):
    """A demo that ended: the folder in which it was started, its environment and what it printed."""

    folder: Path
    environment: dict[str, str]
    out: str

    @property
    def path(self) -> Path:
        """Folder of the warehouse."""
        return self.folder / "demo"

    def next_steps(self) -> tuple[list[str], list[str]]:
        """Return the printed commands on the demo's data, and those on the user's own."""
        *_, with_demo, with_own_data = re.split(r"(?m)^(?:Next steps|Your own data).*\n", self.out)
        return _list_commands(with_demo), _list_commands(with_own_data)

    def run(self, commands: list[str], **environment: str) -> str:
        """Run the commands in one shell, each as printed, and return what they printed."""
        ended = subprocess.run(
            ["/bin/sh", "-e"],
            input="\n".join(commands),
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
        return ended.stdout


def _list_commands(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("  ") and "pip install" not in line]


def _run_demo(folder: Path, **environment: str) -> Demo:
    """Run the demo with nothing in its environment but what every shell has."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "COLUMNS": "100", **environment}
    ended = subprocess.run(
        [str(COMMAND), "demo", "--calls", "60"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return Demo(folder, environment, ended.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the demo once for all tests that read its result."""
    return _run_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def without_extras(tmp_path: Path) -> Path:
    """Return a folder for PYTHONPATH that hides the packages of the extras."""
    folder = tmp_path / "without-extras"
    folder.mkdir()
    hidden = ("dbt", "altair", "tantivy", "marimo")
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({hidden}))\n")
    return folder


@pytest.mark.slow
def test_the_output_is_short_and_fits_a_terminal(demo: Demo) -> None:
    """The results come before anything that scrolls them away; no SQL is on one long line."""
    before, _, _ = demo.out.partition("Who hosts")
    assert len(before.splitlines()) <= 5, before
    code = [line for line in demo.out.splitlines() if re.match(r"SELECT|FROM|WHERE|JOIN|ORDER|       ", line)]
    assert len(code) > 20
    assert max(map(len, code)) <= 100
    assert not re.findall(r"│ +\d+\.0 +│", demo.out), "whole numbers have no decimals"
    (uri,) = re.findall(r"file://\S+", demo.out)
    assert Path(unquote(urlparse(uri).path)) == demo.path / "gong-report.html"
    assert (demo.path / "gong-report.html").exists()


def test_every_printed_command_works_in_the_demo_folder(demo: Demo) -> None:
    """Users can paste the next steps; none needs an option or an environment variable."""
    with_demo, _ = demo.next_steps()
    commands = [command for command in with_demo if "notebook" not in command]
    for command, expected in zip(
        commands, ("cd demo", "search price", 'search "next steps"', "status", "import duckdb", "superset"), strict=True
    ):
        assert expected in command
    printed = demo.run(commands)
    assert re.search(r"(?m)^> .*price", printed)
    assert "opportunity_name" in printed
    assert (demo.path / "gong-superset.zip").exists()


def test_the_printed_notebook_opens_the_warehouse(demo: Demo) -> None:
    """The notebook is in the installed package, not in the demo's folder."""
    with_demo, _ = demo.next_steps()
    (command,) = (command.partition("  #")[0] for command in with_demo if "notebook" in command)
    with run_notebook(f"sh -c 'cd demo && exec {command} \"$@\"' sh", demo.folder, demo.environment) as notebook:
        assert "Gong calls" in notebook.read_page()
        assert notebook.end(signal.SIGINT)[0] == 0


def test_the_printed_commands_for_own_data_leave_the_demo_alone(demo: Demo) -> None:
    """A user's calls must not be mixed with the demo's."""
    with_demo, with_own_data = demo.next_steps()
    before = (demo.path / "warehouse.duckdb").read_bytes()
    with serve(build_recent_gong(calls=8).app) as base_url:
        printed = demo.run(
            [with_demo[0], *with_own_data],
            SOURCES__GONG__BASE_URL=base_url,
            SOURCES__GONG__CREDENTIALS__ACCESS_KEY="demo",
            SOURCES__GONG__CREDENTIALS__ACCESS_KEY_SECRET="demo-secret",
            SOURCES__GONG__REQUESTS_PER_SECOND="1000",
        )
    assert re.search(r"\b\d calls, \d transcripts", printed)
    assert (demo.folder / "warehouse.duckdb").exists()
    assert (demo.path / "warehouse.duckdb").read_bytes() == before


@pytest.mark.slow
def test_a_second_demo_replaces_the_first(demo: Demo) -> None:
    """The demo can be repeated in the same place, also after a search has made an index."""
    again = _run_demo(demo.folder)
    with_demo, _ = again.next_steps()
    assert re.search(r"(?m)^> .*price", again.run(with_demo[:2]))


def test_settings_in_the_demo_folder_are_kept(tmp_path: Path, without_extras: Path) -> None:
    """A file that the user has written is not overwritten."""
    file = tmp_path / "demo" / ".dlt" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[sources.gong]\nrequests_per_second = 2.0\n")
    _run_demo(tmp_path, PYTHONPATH=str(without_extras))
    assert file.read_text() == "[sources.gong]\nrequests_per_second = 2.0\n"


def test_missing_extras_are_named_with_the_command_that_installs_them(tmp_path: Path, without_extras: Path) -> None:
    """With the base package alone, users learn what the demo leaves out."""
    demo = _run_demo(tmp_path, PYTHONPATH=str(without_extras))
    assert "Not installed: models, report, search." in demo.out
    assert "\n  pip install 'gong-elt[models,report,search]'\n" in demo.out
    with_demo, _ = demo.next_steps()
    assert not [command for command in with_demo if re.search(r"search|superset|notebook", command)]
    assert "duration" in demo.run(with_demo)
