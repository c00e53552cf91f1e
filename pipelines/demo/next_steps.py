"""What to do after the demo: commands that work as they are printed, and the settings file that they read."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.analytics import dbt_build
from pipelines.analytics.notebook.server import notebook_packages_are_installed
from pipelines.analytics.report.build import report_packages_are_installed
from pipelines.analytics.search.sentences import search_packages_are_installed

_SETTINGS = """\
# Written by `gong-elt demo`: commands in this folder use the warehouse of the demo.
[runtime]
dlthub_telemetry = false

[gong_elt]
destination = "duckdb"
dataset = "gong"
analytics = "gong_analytics"
"""


def write_settings(folder: Path) -> None:
    """Write the settings of the demo, unless the folder has settings of its own."""
    file = folder / ".dlt" / "config.toml"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(_SETTINGS, "utf-8")


def list_next_steps(folder: Path) -> Iterator[str]:
    """Yield lines with commands for a shell; they need no option and no environment variable.

    Args:
        folder: Folder of the demo, as the user named it.
    """
    has_models, has_search = dbt_build.dbt_is_installed(), search_packages_are_installed()
    gong_elt = _find_program("gong-elt", folder)
    steps = [(f"cd {shlex.quote(str(folder))}", "settings in this folder name the warehouse")]
    if has_models and has_search:
        steps.append((f"{gong_elt} search price", "who mentioned the price, and when"))
        steps.append((f'{gong_elt} search "next steps" --side customer', "what customers agreed to do"))
    steps.append((f"{gong_elt} status", "what was loaded"))
    columns, relation = ("title, duration", "gong.calls")
    if has_models:
        columns, relation = ("opportunity_name, stage_now", "gong_analytics.deal_activity")
    query = f"import duckdb; print(duckdb.connect('warehouse.duckdb').sql('SELECT {columns} FROM {relation} LIMIT 5'))"
    steps.append((f'{_find_python(folder)} -c "{query}"', "any SQL"))
    if has_models:
        steps.append((f"{gong_elt} superset", "a dashboard for Apache Superset"))
        if notebook_packages_are_installed():
            steps.append((f"{gong_elt} notebook", "a notebook in the browser"))
    yield f"Next steps, with the data in {folder}:"
    yield from _align(steps)
    missing = {
        "models": has_models,
        "report": report_packages_are_installed(),
        "search": has_search,
    }
    if extras := ",".join(name for name, is_installed in missing.items() if not is_installed):
        yield ""
        yield f"Not installed: {extras.replace(',', ', ')}. The demo shows more after:"
        yield f"  pip install 'gong-elt[{extras}]'"
    yield ""
    yield "Your own data, with an API key in .dlt/secrets.toml or in the environment:"
    back = os.path.relpath(Path.cwd(), folder)
    yield from _align(
        [
            (f"cd {shlex.quote(back)}", "or any folder but the demo's"),
            (f"{_find_program('gong-elt', Path())} check", "test the key and its scopes"),
            (f"{_find_program('gong-elt', Path())} sync", "load the last 365 days"),
        ]
    )


def _align(steps: list[tuple[str, str]]) -> Iterator[str]:
    """Yield each command with its purpose as a comment of the shell, in one column unless the command is long."""
    width = max(len(command) for command, _ in steps if len(command) < 50)
    for command, purpose in steps:
        yield f"  {command:{width}}  # {purpose}"


def _find_program(name: str, folder: Path) -> str:
    """Return how a shell in the folder starts a program of this environment: its name, if it is on the path."""
    own = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if not own.exists() or (found is not None and Path(found).resolve() == own.resolve()):
        return name
    return shlex.quote(os.path.relpath(own, folder))


def _find_python(folder: Path) -> str:
    """Return how a shell in the folder starts this Python with its packages."""
    for name in ("python", "python3"):
        found = shutil.which(name)
        # Links are not followed: the same program behind another link has other packages.
        if found is not None and Path(found).absolute().parent == Path(sys.executable).absolute().parent:
            return name
    return shlex.quote(os.path.relpath(sys.executable, folder))
