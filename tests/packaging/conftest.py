"""Fixtures: the wheel, and an environment in which it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.installation import Installation, build, install_beside_dependencies, write_colliding_packages


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the repository."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Install the wheel; its dependencies are those of the development environment."""
    return install_beside_dependencies(wheel, tmp_path_factory.mktemp("installation") / "venv")


@pytest.fixture
def colliding_folder(tmp_path: Path) -> Path:
    """Return a folder with packages named pipelines, sources, state and destinations."""
    folder = tmp_path / "project"
    write_colliding_packages(folder)
    return folder
