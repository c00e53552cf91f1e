"""Install the wheel from the package index into empty environments, on every Python that is here."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.packaging.installation import Installation, create_environment, find_python, run, write_colliding_packages
from tests.packaging.network import ConnectionLog

MINOR_VERSIONS = (11, 12, 13, 14)
PRINT_INDEX = "from pip._internal.models.index import PyPI; print(PyPI.netloc, PyPI.file_storage_domain)"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("minor", MINOR_VERSIONS)
def test_the_wheel_runs_from_an_empty_environment_to_the_report(
    minor: int, wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new user gets a sync from the base wheel and a report with `all`, beside packages of colliding names.

    The installation contacts the package index only, and the commands contact nothing but this machine.
    """
    python = find_python(minor)
    if python is None:
        pytest.skip(f"Python 3.{minor} is not installed")
    create_environment(tmp_path / "venv", python)
    installation = Installation(tmp_path / "venv")
    project = tmp_path / "project"
    write_colliding_packages(project)
    connections = ConnectionLog.create(tmp_path / "hook")
    empty_mb = size_mb(installation)

    base_seconds = install(installation, str(wheel), tmp_path, connections)
    base_mb = size_mb(installation) - empty_mb
    assert_contacts_only_the_index(installation, tmp_path, connections)
    connections.clear()
    variables = connections.variables
    out = installation.run("gong-elt", "demo", "--calls", "60", folder=project, environment=variables)
    assert "gong-elt[models,report,search]" in out

    connections.clear()
    all_seconds = install(installation, f"{wheel}[all]", tmp_path, connections)
    assert_contacts_only_the_index(installation, tmp_path, connections)
    all_mb = size_mb(installation) - empty_mb
    connections.clear()
    installation.run("gong-elt", "demo", "--calls", "60", folder=project, environment=variables)
    assert "</html>" in (project / "demo" / "gong-report.html").read_text()
    installation.run("gong-elt", "search", "price", folder=project / "demo", environment=variables)
    program = "from gong_elt import Gong, gong_source; print(gong_source.__name__)"
    assert installation.run("python", "-c", program, folder=project) == "gong_source\n"
    assert connections.remote_addresses() == set()
    with capsys.disabled():
        print(
            f"\nPython 3.{minor}: wheel {wheel.stat().st_size / 1e6:.2f} MB;"
            f" base {base_seconds:.0f} s, {base_mb:,.0f} MB; with all extras {all_seconds:.0f} s more, {all_mb:,.0f} MB"
        )


def test_a_type_checker_reads_the_types_of_the_wheel(installation: Installation, tmp_path: Path) -> None:
    """Users with mypy get errors for wrong calls, without stubs or ignored imports."""
    (tmp_path / "program.py").write_text(
        "from gong_elt import Gong, gong_source\n\n\ndef load(gong: Gong) -> None:\n    reveal_type(gong.calls())\n"
        "    gong.calls(sinse='2026-01-01')\n    reveal_type(gong_source)\n"
    )
    python = installation.folder / "bin" / "python"
    mypy: list[str | Path] = [Path(sys.executable).parent / "mypy", "--python-executable", python]
    options = ["--strict", "--no-incremental", "--follow-imports=silent", "program.py"]
    out = run([*mypy, *options], tmp_path, code=1)
    assert "Generator[Any, None, None]" in out
    assert 'Unexpected keyword argument "sinse"' in out
    assert "DltSource" in out
    assert "missing library stubs" not in out


def install(installation: Installation, requirement: str, folder: Path, connections: ConnectionLog) -> float:
    """Install a requirement with pip and return the seconds that it took."""
    started_at = time.monotonic()
    variables = {**pip_environment(), **connections.variables}
    installation.run("python", "-m", "pip", "install", "-q", requirement, folder=folder, environment=variables)
    return time.monotonic() - started_at


def assert_contacts_only_the_index(installation: Installation, folder: Path, connections: ConnectionLog) -> None:
    """Assert that pip has contacted only the configured indexes."""
    pip = ("python", "-m", "pip")
    configuration = installation.run(*pip, "config", "list", folder=folder, environment=pip_environment())
    words = [*configuration.replace("'", " ").split(), *pip_environment().values()]
    hosts = {host for word in words if "://" in word and (host := urlsplit(word).hostname)}
    hosts |= set(installation.run("python", "-c", PRINT_INDEX, folder=folder).split())
    # A connection to a number follows the lookup of a name, which is recorded, too.
    names = {address for address in connections.remote_addresses() if not is_number(address)}
    assert names <= hosts


def pip_environment() -> dict[str, str]:
    """Return the variables by which this machine configures pip and its proxy."""
    prefixes = ("PIP_", "HTTP_", "HTTPS_", "http_", "https_", "NO_", "no_", "SSL_", "REQUESTS_")
    return {name: value for name, value in os.environ.items() if name.startswith(prefixes)}


def is_number(address: str) -> bool:
    """Return whether an address is numeric."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def size_mb(installation: Installation) -> float:
    """Return the size of the environment in MB, as `du` reports it."""
    out = subprocess.check_output(["du", "-sk", installation.folder], text=True)
    return int(out.split()[0]) * 1024 / 1e6
