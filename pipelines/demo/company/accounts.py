"""Customers of the generated company: accounts, their contacts, and opportunities that move through stages."""

import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.company.dialogue.call_types import GOODS, SLOTS
from pipelines.demo.company.people import NamePool

Json = dict[str, Any]

_STEMS = (
    *("Alder", "Northgate", "Copperfield", "Juniper", "Halcyon", "Redwood", "Silverline", "Maple", "Orchard", "Summit"),
    *("Larkspur", "Granite", "Bluebell", "Kestrel", "Harbor", "Willow", "Foxglove", "Cedar", "Lantern", "Prairie"),
)
_REGIONS = ("North", "Iberia")
_TRADES = {
    "Foods": "Food retail",
    "Outfitters": "Apparel",
    "Hardware": "Building supplies",
    "Pharmacy": "Pharmacies",
    "Furniture": "Home furnishings",
    "Toys": "Toys",
}
_TITLES = ("Head of Supply Chain", "Demand Planning Manager", "COO", "IT Director", "Finance Director", "Buyer")
_STAGES = ("Prospecting", "Qualification", "Evaluation", "Negotiation", "Closed Won")
_PROBABILITY = {"Prospecting": 10, "Qualification": 25, "Evaluation": 50, "Negotiation": 75, "Closed Won": 100}
_PROBABILITY["Closed Lost"] = 0
_COMPETITORS: dict[str | None, tuple[float, float]] = {
    "PlanForge": (0.2, 0.65),
    "Stockwise": (0.2, 0.4),
    "Netcurrent": (0.15, 0.25),
    "Gridlane": (0.13, 0.1),
    None: (0.32, 0.25),
}
"""Share of the deals in which a competitor takes part, and share of those that are lost."""

_FACTS = ("product", "pain", "metric", "system", "role", "sites", "seats")
"""Slots of the dialogue whose value is the same on all calls with an account."""


class Contact(NamedTuple):
    """A person at a customer; title and phone can be missing."""

    crm_id: str
    name: str
    email: str
    title: str | None
    phone: str | None


class StageChange(NamedTuple):
    """Stage and amount of an opportunity from a point in time on."""

    since: datetime
    stage: str
    amount: int


class Account(NamedTuple):
    """A customer with its contacts and its deal.

    Attributes:
        stage_changes: History of the opportunity, oldest first.
        close_date: Date on which the opportunity was closed, or is expected to be.
        is_lost: Whether the opportunity is lost, now or later.
        competitor: The competitor in the deal; None without one.
        facts: What is said of the account, by slot of the dialogue.
    """

    crm_id: str
    opportunity_id: str
    name: str
    industry: str
    employees: int
    contacts: list[Contact]
    stage_changes: list[StageChange]
    close_date: date
    is_lost: bool
    competitor: str | None
    facts: dict[str, str]

    def stage_at(self, moment: datetime) -> StageChange:
        """Return the stage and amount at a point in time."""
        return self.stage_changes[max(bisect_right(self.stage_changes, moment, key=lambda change: change.since) - 1, 0)]

    def build_context(self, call_time: datetime, now: datetime) -> list[Json]:
        """Return the `context` of a call: the account, and the opportunity as it is now and at the time of the call."""
        objects = [self._build_account_object()]
        for timing, moment in (("Now", now), ("TimeOfCall", call_time)):
            objects.append(self._build_opportunity_object(timing, self.stage_at(moment)))
        return [{"system": "Salesforce", "objects": objects}]

    def _build_account_object(self) -> Json:
        return {
            "objectType": "Account",
            "objectId": self.crm_id,
            "fields": [
                {"name": "Name", "value": self.name},
                {"name": "Industry", "value": self.industry},
                {"name": "NumberOfEmployees", "value": self.employees},
                {"name": "Is_Partner__c", "value": self.employees % 7 == 0},
                {"name": "Regions__c", "value": ["US", "EMEA"] if self.employees > 2000 else ["US"]},
                {"name": "Parent_Account__c", "value": None},
            ],
        }

    def _build_opportunity_object(self, timing: str, change: StageChange) -> Json:
        return {
            "objectType": "Opportunity",
            "objectId": self.opportunity_id,
            "fields": [
                {"name": "Name", "value": f"{self.name}: planning"},
                {"name": "StageName", "value": change.stage},
                {"name": "Amount", "value": change.amount},
                {"name": "Probability", "value": _PROBABILITY[change.stage] / 100},
                {"name": "IsClosed", "value": change.stage.startswith("Closed")},
                {"name": "CloseDate", "value": self.close_date.isoformat()},
            ],
            "timing": timing,
        }


def build_accounts(rng: random.Random, names: NamePool, *, count: int, until: datetime, days: int) -> list[Account]:
    """Return accounts whose opportunities advance over the last `days`; some are lost, most often to one competitor."""
    companies = [(f"{stem} {trade}", industry) for stem in _STEMS for trade, industry in _TRADES.items()]
    if count > len(companies):
        companies += [(f"{name} {region}", industry) for region in _REGIONS for name, industry in companies]
    deals = list(_plan_deals(count))
    rng.shuffle(deals)
    return [
        _build_account(rng, names, company, deal, until, days)
        for company, deal in zip(rng.sample(companies, count), deals, strict=True)
    ]


def _plan_deals(count: int) -> Iterator[tuple[str | None, bool]]:
    """Yield the competitor of each deal, and whether the deal is lost in the end."""
    planned = 0
    cumulative_share = 0.0
    for competitor, (share, lost_share) in _COMPETITORS.items():
        cumulative_share += share
        deals = round(count * cumulative_share) - planned
        planned += deals
        for number in range(deals):
            yield competitor, number < round(deals * lost_share)


def _build_account(
    rng: random.Random,
    names: NamePool,
    company: tuple[str, str],
    deal: tuple[str | None, bool],
    until: datetime,
    days: int,
) -> Account:
    name, industry = company
    competitor, is_lost = deal
    domain = name.lower().replace(" ", "") + ".example"
    contacts = []
    for _ in range(rng.randrange(3, 7)):
        first, last = names.draw()
        email = f"{first}.{last}@{domain}".lower().replace("ë", "e")
        title = rng.choice(_TITLES) if rng.random() < 0.8 else None
        phone = f"+1503555{rng.randrange(10_000):04d}" if rng.random() < 0.5 else None
        contacts.append(Contact(_draw_salesforce_id(rng, "003"), f"{first} {last}", email, title, phone))
    stage_changes = _build_stage_changes(rng, is_lost, until, days)
    industry_short, goods = GOODS[industry]
    facts = {slot: rng.choice(SLOTS[slot]) for slot in _FACTS}
    facts |= {"account": name, "industry_short": industry_short, "goods": rng.choice(goods)}
    if competitor is not None:
        facts["competitor"] = competitor
    return Account(
        _draw_salesforce_id(rng, "001"),
        _draw_salesforce_id(rng, "006"),
        name,
        industry,
        rng.randrange(80, 6000),
        contacts,
        stage_changes,
        _draw_close_date(rng, stage_changes[-1], until),
        is_lost,
        competitor,
        facts,
    )


def _build_stage_changes(rng: random.Random, is_lost: bool, until: datetime, days: int) -> list[StageChange]:
    amount = rng.randrange(18, 240) * 1000
    moment = until - timedelta(days=days * rng.uniform(0.6, 1.5))
    stages = [*_STAGES[: rng.randint(2, 4)], "Closed Lost"] if is_lost else _STAGES
    stage_changes = []
    for stage in stages:
        stage_changes.append(StageChange(moment, stage, amount))
        amount = round(amount * rng.uniform(0.85, 1.2) / 500) * 500
        moment += timedelta(days=max(days, 4) * rng.uniform(0.1, 0.4))
    return [change for change in stage_changes if change.since <= until] or stage_changes[:1]


def _draw_close_date(rng: random.Random, last: StageChange, until: datetime) -> date:
    """Return the date of the closing, or the expected one, which has passed for some open deals."""
    expected = until + timedelta(days=rng.uniform(-20, 75))
    return (last.since if last.stage.startswith("Closed") else expected).date()


def _draw_salesforce_id(rng: random.Random, prefix: str) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz0123456789"
    return prefix + "5f000" + "".join(rng.choices(letters, k=10))
