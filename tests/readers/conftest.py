"""A folder for the copy that `--publish` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.readers.copies import COPY
from tests.support.workspace import Workspace


@pytest.fixture
def copy(workspace: Workspace) -> Path:
    """Return the path of the copy, in a folder of its own."""
    file = workspace.folder / COPY
    file.parent.mkdir()
    return file
