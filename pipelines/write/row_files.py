"""Rows out of a file of calls: csv, jsonl or parquet, one after the other, however large it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from destinations.new_call import NEW_CALL_FIELDS

from ..runtime.errors import UsageError

_NAMES = {name for field in NEW_CALL_FIELDS for name in (field.name, field.gongs)}
_ROWS_AT_ONCE = 500
# JSON of a call with its CRM context and timeline is long, and csv's own bound is 128 KB.
_LONGEST_CELL = 2**24


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file.

    Attributes:
        number: From 1; the line of names at the head of a csv does not count, nor do empty lines of a jsonl.
        values: By column; empty where the row cannot be read.
        fault: Why it cannot be read.
    """

    number: int
    values: Mapping[str, Any]
    fault: str | None = None


def file_rows(file: Path) -> Iterator[FileRow]:
    """The rows of a file. What can be said of it as a whole is said at once, before the first row.

    Args:
        file: Its ending tells what it is: .csv, .jsonl (also .ndjson) or .parquet.

    Raises:
        UsageError: It cannot be read, has a column that no call has, or lacks one that every call has. While
            iterating: it breaks off.
    """
    reader = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows, ".parquet": _parquet_rows}.get(
        file.suffix.lower()
    )
    if reader is None:
        raise UsageError(f"{file.name}: rows of calls come as .csv, .jsonl or .parquet")
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")
    rows = _readable(file, reader)
    # The first step checks the columns.
    next(rows)
    return (row for row in rows if row is not None)


def _readable(file: Path, reader: Any) -> Iterator[FileRow | None]:
    try:
        yield from reader(file)
    except UnicodeDecodeError as failure:
        raise UsageError(f"{file.name} is no UTF-8 text: {failure.reason} at byte {failure.start:,}") from failure
    except (OSError, csv.Error, pa.ArrowException) as failure:
        raise UsageError(f"{file.name} cannot be read: {' '.join(str(failure).split())}") from failure


def _csv_rows(file: Path) -> Iterator[FileRow | None]:
    csv.field_size_limit(_LONGEST_CELL)
    # A spreadsheet marks UTF-8 with a byte order mark.
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        columns = next(reader, [])
        _check_columns(file, columns)
        yield None
        number = 0
        for cells in reader:
            if not cells:
                continue
            number += 1
            if len(cells) == len(columns):
                yield FileRow(number, dict(zip(columns, cells, strict=True)))
            else:
                fault = f"has {len(cells)} cells, and the file {len(columns)} columns"
                yield FileRow(number, dict(zip(columns, cells, strict=False)), fault)


def _jsonl_rows(file: Path) -> Iterator[FileRow | None]:
    yield None
    with file.open(encoding="utf-8-sig") as lines:
        number = 0
        for line in lines:
            if not line.strip():
                continue
            number += 1
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                values = None
            if isinstance(values, dict):
                yield FileRow(number, values)
            else:
                yield FileRow(number, {}, "is no JSON object")


def _parquet_rows(file: Path) -> Iterator[FileRow | None]:
    with pq.ParquetFile(file) as parquet:
        _check_columns(file, parquet.schema_arrow.names)
        yield None
        number = 0
        for batch in parquet.iter_batches(batch_size=_ROWS_AT_ONCE):
            for values in batch.to_pylist():
                number += 1
                yield FileRow(number, values)


def _check_columns(file: Path, columns: Sequence[str]) -> None:
    faults = []
    for name in columns:
        if name not in _NAMES:
            near = get_close_matches(name, sorted(_NAMES), 1)
            faults.append(f"{name!r} is no field of a new call" + (f": is it {near[0]!r}?" if near else ""))
    given = [name for field in NEW_CALL_FIELDS for name in columns if name in (field.name, field.gongs)]
    fields = [field.name for field in NEW_CALL_FIELDS for name in given if name in (field.name, field.gongs)]
    faults += [f"{name!r} comes twice" for name in dict.fromkeys(fields) if fields.count(name) > 1]
    faults += [f"{field.name!r} is missing" for field in NEW_CALL_FIELDS if field.required and field.name not in fields]
    if faults:
        raise UsageError(f"columns of {file.name}: {'; '.join(faults)}")
