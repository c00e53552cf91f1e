"""Customers of the generated company: accounts, their contacts, and opportunities that move through stages."""

import random
from bisect import bisect_right
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.company.people import NamePool

Json = dict[str, Any]

_STEMS = (
    *("Alder", "Northgate", "Copperfield", "Juniper", "Halcyon", "Redwood", "Silverline", "Maple", "Orchard", "Summit"),
    *("Larkspur", "Granite", "Bluebell", "Kestrel", "Harbor", "Willow", "Foxglove", "Cedar", "Lantern", "Prairie"),
)
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
    """A customer with its contacts and the history of its opportunity, oldest first."""

    crm_id: str
    opportunity_id: str
    name: str
    industry: str
    employees: int
    contacts: list[Contact]
    stage_changes: list[StageChange]

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
                {"name": "CloseDate", "value": (self.stage_changes[-1].since + timedelta(days=14)).date().isoformat()},
            ],
            "timing": timing,
        }


def build_accounts(rng: random.Random, names: NamePool, *, count: int, until: datetime, days: int) -> list[Account]:
    """Return accounts whose opportunities advance over the last `days`; some are lost."""
    companies = [(f"{stem} {trade}", industry) for stem in _STEMS for trade, industry in _TRADES.items()]
    return [_build_account(rng, names, company, until, days) for company in rng.sample(companies, count)]


def _build_account(
    rng: random.Random, names: NamePool, company: tuple[str, str], until: datetime, days: int
) -> Account:
    name, industry = company
    domain = name.lower().replace(" ", "") + ".example"
    contacts = []
    for _ in range(rng.randrange(3, 7)):
        first, last = names.draw()
        email = f"{first}.{last}@{domain}".lower().replace("ë", "e")
        title = rng.choice(_TITLES) if rng.random() < 0.8 else None
        phone = f"+1503555{rng.randrange(10_000):04d}" if rng.random() < 0.5 else None
        contacts.append(Contact(_draw_salesforce_id(rng, "003"), f"{first} {last}", email, title, phone))
    return Account(
        _draw_salesforce_id(rng, "001"),
        _draw_salesforce_id(rng, "006"),
        name,
        industry,
        rng.randrange(80, 6000),
        contacts,
        _build_stage_changes(rng, until, days),
    )


def _build_stage_changes(rng: random.Random, until: datetime, days: int) -> list[StageChange]:
    amount = rng.randrange(18, 240) * 1000
    moment = until - timedelta(days=days * rng.uniform(0.6, 1.5))
    stage_changes = []
    for stage in _STAGES:
        if stage != "Prospecting" and rng.random() < 0.07:
            stage_changes.append(StageChange(moment, "Closed Lost", amount))
            break
        stage_changes.append(StageChange(moment, stage, amount))
        amount = round(amount * rng.uniform(0.85, 1.2) / 500) * 500
        moment += timedelta(days=max(days, 4) * rng.uniform(0.1, 0.4))
    return [change for change in stage_changes if change.since <= until] or stage_changes[:1]


def _draw_salesforce_id(rng: random.Random, prefix: str) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz0123456789"
    return prefix + "5f000" + "".join(rng.choices(letters, k=10))
