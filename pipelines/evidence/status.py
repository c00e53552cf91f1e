"""How fresh and complete the marts are, and what a reader may see of them."""

from __future__ import annotations

from typing import Any

from ..analytics.marts import Marts
from ..runtime.target import Target
from .access.policy import MART_ACCESS
from .access.session import OpenMarts
from .answers import Answer, json_row, json_value
from .sentences import SentenceSource

_CALLS = """
SELECT count(*) AS calls, count(CASE WHEN is_external THEN 1 END) AS external_calls,
    count(CASE WHEN has_transcript THEN 1 END) AS calls_with_transcript,
    count(CASE WHEN is_external AND account_id IS NOT NULL THEN 1 END) AS external_calls_with_account,
    min(started) AS oldest_call, max(started) AS newest_call, max(_synced_at) AS synced_at
FROM {marts}.calls_enriched
"""
_ACCOUNTS = "SELECT count(*) AS found FROM {marts}.accounts"
_DEALS = "SELECT count(*) AS found, count(CASE WHEN NOT is_closed THEN 1 END) AS open_deals FROM {marts}.deal_activity"
_ORIGIN = "SELECT built_at FROM {marts}._marts"


def read_state(marts: OpenMarts, target: Target, sentences: SentenceSource) -> Answer:
    """Return the freshness, counts and coverage of what the reader may see.

    Args:
        marts: The open marts.
        target: The warehouse.
        sentences: The search.
    """
    allowed = marts.allowed
    (calls,) = allowed.rows(_CALLS.format(marts=allowed.schema))
    (deals,) = allowed.rows(_DEALS.format(marts=allowed.schema))
    policy = allowed.policy.policy
    withheld = {mart: reason for mart in MART_ACCESS if (reason := allowed.policy.withheld_reason(mart))}
    return {
        "destination": target.name,
        "dataset": target.dataset,
        "analytics": allowed.dataset,
        "freshness": {
            **json_row({name: calls[name] for name in ("synced_at", "oldest_call", "newest_call")}),
            "models_built_at": json_value(_only(marts.all, _ORIGIN, "built_at")),
        },
        "counts": {
            "calls": calls["calls"],
            "external_calls": calls["external_calls"],
            "accounts": _only(allowed, _ACCOUNTS, "found"),
            "deals": deals["found"],
            "open_deals": deals["open_deals"],
        },
        "coverage": {
            "with_transcript": _share(calls["calls_with_transcript"], calls["calls"]),
            "with_account": _share(calls["external_calls_with_account"], calls["external_calls"]),
        },
        "pending": {"transcripts": calls["calls"] - calls["calls_with_transcript"]},
        "may_read": {
            "workspaces": policy.workspaces,
            "teams": policy.teams,
            "accounts": policy.accounts,
            "query": policy.allow_query,
            "transcripts": policy.allow_transcripts,
            "withheld": withheld,
        },
        "search_modes": sentences.modes if policy.allow_transcripts else [],
    }


def _only(marts: Marts, sql: str, column: str) -> Any:
    (row,) = marts.rows(sql.format(marts=marts.schema))
    return row[column]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
