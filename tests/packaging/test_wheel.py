"""The wheel: one package, `gong_elt`, that works beside a user's packages of any name."""

from __future__ import annotations

import ast
import subprocess
import tarfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import gong_elt
from hatch_build import FOLDERS, move_imports
from pipelines.demo.server.app import SimulatedGong
from tests.packaging.installation import Installation, build, list_files, write_colliding_packages
from tests.support.pages.browser import new_page
from tests.support.pages.notebook import run_notebook
from tests.support.paths import REPOSITORY
from tests.support.workspace import Workspace

IMPORT_EVERY_MODULE = """
import importlib, pkgutil, sys
import gong_elt
names = [m.name for m in pkgutil.walk_packages(gong_elt.__path__, "gong_elt.") if not m.name.endswith("__main__")]
# The wheel does not require the drivers of cloud warehouses.
drivers = {
    "gong_elt.destinations.kinds.bigquery.client": "google.cloud",
    "gong_elt.destinations.kinds.mariadb.client": "pymysql",
}
for name in names:
    if name != "gong_elt.pipelines.analytics.notebook.notebook":
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if name not in drivers or error.name != drivers[name]:
                raise
assert not {"pipelines", "sources", "state", "destinations"} & sys.modules.keys()
print(len(names))
"""


def test_the_wheel_installs_one_package(wheel: Path) -> None:
    """Packages named `pipelines` or `state` in site-packages would replace those of users."""
    files = list_files(wheel)
    assert {name.partition("/")[0] for name in files} == {"gong_elt", "gong_elt-0.1.0.dist-info"}
    assert "gong_elt/py.typed" in files
    tracked = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", *FOLDERS], cwd=REPOSITORY)
    expected = {f"gong_elt/{name}" for name in tracked.decode().splitlines() if (REPOSITORY / name).is_file()}
    added = {"__init__.py", "__main__.py", "py.typed", *(f"{folder}/__init__.py" for folder in FOLDERS)}
    packaged = {name for name in files if name.startswith("gong_elt/")}
    assert packaged == expected - {"gong_elt/sources/gong_pipeline.py"} | {f"gong_elt/{name}" for name in added}


def test_no_module_of_the_wheel_imports_a_root_folder(wheel: Path) -> None:
    """An import that the build has missed would find the user's package, perhaps only inside of a function."""
    for name, content in list_files(wheel).items():
        for node in ast.walk(ast.parse(content)) if name.endswith(".py") else ():
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported = [node.module or ""]
            else:
                continue
            assert not {module.partition(".")[0] for module in imported} & set(FOLDERS), name


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installers that build from source, such as Linux distributions, get what was tested."""
    sdist = build("sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    rebuilt = build("wheel", tmp_path / "wheel", tmp_path / sdist.name.removesuffix(".tar.gz"))
    assert list_files(rebuilt) == list_files(wheel)


def test_every_module_can_be_imported_beside_colliding_packages(
    installation: Installation, colliding_folder: Path
) -> None:
    """The user's own packages of the same names are neither hidden nor imported."""
    printed = installation.run("python", "-c", IMPORT_EVERY_MODULE, folder=colliding_folder)
    assert int(printed) > 100
    program = "from gong_elt import *; from gong_elt import Gong, gong_source; print(Gong.__module__, __version__)"
    printed = installation.run("python", "-c", program, folder=colliding_folder)
    assert printed == "gong_elt.pipelines.ondemand.client 0.1.0\n"


def test_the_command_starts_beside_colliding_packages(installation: Installation, colliding_folder: Path) -> None:
    """The installed command and its module work in a folder with packages of the same names."""
    assert installation.run("gong-elt", "--version", folder=colliding_folder) == "gong-elt 0.1.0\n"
    assert "reconcile" in installation.run("python", "-m", "gong_elt", "--help", folder=colliding_folder)


def test_the_notebook_opens_beside_colliding_packages(
    installation: Installation, gong: SimulatedGong, workspace: Workspace
) -> None:
    """The notebook is a file of the wheel, which marimo runs in the user's folder."""
    workspace.sync()
    assert workspace.run("models", "--json").json["failed"] == []
    write_colliding_packages(workspace.folder)
    command: list[str | Path] = [installation.folder / "bin" / "gong-elt", "notebook"]
    with run_notebook(command, workspace.folder, workspace.environment) as notebook, new_page() as page:
        page.goto(notebook.url)
        page.get_by_role("heading", name="Open deals and their warnings").wait_for(timeout=60_000)


def test_a_warehouse_continues_after_a_change_between_checkout_and_wheel(
    installation: Installation, gong: SimulatedGong, workspace: Workspace
) -> None:
    """Sections of the configuration, names in dlt's state and tables do not depend on the name of the package."""
    write_colliding_packages(workspace.folder)
    workspace.sync()
    sentences = workspace.rows("SELECT * FROM transcript_sentences ORDER BY ALL")
    for command in ("wheel", "checkout"):
        bookmark = workspace.rows("SELECT max(bookmark) FROM _runs")[0][0]
        gong.requests.clear()
        if command == "wheel":
            installation.run("gong-elt", "sync", folder=workspace.folder, environment=workspace.environment)
        else:
            workspace.sync()
        (request,) = [request for request in gong.requests if request.path == "/v2/calls/extensive"]
        since = datetime.fromisoformat(request.body["filter"]["fromDateTime"])
        assert abs(since - (bookmark - timedelta(days=1))) < timedelta(seconds=1), command
        assert workspace.rows("SELECT * FROM transcript_sentences ORDER BY ALL") == sentences
    assert workspace.rows("SELECT count(DISTINCT schema_name) FROM _dlt_version") == [(1,)]
    assert workspace.rows("SELECT count(DISTINCT pipeline_name) FROM _dlt_pipeline_state") == [(1,)]


def test_importing_the_package_is_quick(installation: Installation, tmp_path: Path) -> None:
    """A program that imports `gong_elt` waits for dlt only when it uses the source."""
    program = "import gong_elt, sys; print(sorted({'dlt', 'httpx', 'typer', 'duckdb'} & sys.modules.keys()))"
    assert installation.run("python", "-c", program, folder=tmp_path) == "[]\n"


def test_the_checkout_offers_the_same_names() -> None:
    """Programs and notebooks of developers use the import of the documentation."""
    assert all(getattr(gong_elt, name) is not None for name in gong_elt.__all__)
    assert set(gong_elt.__all__) <= set(dir(gong_elt))
    with pytest.raises(AttributeError, match="no attribute 'Gnog'"):
        _ = gong_elt.Gnog


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from sources.gong import gong_source", "from gong_elt.sources.gong import gong_source"),
        ("if x:\n    from  state import (\n  a)", "if x:\n    from  gong_elt.state import (\n  a)"),
        ("import state.lock", "import gong_elt.state.lock; from gong_elt import state"),
        ("import os, state.lock as lock  # é", "import os; import gong_elt.state.lock as lock  # é"),
        ("é = 1; import pipelines", "é = 1; import gong_elt.pipelines; from gong_elt import pipelines"),
        ("import_module('state.lock')", "import_module('gong_elt.state.lock')"),
        ("importlib.util.find_spec(\"pipelines\")", "importlib.util.find_spec('gong_elt.pipelines')"),
        ('"""Run `python -m pipelines.cli`."""', '"""Run `python -m gong_elt.pipelines.cli`."""'),
    ],
)  # fmt: skip
def test_imports_move_below_the_package(source: str, expected: str) -> None:
    """Each way to import a module of the four folders finds the module of the wheel."""
    assert move_imports(source, "module.py") == expected


@pytest.mark.parametrize(
    "source",
    [
        "from .sources import x",
        "from ..state import y",
        "import sourcesx, state_machine",
        "from statement import z",
        "settings['sources.gong.base_url']",
        "section = ('sources', 'gong')",
        "find_spec('dbt.adapters')",
        "'''from state import lock'''",
        "state.lock()",
    ],
)
def test_everything_else_stays(source: str) -> None:
    """Sections of dlt's configuration look like modules, and must not be renamed."""
    assert move_imports(source, "module.py") == source


def test_a_computed_module_name_fails_the_build() -> None:
    """The build cannot move a name that it cannot read."""
    with pytest.raises(ValueError, match=r"module.py:2: the name of a module to load is not a plain string"):
        move_imports("\nimport_module(f'state.{name}')", "module.py")
