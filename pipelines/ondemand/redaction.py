"""Apply `private_calls` and `pii` to records returned on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sources.gong.calls.transformer import may_be_private
from sources.gong.resources import pseudonymizer_from_settings
from sources.gong.settings import GongSettings, PrivateCalls
from sources.gong.tables.pseudonyms import Pseudonymizer

Record = Any
"""A decoded record of Gong: an object, unless Gong sends invalid data."""

_MAX_NAMES = 10


@dataclass(slots=True)
class TruncatedList:
    """A list that counts all its names and keeps the first ten.

    Attributes:
        count: Number of names added.
        names: The first ten.
    """

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, names: Iterable[str]) -> None:
        """Count names, and keep them while there is room."""
        for name in names:
            self.count += 1
            if len(self.names) < _MAX_NAMES:
                self.names.append(name)

    def __str__(self) -> str:
        others = self.count - len(self.names)
        return ", ".join(self.names) + (f" and {others:,} more" if others else "")


@dataclass(frozen=True, slots=True)
class Redactor:
    """Removes private calls, and replaces personal values with pseudonyms.

    Attributes:
        private_calls: The setting of the same name.
        pseudonyms: Replaces personal values; None keeps them.
    """

    private_calls: PrivateCalls
    pseudonyms: Pseudonymizer | None

    def redact_call(self, record: Record) -> Record | None:
        """Return a record of POST /v2/calls/extensive without what is hidden; None if all of it is."""
        if self.is_hidden(record):
            if self.private_calls == "exclude" or not isinstance(record, Mapping):
                return None
            record = {"metaData": record.get("metaData")}
        return self.redact("calls", record)

    def redact_basic_call(self, record: Record) -> Record | None:
        """Return a record of GET /v2/calls without what is hidden; None if all of it is."""
        call = self.redact_call({"metaData": record})
        return None if call is None else call["metaData"]

    def redact_folder_call(self, record: Record) -> Record:
        """Return a record of GET /v2/library/folder-content with pseudonyms, if they are configured."""
        return self.redact("library", {"calls": [record]})["calls"][0]

    def is_hidden(self, call: Record) -> bool:
        """Return whether the content and the transcript of a call are hidden because it is private."""
        return self.private_calls != "include" and may_be_private(call)

    def redact(self, resource: str, record: Record) -> Record:
        """Return a record of a resource with pseudonyms, if they are configured."""
        return record if self.pseudonyms is None else self.pseudonyms.apply(resource, record)


def redactor_from_settings(settings: GongSettings) -> Redactor:
    """Return the redactor for a connection's settings.

    Raises:
        ConfigurationError: If `pii_key` is missing or too short.
    """
    return Redactor(settings.private_calls, pseudonymizer_from_settings(settings))
