"""The notebook for analysts: its cells run over real marts, and `gong-elt notebook` serves it on loopback."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.gong_api import Json
from tests.support.pages.browser import new_page
from tests.support.pages.notebook import run_notebook
from tests.support.paths import REPOSITORY
from tests.support.workspace import COMMAND, Workspace

NOTEBOOK = REPOSITORY / "pipelines" / "analytics" / "notebook" / "notebook.py"

# Runs all cells, as `marimo run` does, and prints what they define.
_RUN_CELLS = """
import json
from pipelines.analytics.notebook.notebook import app
outputs, variables = app.run()
names = ("totals", "by_week", "by_host", "deals", "accounts", "competitors", "quotes", "sentences")
charts = ("calls_chart", "talk_ratio_chart", "hosts_chart")
print(json.dumps({
    "outputs": [str(getattr(output, "text", "")) for output in outputs],
    **{name: variables[name] for name in names if name in variables},
    **{name: variables[name].to_dict() for name in charts if name in variables},
}, default=str))
"""


def _run_cells(place: Workspace, **environment: str) -> Json:
    """Run the notebook and return the texts of its outputs, the rows of its tables, and its charts."""
    process = subprocess.run(
        [sys.executable, "-c", _RUN_CELLS],
        cwd=place.folder,
        env=place.environment | {"PYTHONPATH": str(REPOSITORY)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    printed: Json = json.loads(process.stdout)
    return printed


@pytest.mark.parametrize("warehouse", ["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def test_cells_show_the_figures_of_the_warehouse(request: pytest.FixtureRequest, warehouse: str) -> None:
    """All cells run in every warehouse, and the tables have the rows of SQL: of external calls of 90 days."""
    place: Workspace = request.getfixturevalue(f"{warehouse}_marts")
    shown = _run_cells(place, GONG_ELT__DESTINATION=warehouse)

    marts, since = "gong_analytics", (datetime.now(UTC) - timedelta(days=90)).isoformat()
    chosen = f"FROM {marts}.calls_enriched WHERE is_external AND started >= '{since}'"
    ((calls, sentences, hosts, deals, accounts, competitors, quotes),) = place.rows(
        f"""
        SELECT (SELECT count(*) {chosen}),
            (SELECT count(*) FROM {marts}.transcript_lines
                WHERE lower(text) LIKE '%price%' AND call_id IN (SELECT call_id {chosen})),
            (SELECT count(DISTINCT host_user_id) {chosen}),
            (SELECT count(*) FROM {marts}.deal_risks), (SELECT count(*) FROM {marts}.accounts),
            (SELECT count(*) FROM {marts}.competitor_outcomes),
            (SELECT count(*) FROM {marts}.customer_quotes
                WHERE tracker_names IS NOT NULL AND call_id IN (SELECT call_id {chosen}))
        """
    )
    assert shown["totals"]["calls"] == calls == sum(row["calls"] for row in shown["by_week"]) > 0
    assert sum(row["calls"] for row in shown["by_host"]) == calls
    assert len(shown["by_host"]) == hosts
    assert len(shown["sentences"]) == min(sentences, 500) > 0
    assert (len(shown["deals"]), len(shown["accounts"])) == (deals, accounts)
    assert (len(shown["competitors"]), len(shown["quotes"])) == (competitors, min(quotes, 200))
    assert min(deals, accounts, competitors, quotes) > 0


def test_figures_can_be_read(duckdb_marts: Workspace) -> None:
    """Weeks are written level, the talk ratio is drawn beside Gong's range, and cells have few digits."""
    shown = _run_cells(duckdb_marts)

    axis = shown["calls_chart"]["encoding"]["x"]
    assert axis["field"] == "week"
    assert axis["axis"]["labelAngle"] == 0
    assert re.search(r"%d %b", axis["axis"]["labelExpr"])
    drawn, limit = shown["talk_ratio_chart"]["layer"]
    assert drawn["encoding"]["y"]["field"] == "talk_ratio"
    assert limit["data"]["values"] == [{"ratio": 0.65}]
    assert len(shown["hosts_chart"]["layer"][0]["data"]["values"]) <= 15
    assert "color" not in shown["calls_chart"]["encoding"]


def test_a_missing_warehouse_shows_the_remedy(workspace: Workspace) -> None:
    """Without marts the notebook stops and names the command to run."""
    shown = _run_cells(workspace)
    assert "totals" not in shown
    assert any("run gong-elt sync" in output for output in shown["outputs"])


def test_the_command_serves_the_notebook_until_a_signal(duckdb_marts: Workspace) -> None:
    """It listens on loopback, responds only with its token, and leaves the warehouse free for other commands."""
    with run_notebook([COMMAND, "notebook"], duckdb_marts.folder, duckdb_marts.environment) as notebook:
        assert "Gong calls" in notebook.read_page()
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"http://127.0.0.1:{notebook.port}/api/status", timeout=30)
        assert duckdb_marts.run("models", "--select", "all_days").code == 0
        assert duckdb_marts.run("notebook", "--no-browser", "--port", str(notebook.port)).code == 2

        assert notebook.end(signal.SIGINT) == (0, "the notebook has ended\n", "")
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", notebook.port)) != 0


def test_a_copy_can_be_changed(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """`--edit` copies the notebook once, serves the copy, and keeps changes."""
    copy = tmp_path / "my.py"
    command: list[str | Path] = [COMMAND, "notebook", "--edit", copy]
    with run_notebook(command, duckdb_marts.folder, duckdb_marts.environment) as notebook:
        assert copy.read_text("utf-8") == NOTEBOOK.read_text("utf-8")
        assert "my.py" in notebook.read_page()
        assert notebook.end(signal.SIGTERM)[0] == 0
    copy.write_text(copy.read_text("utf-8").replace("# Gong calls", "# My calls"), encoding="utf-8")
    with run_notebook(command, duckdb_marts.folder, duckdb_marts.environment):
        assert "# My calls" in copy.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "0"), "--port 0 is invalid"),
        (("--edit", "notebook.txt"), "--edit notebook.txt is invalid"),
        (("--edit", "no/such/folder/notebook.py"), "--edit 'no/such/folder/notebook.py' cannot be written"),
        (("--analytics", "elsewhere"), "run gong-elt models"),
    ],
)
def test_an_invalid_option_of_the_notebook_is_one_line(
    duckdb_marts: Workspace, arguments: tuple[str, ...], message: str
) -> None:
    """Usage errors end with exit code 2 and one line before anything is served."""
    ended = duckdb_marts.run("notebook", "--no-browser", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
    assert message in ended.err


def test_without_marimo_the_extra_is_named(duckdb_marts: Workspace, tmp_path: Path) -> None:
    """The packages of the notebook are optional."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['marimo'] = None\n")
    process = subprocess.run(
        [COMMAND, "notebook"],
        cwd=duckdb_marts.folder,
        env=duckdb_marts.environment | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    line = "gong-elt: marimo is not installed: pip install 'gong-elt[notebook]'\n"
    assert (process.returncode, process.stdout, process.stderr) == (2, "", line)


@pytest.mark.slow
def test_the_notebook_in_the_browser(duckdb_marts: Workspace) -> None:
    """Calls and moments are links, texts of customers are not HTML, and nothing comes from the network."""
    with (
        run_notebook([COMMAND, "notebook"], duckdb_marts.folder, duckdb_marts.environment) as notebook,
        new_page(size=(1280, 6000)) as page,
    ):
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(notebook.url)
        page.get_by_text("Sentences that contain").wait_for(timeout=60_000)
        page.locator("td a[href*='highlights=']").first.wait_for(timeout=60_000)
        page.wait_for_timeout(2_000)

        assert page.get_by_role("heading", name="Open deals and their warnings").count() == 1
        assert page.locator("td a[href^='https://']").count() > 20
        assert page.evaluate("typeof struck") == "undefined"
        assert page.locator("td img").count() == 0
        assert not re.search(r"\d\.\d{6}|\d{2}:\d{2}:\d{2}\.\d", page.inner_text("body"))
        assert errors == []
        assert {request.split("/")[2] for request in requests if request.startswith("http")} == {
            f"127.0.0.1:{notebook.port}"
        }
