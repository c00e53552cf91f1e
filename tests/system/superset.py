"""Import the bundle of `gong-elt superset` into a real Superset and open the dashboard in Chromium: `make superset`.

By default the marts are in a DuckDB file; an argument `ducklake` or `ducklake-postgres` names a lake.

Exits with 1 if a chart has an error or a figure differs from the warehouse. Superset runs from the virtual environment
`.superset`, which the Makefile creates.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time as clock
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page

from pipelines.analytics.superset.dashboard import TABS
from pipelines.demo.company.company import build_company
from pipelines.demo.server.app import SimulatedGong
from tests.support.marts import build_models, sync_company
from tests.support.pages.browser import new_page
from tests.support.paths import REPOSITORY
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.ports import find_free_ports
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace

_SUPERSET = REPOSITORY / ".superset" / "bin" / "superset"
_PICTURE = REPOSITORY / "docs" / "pictures" / "superset.png"
_SIZE = (1400, 1640)
_DAYS = 90
_CONFIGURATION = """
SECRET_KEY = "only for a check on loopback, forty letters long"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = False
"""


def main() -> int:
    """Build the bundle, import it twice, check the dashboard, and return the exit code."""
    kind = sys.argv[1] if sys.argv[1:] else "duckdb"
    with tempfile.TemporaryDirectory(prefix="gong-elt-superset-") as name, ExitStack() as servers:
        folder = Path(name)
        empty = _build_workspace(kind, folder, servers)
        with sync_company(empty, SimulatedGong(build_company(calls=600, until=datetime.now(UTC)))) as workspace:
            build_models(workspace)
        assert workspace.run("superset").code == 0
        environment = _environment(folder)
        for command in (
            ["db", "upgrade"],
            ["fab", "create-admin", *_admin_options()],
            ["init"],
            ["import-dashboards", "--path", str(folder / "gong-superset.zip"), "--username", "admin"],
            # Over an earlier dashboard, only this command replaces the charts and datasets, too.
            ["import-directory", str(_extract(folder / "gong-superset.zip")), "--overwrite"],
        ):
            _run_superset(command, environment, folder)
        with _superset_server(environment, folder) as url, new_page(size=_SIZE) as page:
            return _check_dashboard(page, url, workspace, None if empty.other_warehouse else _PICTURE)


def _build_workspace(kind: str, folder: Path, servers: ExitStack) -> Workspace:
    if kind == "duckdb":
        return Workspace(folder)
    database = servers.enter_context(postgres_server()).create_database() if kind == "ducklake-postgres" else None
    lake = DuckLakeConnection(folder, database)
    lake.prepare_reader(folder)
    return Workspace(folder, other_warehouse=lake)


def _extract(bundle: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(bundle.parent)
    return bundle.parent / "gong-elt"


def _check_dashboard(page: Page, url: str, workspace: Workspace, picture: Path | None) -> int:
    page.goto(f"{url}/login/")
    page.fill("input#username", "admin")
    page.fill("input#password", "admin")
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome/**")
    page.goto(f"{url}/superset/dashboard/gong-calls/")
    errors: list[str] = []
    figures: list[str] = []
    for tab, rows in TABS.items():
        charts = [chart.title for row in rows for chart in row]
        page.get_by_role("tab", name=tab).click()
        texts = _read_charts(page, len(charts))
        errors += [text for text in texts if "error" in text.lower()]
        figures = figures or texts
        if picture is not None:
            page.screenshot(path=picture)
            picture = None
        links = page.locator(".slice_container:visible td a[href^='https://']").count()
        print(f"{tab}: {len(texts)} charts with {links} links to Gong")
    # Superset's period begins at midnight.
    since = datetime.combine(datetime.now(UTC).date() - timedelta(days=_DAYS), time(), UTC)
    ((calls,),) = workspace.rows(
        f"SELECT count(*) FROM gong_analytics.calls_enriched WHERE is_external AND started >= '{since.isoformat()}'"
    )
    print(f"{len(errors)} charts with an error; Calls shows {figures[0]!r}, the warehouse has {calls} external calls")
    return 0 if not errors and figures[0].strip() == str(calls) else 1


def _read_charts(page: Page, count: int) -> list[str]:
    """Return the texts of the charts of the open tab, as soon as all are drawn."""
    containers = page.locator(".slice_container:visible")
    for _ in range(60):
        page.wait_for_timeout(1_000)
        if containers.count() == count and page.locator("[data-test=loading-indicator], .loading").count() == 0:
            break
    page.wait_for_timeout(2_000)
    return containers.all_inner_texts()


def _environment(folder: Path) -> dict[str, str]:
    configuration = folder / "superset_config.py"
    configuration.write_text(_CONFIGURATION.format(folder=folder))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FLASK_APP": "superset",
        "SUPERSET_CONFIG_PATH": str(configuration),
    }


def _admin_options() -> list[str]:
    values = {"username": "admin", "password": "admin", "firstname": "A", "lastname": "B", "email": "a@b.example"}
    return [word for name, value in values.items() for word in (f"--{name}", value)]


def _run_superset(command: list[str], environment: Mapping[str, str], folder: Path) -> None:
    process = subprocess.run(
        [str(_SUPERSET), *command], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if process.returncode:
        sys.exit(f"superset {command[0]} failed:\n{process.stdout[-3_000:]}\n{process.stderr[-3_000:]}")


@contextmanager
def _superset_server(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    (port,) = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [str(_SUPERSET), "run", "-p", str(port)], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            for _ in range(120):
                try:
                    urlopen(f"{url}/health", timeout=5).close()
                    break
                except (URLError, ConnectionError):
                    clock.sleep(1)
            yield url
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
