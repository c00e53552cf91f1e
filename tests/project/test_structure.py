"""The layout of the repository: sizes of folders and files, packages, docstrings, names of test modules."""

from __future__ import annotations

import ast
import re
from collections import Counter
from itertools import chain
from pathlib import Path

from tests.project.modules import CODE_FOLDERS, list_files
from tests.support.paths import REPOSITORY

MAX_MODULES_PER_FOLDER = 10
MAX_LINES_PER_FILE = 400

FILES = sorted(chain.from_iterable(map(list_files, (*CODE_FOLDERS, "tests", "docs"))))


def test_no_folder_has_more_than_ten_modules() -> None:
    """A folder is a subject that fits on one screen; `__init__` and `__main__` are not counted."""
    counts = Counter(_relative(file.parent) for file in FILES if file.name not in ("__init__.py", "__main__.py"))
    large = {folder for folder, count in counts.items() if count > MAX_MODULES_PER_FOLDER}
    assert large == set()


def test_no_file_has_more_than_400_lines() -> None:
    """A longer file has more than one job."""
    long = {_relative(file) for file in FILES if len(file.read_text("utf-8").splitlines()) > MAX_LINES_PER_FILE}
    assert long == set()


def test_every_file_states_its_job_in_its_first_line() -> None:
    """The tree is the map of the code, so each module needs a docstring."""
    assert [_relative(file) for file in FILES if not _first_docstring_line(file)] == []


def test_root_folders_are_namespaces() -> None:
    """A package `state` or `pipelines` in site-packages would hide users' own packages."""
    assert [folder for folder in CODE_FOLDERS if (REPOSITORY / folder / "__init__.py").exists()] == []


def test_every_package_below_the_root_folders_has_an_init_with_one_line() -> None:
    """`__init__` names the package's subject; its code is in modules."""
    folders = {file.parent for folder in CODE_FOLDERS for file in list_files(folder)}
    packages = {folder for folder in folders if folder.parent != REPOSITORY}
    assert [
        _relative(package) for package in sorted(packages) if not _first_docstring_line(package / "__init__.py")
    ] == []


def test_every_test_states_what_it_protects() -> None:
    """A failed test is understood from its name and its docstring, without reading its body."""
    assert [
        f"{_relative(file)}::{node.name}"
        for file in FILES
        if file.name.startswith("test_")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if not ast.get_docstring(node)
    ] == []


def test_names_of_test_modules_are_unique() -> None:
    """Documents refer to a test as `test_module.py::test_name`, without its folder."""
    counts = Counter(file.name for file in FILES if file.name.startswith("test_"))
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_file_names_a_package_registry() -> None:
    """The repository works with any registry, and no lock file contains the URLs of one."""
    hosts = re.compile(r"(?:files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian)", re.IGNORECASE)
    patterns = ("*.txt", "*.toml", "Makefile", ".ci/*", "*.md")
    files = [file for pattern in patterns for file in REPOSITORY.glob(pattern)]
    assert [_relative(file) for file in files if hosts.search(file.read_text("utf-8"))] == []
    assert not list(REPOSITORY.glob("*.lock"))


def _relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def _first_docstring_line(file: Path) -> str:
    """Return the first line of a module's docstring, or "" if the file or its docstring is missing."""
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) if file.exists() else None
    return (docstring or "").partition("\n")[0]
