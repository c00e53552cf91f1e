"""DuckDB's extensions from Python packages: nothing is downloaded when a command runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ...warehouse import InvalidWarehouseError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def load_extension(connection: DuckDBPyConnection, name: str, extra: str) -> None:
    """Load an extension from its package.

    Args:
        connection: Any connection of the DuckDB instance.
        name: Name of the extension, such as `httpfs`.
        extra: The extra of gong-elt that has the package.

    Raises:
        InvalidWarehouseError: If the package is missing, or is not of the installed version of DuckDB.
        duckdb.Error: If the file cannot be loaded on this machine.
    """
    file = str(_extension_file(name, extra)).replace("'", "''")
    connection.execute(f"LOAD '{file}'")


def _extension_file(name: str, extra: str) -> Path:
    import duckdb  # noqa: PLC0415 - takes 0.1 s, and most commands of a server need it not

    spec = find_spec(f"duckdb_extension_{name}")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for folder in folders:
        file = Path(folder, "extensions", f"v{duckdb.__version__}", f"{name}.duckdb_extension")
        if file.exists():
            return file
    package = f"the package duckdb-extension-{name.replace('_', '-')}"
    problem = "is not installed" if spec is None else f"is not of DuckDB {duckdb.__version__}"
    raise InvalidWarehouseError(f"{package} {problem}: pip install 'gong-elt[{extra}]'")
