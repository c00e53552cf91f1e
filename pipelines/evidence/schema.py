"""What the marts mean: their descriptions, columns and keys from the dbt project, and queries over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from ..analytics.dbt_build import PROJECT, relation_name
from .answers import Answer

EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "calls_enriched": (
        (
            "Talk ratio of hosts by type of call",
            "SELECT call_type, count(*) AS calls, avg(host_talk_ratio) AS host_talk_ratio FROM calls_enriched"
            " GROUP BY call_type ORDER BY calls DESC",
        ),
        (
            "Meetings without a next step",
            "SELECT started_date, host_name, account_name, title, url FROM calls_enriched"
            " WHERE call_type = 'meeting' AND next_step_count = 0 ORDER BY started DESC LIMIT 20",
        ),
    ),
    "accounts": (
        (
            "Accounts with open deals without a call for the longest time",
            "SELECT account_name, owner, open_amount, days_since_last_call, last_call_url FROM accounts"
            " WHERE open_deal_count > 0 ORDER BY days_since_last_call DESC LIMIT 20",
        ),
    ),
    "deal_risks": (
        (
            "Deals at risk",
            "SELECT opportunity_name, account_name, owner, amount_now, currency, risk_count, is_silent"
            " FROM deal_risks ORDER BY risk_count DESC, amount_now DESC LIMIT 20",
        ),
    ),
    "competitor_outcomes": (
        (
            "Win rate with and without each competitor",
            "SELECT competitor, deal_count, win_rate, win_rate_without, is_meaningful FROM competitor_outcomes"
            " ORDER BY deal_count DESC",
        ),
    ),
    "customer_quotes": (
        (
            "What customers said when pricing came up",
            "SELECT started, account_name, speaker_name, text, moment_url FROM customer_quotes"
            " WHERE tracker_names LIKE '%Pricing%' ORDER BY started DESC LIMIT 20",
        ),
    ),
    "rep_month": (
        (
            "Reps by month",
            "SELECT month, rep_name, call_count, talk_ratio, questions_per_hour FROM rep_month"
            " ORDER BY month DESC, rep_name",
        ),
    ),
    "tracker_share": (
        (
            "Share of calls with an objection by month",
            "SELECT started_month, sum(call_count_with_mention) AS calls_with_mention, sum(call_count) AS calls"
            " FROM tracker_share WHERE tracker_name = 'Objections' GROUP BY started_month ORDER BY started_month",
        ),
    ),
    "win_rate_by_behaviour": (
        (
            "What hosts do differently in won deals",
            "SELECT behaviour, third, lowest, highest, win_rate, closed_deal_count FROM win_rate_by_behaviour"
            " WHERE is_meaningful ORDER BY behaviour, third",
        ),
    ),
}
"""Queries by the mart that they read, each with its meaning."""


@cache
def read_declared_marts() -> Mapping[str, Mapping[str, Any]]:
    """Return the declaration of each mart in the dbt project, by its name."""
    declared = yaml.safe_load((PROJECT / "marts" / "marts.yml").read_text(encoding="utf-8"))
    return {relation_name(model["name"]): model for model in declared["models"]}


def describe_marts() -> Iterator[Answer]:
    """Yield the name, description and key of each mart."""
    for name, model in read_declared_marts().items():
        yield {"table": name, "description": model["description"], "key": _key(model)}


def describe_mart(name: str) -> Answer:
    """Return the description, key, columns and example queries of a mart."""
    model = read_declared_marts()[name]
    return {
        "table": name,
        "description": model["description"],
        "key": _key(model),
        "columns": [
            {"name": column["name"], "type": column["data_type"], "description": column["description"]}
            for column in model["columns"]
        ],
        "examples": [{"question": question, "sql": sql} for question, sql in EXAMPLES.get(name, ())],
    }


def _key(model: Mapping[str, Any]) -> list[str]:
    """Return the columns that identify a row, which the tests of the mart declare."""
    for test in model.get("data_tests", ()):
        for kind in ("primary_key", "unique_with_id", "unique_together"):
            if isinstance(test, Mapping) and kind in test:
                return list(test[kind]["arguments"]["columns"])
    return [
        column["name"]
        for column in model["columns"]
        if {"unique", "primary_key"}
        & {next(iter(test)) if isinstance(test, Mapping) else test for test in column.get("data_tests", ())}
    ]
