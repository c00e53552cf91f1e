"""Modules of the repository and their imports, read without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import REPOSITORY

CODE_FOLDERS = ("sources", "destinations", "state", "pipelines")


def list_files(folder: str) -> list[Path]:
    """Return all Python files below a folder of the repository."""
    return sorted((REPOSITORY / folder).rglob("*.py"))


def module_name(file: Path) -> str:
    """Return the dotted name under which a file is imported in the repository."""
    parts = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def list_imports(file: Path) -> Iterator[str]:
    """Yield the dotted name of each module that a file imports, also within functions.

    `from package import name` yields `package.name` if that is a module, else `package`.
    """
    package = module_name(file).split(".") if file.name == "__init__.py" else module_name(file).split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            target = [*parents, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                yield ".".join([*target, alias.name] if _is_module([*target, alias.name]) else target)


def list_top_level_imports(file: Path) -> set[str]:
    """Return the top-level packages that a file imports by absolute names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _is_module(parts: list[str]) -> bool:
    path = REPOSITORY.joinpath(*parts)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
