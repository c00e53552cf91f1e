"""The Markdown pages of a folder of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ..conversation_format import (
    GENERATED_NOTE,
    SIDE_HEADINGS,
    VERBATIM_NOTE,
    escape_markup,
    format_duration,
    link,
    moment,
)
from .reader import Account, AccountCall

RISKS = {
    "is_silent": "no call for some time",
    "is_overdue": "close date is over",
    "is_single_threaded": "one contact at most",
    "has_no_next_step": "no next step",
    "pricing_not_discussed": "pricing not discussed",
    "stage_moved_back": "stage moved back",
    "has_no_decision_maker": "no decision maker",
}
"""Columns of `deal_risks`, and their texts."""


def index_page(accounts: Iterable[tuple[str, Account]]) -> str:
    """Return the page that lists all accounts.

    Args:
        accounts: The folder and the facts of each account.
    """
    headings = ("account", "status", "last external call", "external calls", "open deals", "domains")
    rows = (
        (
            file_link(account.facts["account_name"], f"{folder}/index.md"),
            account.facts["engagement_status"],
            _day(account.facts["last_external_call"]),
            account.facts["call_count"],
            account.facts["open_deal_count"],
            escape_markup(account.facts["domains"] or ""),
        )
        for folder, account in accounts
    )
    return "\n".join(["# Accounts", "", *_table(headings, rows), ""])


def account_page(account: Account, files: Mapping[str, str], last_calls: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of an account.

    Args:
        account: The account.
        files: File of each of its calls, relative to the page.
        last_calls: Facts of its last external calls, the newest first.
    """
    sections = (
        _facts(account.facts),
        _deals(account.deals),
        _people(account.people),
        _last_calls(last_calls, files),
        _quotes(account.quotes),
        _calls(account.calls, files),
    )
    return "\n".join(line for section in sections for line in (*section, ""))


def file_link(text: str, path: str) -> str:
    """Return a Markdown link to a file."""
    return f"[{escape_markup(text)}]({quote(path)})"


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escape_markup(facts['account_name'])}"
    yield ""
    names = [name for name in (facts["names"] or "").split(" | ") if name not in ("", facts["account_name"])]
    calls = f"{facts['call_count']} external, {facts['calls_in_90_days']} in the last 90 days"
    if facts["call_count_without_crm_link"]:
        calls += f", {facts['call_count_without_crm_link']} without a link in the CRM"
    external = f"{facts['external_people']} of theirs, of whom {facts['external_people_who_spoke']} spoke"
    period = f"{_day(facts['first_external_call'])} to {_day(facts['last_external_call'])}"
    described = {
        "CRM id": f"{facts['account_id']} ({facts['crm_system'] or 'CRM'})" if facts["is_in_crm"] else None,
        "Other names": "; ".join(names),
        "Domains": facts["domains"],
        "Owner": facts["owner"],
        "Status": facts["engagement_status"],
        "Calls": calls,
        "External calls": period if facts["last_external_call"] else None,
        "Next call": _day(facts["next_call"]) if facts["next_call"] else None,
        "People": f"{facts['company_people']} of ours, {external}",
    }
    yield from (f"* {name}: {escape_markup(value)}" for name, value in described.items() if value)


def _deals(deals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Deals"
    yield ""
    if not deals:
        yield "No deal is linked to a call of this account."
        return
    headings = ("deal", "outcome", "stage", "amount", "close date", "owner", "last call", "warnings")
    yield from _table(headings, map(_deal_row, deals))


def _deal_row(deal: Mapping[str, Any]) -> tuple[Any, ...]:
    name = deal["opportunity_name"] or deal["opportunity_id"]
    amount = "" if deal["amount_now"] is None else f"{deal['amount_now']:,.0f} {deal['currency'] or ''}"
    day = _day(deal["last_call"])
    return (
        link(name, deal["deal_url"]) if deal["deal_url"] else escape_markup(name),
        deal["outcome"],
        escape_markup(deal["stage_now"] or ""),
        escape_markup(amount),
        deal["close_date"] or "",
        escape_markup(deal["owner"] or ""),
        link(day, deal["last_call_url"]) if day and deal["last_call_url"] else day,
        ", ".join(text for column, text in RISKS.items() if deal[column]),
    )


def _people(people: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## People met"
    yield ""
    if not people:
        yield "No person is known from an external call."
        return
    rows = (
        (
            heading,
            escape_markup(person["name"] or person["person"]),
            escape_markup(person["title"] or ""),
            escape_markup(person["email_address"] or ""),
            person["call_count"],
            _day(person["last_call"]),
        )
        for side, heading in reversed(SIDE_HEADINGS.items())
        for person in people
        if person["side"] == side
    )
    yield from _table(("side", "name", "title", "e-mail", "calls", "last call"), rows)


def _last_calls(calls: Sequence[Mapping[str, Any]], files: Mapping[str, str]) -> Iterator[str]:
    yield "## Last external calls"
    yield ""
    if not calls:
        yield "There was no external call."
    for call in calls:
        yield f"### {_day(call['started'])} {file_link(_title(call), files[call['call_id']])}"
        yield ""
        facts = (call["call_type"], format_duration(call["duration_seconds"]), call["host_name"])
        facts_line = escape_markup(", ".join(fact for fact in facts if fact))
        yield f"{facts_line}, {link('open in Gong', call['url'])}" if call["url"] else facts_line
        yield ""
        if call["brief"]:
            yield f"Brief {GENERATED_NOTE}: {escape_markup(call['brief']['text'])}"
            yield ""
        if call["next_steps"]:
            yield f"Next steps {GENERATED_NOTE}:"
            yield ""
            yield from (f"* {escape_markup(step['text'])}{moment(step)}" for step in call["next_steps"])
            yield ""


def _quotes(quotes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## What they said {VERBATIM_NOTE}"
    yield ""
    if not quotes:
        yield "No sentence of theirs mentions a tracker or asks a question."
    for said in quotes:
        speaker = ", ".join(filter(None, (said["speaker_name"] or "Unknown speaker", said["speaker_title"])))
        trackers = f" ({escape_markup(said['tracker_names'])})" if said["tracker_names"] else ""
        day = _day(said["started"])
        yield f'* "{escape_markup(said["text"] or "")}" {escape_markup(speaker)}, {day}{moment(said)}{trackers}'


def _calls(calls: Sequence[AccountCall], files: Mapping[str, str]) -> Iterator[str]:
    yield "## All calls"
    yield ""
    for call in calls:
        if call.call_id not in files:
            continue
        details = escape_markup(", ".join(filter(None, (call.facts["call_type"], call.facts["host_name"]))))
        yield f"* {_day(call.facts['started'])} {file_link(_title(call.facts), files[call.call_id])} ({details})"


def _title(call: Mapping[str, Any]) -> str:
    return call["title"] or "Call without title"


def _day(time: Any) -> str:
    return f"{time:%Y-%m-%d}" if time else ""


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)
