"""Job of `gong-elt brief`: what is known of an account or a deal, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..analytics.conversation_format import GENERATED_NOTE, VERBATIM_NOTE, escape_markup, link
from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.result import Status
from ..runtime.target import Target
from .evidence import Evidence

_Description = Callable[[Mapping[str, Any]], Iterator[str]]

_MORE = "{count} more: gong-elt export accounts, or the tables of the marts, have all of them"


@dataclass(frozen=True, slots=True)
class BriefResult:
    """A brief; the fields are the keys of `--json`, which `Evidence.account_brief` and `deal_brief` describe."""

    status: Status
    destination: str
    dataset: str
    analytics: str
    account: Mapping[str, Any] | None
    truncated: bool
    omitted: Mapping[str, int]
    next: str | None
    reason: str | None
    notice: str
    deal: Mapping[str, Any] | None = None
    matched_by: str | None = None
    other_matches: Sequence[Any] = ()
    deals: Sequence[Mapping[str, Any]] = field(default_factory=list)
    last_calls: Sequence[Mapping[str, Any]] = field(default_factory=list)
    next_steps: Sequence[Mapping[str, Any]] = field(default_factory=list)
    people: Sequence[Mapping[str, Any]] = field(default_factory=list)
    quotes: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the brief as Markdown."""
        yield f"# {escape_markup(self._title())}"
        yield ""
        if self.account:
            yield from _describe_account(self.account)
        if self.other_matches:
            others = [other if isinstance(other, str) else other["opportunity_name"] for other in self.other_matches]
            yield f"* Also matches: {escape_markup(', '.join(filter(None, others)))}"
        yield from self._section("Deals", "deals", [self.deal] if self.deal else self.deals, _describe_deal)
        yield from self._section("Last external calls", "last_calls", self.last_calls, _describe_call)
        yield from self._section(f"Next steps {GENERATED_NOTE}", "next_steps", self.next_steps, _describe_step)
        yield from self._section("People met", "people", self.people, _describe_person)
        yield from self._section(f"What they said {VERBATIM_NOTE}", "quotes", self.quotes, _describe_quote)
        if self.reason:
            yield ""
            yield self.reason

    def _title(self) -> str:
        if self.deal:
            return str(self.deal["opportunity_name"] or self.deal["opportunity_id"])
        return str(self.account["account_name"]) if self.account else ""

    def _section(self, heading: str, key: str, rows: Sequence[Any], describe: _Description) -> Iterator[str]:
        yield ""
        yield f"## {heading}"
        yield ""
        yield from (line for row in rows for line in describe(row))
        if not rows:
            yield "None."
        if count := self.omitted.get(key):
            yield f"* {_MORE.format(count=count)}"


def brief(
    connection: Connection, target: Target, analytics: str, account: str | None, deal: str | None, since: str | None
) -> BriefResult:
    """Return what is known of an account or a deal.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        analytics: Dataset of the marts.
        account: Name, domain or CRM id of the account, or a contact's e-mail address; None for a deal.
        deal: Name of the deal or a part of it, or its CRM id; None for an account.
        since: Only calls that started at this time or later.

    Raises:
        UsageError: If not exactly one of account and deal is given, or the marts do not have it.
        ConfigurationError: If the time is invalid.
    """
    if (account is None) == (deal is None):
        raise UsageError("name one: --account or --deal")
    with Evidence.open(connection, target, analytics) as evidence:
        answer = evidence.account_brief(account, since) if account else evidence.deal_brief(deal or "", since)
    if answer.get("deal") is None and answer["account"] is None:
        raise UsageError(answer["reason"])
    return BriefResult("done", target.name, target.dataset, analytics, **answer)


def _describe_account(account: Mapping[str, Any]) -> Iterator[str]:
    facts = {
        "Account": account["account_name"],
        "CRM id": account["account_id"] if account["is_in_crm"] else None,
        "Domains": account["domains"],
        "Owner": account["owner"],
        "Status": account["engagement_status"],
        "External calls": f"{account['call_count']}, {account['calls_in_90_days']} in the last 90 days",
        "Last external call": _day(account["last_external_call"]),
        "Next call": _day(account["next_call"]),
    }
    yield from (f"* {name}: {escape_markup(str(value))}" for name, value in facts.items() if value)


def _describe_deal(deal: Mapping[str, Any]) -> Iterator[str]:
    name = deal["opportunity_name"] or deal["opportunity_id"]
    amount = None if deal["amount_now"] is None else f"{deal['amount_now']:,.0f} {deal['currency'] or ''}".strip()
    facts = (
        deal["outcome"],
        deal["stage_now"],
        amount,
        f"closes {deal['close_date']}" if deal["close_date"] else None,
        f"last call {_day(deal['last_call'])}" if deal["last_call"] else None,
    )
    title = link(name, deal["deal_url"]) if deal["deal_url"] else escape_markup(name)
    yield f"* {title}: {escape_markup(', '.join(filter(None, facts)))}"
    if deal["risks"]:
        yield f"  Risks: {escape_markup(', '.join(deal['risks']))}"


def _describe_call(call: Mapping[str, Any]) -> Iterator[str]:
    title = call["title"] or "Call without title"
    shown = link(title, call["url"]) if call["url"] else escape_markup(title)
    facts = escape_markup(", ".join(filter(None, (call["call_type"], call["host"]))))
    yield f"* {_day(call['started'])} {shown} ({facts})"
    if call["brief"]:
        yield f"  {GENERATED_NOTE} {escape_markup(' '.join(call['brief']['text'].split()))}"


def _describe_step(step: Mapping[str, Any]) -> Iterator[str]:
    yield f"* {_day(step['started'])} {escape_markup(step['text'] or '')} {_moment(step)}".rstrip()


def _describe_person(person: Mapping[str, Any]) -> Iterator[str]:
    facts = (person["title"], person["email_address"], person["side"], f"{person['call_count']} calls")
    yield f"* {escape_markup(person['name'] or 'Unknown')}: {escape_markup(', '.join(filter(None, facts)))}"


def _describe_quote(said: Mapping[str, Any]) -> Iterator[str]:
    speaker = ", ".join(filter(None, (said["speaker"] or "Unknown speaker", said["speaker_title"])))
    yield f'* "{escape_markup(said["text"] or "")}" {escape_markup(speaker)}, {_day(said["started"])} {_moment(said)}'


def _moment(row: Mapping[str, Any]) -> str:
    at = row["at"] or ""
    return f"({link(at, row['moment_url'])})" if at and row["moment_url"] else ""


def _day(time: str | None) -> str:
    return time[:10] if time else ""
