"""The container: an unprivileged user, no secrets, a health check, and nothing of the build in the image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packaging.container import build_image, can_run, list_context, read_instructions
from tests.packaging.installation import find_python
from tests.support.paths import REPOSITORY


def test_the_image_runs_as_an_unprivileged_user() -> None:
    """A fault in a dependency cannot change the image or the machine."""
    user = [argument for instruction, argument in read_instructions() if instruction == "USER"][-1]
    assert int(user.partition(":")[0]) > 1000
    assert [name for name, _ in read_instructions()].index("HEALTHCHECK") > 0


def test_no_secret_enters_the_image() -> None:
    """Keys are given at run time; files beside the code are not part of the build."""
    text = (REPOSITORY / "Dockerfile").read_text()
    set_in_image = [argument for instruction, argument in read_instructions() if instruction in ("ENV", "ARG")]
    assert not re.search(r"SOURCES__|CREDENTIALS|SECRET|TOKEN", " ".join(set_in_image))
    assert "COPY . " not in text
    assert (REPOSITORY / ".dockerignore").read_text().splitlines()[1] == "*"
    assert not {name for name in list_context() if name.startswith(".") or "secret" in name}


@pytest.mark.slow
@pytest.mark.skipif(not can_run(), reason="needs root, unshare and chroot")
def test_the_steps_of_the_image_run_in_an_empty_root(tmp_path: Path) -> None:
    """The image builds, and its user can run the demo to the report, check its health, and change only /data."""
    version = re.search(r"FROM python:3\.(\d+)-slim", (REPOSITORY / "Dockerfile").read_text())
    assert version is not None
    python = find_python(int(version[1]))
    if python is None:
        pytest.skip(f"Python 3.{version[1]} is not installed")
    image = build_image(tmp_path, python)
    for command, expected in (
        ([*image.entrypoint, "--version"], "gong-elt 0.1.0"),
        (image.health_check, "nothing loaded yet"),
        ([*image.entrypoint, "demo", "--calls", "60"], "gong-report.html"),
        (["id", "-u"], "10001"),
        (["python", "-c", "import dlt; from dlt.common.runtime import run_context as r; dlt.pipeline('p');"
                          " print(r.active().runtime_config.dlthub_telemetry)"], "False"),
    ):  # fmt: skip
        process = image.run(command)
        assert process.returncode == 0, process.stdout + process.stderr
        assert expected in process.stdout + process.stderr
    assert (image.root / "data" / "demo" / "gong-report.html").exists()
    assert image.run(["touch", "/opt/gong-elt/file"]).returncode != 0
    assert not (image.root / "build").exists()
