"""Stream rows from a file of calls: csv, jsonl or parquet."""

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

from destinations.gong.new_call import NEW_CALL_FIELDS

from ..runtime.errors import UsageError, one_line

_NAMES = {name for field in NEW_CALL_FIELDS for name in (field.name, field.gong_name)}
_ROWS_PER_BATCH = 500
# The CRM context and timeline of a call are long JSON texts; Python's csv module accepts 128 KB by default.
_MAX_CELL_CHARACTERS = 2**24


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file.

    Attributes:
        number: From 1; the header of a csv and empty lines do not count.
        values: Values by column; empty if the row cannot be read.
        fault: Why the row cannot be read.
    """

    number: int
    values: Mapping[str, Any]
    fault: str | None = None


def read_rows(file: Path) -> Iterator[FileRow]:
    """Return an iterator over the rows of a file. Its columns are validated before the first row is read.

    Args:
        file: A file with the suffix .csv, .jsonl, .ndjson or .parquet.

    Raises:
        UsageError: If the file cannot be read, has an unknown column or lacks a required one. While iterating: if it
            cannot be read to its end.
    """
    reader = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".ndjson": _jsonl_rows, ".parquet": _parquet_rows}.get(
        file.suffix.lower()
    )
    if reader is None:
        raise UsageError(f"{file.name}: unknown file type: use .csv, .jsonl or .parquet")
    if not file.is_file():
        raise UsageError(f"file {file} does not exist")
    rows = _report_read_errors(file, reader)
    # The first item, None, follows the validation of the columns.
    next(rows)
    return (row for row in rows if row is not None)


def _report_read_errors(file: Path, reader: Any) -> Iterator[FileRow | None]:
    try:
        yield from reader(file)
    except UnicodeDecodeError as error:
        raise UsageError(f"{file.name} is not UTF-8 text: {error.reason} at byte {error.start:,}") from error
    except (OSError, csv.Error, pa.ArrowException) as error:
        raise UsageError(f"{file.name} cannot be read: {one_line(error)}") from error


def _csv_rows(file: Path) -> Iterator[FileRow | None]:
    csv.field_size_limit(_MAX_CELL_CHARACTERS)
    # Spreadsheets write a byte order mark.
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
                fault = f"has {len(cells)} cells, but the file has {len(columns)} columns"
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
                yield FileRow(number, {}, "is not a JSON object")


def _parquet_rows(file: Path) -> Iterator[FileRow | None]:
    with pq.ParquetFile(file) as parquet:
        _check_columns(file, parquet.schema_arrow.names)
        yield None
        number = 0
        for batch in parquet.iter_batches(batch_size=_ROWS_PER_BATCH):
            for values in batch.to_pylist():
                number += 1
                yield FileRow(number, values)


def _check_columns(file: Path, columns: Sequence[str]) -> None:
    faults = []
    for name in columns:
        if name not in _NAMES:
            near = get_close_matches(name, sorted(_NAMES), 1)
            faults.append(f"{name!r} is not a field of a new call" + (f"; did you mean {near[0]!r}?" if near else ""))
    known = [name for field in NEW_CALL_FIELDS for name in columns if name in (field.name, field.gong_name)]
    fields = [field.name for field in NEW_CALL_FIELDS for name in known if name in (field.name, field.gong_name)]
    faults += [f"{name!r} occurs twice" for name in dict.fromkeys(fields) if fields.count(name) > 1]
    faults += [f"{field.name!r} is missing" for field in NEW_CALL_FIELDS if field.required and field.name not in fields]
    if faults:
        raise UsageError(f"columns of {file.name}: {'; '.join(faults)}")
