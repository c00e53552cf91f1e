"""The simulated company's customers: accounts, their people, and opportunities that move through stages."""

import random
from bisect import bisect_right
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pipelines.demo.company.people import Names

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
    """Somebody at a customer; a name or phone that Gong would not know is None."""

    crm_id: str
    name: str
    email: str
    title: str | None
    phone: str | None


class Step(NamedTuple):
    """The opportunity from this moment on."""

    since: datetime
    stage: str
    amount: int


class Account(NamedTuple):
    """A customer with its contacts and the history of its opportunity."""

    crm_id: str
    opportunity_id: str
    name: str
    industry: str
    employees: int
    contacts: list[Contact]
    steps: list[Step]

    def step_at(self, moment: datetime) -> Step:
        """The state of the opportunity at that moment."""
        return self.steps[max(bisect_right(self.steps, moment, key=lambda step: step.since) - 1, 0)]

    def context(self, call_time: datetime, now: datetime) -> list[Json]:
        """`context` of a call: the account without timing, the opportunity both as it is and as it was."""
        objects = [self._account_object()]
        for timing, moment in (("Now", now), ("TimeOfCall", call_time)):
            objects.append(self._opportunity_object(timing, self.step_at(moment)))
        return [{"system": "Salesforce", "objects": objects}]

    def _account_object(self) -> Json:
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

    def _opportunity_object(self, timing: str, step: Step) -> Json:
        return {
            "objectType": "Opportunity",
            "objectId": self.opportunity_id,
            "fields": [
                {"name": "Name", "value": f"{self.name}: planning"},
                {"name": "StageName", "value": step.stage},
                {"name": "Amount", "value": step.amount},
                {"name": "Probability", "value": _PROBABILITY[step.stage] / 100},
                {"name": "IsClosed", "value": step.stage.startswith("Closed")},
                {"name": "CloseDate", "value": (self.steps[-1].since + timedelta(days=14)).date().isoformat()},
            ],
            "timing": timing,
        }


def build_accounts(rng: random.Random, names: Names, *, count: int, until: datetime, days: int) -> list[Account]:
    """Accounts whose opportunities advance over the time span, some to a loss."""
    companies = [(f"{stem} {trade}", industry) for stem in _STEMS for trade, industry in _TRADES.items()]
    return [_account(rng, names, company, until, days) for company in rng.sample(companies, count)]


def _account(rng: random.Random, names: Names, company: tuple[str, str], until: datetime, days: int) -> Account:
    name, industry = company
    domain = name.lower().replace(" ", "") + ".example"
    contacts = []
    for _ in range(rng.randrange(3, 7)):
        first, last = names.draw()
        email = f"{first}.{last}@{domain}".lower().replace("ë", "e")
        title = rng.choice(_TITLES) if rng.random() < 0.8 else None
        phone = f"+1503555{rng.randrange(10_000):04d}" if rng.random() < 0.5 else None
        contacts.append(Contact(_salesforce_id(rng, "003"), f"{first} {last}", email, title, phone))
    return Account(
        _salesforce_id(rng, "001"),
        _salesforce_id(rng, "006"),
        name,
        industry,
        rng.randrange(80, 6000),
        contacts,
        _steps(rng, until, days),
    )


def _steps(rng: random.Random, until: datetime, days: int) -> list[Step]:
    amount = rng.randrange(18, 240) * 1000
    moment = until - timedelta(days=days * rng.uniform(0.6, 1.5))
    steps = []
    for stage in _STAGES:
        if stage != "Prospecting" and rng.random() < 0.07:
            steps.append(Step(moment, "Closed Lost", amount))
            break
        steps.append(Step(moment, stage, amount))
        amount = round(amount * rng.uniform(0.85, 1.2) / 500) * 500
        moment += timedelta(days=max(days, 4) * rng.uniform(0.1, 0.4))
    return [step for step in steps if step.since <= until] or steps[:1]


def _salesforce_id(rng: random.Random, prefix: str) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz0123456789"
    return prefix + "5f000" + "".join(rng.choices(letters, k=10))
