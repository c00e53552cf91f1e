"""Sections on open deals: pipeline at risk in money, by stage, by warning, and its deals."""

from __future__ import annotations

from ..section import Behind, Column, Section

# The report counts silent days up to its own date and by its own option, the mart up to its build and by a variable.
RISKY_DEALS = """
    SELECT
        deal_risks.*,
        {today} - last_call_epoch_days AS days_silent,
        CASE WHEN coalesce({today} - last_call_epoch_days >= {silent_days}, 1 = 1) THEN 1 ELSE 0 END AS silent
    FROM {marts}.deal_risks
    WHERE 1 = 1{team_of_deal}
"""
WARNINGS = "risk_count - CASE WHEN is_silent THEN 1 ELSE 0 END + silent"
_WARNING_CONDITIONS = (
    ("silent", "silent = 1"),
    ("overdue", "is_overdue"),
    ("one contact", "is_single_threaded"),
    ("no next step", "has_no_next_step"),
    ("no pricing", "pricing_not_discussed"),
    ("stage moved back", "stage_moved_back"),
    ("no decision maker", "has_no_decision_maker"),
)


def list_warnings(silent: str = "is_silent") -> str:
    """Return SQL for the names of a deal's warnings, separated by commas.

    Args:
        silent: SQL condition that the deal is silent.
    """
    conditions = dict(_WARNING_CONDITIONS) | {"silent": silent}
    names = (f"CASE WHEN {condition} THEN ', {name}' ELSE '' END" for name, condition in conditions.items())
    return f"substring({' || '.join(names)}, 3)"


OPEN_DEALS = (
    f"WITH deals AS ({RISKY_DEALS}),\nopen_deals AS (\n    SELECT deals.*, {WARNINGS} AS warnings FROM deals\n)"
)
OF_WARNING = "\nUNION ALL\n".join(
    f"SELECT {place} AS place, '{warning}' AS warning, opportunity_id, amount_now, currency"
    f" FROM open_deals WHERE {condition}"
    for place, (warning, condition) in enumerate(_WARNING_CONDITIONS, 1)
)
_NO_DEALS = (
    "No open deal in this selection. Deals are the CRM's opportunities that calls are linked to: run gong-elt sync and"
    " gong-elt models, and check in Gong that calls are linked to the CRM."
)
_OPEN = {"outcome": "open"}
_AT_RISK = {"outcome": "open", "is_at_risk": 1}

PIPELINE = (
    Section(
        key="pipeline",
        title="Pipeline at risk",
        description="Open deals today, and those of them with a warning. A deal belongs to the team of the host of its"
        " last call. Type and period do not apply.",
        empty=_NO_DEALS,
        sql=f"""
{OPEN_DEALS}
SELECT
    currency,
    sum(CASE WHEN warnings > 0 THEN amount_now ELSE 0 END) AS amount_at_risk,
    count(CASE WHEN warnings > 0 THEN 1 END) AS deals_at_risk,
    sum(coalesce(amount_now, 0)) AS amount,
    count(*) AS deals,
    1.0 * sum(CASE WHEN warnings > 0 THEN amount_now ELSE 0 END) / nullif(sum(amount_now), 0) AS share_at_risk
FROM open_deals
GROUP BY currency
ORDER BY amount DESC, currency
""",
        columns=(
            Column(
                "amount_at_risk",
                "At risk",
                "money",
                unit="currency",
                behind=Behind("deals", {"currency": "currency"}, _AT_RISK),
            ),
            Column(
                "deals_at_risk", "Deals at risk", "count", behind=Behind("deals", {"currency": "currency"}, _AT_RISK)
            ),
            Column(
                "share_at_risk",
                "Share of the pipeline at risk",
                "share",
                behind=Behind("deals", {"currency": "currency"}, _AT_RISK),
            ),
            Column("amount", "Open pipeline", "money", unit="currency"),
            Column("deals", "Open deals", "count"),
        ),
        scope="team",
        layout="tiles",
        is_wide=True,
        behind=Behind("deals", {"currency": "currency"}, _OPEN),
    ),
    Section(
        key="pipeline_by_stage",
        title="Pipeline by stage",
        description="Amount of open deals with and without a warning, in the order of the funnel.",
        empty=_NO_DEALS,
        sql=f"""
{OPEN_DEALS},
staged AS (
    SELECT open_deals.*, stages.position AS stage_position
    FROM open_deals
    LEFT JOIN {{marts}}.stages AS stages ON stages.stage = open_deals.stage_now
)
SELECT
    stage_now AS stage,
    currency,
    CASE WHEN warnings > 0 THEN 'with a warning' ELSE 'without' END AS state,
    CASE WHEN warnings > 0 THEN 1 ELSE 0 END AS is_at_risk,
    count(*) AS deals,
    sum(amount_now) AS amount,
    coalesce(max(stage_position), 1000000) AS place
FROM staged
GROUP BY 1, 2, 3, 4
ORDER BY place, stage, currency, state
""",
        columns=(
            Column("stage", "Stage"),
            Column("state", "Deals"),
            Column("deals", "Number", "count"),
            Column("amount", "Amount", "money", unit="currency"),
        ),
        scope="team",
        keys=("is_at_risk", "place"),
        behind=Behind("deals", {"stage_now": "stage", "currency": "currency", "is_at_risk": "is_at_risk"}, _OPEN),
        table_is_open=True,
        first_rows=7,
        summary=("stage", "amount"),
    ),
    Section(
        key="pipeline_by_warning",
        title="Pipeline by warning",
        description="Amount of open deals with each warning. A deal can have several. Silent: no external call for"
        " {silent_days} days or more.",
        empty="No open deal has a warning.",
        sql=f"""
{OPEN_DEALS},
of_warning AS (
{OF_WARNING}
)
SELECT
    warning,
    currency,
    count(*) AS deals,
    sum(amount_now) AS amount,
    place
FROM of_warning
GROUP BY warning, currency, place
ORDER BY place, currency
""",
        columns=(
            Column("warning", "Warning"),
            Column("deals", "Deals", "count"),
            Column("amount", "Amount", "money", unit="currency"),
        ),
        scope="team",
        behind=Behind("deal_warnings", {"warning": "warning", "currency": "currency"}),
        table_is_open=True,
        first_rows=7,
        summary=("warning", "amount"),
    ),
    Section(
        key="deals_at_risk",
        title="Deals at risk",
        description="Open deals with a warning, largest first. Silent means {silent_days} days or more without an"
        " external call. Stage and amount are as of the call loaded last.",
        empty="No open deal of this selection has a warning.",
        sql=f"""
{OPEN_DEALS},
call_counts AS (
    SELECT opportunity_id, count(*) AS calls FROM {{marts}}.calls_enriched WHERE is_external GROUP BY opportunity_id
)
SELECT
    opportunity_name AS deal,
    deal_url,
    account_name AS account,
    stage_now AS stage,
    amount_now AS amount,
    currency,
    warnings,
    {list_warnings("silent = 1")} AS which,
    overdue_days,
    days_silent,
    last_call,
    last_call_url,
    coalesce(call_counts.calls, 0) AS calls,
    coalesce(owner, last_host_name) AS owner,
    open_deals.opportunity_id
FROM open_deals
LEFT JOIN call_counts ON call_counts.opportunity_id = open_deals.opportunity_id
WHERE warnings > 0
ORDER BY coalesce(amount_now, 0) DESC, warnings DESC, deal, opportunity_id
""",
        columns=(
            Column("deal", "Deal", link="deal_url"),
            Column("account", "Account"),
            Column("stage", "Stage"),
            Column("amount", "Amount", "money", unit="currency"),
            Column("warnings", "Warnings", "count"),
            Column("which", "Which"),
            Column("overdue_days", "Days overdue", "count"),
            Column("days_silent", "Days silent", "count"),
            Column("last_call", "Last call", "date", link="last_call_url"),
            Column("calls", "Calls", "count"),
            Column("owner", "Owner"),
        ),
        scope="team",
        is_wide=True,
        table_is_open=True,
        keys=("opportunity_id",),
        behind=Behind("deal_calls", {"opportunity_id": "opportunity_id"}),
    ),
)
"""In the order of the page."""
