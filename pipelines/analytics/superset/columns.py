"""Headings and formats of the columns of marts in Superset, derived from their names and types in the dbt project."""

from __future__ import annotations

from collections.abc import Mapping

SHARE_FORMAT = ".1%"
COUNT_FORMAT = ",d"
MONEY_FORMAT = ",.0f"
NUMBER_FORMAT = ",.1f"
DURATION_FORMAT = "DURATION"
"""Superset's format of milliseconds, such as `1m 6s`."""
DATE_FORMAT = "%Y-%m-%d"
TIME_FORMAT = "%Y-%m-%d %H:%M"

_HEADINGS: Mapping[str, str] = {
    "added": "Added on",
    "added_by_name": "Added by",
    "amount_now": "Amount",
    "answered_scorecard_id": "Review id",
    "brief": "Summary",
    "call_outcome_name": "Call outcome",
    "call_started": "Call on",
    "check_name": "Check",
    "company_people": "People of the company",
    "external_people": "External people",
    "external_people_who_spoke": "External people who spoke",
    "highest": "To",
    "is_current_revision": "Current revision",
    "is_meaningful": "At least 100 closed deals",
    "last_host_name": "Rep of the last call",
    "last_team": "Team of the last call",
    "looked_at": "Checked",
    "lowest": "From",
    "moment_url": "URL of the moment",
    "opportunity_id": "Deal id",
    "opportunity_name": "Deal",
    "overdue_days": "Days overdue",
    "owner": "Owner in the CRM",
    "reviewed_name": "Reviewed rep",
    "question_text": "Question",
    "reps.title": "Job title",
    "risk_count": "Warnings",
    "stage_now": "Stage",
    "started": "Call on",
    "started_date": "Day",
    "started_week": "Week",
    "started_month": "Month",
    "start_time": "Time on the call",
    "tenure_days": "Days in Gong",
    "text": "Text",
    "title": "Call",
    "call_title": "Call",
    "tracker_names": "Trackers",
    "_synced_at": "Written to the warehouse",
    "_synced_epoch_ms": "Written to the warehouse (ms since 1970)",
}
"""Headings that do not follow from the name, by name, or by mart and name."""
# The time of day does not matter.
_DATES = ("added", "created", "first_call", "last_call", "first_external_call", "last_external_call", "next_call")
_UNITS: Mapping[str, str] = {"seconds": "seconds", "sec": "seconds", "ms": "ms", "hours": "hours"}
_ABBREVIATIONS: Mapping[str, str] = {"crm": "CRM", "url": "URL", "email": "e-mail"}
_SHARES = ("ratio", "share", "rate")


def label_column(mart: str, name: str) -> str:
    """Return the heading of a column: `host_talk_ratio` is "Host talk ratio", `won_deal_count` is "Won deals"."""
    if (heading := _HEADINGS.get(f"{mart}.{name}", _HEADINGS.get(name))) is not None:
        return heading
    words = name.strip("_").split("_")
    if words[0] == "is":
        del words[0]
    if len(words) > 1 and words[-1] in ("name", "now"):
        del words[-1]
    if "count" in words[1:]:
        place = words.index("count")
        words[place - 1 : place + 1] = [f"{words[place - 1]}s"]
    unit = _UNITS.get(words[-1]) if len(words) > 1 else None
    if unit is not None:
        del words[-1]
    words = [_ABBREVIATIONS.get(word, word) for word in words]
    label = " ".join((words[0][0].upper() + words[0][1:], *words[1:]))
    return f"{label} ({unit})" if unit else label


def format_column(name: str, data_type: str) -> str | None:
    """Return the d3 format of a column; None for text and booleans.

    Args:
        name: Name of the column.
        data_type: Its type in the dbt project, such as `number` or `timestamp`.
    """
    if data_type in ("date", "timestamp"):
        return DATE_FORMAT if data_type == "date" or name in _DATES else TIME_FORMAT
    if data_type == "integer":
        return COUNT_FORMAT
    if data_type != "number":
        return None
    words = name.split("_")
    if "amount" in words:
        return MONEY_FORMAT
    return SHARE_FORMAT if any(word in words for word in _SHARES) else NUMBER_FORMAT
