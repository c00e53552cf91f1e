"""Imports the bundle of `gong-elt superset` into a real Superset and opens the dashboard in Chromium: `make superset`.

Says what it saw; ends with 1 where a chart has an error or a figure differs from the warehouse's. Superset is that of
the environment `.superset`, which the Makefile makes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page

from pipelines.analytics.superset.dashboard import ROWS
from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from tests.support.browser import new_page
from tests.support.marts import build_models, sync_company
from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace

_SUPERSET = REPOSITORY / ".superset" / "bin" / "superset"
_PICTURE = REPOSITORY / "docs" / "pictures" / "superset.png"
_SIZE = (1400, 2600)
_CONFIGURATION = """
SECRET_KEY = "only for a check on loopback, forty letters long"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = False
"""


def main() -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory(prefix="gong-elt-superset-") as made:
        folder = Path(made)
        with sync_company(Workspace(folder), SimulatedGong(build_company(calls=600, until=datetime.now(UTC)))) as place:
            build_models(place)
        assert place.run("superset").code == 0
        environment = _environment(folder)
        for command in (
            ["db", "upgrade"],
            ["fab", "create-admin", *_admin()],
            ["init"],
            ["import-dashboards", "--path", str(folder / "gong-superset.zip"), "--username", "admin"],
            # A second import takes the place of the first.
            ["import-dashboards", "--path", str(folder / "gong-superset.zip"), "--username", "admin"],
        ):
            _superset(command, environment, folder)
        with _served(environment, folder) as address, new_page(size=_SIZE) as page:
            return _looked_at(page, address, place)


def _looked_at(page: Page, address: str, place: Workspace) -> int:
    page.goto(f"{address}/login/")
    page.fill("input#username", "admin")
    page.fill("input#password", "admin")
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome/**")
    page.goto(f"{address}/superset/dashboard/gong-calls/")
    charts = [chart.title for row in ROWS for chart in row]
    drawn = page.locator(".slice_container")
    page.wait_for_function(
        f"document.querySelectorAll('.slice_container').length === {len(charts)}"
        " && document.querySelectorAll('[data-test=loading-indicator], .loading').length === 0"
    )
    page.wait_for_timeout(3_000)
    page.screenshot(path=_PICTURE)
    mistakes = [text for text in drawn.all_inner_texts() if "error" in text.lower()]
    ((calls,),) = place.rows("SELECT count(*) FROM gong_analytics.calls_enriched")
    shown = drawn.nth(charts.index("Calls")).inner_text()
    print(f"{drawn.count()} charts, {len(mistakes)} with an error; Calls shows {shown!r}, the warehouse has {calls}")
    return 0 if not mistakes and drawn.count() == len(charts) and str(calls) in shown else 1


def _environment(folder: Path) -> dict[str, str]:
    configuration = folder / "superset_config.py"
    configuration.write_text(_CONFIGURATION.format(folder=folder))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FLASK_APP": "superset",
        "SUPERSET_CONFIG_PATH": str(configuration),
    }


def _admin() -> list[str]:
    named = {"username": "admin", "password": "admin", "firstname": "A", "lastname": "B", "email": "a@b.example"}
    return [word for name, value in named.items() for word in (f"--{name}", value)]


def _superset(command: list[str], environment: Mapping[str, str], folder: Path) -> None:
    done = subprocess.run(
        [str(_SUPERSET), *command], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"superset {command[0]} failed:\n{done.stdout[-3_000:]}\n{done.stderr[-3_000:]}")


@contextmanager
def _served(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [str(_SUPERSET), "run", "-p", str(port)], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            for _ in range(120):
                try:
                    urlopen(f"{address}/health", timeout=5).close()
                    break
                except (URLError, ConnectionError):
                    time.sleep(1)
            yield address
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
