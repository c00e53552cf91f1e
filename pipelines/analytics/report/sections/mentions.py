"""Sections that count mentions: of trackers by their name, of competitors by their phrase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..section import PERIOD, Behind, Column, Section

_CHOSEN = "WITH chosen AS (SELECT * FROM {marts}.calls_enriched WHERE has_transcript AND {filter})"


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What is mentioned on calls.

    Attributes:
        name: Name of its column in the sections.
        label: Heading of that column.
        expression: SQL over `tracker_mentions`.
        condition: SQL condition on its rows; empty for all.
        list: Key of the list of its calls.
        empty: What is missing if there is no mention, and what to do.
    """

    name: str
    label: str
    expression: str
    condition: str
    list: str
    empty: str

    def behind(self, **where: Any) -> Behind:
        """Return the calls with a mention."""
        return Behind(self.list, {self.name: self.name}, where)

    def share_section(self, key: str, title: str, description: str, **layout: Any) -> Section:
        """Return the section with the share of calls that have a mention."""
        conditions = " AND ".join(filter(None, (self.condition, "call_id IN (SELECT call_id FROM chosen)")))
        return Section(
            key=key,
            title=title,
            description=description,
            empty=self.empty,
            sql=f"""
{_CHOSEN}
SELECT
    {self.expression} AS {self.name},
    count(DISTINCT call_id) AS calls,
    1.0 * count(DISTINCT call_id) / (SELECT count(*) FROM chosen) AS share_of_calls,
    count(*) AS mentions,
    count(CASE WHEN side = 'customer' THEN 1 END) AS mentions_by_customers
FROM {{marts}}.tracker_mentions
WHERE {conditions}
GROUP BY 1
ORDER BY calls DESC, {self.name}
""",
            columns=(
                Column(self.name, self.label),
                Column("calls", "Calls", "count"),
                Column("share_of_calls", "Share of calls", "share"),
                Column("mentions", "Mentions", "count"),
                Column("mentions_by_customers", "By customers", "count", behind=self.behind(is_by_customer=1)),
            ),
            behind=self.behind(),
            summary=(self.name, "share_of_calls"),
            **layout,
        )

    def trend_section(self, key: str, title: str, description: str) -> Section:
        """Return the section with that share by day or week."""
        condition = f"    WHERE {self.condition}\n" if self.condition else ""
        return Section(
            key=key,
            title=title,
            description=description,
            empty=self.empty,
            sql=f"""
{_CHOSEN},
periods AS (SELECT {{started_period}} AS period, count(*) AS calls_in_period FROM chosen GROUP BY 1),
mentioned AS (
    SELECT
        chosen.{{started_period}} AS period,
        {self.expression} AS {self.name},
        count(DISTINCT chosen.call_id) AS calls
    FROM {{marts}}.tracker_mentions AS mentions
    JOIN chosen ON chosen.call_id = mentions.call_id
{condition}    GROUP BY 1, 2
)
SELECT
    mentioned.period,
    {self.name},
    calls,
    calls_in_period,
    1.0 * calls / calls_in_period AS share_of_calls
FROM mentioned
JOIN periods ON periods.period = mentioned.period
ORDER BY 1, 2
""",
            columns=(
                Column("period", "Period", "period"),
                Column(self.name, self.label),
                Column("calls", "Calls", "count"),
                Column(
                    "calls_in_period",
                    "Calls with a transcript",
                    "count",
                    behind=Behind(match={PERIOD: "period"}, where={"has_transcript": True}),
                ),
                Column("share_of_calls", "Share of calls", "share"),
            ),
            behind=Behind(self.list, {self.name: self.name, PERIOD: "period"}),
            summary=(self.name, "share_of_calls"),
        )
