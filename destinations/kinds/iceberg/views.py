"""SQL files with a view per Iceberg table: together they show one complete load."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyiceberg.io import load_file_io

from ..ducklake.lake import quote_name, quote_text

_LOCAL = "file"
_HEADER = "-- Written by gong-elt with each publication: the tables of snapshot {0} of its lake.\n"


@dataclass(frozen=True, slots=True)
class View:
    """A table at the time of a load.

    Attributes:
        name: Its name.
        snapshot_id: Its snapshot.
        metadata_location: Its metadata file.
    """

    name: str
    snapshot_id: int
    metadata_location: str


@dataclass(frozen=True, slots=True)
class ViewFiles:
    """The files of a dataset.

    Attributes:
        folder: Folder or bucket.
        properties: pyiceberg's properties of the storage.
        catalog: Name of the catalog.
        dataset: Name of its namespace.
    """

    folder: str
    properties: Mapping[str, str]
    catalog: str
    dataset: str

    def are_of(self, number: int) -> bool:
        """Return whether the files were written for this snapshot of the lake."""
        header = _HEADER.format(number).encode()
        return all(self._read(name, len(header)) == header for name in ("duckdb.sql", "spark.sql"))

    def write(self, number: int, views: list[View]) -> None:
        """Replace each file as a whole.

        Raises:
            OSError: If the storage fails.
        """
        for name, lines in (("duckdb.sql", self._duckdb(views)), ("spark.sql", self._spark(views))):
            self._replace(name, (_HEADER.format(number) + "".join(f"{line};\n" for line in lines)).encode())

    def _duckdb(self, views: list[View]) -> Iterator[str]:
        yield "BEGIN TRANSACTION"
        yield f"CREATE SCHEMA IF NOT EXISTS {quote_name(self.dataset)}"
        for view in views:
            name = f"{quote_name(self.dataset)}.{quote_name(view.name)}"
            yield f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM iceberg_scan({quote_text(view.metadata_location)})"
        yield "COMMIT"

    def _spark(self, views: list[View]) -> Iterator[str]:
        for view in views:
            table = f"`{self.catalog}`.`{self.dataset}`.`{view.name}`"
            source = f"SELECT * FROM {table} VERSION AS OF {view.snapshot_id}"
            yield f"CREATE OR REPLACE TEMPORARY VIEW `{view.name}` AS {source}"

    def _read(self, name: str, size: int) -> bytes:
        """Return the first bytes of a file; none if it does not exist."""
        location = f"{self.folder}/{name}"
        file = load_file_io(dict(self.properties), location).new_input(location)
        if not file.exists():
            return b""
        with file.open() as stream:
            return stream.read(size)

    def _replace(self, name: str, content: bytes) -> None:
        location = f"{self.folder}/{name}"
        url = urlsplit(location)
        if url.scheme != _LOCAL:
            with load_file_io(dict(self.properties), location).new_output(location).create(overwrite=True) as stream:
                stream.write(content)
            return
        path = Path(unquote(url.path))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(path)
