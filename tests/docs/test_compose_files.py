"""The Compose files and the settings beside them: valid, pinned, without secrets, and they open a warehouse."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong
from tests.support.paths import REPOSITORY
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.s3 import ACCESS_KEY, SECRET_KEY, s3_server
from tests.support.workspace import Workspace

_FOLDER = REPOSITORY / "docs" / "how-to" / "compose"
_SETUPS = sorted(folder.name for folder in _FOLDER.iterdir())
_PASSWORD = "pw-of-the-compose-test"
_PLACEHOLDER = "..."
# The lakes are loaded by `make test-ducklake` and `make test-iceberg`.
_MARKS = {"postgres": [], "ducklake": ["ducklake"], "iceberg": ["iceberg"], "iceberg-rest": ["iceberg"]}


def read_compose(setup: str) -> dict[str, Any]:
    """Return the content of a Compose file."""
    content: dict[str, Any] = yaml.safe_load((_FOLDER / setup / "compose.yaml").read_text("utf-8"))
    return content


def list_settings(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings of a TOML file with their values."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from list_settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@pytest.mark.parametrize("setup", _SETUPS)
def test_images_are_pinned_and_servers_are_awaited(setup: str) -> None:
    """A later image cannot break a set-up, and gong-elt starts when all servers are ready."""
    services = read_compose(setup)["services"]
    for name, service in services.items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        if "entrypoint" not in service and "build" not in service:
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["restart"] == "unless-stopped"
    awaited = {condition["condition"] for condition in services["gong-elt"]["depends_on"].values()}
    assert awaited <= {"service_healthy", "service_completed_successfully"}
    assert (_FOLDER / setup / services["gong-elt"]["build"]["context"]).resolve() == REPOSITORY


@pytest.mark.parametrize("setup", _SETUPS)
def test_mounted_files_exist_and_have_no_secrets(setup: str) -> None:
    """Passwords and keys are placeholders, or variables that are required."""
    services = read_compose(setup)["services"]
    mounts = [mount for service in services.values() for mount in service.get("volumes", ()) if mount[0] == "."]
    assert [mount for mount in mounts if not (_FOLDER / setup / mount.partition(":")[0]).is_file()] == []
    variables = [variable for service in services.values() for variable in service.get("environment", {}).items()]
    passwords = [value for name, value in variables if "PASSWORD" in name]
    assert [value for value in passwords if not value.startswith("${POSTGRES_PASSWORD:?")] == []
    for name, value in list_settings(tomllib.loads((_FOLDER / setup / "secrets.toml").read_text("utf-8"))):
        if re.search(r"secret|access_key$|token|password", name):
            assert value == _PLACEHOLDER, name
        assert not re.search(r"//\w+:\w+@", str(value)), name


@pytest.mark.parametrize("setup", _SETUPS)
def test_every_setting_exists(setup: str) -> None:
    """The names are those of the generated reference."""
    documented = set(re.findall(r"^\| `([\w.]+)`", (REPOSITORY / "docs/reference/settings.md").read_text(), re.M))
    settings = tomllib.loads((_FOLDER / setup / "secrets.toml").read_text("utf-8"))
    # The page names those of a section without the section.
    names = [re.sub(r"^(sources\.gong|gong_elt)\.", "", name) for name, _ in list_settings(settings)]
    # Those of Iceberg are the settings of a lake, and properties of pyiceberg.
    names = [name.replace(".iceberg.credentials.", ".ducklake.credentials.") for name in names]
    names = [re.sub(r"^(destination\.iceberg\.catalog)\..*", r"\1", name) for name in names]
    assert [name for name in names if name not in documented] == []


@pytest.mark.parametrize("setup", _SETUPS)
def test_compose_accepts_the_file(setup: str) -> None:
    """The parser of Docker Compose knows every key."""
    if (program := shutil.which("docker-compose")) is None:
        pytest.skip("docker-compose is not installed: apt-get install docker-compose")
    command = [program, "--profile", "run", "config", "--quiet"]
    environment = {"PATH": os.environ["PATH"], "POSTGRES_PASSWORD": _PASSWORD}
    parsed = subprocess.run(
        command, cwd=_FOLDER / setup, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert parsed.returncode == 0, parsed.stderr


@pytest.fixture
def gong() -> Iterator[tuple[SimulatedGong, str]]:
    """Serve a small company; return it with its URL."""
    company = build_recent_gong(calls=10)
    with serve(company.app) as url:
        yield company, url


@pytest.mark.parametrize(
    "setup",
    [pytest.param(setup, marks=[getattr(pytest.mark, mark) for mark in _MARKS[setup]]) for setup in _SETUPS],
)
def test_the_settings_open_a_warehouse(
    setup: str, gong: tuple[SimulatedGong, str], tmp_path: Path, postgres: PostgresServer
) -> None:
    """With the addresses and keys of servers that run here, `check` finds no fault and `sync` loads."""
    workspace = Workspace(tmp_path, settings={"PGPASSWORD": _PASSWORD})
    role = f"loader_{setup.replace('-', '_')}"
    postgres.create_role(role, _PASSWORD)
    database = postgres.create_database().rpartition("/")[2]
    text = (_FOLDER / setup / "secrets.toml").read_text("utf-8")
    text = text.replace("https://us-12345.api.gong.io", gong[1])
    text = text.replace('access_key = "..."', 'access_key = "demo"', 1)
    text = text.replace('access_key_secret = "..."', 'access_key_secret = "demo-secret"', 1)
    text = re.sub(r"loader@postgres:5432/\w+", f"{role}@127.0.0.1:{postgres.port}/{database}", text)
    if "seaweedfs" not in text:
        _check_and_sync(workspace, text)
        return
    (destination,) = tomllib.loads(text)["destination"].values()
    bucket = destination["credentials"]["storage"]["bucket_url"].removeprefix("s3://").partition("/")[0]
    table_bucket = destination.get("catalog", {}).get("warehouse", "").removeprefix("s3://") or None
    (tmp_path / "s3").mkdir()
    with s3_server(tmp_path / "s3", bucket, table_bucket) as s3:
        text = text.replace("http://seaweedfs:8333", s3["AWS_ENDPOINT_URL"])
        text = text.replace("http://seaweedfs:8181", s3.get("ICEBERG_REST_URL", ""))
        text = text.replace('"gong-elt"', f'"{ACCESS_KEY}"').replace(f'"{_PLACEHOLDER}"', f'"{SECRET_KEY}"')
        _check_and_sync(workspace, text)


def _check_and_sync(workspace: Workspace, secrets: str) -> None:
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "secrets.toml").write_text(secrets)
    check = workspace.run("check", "--json")
    assert check.code == 0, check.out + check.err
    assert workspace.sync()["calls"] > 0
