"""A thread that writes the files of Iceberg tables while the lake is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import pyarrow as pa
from pyiceberg.table import Transaction

# Rows in memory that are not written yet: two parts of a large table, or many small tables.
_MAX_ROWS = 1_000_000


class FileWriter:
    """Appends rows to transactions in a thread, in the order in which they are handed over.

    A transaction belongs to the thread from its first rows until `finish` returns.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="gong-elt-iceberg")
        self._pending: deque[tuple[int, Future[None]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for what is being written, and give up the rest."""
        self._executor.shutdown(cancel_futures=True)

    def append(self, transaction: Transaction, rows: pa.Table, properties: Mapping[str, str]) -> None:
        """Write rows, and wait while many others are not written yet.

        Raises:
            Exception: If rows of an earlier call cannot be written.
        """
        self._pending.append((rows.num_rows, self._executor.submit(transaction.append, rows, dict(properties))))
        while sum(size for size, _ in self._pending) >= _MAX_ROWS:
            self._await_first()

    def finish(self) -> None:
        """Wait until all rows are written.

        Raises:
            Exception: If some cannot be written.
        """
        while self._pending:
            self._await_first()

    def _await_first(self) -> None:
        self._pending.popleft()[1].result()
