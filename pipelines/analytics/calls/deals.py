"""Find the deals that a text means: an id of the CRM, or a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..marts import Marts, contains

_DEALS = """
SELECT opportunity_id, opportunity_name FROM {marts}.deal_activity
WHERE opportunity_id = %s OR {name_contains} ORDER BY opportunity_name, opportunity_id
"""


def resolve_deals(marts: Marts, text: str) -> list[str]:
    """Return the ids of the deals that a text means: the id in the CRM, else the whole name, else a part of it.

    Args:
        marts: The marts.
        text: What a person wrote; upper and lower case do not distinguish names.

    Raises:
        UsageError: If the marts are missing or outdated.
    """
    text = text.strip()
    if not text:
        return []
    sql = _DEALS.format(marts=marts.schema, name_contains=contains("opportunity_name"))
    deals = [*marts.rows(sql, text, text.lower())]
    by_id = [deal for deal in deals if deal["opportunity_id"] == text]
    by_name = [deal for deal in deals if _name(deal) == text.casefold()]
    return list(dict.fromkeys(deal["opportunity_id"] for deal in by_id or by_name or deals))


def _name(deal: Mapping[str, Any]) -> str:
    return str(deal["opportunity_name"] or "").casefold()
