"""What of Gong's records is shown: private calls and people's names as the connection's settings say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlt.common.typing import TSecretStrValue

from sources.gong.calls.request import PrivateCalls
from sources.gong.calls.transformer import may_be_private
from sources.gong.tables.pseudonyms import Pii, Pseudonymizer, pseudonyms

from .query import one_of

Record = Any
"""A record of Gong's, decoded; an object, unless Gong sends something else."""

_NAMED_AT_MOST = 10


@dataclass(slots=True)
class TruncatedList:
    """Things that are counted, the first ten by name.

    Attributes:
        count: How many there are.
        names: The first of them.
    """

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, names: Iterable[str]) -> None:
        """Counts more of them."""
        for name in names:
            self.count += 1
            if len(self.names) < _NAMED_AT_MOST:
                self.names.append(name)

    def __str__(self) -> str:
        others = self.count - len(self.names)
        return ", ".join(self.names) + (f" and {others:,} more" if others else "")


@dataclass(frozen=True, slots=True)
class Redactor:
    """The settings `private_calls` and `pii`, applied.

    Attributes:
        private_calls: What becomes of private calls.
        pseudonyms: What takes the place of personal values; None keeps them.
    """

    private_calls: PrivateCalls
    pseudonyms: Pseudonymizer | None

    def call(self, record: Record) -> Record | None:
        """A record of POST /v2/calls/extensive; None where nothing of it may be shown."""
        if self.is_hidden(record):
            if self.private_calls == "exclude" or not isinstance(record, Mapping):
                return None
            record = {"metaData": record.get("metaData")}
        return self.of("calls", record)

    def basic_call(self, record: Record) -> Record | None:
        """A record of GET /v2/calls; None where nothing of it may be shown."""
        shown = self.call({"metaData": record})
        return None if shown is None else shown["metaData"]

    def folder_call(self, record: Record) -> Record:
        """An entry of a library folder."""
        return self.of("library", {"calls": [record]})["calls"][0]

    def is_hidden(self, call: Record) -> bool:
        """Whether what a call holds may not be shown, its transcript among it."""
        return self.private_calls != "include" and may_be_private(call)

    def of(self, resource: str, record: Record) -> Record:
        """A record with pseudonyms, if people shall have them."""
        return record if self.pseudonyms is None else self.pseudonyms.of(resource, record)


def redactor_from_settings(
    private_calls: str = "exclude",
    pii: str = "keep",
    pii_key: TSecretStrValue | None = None,
    pii_crm_fields: list[str] | None = None,
) -> Redactor:
    """From the settings of the same names.

    Raises:
        ConfigurationError: A setting cannot be used as it is written.
    """
    hashed = pseudonyms(pii_key, pii_crm_fields) if one_of(pii, Pii, "pii") == "hash" else None
    return Redactor(one_of(private_calls, PrivateCalls, "private_calls"), hashed)
