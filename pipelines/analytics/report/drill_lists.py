"""Compact columns of the lists of calls and deals in the page.

Texts are stored once with a number per row, URLs as templates into which the page puts the call's id and the times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .section import DrillList

# A number in a URL's query. Ids of calls have more digits than JavaScript's integers, and are put in separately.
_NUMBER = re.compile(r"(?<=%3A)[0-9]{1,15}(?=[^0-9]|$)")


@dataclass(slots=True)
class _Dictionary:
    """Distinct values, and the number of each."""

    values: list[Any] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)

    def add(self, value: Any) -> int:
        """Return the number of a value."""
        if value not in self.numbers:
            self.numbers[value] = len(self.values)
            self.values.append(value)
        return self.numbers[value]


def encode_list(
    drill_list: DrillList,
    rows: Iterable[Mapping[str, Any]],
    json_value: Callable[[Any], Any],
    owners: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    """Return the columns of a list, which page_files/lists.js reads.

    Args:
        drill_list: The list.
        rows: Rows of its SQL.
        json_value: Converts a SQL value to one that JSON can represent.
        owners: For a relation, the row number in `calls` by `call_id`, and in `deals` by `opportunity_id`. Rows whose
            call or deal is not in these are left out.
    """
    kept = [row for row in rows if all(row[name] in numbers for name, numbers in owners.items() if name in row)]
    columns: dict[str, Any] = {}
    for name in drill_list.columns:
        values = [row[name] for row in kept]
        if name in owners:
            columns[name] = {"values": [owners[name][value] for value in values]}
        elif name in drill_list.urls:
            columns[name] = _encode_urls([(row[name], row["call_id"]) for row in kept])
        else:
            columns[name] = _encode_values([json_value(value) for value in values])
    return {"length": len(kept), "columns": columns}


def _encode_values(values: Sequence[Any]) -> dict[str, Any]:
    if not any(isinstance(value, str) for value in values):
        return {"values": [round(value, 4) if isinstance(value, float) else value for value in values]}
    dictionary = _Dictionary()
    codes = [dictionary.add(value) for value in values]
    return {"values": values} if len(dictionary.values) == len(values) else _with_codes(dictionary, codes)


def _encode_urls(urls: Sequence[tuple[str | None, str]]) -> dict[str, Any]:
    dictionary = _Dictionary()
    codes: list[int] = []
    numbers: list[int] = []
    for url, call_id in urls:
        template, found = _split_url(url, call_id)
        codes.append(dictionary.add(template))
        numbers += found
    return {**_with_codes(dictionary, codes), "numbers": numbers}


def _split_url(url: str | None, call_id: str) -> tuple[str | None, list[int]]:
    """Return the URL with `{id}` for the id of the call and `{}` for the numbers in its query, and these numbers."""
    if url is None or "{" in url:
        return url, []
    template = url.replace(call_id, "{id}")
    found = _NUMBER.findall(template)
    # A number with leading zeros would be another one in JSON.
    return (_NUMBER.sub("{}", template), [int(number) for number in found]) if _are_plain(found) else (template, [])


def _are_plain(numbers: Iterable[str]) -> bool:
    return all(str(int(number)) == number for number in numbers)


def _with_codes(dictionary: _Dictionary, codes: Sequence[int]) -> dict[str, Any]:
    return {"dictionary": dictionary.values, "codes": codes}
