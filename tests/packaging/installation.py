"""Build the wheel and install it into an empty environment, as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import REPOSITORY

COLLIDING_NAMES = ("pipelines", "sources", "state", "destinations")
"""Packages that a user's project may have; the repository's folders have the same names."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment in which the wheel is installed.

    Attributes:
        folder: The virtual environment.
        variables: Environment variables of its commands, besides PATH and HOME.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def site_packages(self) -> Path:
        """The folder of installed packages."""
        (path,) = self.folder.glob("lib/python*/site-packages")
        return path

    def run(
        self, *command: str | Path, folder: Path, code: int = 0, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a program of the environment and return its standard output.

        Args:
            command: The program and its arguments.
            folder: Its working folder, which is its home folder, too.
            code: The expected exit code.
            environment: More environment variables.
        """
        program, *arguments = map(str, command)
        default = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200"}
        environment = {**default, **self.variables, **(environment or {})}
        return run([self.folder / "bin" / program, *arguments], folder, environment, code)


def run(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None, code: int = 0
) -> str:
    """Run a program, assert its exit code and return its standard output; on another code, return both outputs."""
    process = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == code, f"exit code {process.returncode}\n{process.stdout}\n{process.stderr}"
    return process.stdout if code == 0 else process.stdout + process.stderr


def build(target: str, folder: Path, root: Path = REPOSITORY) -> Path:
    """Build the `wheel` or the `sdist` of a tree and return the file."""
    run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder], root)
    (file,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return file


def create_environment(folder: Path, python: str | Path = sys.executable, *, with_pip: bool = True) -> Path:
    """Create an empty virtual environment and return its folder."""
    run([python, "-m", "venv", *([] if with_pip else ["--without-pip"]), folder], folder.parent)
    return folder


def install_beside_dependencies(wheel: Path, folder: Path) -> Installation:
    """Install the wheel into an environment that finds its dependencies in the development environment.

    Installing the dependencies takes minutes. The repository is not on the path of the environment.
    """
    create_environment(folder, with_pip=False)
    installation = Installation(folder)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python"]
    run([*pip, "install", "-q", "--no-deps", "--no-index", wheel], folder)
    # Only folders of the environment itself have their .pth files read, so that the repository stays unknown.
    dependencies = sysconfig.get_path("purelib")
    (installation.site_packages / "dependencies.pth").write_text(dependencies + "\n", encoding="utf-8")
    return installation


def write_colliding_packages(folder: Path) -> None:
    """Write packages with the names of the repository's folders, which fail when they are imported."""
    for name in COLLIDING_NAMES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f'raise ImportError("the user\'s package {name} was imported")\n')


def list_files(wheel: Path) -> dict[str, bytes]:
    """Return the contents of a wheel by path."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def find_python(minor: int) -> Path | None:
    """Return an interpreter of Python 3.`minor` on the path or of pyenv."""
    if sys.version_info[:2] == (3, minor):
        return Path(sys.base_prefix) / "bin" / f"python3.{minor}"
    if (found := shutil.which(f"python3.{minor}")) and _is_usable(Path(found), minor):
        return Path(found)
    candidates = sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*/bin/python3.{minor}"))
    return candidates[-1] if candidates else None


def _is_usable(python: Path, minor: int) -> bool:
    """Return whether a program is this Python; pyenv puts placeholders for all versions on the path."""
    program = "import sys; print(sys.version_info[1])"
    process = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return process.stdout.strip() == str(minor)
