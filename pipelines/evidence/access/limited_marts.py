"""The marts as a reader may see them: each query reads only the rows that the policy allows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...analytics.marts import LoadedCall, Marts
from ...runtime.errors import UsageError
from .policy import ResolvedPolicy

PREFIX = "_limited_"
"""Start of the names of the common table expressions that stand for marts."""

_WITH = re.compile(r"\s*WITH\s+(?!RECURSIVE\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LimitedMarts(Marts):
    """Marts whose queries see the rows of a policy.

    Attributes:
        policy: The policy.
        columns: Names of the columns of each mart.
    """

    policy: ResolvedPolicy
    columns: Mapping[str, Sequence[str]]

    @property
    def dialect(self) -> str:
        """Name of the warehouse's SQL for sqlglot."""
        return str(self._sql.capabilities.sqlglot_dialect)

    def rows(self, sql: str, *parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Run a query of this program over the marts, and return the rows that the policy allows.

        Args:
            sql: A query with `%s` as placeholder, in which the names of marts follow `schema`.
            parameters: Values of the placeholders, in order.

        Raises:
            UsageError: If the marts are missing or outdated, or the policy withholds one of them.
        """
        names: list[str] = []

        def replace_name(match: re.Match[str]) -> str:
            mart = match[1]
            if mart not in names:
                names.append(mart)
            # Without an alias, the query can name columns by the mart.
            alias = "" if match[2] else f" AS {mart}"
            return f"{PREFIX}{mart}{alias}{match[2] or ''}"

        pattern = re.compile(re.escape(self.schema) + r"\.(\w+)\b(\s+AS\s)?")
        limited = pattern.sub(lambda match: replace_name(match) if self._is_limited(match[1]) else match[0], sql)
        if not names:
            return super(LimitedMarts, self).rows(sql, *parameters)
        tables = ", ".join(f"{PREFIX}{mart} AS ({self.select(mart)})" for mart in names)
        own = _WITH.match(limited)
        text = f"WITH {tables}, {limited[own.end() :]}" if own else f"WITH {tables} {limited}"
        return super(LimitedMarts, self).rows(text, *parameters)

    def select(self, mart: str) -> str:
        """Return the SELECT statement of the rows of a mart that the reader may see.

        Args:
            mart: Name of the mart.

        Raises:
            UsageError: If the marts are missing or outdated, or the policy withholds the mart.
        """
        if reason := self.policy.withheld_reason(mart):
            raise UsageError(f"{mart} is withheld: {reason}")
        if mart not in self.columns:
            raise UsageError(f"dataset {self.dataset} has no {mart}, or it is of an older version: run gong-elt models")
        return self.policy.select(mart, self.columns[mart], self.schema, self.dialect)

    def require_transcripts(self) -> None:
        """Refuse a reader who may not see what people said.

        Raises:
            UsageError: If the policy excludes transcripts.
        """
        if reason := self.policy.withheld_reason("transcript_lines"):
            raise UsageError(reason)

    def read_loaded_call(self, call_id: str) -> LoadedCall | None:
        """Return what the loaded tables have of a call; None if the reader may not know of calls outside the policy."""
        if self.policy.policy.limits_calls:
            return None
        return super(LimitedMarts, self).read_loaded_call(call_id)

    def _is_limited(self, mart: str) -> bool:
        return self.policy.is_limited(mart) or self.policy.withheld_reason(mart) is not None
