"""DuckDB's quack server in this process: other processes read the open file on the loopback interface."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from destinations.kinds.duckdb.extensions import load_extension
from destinations.kinds.duckdb.file import close_file, open_file
from destinations.warehouse import try_once

from ..runtime.errors import UsageError
from .read_guard import CHECK, install_read_guard

# quack generates its session ids with the encryption of httpfs.
_EXTENSIONS = ("httpfs", "quack")


def quack_is_installed() -> bool:
    """Return whether the packages of the extra `serve` are installed."""
    return all(find_spec(f"duckdb_extension_{name}") is not None for name in _EXTENSIONS)


@contextmanager
def serve_file(
    file: Path, token: str, port: int, readable_folder: Path, writable_files: Sequence[str] = ()
) -> Iterator[str]:
    """Serve an open DuckDB file for reading while the block runs; yield its address.

    Args:
        file: A file that this process has open for writing.
        token: What clients must know.
        port: Port on the loopback interface.
        readable_folder: Folder whose files this process loads into the file.
        writable_files: Files that this process writes.

    Raises:
        UsageError: If the port cannot be used.
        InvalidWarehouseError: If the packages are of another version of DuckDB.
    """
    import duckdb  # noqa: PLC0415 - takes 0.1 s

    address = f"quack:127.0.0.1:{port}"
    connection = open_file(file, read_only=False, retry=try_once)
    try:
        try:
            for name in _EXTENSIONS:
                load_extension(connection, name, "serve")
            install_read_guard(connection, readable_folder, writable_files)
            connection.execute(f"SET GLOBAL quack_authorization_function = '{CHECK}'")
            connection.execute("CALL quack_serve(?, token => ?)", [address, token])
        except duckdb.Error as error:
            # The statement and the token are not quoted.
            raise UsageError(f"{file.name} cannot be served at {address}: {_first_line(error)}") from None
        try:
            yield address
        finally:
            connection.execute("CALL quack_stop(?)", [address])
    finally:
        close_file(connection)


def _first_line(error: Exception) -> str:
    return re.sub(r"^\w+(?: \w+)* Error: ", "", str(error).partition("\n")[0])
