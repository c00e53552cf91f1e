"""One report of the hostile company, which tests open in several ways."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gong_api import Json
from tests.support.pages.report import write_report
from tests.support.workspace import Workspace


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report.

    Attributes:
        file: The file.
        printed: Output of `gong-elt report --json`.
    """

    file: Path
    printed: Json


@pytest.fixture(scope="session")
def written_report(duckdb_marts: Workspace, tmp_path_factory: pytest.TempPathFactory) -> WrittenReport:
    """Write the report of all teams, in which most open deals are silent."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    return WrittenReport(file, write_report(duckdb_marts, file, "--silent-days", "1"))
