"""Sections on competitors: share of calls, trend, and win rate with and without a mention."""

from __future__ import annotations

from typing import Any

from ..section import Behind, Column, Section
from .mentions import Mentioned

OF_COMPETITORS = "lower(phrase) IN (SELECT competitor FROM {marts}.competitor_outcomes)"
_NO_MENTIONS = (
    "No competitor was mentioned on a call of this selection. Competitors are the phrases of keyword trackers with"
    " 'compet' in their name: add such a tracker in Gong, or name yours in the variable gong_competitor_trackers of"
    " gong-elt models."
)
_COMPETITOR = Mentioned("competitor", "Competitor", "lower(phrase)", OF_COMPETITORS, "competitor_calls", _NO_MENTIONS)


def _deals(**where: Any) -> Behind:
    return Behind("competitor_deals", {"competitor": "competitor"}, where)


def _other_deals(**where: Any) -> Behind:
    return Behind("deals", {"competitor": "competitor"}, where, without="competitor_deals")


COMPETITORS = (
    _COMPETITOR.share_section(
        "competitors",
        "Competitors",
        "Share of calls with a transcript that mention a competitor.",
        table_is_open=True,
        first_rows=7,
    ),
    _COMPETITOR.trend_section(
        "competitors_over_time",
        "Competitors over time",
        "Share of calls with a transcript that mention a competitor. The chart shows the six competitors with most"
        " calls.",
    ),
    Section(
        key="competitor_outcomes",
        title="Win rate against competitors",
        description="Win rate of all closed deals with external calls, with and without a mention of the competitor on"
        " one of them, in any period. A deal belongs to the team of the host of its last call. Differences between"
        " groups of fewer than 100 closed deals can be chance.",
        empty=_NO_MENTIONS,
        sql=f"""
WITH deals AS (
    SELECT * FROM {{marts}}.deal_activity WHERE call_count > 0{{team_of_deal}}
),
totals AS (
    SELECT
        count(CASE WHEN outcome = 'won' THEN 1 END) AS won,
        count(CASE WHEN outcome = 'lost' THEN 1 END) AS lost
    FROM deals
),
mentioned AS (
    SELECT DISTINCT opportunity_id, lower(phrase) AS competitor
    FROM {{marts}}.tracker_mentions
    WHERE is_external AND opportunity_id IS NOT NULL AND {OF_COMPETITORS}
),
against AS (
    SELECT
        competitor,
        count(CASE WHEN outcome = 'open' THEN 1 END) AS open_deals,
        count(CASE WHEN outcome = 'won' THEN 1 END) AS won,
        count(CASE WHEN outcome = 'lost' THEN 1 END) AS lost
    FROM mentioned
    JOIN deals ON deals.opportunity_id = mentioned.opportunity_id
    GROUP BY competitor
)
SELECT
    competitor,
    open_deals,
    against.won,
    against.lost,
    1.0 * against.won / nullif(against.won + against.lost, 0) AS win_rate,
    totals.won - against.won AS won_without,
    totals.lost - against.lost AS lost_without,
    1.0 * (totals.won - against.won) / nullif(totals.won - against.won + totals.lost - against.lost, 0)
        AS win_rate_without
FROM against
CROSS JOIN totals
ORDER BY against.won + against.lost DESC, competitor
""",
        columns=(
            Column("competitor", "Competitor"),
            Column("open_deals", "Open deals", "count", behind=_deals(outcome="open")),
            Column("won", "Won", "count", behind=_deals(outcome="won")),
            Column("lost", "Lost", "count", behind=_deals(outcome="lost")),
            Column("win_rate", "Win rate", "share", behind=_deals(is_closed=1)),
            Column("won_without", "Won without", "count", behind=_other_deals(outcome="won")),
            Column("lost_without", "Lost without", "count", behind=_other_deals(outcome="lost")),
            Column("win_rate_without", "Win rate without", "share", behind=_other_deals(is_closed=1)),
        ),
        scope="team",
        is_wide=True,
        table_is_open=True,
        behind=Behind("competitor_deals", {"competitor": "competitor"}),
        summary=("competitor", "win_rate"),
        charted=("win_rate", "win_rate_without"),
    ),
)
"""In the order of the page."""
