"""Build hook of the wheel: put the four root folders below one package, `gong_elt`.

In the repository the path of a module is its import: `sources.gong`. In site-packages these names would collide with
packages of users, so the wheel has `gong_elt.sources.gong`, and `gong_elt.py` is its `__init__`. The hook writes every
module with its imports changed; pyproject.toml includes all other files.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "gong_elt"
FOLDERS = ("sources", "destinations", "state", "pipelines")
NOT_IN_WHEEL = {"sources/gong_pipeline.py"}
"""The starter script that `dlt init` copies."""

_MODULE_LOADERS = {"import_module", "__import__", "find_spec", "files", "run_module"}
"""Functions whose first argument names a module."""
_MAIN = f'"""Run `gong-elt` as `python -m {PACKAGE}`."""\n\nfrom {PACKAGE} import main\n\nmain()\n'


class WheelHook(BuildHookInterface[Any]):
    """Adds the modules to the wheel."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the modules to a temporary folder and include it. An editable installation uses the folders."""
        if self.target_name != "wheel" or version == "editable":
            return
        # A folder in the project would become part of the source distribution.
        self._folder = tempfile.TemporaryDirectory(prefix="gong-elt-wheel-")
        write_package(Path(self.root), Path(self._folder.name))
        build_data["force_include"][self._folder.name] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Delete the temporary folder."""
        if self._folder is not None:
            self._folder.cleanup()


def write_package(root: Path, package: Path) -> None:
    """Write the modules of the package `gong_elt`.

    Args:
        root: Root of the repository or of the unpacked source distribution.
        package: Folder of the package.
    """
    modules = {f"{PACKAGE}.py": "__init__.py"}
    for folder in FOLDERS:
        modules |= {name: name for file in (root / folder).rglob("*.py") if (name := _relative(file, root))}
        _write(package / folder / "__init__.py", f'"""The folder `{folder}` of the repository."""\n')
    for name in sorted(modules.keys() - NOT_IN_WHEEL):
        _write(package / modules[name], move_imports((root / name).read_text("utf-8"), name))
    _write(package / "__main__.py", _MAIN)
    # Marks the package as typed (PEP 561).
    _write(package / "py.typed", "")


def move_imports(source: str, name: str) -> str:
    """Return a module whose imports of the four folders are imports below `gong_elt`.

    Relative imports, comments and all other strings stay: names in dlt's configuration such as `sources.gong.base_url`
    look like modules.

    Args:
        source: Text of the module.
        name: Its path, for errors.

    Raises:
        ValueError: If a module is loaded by a name that is not a plain string.
    """
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    text = b"".join(lines)
    for begin, end, replacement in sorted(_edits(ast.parse(source, name), text, starts, name), reverse=True):
        text = text[:begin] + replacement.encode() + text[end:]
    moved = re.sub(rf"(?<=python -m )(?=(?:{'|'.join(FOLDERS)})\.)", f"{PACKAGE}.", text.decode())
    compile(moved, name, "exec")
    return moved


def _edits(tree: ast.Module, text: bytes, starts: list[int], name: str) -> Iterator[tuple[int, int, str]]:
    """Yield the first byte, the last byte and the new text of each part to replace."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(_is_ours(alias.name) for alias in node.names):
            statements = "; ".join(_import_statement(alias) for alias in node.names)
            yield _begin(node, starts), _end(node, starts), statements
        elif isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module or ""):
            begin = text.index((node.module or "").encode(), _begin(node, starts))
            yield begin, begin, f"{PACKAGE}."
        elif isinstance(node, ast.Call) and _function_name(node) in _MODULE_LOADERS and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                if _is_ours(argument.value):
                    moved = repr(f"{PACKAGE}.{argument.value}")
                    yield _begin(argument, starts), _end(argument, starts), moved
            elif _function_name(node) != "files" and not _begins_with_another_name(argument):
                raise ValueError(f"{name}:{node.lineno}: the name of a module to load is not a plain string")


def _import_statement(alias: ast.alias) -> str:
    """Return the import of one module; it binds the same name as before."""
    if not _is_ours(alias.name):
        return f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
    if alias.asname:
        return f"import {PACKAGE}.{alias.name} as {alias.asname}"
    top = alias.name.partition(".")[0]
    return f"import {PACKAGE}.{alias.name}; from {PACKAGE} import {top}"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in FOLDERS


def _begins_with_another_name(argument: ast.expr) -> bool:
    """Return whether an f-string begins with a text that no module of ours begins with."""
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return bool(text) and not any(folder.startswith(text) or text.startswith(folder) for folder in FOLDERS)


def _function_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _begin(node: ast.stmt | ast.expr, starts: list[int]) -> int:
    return starts[node.lineno - 1] + node.col_offset


def _end(node: ast.stmt | ast.expr, starts: list[int]) -> int:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return starts[node.end_lineno - 1] + node.end_col_offset


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
